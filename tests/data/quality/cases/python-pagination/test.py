assert paginate(list(range(45)), 3) == Page([40, 41, 42, 43, 44], 3, 3)
assert not paginate(list(range(40)), 2).has_next
assert paginate([], 7) == Page([], 1, 1)
assert paginate("abcdef", 99, 3) == Page("def", 2, 2)
assert paginate("abcdef", -1, 4) == Page("abcd", 1, 2)
