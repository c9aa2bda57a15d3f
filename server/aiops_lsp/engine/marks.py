"""Which lines were edited, and when: kept while typing in lines of the current text.

The marks decide the scope where there is no version control, and tell a region that is still being written from
one that has been left.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        """Carry the marks through `edit` and mark its lines."""
        first, old_last, new_last = edit.range.start.line, edit.range.end.line, edit.new_end.line
        start = bisect_left(self._marks, first, key=lambda mark: mark.last)
        merged = _Mark(first, new_last, at)
        end = start
        while end < len(self._marks) and self._marks[end].first <= old_last:
            mark = self._marks[end]
            merged.first = min(merged.first, mark.first)
            if mark.last > old_last:
                merged.last = mark.last + new_last - old_last
            end += 1
        if new_last != old_last:
            for mark in self._marks[end:]:
                mark.first += new_last - old_last
                mark.last += new_last - old_last
        self._marks[start:end] = [merged]
        if len(self._marks) > MOST_MARKS:
            self._join_nearest()

    def last_edit(self, start_line: int, end_line: int) -> float | None:
        """When a line from `start_line` up to and not including `end_line` was last edited; None for never."""
        times = [mark.at for mark in self._marks if mark.first < end_line and mark.last >= start_line]
        return max(times, default=None)

    def latest(self) -> tuple[int, int] | None:
        """The first and last line of the range that was edited last."""
        newest = max(self._marks, key=lambda mark: mark.at, default=None)
        return None if newest is None else (newest.first, newest.last)

    def _join_nearest(self) -> None:
        gaps = [after.first - before.last for before, after in zip(self._marks, self._marks[1:], strict=False)]
        index = gaps.index(min(gaps))
        before, after = self._marks[index : index + 2]
        self._marks[index : index + 2] = [_Mark(before.first, after.last, max(before.at, after.at))]
