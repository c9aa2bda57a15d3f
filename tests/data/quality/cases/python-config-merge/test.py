base = {"log": {"level": "info", "file": "a.log"}, "port": 80}
assert merged(base, {"log": {"level": "debug"}}) == {"log": {"level": "debug", "file": "a.log"}, "port": 80}
assert base == {"log": {"level": "info", "file": "a.log"}, "port": 80}
assert load([{"port": None}, {"log": {"file": None}}], base) == {"log": {"level": "info"}}
assert merged({"log": "a.log"}, {"log": {"level": "debug", "file": None}}) == {"log": {"level": "debug"}}
assert base["log"] == {"level": "info", "file": "a.log"}
