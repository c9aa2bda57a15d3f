"""The lines in which two texts differ, in time that does not explode on large files.

Common ends are stripped first. Then lines that occur once in both texts anchor the comparison (as in a patience
diff), and only what lies between two anchors is compared line by line, up to a bound beyond which it counts as
changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_PAIRS = 250_000
"""Pairs of lines that are compared between two anchors."""

_MOST_LEVELS = 50
"""Of anchors between anchors; a text that was made to nest deeper must not exhaust the stack."""

_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Block:
    """Old lines `old_start` up to `old_end` became new lines `new_start` up to `new_end`; all count from 0."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def comparable(lines: Sequence[str]) -> list[str]:
    """The lines without their ends, so that neither CRLF nor a missing last line end is a difference."""
    bare = [line.rstrip("\r\n") for line in lines]
    while bare and bare[-1] == "":
        bare.pop()
    return bare


def differing_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """The blocks in which two sequences of lines differ, in order and not touching."""
    merged: list[Block] = []
    for block in _blocks(old, new, 0, len(old), 0, len(new)):
        last = merged[-1] if merged else None
        if last and last.old_end == block.old_start and last.new_end == block.new_start:
            merged[-1] = Block(last.old_start, block.old_end, last.new_start, block.new_end)
        else:
            merged.append(block)
    return merged


def changed_ranges(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where `new` differs: lines `start` up to and not including `end`, from 0, in order.

    Where lines are only missing, the range holds the line that they were attached to with no blank line between (so
    that a decorator that was removed is a change of its function); otherwise it is empty.
    """
    ranges = []
    for block in differing_blocks(old, new):
        start, end = block.new_start, block.new_end
        if start == end:
            gone = old[block.old_start : block.old_end]
            if end < len(new) and gone[-1].strip() and new[end].strip():
                end += 1
            if start > 0 and gone[0].strip() and new[start - 1].strip():
                start -= 1
        ranges.append((start, end))
    return tuple(ranges)


def unified(old: Sequence[str], new: Sequence[str], name: str) -> str:
    """The differences as a unified diff with three lines of context; empty where there are none."""
    blocks = differing_blocks(old, new)
    if not blocks:
        return ""
    lines = [f"--- a/{name}", f"+++ b/{name}"]
    for hunk in _hunks(blocks):
        first, last = hunk[0], hunk[-1]
        before = min(_CONTEXT, first.old_start)
        after = min(_CONTEXT, len(old) - last.old_end)
        old_span = _span(first.old_start - before, last.old_end + after)
        new_span = _span(first.new_start - before, last.new_end + after)
        lines.append(f"@@ -{old_span} +{new_span} @@")
        place = first.old_start - before
        for block in hunk:
            lines += [" " + line for line in old[place : block.old_start]]
            lines += ["-" + line for line in old[block.old_start : block.old_end]]
            lines += ["+" + line for line in new[block.new_start : block.new_end]]
            place = block.old_end
        lines += [" " + line for line in old[place : place + after]]
    return "\n".join(lines) + "\n"


def _hunks(blocks: list[Block]) -> list[list[Block]]:
    """Blocks whose contexts meet go together."""
    hunks = [[blocks[0]]]
    for block in blocks[1:]:
        if block.old_start - hunks[-1][-1].old_end <= 2 * _CONTEXT:
            hunks[-1].append(block)
        else:
            hunks.append([block])
    return hunks


def _span(start: int, end: int) -> str:
    """As diffs write it: lines from 1, an empty span by the line before it."""
    length = end - start
    return f"{start + (length > 0)},{length}" if length != 1 else f"{start + 1}"


def _blocks(old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int, depth: int = 0) -> Iterator[Block]:
    """The differences of old[a:b] and new[c:d]."""
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    if a == b or c == d:
        if a < b or c < d:
            yield Block(a, b, c, d)
        return
    anchors = _anchors(old, new, a, b, c, d) if depth < _MOST_LEVELS else []
    if anchors:
        for i, j in [*anchors, (b, d)]:
            yield from _blocks(old, new, a, i, c, j, depth + 1)
            a, c = i + 1, j + 1
    elif (b - a) * (d - c) > _MOST_PAIRS:
        yield Block(a, b, c, d)
    else:
        matcher = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag != "equal":
                yield Block(a + i1, a + i2, c + j1, c + j2)


def _anchors(old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
    """Lines that are unique on both sides: the longest run of pairs that rises on both."""
    old_counts, new_counts = Counter(old[a:b]), Counter(new[c:d])
    places = {line: j for j, line in enumerate(new[c:d], c) if new_counts[line] == 1}
    pairs = [(i, places[line]) for i, line in enumerate(old[a:b], a) if old_counts[line] == 1 and line in places]
    tails: list[int] = []  # the smallest last new line of a rising run of each length
    runs: list[int] = []  # index into `pairs` of that last pair
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(tails, j)
        previous.append(runs[length - 1] if length else -1)
        tails[length : length + 1] = [j]
        runs[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = runs[-1] if runs else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
