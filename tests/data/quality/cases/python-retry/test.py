def run(failures, attempts):
    calls, pauses = [], []

    def action():
        calls.append(None)
        if len(calls) <= failures:
            raise TemporaryFailure
        return "done"

    try:
        return with_retries(action, attempts, sleep=pauses.append), len(calls), len(pauses)
    except TemporaryFailure:
        return "failed", len(calls), len(pauses)


assert run(0, 4) == ("done", 1, 0)
assert run(3, 4) == ("done", 4, 3)
assert run(9, 3) == ("failed", 3, 2)
assert run(0, 1) == ("done", 1, 0)
