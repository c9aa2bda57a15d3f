"""Which lines were edited, and when: kept while typing in lines of the current text.

The marks decide the scope where there is no version control, and tell a region that is still being written from
one that has been left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.text import AppliedEdit

MOST_MARKS = 200
"""Beyond this many the nearest two are joined: the work per keystroke stays bounded."""


@dataclass(slots=True)
class _Mark:
    first: int
    last: int
    at: float


class EditMarks:
    """Edited line ranges with the monotonic time of their last edit, in order and apart from each other."""

    def __init__(self) -> None:
        self._marks: list[_Mark] = []

    def edited(self, edit: AppliedEdit, at: float) -> None:
        """Carry the marks through `edit` and mark its lines. What earlier marks cover beside them keeps its time."""
        first, old_last, new_last = edit.range.start.line, edit.range.end.line, edit.new_end.line
        start = end = self._first_from(first)
        now = [_Mark(first, new_last, at)]
        while end < len(self._marks) and self._marks[end].first <= old_last:
            mark = self._marks[end]
            if mark.first < first:
                now.insert(0, _Mark(mark.first, first - 1, mark.at))
            if mark.last > old_last:
                now.append(_Mark(new_last + 1, mark.last + new_last - old_last, mark.at))
            end += 1
        if new_last != old_last:
            for mark in self._marks[end:]:
                mark.first += new_last - old_last
                mark.last += new_last - old_last
        self._marks[start:end] = now
        while len(self._marks) > MOST_MARKS:
            self._join_nearest()

    def last_edits(self, starts: Sequence[int]) -> dict[int, float]:
        """When a line of each part was last edited, for those where one was.

        `starts` are the first lines of parts that follow each other; the last one goes on without end.
        """
        found: dict[int, float] = {}
        for mark in self._marks:
            for index in range(max(0, bisect_right(starts, mark.first) - 1), bisect_right(starts, mark.last)):
                found[index] = max(mark.at, found.get(index, mark.at))
        return found

    def latest(self) -> tuple[int, int] | None:
        """The first and last line of the range that was edited last."""
        newest = max(self._marks, key=lambda mark: mark.at, default=None)
        return None if newest is None else (newest.first, newest.last)

    def latest_at(self) -> float | None:
        """When the last edit was; None when there was none."""
        return max((mark.at for mark in self._marks), default=None)

    def _first_from(self, line: int) -> int:
        """The index of the first mark that ends at `line` or after it."""
        return bisect_left(self._marks, line, key=lambda mark: mark.last)

    def _join_nearest(self) -> None:
        """Join the two with the least between them; of several such pairs the one that has rested longest."""
        pairs = zip(self._marks, self._marks[1:], strict=False)
        costs = [(after.first - before.last, max(before.at, after.at)) for before, after in pairs]
        index = costs.index(min(costs))
        before, after = self._marks[index : index + 2]
        self._marks[index : index + 2] = [_Mark(before.first, after.last, max(before.at, after.at))]
