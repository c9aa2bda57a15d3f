cache = RecentCache(2)
cache.put("a", 1)
cache.put("b", 2)
assert cache.get("a") == 1
cache.put("c", 3)
assert cache.get("b") is None
assert cache.get("a") == 1
assert cache.get("c") == 3
cache.put("a", 4)
cache.put("d", 5)
assert cache.get("c") is None and cache.get("a") == 4 and cache.get("d") == 5
