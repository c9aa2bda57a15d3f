"""Cutting what is too large for one request into parts that fit, between its statements.

Where a part is cut, its own content says: of the places in the middle half, the one in the fewest blocks is taken,
and of these the one whose statement has the smallest hash; and so on in both halves until all parts fit. So an edit
moves no cut but those beside it, and comments and blanks move none, save where they make a part outgrow its bound.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from aiops_lsp.core.outline import Role
from aiops_lsp.core.syntax import inside, span_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ast_grep_py import SgNode

    from aiops_lsp.core.partition import Header, Part
    from aiops_lsp.core.syntax import Span, Syntax

_SIGNS = 40
"""How much of a statement its hash is made of, so that an edit further down in it does not move the cut before it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the document before which may be cut. `headers` belong to the blocks around it, from outside in."""

    line: int
    rank: bytes
    headers: tuple[Header, ...] = ()


def cut(part: Part, syntax: Syntax, fits: Callable[[Part], bool]) -> list[Part]:
    """`part` in parts that fit, in order. One that does not, all the same, has no place where it may be cut."""
    places = _places(part, syntax)
    edges = [part.start, *(place.line for place in places), part.end]
    spans = [(syntax.line_starts[start], _end_of_line(end - 1, syntax)) for start, end in pairwise(edges)]
    return _Cutting(part, places, fits).run([len(_signs(*span, syntax)) for span in spans])


class _Cutting:
    """Chooses among the places of one part. Edge 0 is its start, edge n its nth place, the last edge its end."""

    def __init__(self, part: Part, places: Sequence[Place], fits: Callable[[Part], bool]) -> None:
        self.part = part
        self.places = places
        self.fits = fits
        self.last = len(places) + 1

    def run(self, sizes: Sequence[int]) -> list[Part]:
        """The parts; `sizes` are how many signs of code are in the pieces between neighbouring edges.

        Pieces that will never fit are set apart first, or all around them would be cut small in vain. Some are known
        only once that was done: those with more in them than their size tells, such as long comments.
        """
        largest_first = sorted(range(self.last), key=lambda index: -sizes[index])
        apart = set(takewhile(self.is_hopeless, largest_first))
        edges = self.edges(apart)
        alone = {first for first, last in pairwise(edges) if last - first == 1}
        late = set(filter(self.is_hopeless, alone - apart))
        if late:
            edges = self.edges(apart | late)
        return [self.piece(first, last) for first, last in pairwise(edges)]

    def is_hopeless(self, index: int) -> bool:
        return not self.fits(self.piece(index, index + 1))

    def edges(self, apart: Iterable[int]) -> list[int]:
        """The edges of the parts, with each of the pieces `apart` in a part of its own."""
        edges = {0, self.last}
        for index in apart:
            edges |= {index, index + 1}
        cuts = [cut for first, last in pairwise(sorted(edges)) for cut in self.cuts(first, last)]
        return sorted([*edges, *cuts])

    def cuts(self, first: int, last: int) -> Iterator[int]:
        """The edges between `first` and `last` at which to cut."""
        ranges = [(first, last)]
        while ranges:
            first, last = ranges.pop()
            if last - first < 2 or self.fits(self.piece(first, last)):
                continue
            quarter, middle = (last - first) // 4, (first + last) / 2
            central = range(max(first + 1, first + quarter), min(last, last - quarter + 1))
            edge = min(central, key=lambda edge: (self.rank(edge), abs(edge - middle)))
            yield edge
            ranges += [(first, edge), (edge, last)]

    def rank(self, edge: int) -> tuple[int, bytes]:
        place = self.places[edge - 1]
        return len(place.headers), place.rank

    def piece(self, first: int, last: int) -> Part:
        part = self.part
        if (first, last) == (0, self.last):
            return part
        start, end = self.line(first), self.line(last)
        headers, following = self.headers(first), self.headers(last)
        units = [unit for unit in part.units if unit.first < end and start <= unit.last]
        return replace(part, start=start, end=end, units=units, headers=headers, partial=bool(headers or following))

    def line(self, edge: int) -> int:
        if edge == self.last:
            return self.part.end
        return self.places[edge - 1].line if edge else self.part.start

    def headers(self, edge: int) -> tuple[Header, ...]:
        return self.places[edge - 1].headers if 0 < edge < self.last else ()


def _places(part: Part, syntax: Syntax) -> list[Place]:
    """Where `part` may be cut: before its statements, and before those in their blocks but for the first of each."""
    found: dict[int, Place] = {}
    end = _end_of_line(part.end - 1, syntax)
    for unit in part.units:
        if unit.item is None or unit.item.role is not Role.COMMENT:
            line = unit.item.first if unit.item is not None else unit.first
            found[unit.first] = Place(unit.first, _rank(syntax.line_starts[line], end, syntax))
    for root in _roots(part):
        for place in _Blocks(syntax, root, end).places():
            found.setdefault(place.line, place)
    return sorted((place for place in found.values() if part.start < place.line < part.end), key=lambda one: one.line)


def _roots(part: Part) -> Iterator[SgNode]:
    if part.function is not None:
        if part.function.node is not None:
            yield part.function.node
        return
    for unit in part.units:
        item = unit.item
        if item is not None and item.node is not None and item.role is Role.STATEMENT and unit.last > unit.first:
            yield item.node


@dataclass(slots=True)
class _Block:
    """A block that is open while blocks are gone through in order; `inner` are the spans of those directly in it."""

    span: Span
    statements: list[Span]
    headers: tuple[Header, ...]
    inner: list[Span] = field(default_factory=list)


class _Blocks:
    """The blocks in one function or statement, whose part ends at `end`."""

    def __init__(self, syntax: Syntax, root: SgNode, end: int) -> None:
        assert syntax.language is not None
        self.syntax = syntax
        self.language = syntax.language
        self.root = root
        self.end = end

    def places(self) -> Iterator[Place]:
        whole = span_of(self.root)
        open_blocks = [_Block(whole, [whole], ())]
        rule = {"rule": {"any": [{"kind": kind} for kind in sorted(self.language.blocks)]}}
        nodes = self.root.find_all(rule)  # type: ignore[call-overload]  # a dict
        for span, node in sorted(((span_of(node), node) for node in nodes), key=lambda pair: _outer_first(pair[0])):
            while open_blocks[-1].span[1] <= span[0] and len(open_blocks) > 1:
                open_blocks.pop()
            around = open_blocks[-1]
            block = _Block(span, [], (*around.headers, *_header(around, span)))
            around.inner.append(span)
            open_blocks.append(block)
            yield from self.statements(node, block)

    def statements(self, node: SgNode, block: _Block) -> Iterator[Place]:
        """The places in a block, whose statements are noted in it."""
        comment: Span | None = None
        for child in node.children():
            if not child.is_named() or child.kind() in self.language.blocks:
                continue
            span = span_of(child)
            if child.kind() in self.language.comments:
                comment = self.joined(comment, span)
                continue
            block.statements.append(span)
            line = self.line_before(self.joined(comment, span) if comment else span, span)
            comment = None
            if line is not None and len(block.statements) > 1 and not inside(self.syntax.strings, span[0]):
                yield Place(line, _rank(span[0], self.end, self.syntax), block.headers)

    def joined(self, comment: Span | None, span: Span) -> Span:
        """`span` with the comment directly above it, if that begins its line."""
        if comment is None or not self.begins_line(comment[0]):
            return span
        apart = self.syntax.line_of(span[0]) - self.syntax.last_line_of(comment)
        return (comment[0], span[1]) if apart <= 1 else span

    def line_before(self, with_comments: Span, span: Span) -> int | None:
        """The line that a statement begins, with the comments above it; None when something stands before it."""
        start = with_comments[0] if self.begins_line(with_comments[0]) else span[0]
        return self.syntax.line_of(start) if self.begins_line(start) else None

    def begins_line(self, offset: int) -> bool:
        start = self.syntax.line_starts[self.syntax.line_of(offset)]
        return not self.syntax.text[start:offset].strip()


def _outer_first(span: Span) -> Span:
    return span[0], -span[1]


def _header(around: _Block, span: Span) -> Iterator[Header]:
    """What leads to the block at `span` from the beginning of its statement, without the blocks between."""
    index = bisect_right(around.statements, (span[0], 1 << 62)) - 1
    if index < 0 or around.statements[index][1] < span[1]:
        return
    start = around.statements[index][0]
    pieces = []
    for inner in around.inner:
        if inner[0] >= start:
            pieces.append((start, inner[0]))
            start = inner[1]
    pieces.append((start, span[0]))
    if any(right > left for left, right in pieces):
        yield tuple(pieces)


def _rank(offset: int, end: int, syntax: Syntax) -> bytes:
    """The hash of how the code at `offset` begins, without comments and blanks, in a part that ends at `end`.

    Without a grammar there are no statements to tell from other lines, and what follows a blank line comes first.
    """
    signs = _signs(offset, syntax.end_of_signs(offset, end, _SIGNS), syntax)
    digest = hashlib.blake2b(signs.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    if syntax.root is not None:
        return digest
    line = syntax.line_of(offset)
    return bytes([bool(line and syntax.lines[line - 1].strip())]) + digest


def _end_of_line(line: int, syntax: Syntax) -> int:
    return syntax.line_starts[line] + len(syntax.lines[line])


def _signs(start: int, end: int, syntax: Syntax) -> str:
    """The text from `start` to `end` without comments and blanks."""
    pieces, reached = [], start
    for first, last in within(syntax.comments, start, end):
        pieces.append(syntax.text[reached:first])
        reached = last
    pieces.append(syntax.text[reached:end])
    return "".join("".join(pieces).split())
