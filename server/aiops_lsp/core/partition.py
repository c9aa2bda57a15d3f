"""From an outline to parts: line ranges that partition the document, each of one kind.

A function is a part, with the comments and decorators directly above it. What stands between functions is a run of
statements: one part, unless it is long. Blank lines belong to what is above them. A line that two items share keeps
them in one part.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from aiops_lsp.core.outline import Item, Role, Scope
from aiops_lsp.core.regions import RegionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.syntax import Span

Header = tuple["Span", ...]
"""What leads to a block, such as `if x:`: where it is in the text, in several pieces if other blocks are between."""

LONGEST_RUN = 60
"""Lines in a run of statements, or in a paragraph, from which it is cut where its statements allow."""

_SHORTEST_CUT = 8
_DEEPEST_CUT = 50
"""Hashes that happen to be in order would cut off a little at a time; from here on runs are halved."""


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
    One that is `partial` begins or ends within a block; `headers` are those of the blocks that it begins in.
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
    headers: tuple[Header, ...] = ()
    partial: bool = False


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
    ranks = [_rank(unit, lines) for unit in part.units]
    cuts: list[int] = []
    halves = [(0, len(part.units), 0)]
    while halves:
        first, last, depth = halves.pop()
        place = _best_cut(part, ranks, first, last, depth)
        if place is not None:
            cuts.append(place)
            halves += [(first, place, depth + 1), (place, last, depth + 1)]
    bounds = [0, *sorted(cuts), len(part.units)]
    pieces = [_piece(part, first, last) for first, last in pairwise(bounds)]
    pieces[0].start = part.start
    for piece, following in pairwise(pieces):
        piece.end = following.start
    return pieces


def _piece(part: Part, first: int, last: int) -> Part:
    units = part.units[first:last]
    start = units[0].first if units else part.start
    return Part(part.kind, part.symbol, start, part.end, part.scope, None, units, part.imports)


def _best_cut(part: Part, ranks: Sequence[tuple[bool, bytes]], first: int, last: int, depth: int) -> int | None:
    """Where to cut the units from `first` up to `last`; None when they are few enough, or only one."""
    units = part.units
    if last - first < 2:
        return None
    start, end = units[first].first, units[last - 1].last + 1
    if end - start <= LONGEST_RUN:
        return None
    middle = (start + end) / 2
    places = range(first + 1, last)
    central = [p for p in places if units[p].first - start >= _SHORTEST_CUT and end - units[p].first >= _SHORTEST_CUT]
    if depth > _DEEPEST_CUT:
        return min(places, key=lambda place: abs(units[place].first - middle))
    return min(central or places, key=lambda place: (ranks[place], abs(units[place].first - middle)))


def _rank(unit: Unit, lines: Sequence[str]) -> tuple[bool, bytes]:
    """What a cut before `unit` is worth, the least first. The comments above its statement do not count."""
    after_blank = unit.first > 0 and not lines[unit.first - 1].strip()
    line = lines[unit.item.first if unit.item is not None else unit.first]
    return not after_blank, hashlib.blake2b(line.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()
