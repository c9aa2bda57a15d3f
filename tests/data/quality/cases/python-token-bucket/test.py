bucket = TokenBucket(rate=1.0, capacity=10.0)
assert not bucket.allow(0.5)
assert not bucket.allow(0.75)
assert not bucket.allow(0.9)
assert bucket.allow(1.5)
assert not bucket.allow(1.6)
assert abs(bucket.wait_time(1.6) - 0.4) < 1e-9
