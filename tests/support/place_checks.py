"""What must hold of the place of each finding and fix, and of what shows of a document over time.

Nothing here comes from the program's own text: positions are looked up in plain strings.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Origin

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from aiops_lsp.core.findings import Edit, Finding
    from aiops_lsp.core.text import Position, Range
    from tests.support.scripted_model import Faults

_ENDS = re.compile(r"\r\n|\r|\n")
_KEPT_ENDS = re.compile(r"(\r\n|\r|\n)")


class Places:
    """A text and where its lines are, found once. Offsets are in code points."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sound: dict[int, Finding] = {}
        """The findings that were checked against this text and hold, by their identity."""
        borders = [0, *accumulate(map(len, _KEPT_ENDS.split(text)))]
        self._starts, self._stops = borders[:-1:2], borders[1::2]

    def lines(self) -> list[str]:
        """All lines, without their ends."""
        return [self.text[start:stop] for start, stop in zip(self._starts, self._stops, strict=True)]

    def line(self, number: int) -> str:
        """One line, without its end."""
        return self.text[self._starts[number] : self._stops[number]]

    def offset(self, position: Position) -> int:
        """The offset of a position, which must be one of the text."""
        assert position.line < len(self._starts), position
        offset = self._starts[position.line] + position.column
        assert offset <= self._stops[position.line], position
        return offset

    def covered(self, place: Range) -> str:
        """What a range covers."""
        return self.text[self.offset(place.start) : self.offset(place.end)]

    def around(self, edit: Edit) -> tuple[int, int]:
        """The offsets of the lines that an edit is in, with a line before and after, and their line ends."""
        first, last = max(0, edit.range.start.line - 1), min(len(self._starts) - 1, edit.range.end.line + 1)
        end = self._starts[last + 1] if last + 1 < len(self._starts) else len(self.text)
        return self._starts[first], end


def check_finding(one: Finding, places: Places, faults: Faults) -> None:
    """It covers exactly its evidence, and its fix does in exactly the text that it names what the model said."""
    if places.sound.get(id(one)) is not one:
        _check_finding(one, places, faults)
        places.sound[id(one)] = one


def _check_finding(one: Finding, places: Places, faults: Faults) -> None:
    covered = places.covered(one.range)
    assert covered == one.evidence, (covered, one)
    assert covered, one
    if one.origin is Origin.MODEL:
        fault = one.title.removeprefix("Fails ")
        line = places.line(one.range.start.line)
        assert covered == fault or (covered == line.strip() and fault in line), (covered, one)
    if one.fix is None:
        return
    assert not one.rechecking, one
    for edit in one.fix.edits:
        assert places.covered(edit.range) == edit.old_text, edit
    if one.origin is Origin.MODEL:
        (edit,) = one.fix.edits
        _check_change(one, edit, places, faults)


def _check_change(one: Finding, edit: Edit, places: Places, faults: Faults) -> None:
    """One word changes, in the line that the finding begins in, and nothing else does."""
    start, end = places.offset(edit.range.start), places.offset(edit.range.end)
    left, right = places.around(edit)
    text, fixed = places.text[left:right], places.text[left:start] + edit.new_text + places.text[end:right]
    before, after = _ENDS.split(text), _ENDS.split(fixed)
    assert _ENDS.findall(text) == _ENDS.findall(fixed), edit
    first = max(0, edit.range.start.line - 1)
    changed = [number for number, line in enumerate(before) if after[number] != line]
    assert [first + number for number in changed] == [one.range.start.line], (one, edit)
    (number,) = changed
    line = before[number]
    wanted = [
        line[: found.start()] + faults.mended(found[0]) + line[found.end() :]
        for found in faults.in_line(line)
        if one.title == f"Fails {found[0]}"
    ]
    assert after[number] in wanted, (one, edit, wanted)


class History:
    """What was shown of one open document, region by region, for as long as the region is there."""

    def __init__(self) -> None:
        self.published: tuple[Finding, ...] | None = None
        self._known: set[tuple[str, str]] = set()
        self._shown: dict[str, set[Hashable]] = {}
        self._gone: dict[str, set[Hashable]] = {}

    def remember(self, one: Finding) -> None:
        """A finding is shown."""
        self._known.add((one.evidence, one.title))

    def knows(self, one: Finding) -> bool:
        """Whether one with this evidence was shown before."""
        return (one.evidence, one.title) in self._known

    def take(self, shown: Mapping[str, set[Hashable]]) -> None:
        """Nothing that has gone from a region comes back while the region stays the same. `shown` is by region key."""
        gone: dict[str, set[Hashable]] = {}
        returned: list[tuple[str, Hashable]] = []
        for key, places in shown.items():
            returned += [(key, place) for place in places & self._gone.get(key, set())]
            gone[key] = (self._gone.get(key, set()) - places) | (self._shown.get(key, set()) - places)
        self._shown, self._gone = dict(shown), gone
        assert not returned, f"vanished and returned: {returned}"
