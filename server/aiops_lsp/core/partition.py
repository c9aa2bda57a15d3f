"""From an outline to parts: line ranges that partition the document, each of one kind.

A function is a part, with the comments and decorators directly above it. What stands between functions is a run of
statements: one part, unless it is long. Blank lines belong to what is above them. A line that two items share keeps
them in one part.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops_lsp.core.outline import Item, Role, Scope
from aiops_lsp.core.regions import RegionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_RUN = 60
"""Lines in a run of statements, or in a paragraph, from which it is cut where its statements allow."""

_SHORTEST_CUT = 8


@dataclass(slots=True)
class Unit:
    """What is never cut: the lines of a statement, and the comments directly above it.

    `item` is None when the lines hold more than one.
    """

    first: int
    last: int
    item: Item | None = None


@dataclass(slots=True)
class Part:
    """Lines from `start` up to and not including `end`.

    `function` is set for a function's part. A part that is `cut` lost some of its lines to another split's region.
    """

    kind: RegionKind
    symbol: str
    start: int
    end: int
    scope: Scope | None = None
    function: Item | None = None
    units: list[Unit] = field(default_factory=list)
    imports: bool = False
    closed: bool = False
    cut: bool = False


def partition(items: Sequence[Item], lines: Sequence[str], top: Scope) -> list[Part]:
    """The parts of a document with these items and lines. They cover each line once, in order."""
    building = _Parts(top)
    for item in sorted(items, key=lambda item: item.first):
        building.add(item)
    parts = building.finish(len(lines))
    return [piece for part in parts for piece in cut_run(part, lines)]


class _Parts:
    """The parts so far, and the comments and decorators that wait for what they belong to."""

    def __init__(self, top: Scope) -> None:
        self.top = top
        self.parts: list[Part] = []
        self.reached = -1
        self.waiting: Item | None = None

    def add(self, item: Item) -> None:
        if item.role not in (Role.COMMENT, Role.LEAD):
            self.place(item, self.leads_to(item))
        elif item.first <= self.reached:
            self.reached = max(self.reached, item.last)
        else:
            first = self.leads_to(item)
            role = Role.LEAD if self.waiting is not None and self.waiting.role is Role.LEAD else item.role
            self.waiting = Item(role, first, max(item.last, self.waiting.last if self.waiting else 0), item.scope)

    def leads_to(self, item: Item) -> int:
        """The line at which `item` begins, with what waits directly above it. What waits for nothing is placed."""
        waiting = self.waiting
        if waiting is None:
            return item.first
        adjacent = item.first <= waiting.last + 1 or waiting.role is Role.LEAD
        if adjacent and item.role is not Role.CLOSER:
            if item.role not in (Role.COMMENT, Role.LEAD):
                self.waiting = None
            return waiting.first
        self.waiting = None
        self.place(waiting, waiting.first)
        return item.first

    def place(self, item: Item, first: int) -> None:
        current = self.parts[-1] if self.parts else None
        if current is not None and first <= self.reached:
            current.units[-1].last = max(current.units[-1].last, item.last)
            current.units[-1].item = None
            current.closed = current.closed or item.role is Role.CLOSER
        elif current is not None and _joins(current, item):
            current.units.append(Unit(first, item.last, item))
            current.imports = current.imports and item.role in (Role.IMPORT, Role.COMMENT)
            current.closed = item.role is Role.CLOSER
        else:
            self.parts.append(_part(item, first))
        self.reached = max(self.reached, item.last)

    def finish(self, line_count: int) -> list[Part]:
        if self.waiting is not None:
            self.place(self.waiting, self.waiting.first)
        if not self.parts:
            return [Part(RegionKind.STATEMENTS, "", 0, line_count, self.top)]
        self.parts[0].start = 0
        for part, following in zip(self.parts, self.parts[1:], strict=False):
            part.end = following.start
        self.parts[-1].end = line_count
        return self.parts


def _part(item: Item, first: int) -> Part:
    scope = item.scope
    kind = RegionKind.CLASS_BODY if scope.is_class else RegionKind.STATEMENTS
    symbol = scope.symbol
    function = None
    if item.role is Role.FUNCTION:
        kind = RegionKind.METHOD if scope.is_class or item.receiver else RegionKind.FUNCTION
        symbol = ".".join(filter(None, (symbol, item.receiver, item.name)))
        function = item
    imports = item.role is Role.IMPORT
    units = [Unit(first, item.last, item)]
    return Part(kind, symbol, first, first, scope, function, units, imports, closed=item.role is Role.CLOSER)


def _joins(current: Part, item: Item) -> bool:
    """Whether `item`, on lines of its own, continues the run `current`."""
    if current.function is not None or item.role in (Role.FUNCTION, Role.HEADER):
        return False
    if item.role is Role.CLOSER:
        return True
    if current.closed or current.scope is not item.scope:
        return False
    return item.role is Role.COMMENT or current.imports == (item.role is Role.IMPORT)


def cut_run(part: Part, lines: Sequence[str]) -> list[Part]:
    """Cut a long run where its own content says, so that an edit moves no cut but those beside it.

    Of all places between two statements that are not near an end, the one is taken whose first line has the smallest
    hash, one after a blank line before any other; and so on in both halves.
    """
    if part.function is not None or part.end - part.start <= LONGEST_RUN:
        return [part]
    place = _best_cut(part, lines)
    if place is None:
        return [part]
    line = part.units[place].first
    scope = part.scope
    left = Part(part.kind, part.symbol, part.start, line, scope, None, part.units[:place], part.imports)
    right = Part(part.kind, part.symbol, line, part.end, scope, None, part.units[place:], part.imports)
    return [*cut_run(left, lines), *cut_run(right, lines)]


def _best_cut(part: Part, lines: Sequence[str]) -> int | None:
    end = part.units[-1].last + 1 if part.units else 0
    places = range(1, len(part.units))
    central = [
        place
        for place in places
        if part.units[place].first - part.start >= _SHORTEST_CUT and end - part.units[place].first >= _SHORTEST_CUT
    ]
    if not central and end - part.start <= LONGEST_RUN:
        return None
    return min(central or places, key=lambda place: _rank(part.units[place].first, lines), default=None)


def _rank(line: int, lines: Sequence[str]) -> tuple[bool, bytes]:
    after_blank = not lines[line - 1].strip()
    text = lines[line].strip().encode("utf-8", "surrogatepass")
    return not after_blank, hashlib.blake2b(text, digest_size=8).digest()
