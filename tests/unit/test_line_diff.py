"""Where two texts differ."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.engine.line_diff import changed_ranges, comparable, differing_blocks, unified

CODE = ["@login_required", "def a():", "    one", "    two", "", "", "def b():", "    three"]


@pytest.mark.parametrize(
    ("new", "ranges"),
    [
        (CODE, ()),
        ([], ((0, 0),)),
        ([*CODE, "x"], ((8, 9),)),
        (["x", *CODE], ((0, 1),)),
        ([*CODE[:3], "    TWO", *CODE[4:]], ((3, 4),)),
        ([*CODE[:3], "    TWO", "", "", "def b():", "    THREE"], ((3, 4), (7, 8))),
        (CODE[1:], ((0, 1),)),  # the decorator is gone: its function changed
        ([*CODE[:3], *CODE[4:]], ((2, 3),)),  # the last line of a body is gone: the line before it stands for it
        ([*CODE[:2], *CODE[3:]], ((1, 3),)),  # a line amid others is gone
        (CODE[6:], ((0, 0),)),  # a whole function with the blank lines after it is gone: no other changed
        (["def c():", "    four"], ((0, 2),)),
    ],
)
def test_changed_ranges(new: list[str], ranges: tuple[tuple[int, int], ...]) -> None:
    assert changed_ranges(CODE, new) == ranges


@pytest.mark.parametrize(
    ("lines", "bare"),
    [(["a\r\n", "b\n", "c"], ["a", "b", "c"]), (["a\n", "\n", ""], ["a"]), ([""], []), (["a \n"], ["a "])],
)
def test_line_ends_are_no_difference(lines: list[str], bare: list[str]) -> None:
    assert comparable(lines) == bare


few_lines = st.lists(st.sampled_from(["a", "b", "c", "", "{", "}"]) | st.text("xyz", max_size=2), max_size=25)


@given(old=few_lines, new=few_lines)
def test_the_blocks_turn_the_old_text_into_the_new(old: list[str], new: list[str]) -> None:
    built: list[str] = []
    place = new_place = 0
    for block in differing_blocks(old, new):
        built += old[place : block.old_start]
        assert len(built) == block.new_start
        assert block.old_start < block.old_end or block.new_start < block.new_end
        assert place == 0 or (block.old_start > place or block.new_start > new_place)
        built += new[block.new_start : block.new_end]
        place, new_place = block.old_end, block.new_end
    assert built + old[place:] == new


@given(old=few_lines, new=few_lines)
def test_every_new_line_outside_of_the_ranges_was_there(old: list[str], new: list[str]) -> None:
    ranges = changed_ranges(old, new)
    kept = [line for n, line in enumerate(new) if not any(start <= n < end for start, end in ranges)]
    remaining = iter(old)
    assert all(line in remaining for line in kept)
    assert bool(ranges) == (old != new)


def test_unified_is_what_difflib_writes() -> None:
    old = [f"line {n}" for n in range(40)]
    new = [*old[:2], "changed", *old[3:8], *old[9:30], "added", *old[30:]]
    assert (
        unified(old, new, "x.py") == "\n".join(difflib.unified_diff(old, new, "a/x.py", "b/x.py", lineterm="")) + "\n"
    )
    assert unified(old, old, "x.py") == ""
    assert unified([], ["new"], "x.py") == "--- a/x.py\n+++ b/x.py\n@@ -0,0 +1 @@\n+new\n"


@pytest.mark.parametrize("kind", ["repeated", "all different", "nested"])
def test_large_texts_take_no_quadratic_time(kind: str) -> None:
    if kind == "repeated":
        old, new = ["a", "b"] * 20_000, ["b", "c", "a"] * 15_000
    elif kind == "all different":
        old, new = [f"o{n}" for n in range(50_000)], [f"n{n}" for n in range(50_000)]
    else:
        old = [line for n in range(5_000) for line in (f"x{n + 1}", f"x{n}")]
        new = [line for n in range(5_000) for line in (f"x{n + 1}", "y", f"x{n}")]
    assert changed_ranges(old, new)
