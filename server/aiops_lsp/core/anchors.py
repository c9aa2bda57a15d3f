"""From what a model quotes to the exact place in the document, or a rejection: never a guess.

The ladder, first rung that holds: equal at the stated line; equal within 3 lines of it; equal and unique in the
region; equal and unique once runs of blanks and typographic characters are folded; a part of one line, at least 8
characters that are no blanks, whole words, found once in that line and standing at the stated line or nowhere else in
the region; at least 0.93 alike and the only such candidate within 10 lines (good for a diagnostic, never for a fix).
"Equal" always leaves surrounding blanks aside. What stands word for word outside of the region, in its context block
or elsewhere in the document, is not looked for inside by the last two rungs.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from aiops_lsp.core.injection import neutralise
from aiops_lsp.core.quotes import fold, occurrences, readings, without_ellipsis
from aiops_lsp.core.text import Position, Range, line_content, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.findings import Claim
    from aiops_lsp.core.quotes import Quote
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

NEAR_LINES = 3
FUZZY_LINES = 10
FUZZY_RATIO = 0.93
SHORTEST_PART = 8
_LONGEST_FUZZY = 1000
"""Characters beyond which lines are not compared by likeness, which takes time with the square of their length."""


class RejectionReason(StrEnum):
    """Why a claim has no place in its region."""

    EMPTY = "empty"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    ELSEWHERE = "elsewhere"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A claim that has no place. `OUTDATED`: the region is not one of this snapshot."""

    reason: RejectionReason


@dataclass(frozen=True, slots=True)
class AnchorHint:
    """What finds a quote again among equal lines: its line in the region, and its neighbours.

    `before` and `after` are the nearest lines that are not blank, folded; empty at the region's border.
    """

    offset: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The place of a claim.

    `range` is what to underline in the document: the claim's focus where it stands once in the quoted line, else what
    was quoted. It is never empty and lies within the region. `line` is the first quoted line, from 0 in the region.
    `exact` is false for a quote that is only alike. `quote` is what was quoted as the region has it, so that it does
    not depend on how a model copied it.
    """

    range: Range
    line: int
    exact: bool
    hint: AnchorHint
    quote: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Lines of the region from `first` up to and including `last`; columns only where a part of a line was quoted."""

    first: int
    last: int
    part: tuple[int, int] | None = None


class _RejectedError(Exception):
    """No rung can hold any more."""

    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def anchor(claim: Claim, region: Region, snapshot: Snapshot, *, hint: AnchorHint | None = None) -> Anchor | Rejection:
    """The place of `claim`, made about `region` of `snapshot`.

    `hint` comes with a cached claim and stands for its stated line: it chooses among equal candidates by their
    neighbours, then by the offset.
    """
    quotes = readings(claim.quote)
    if not quotes:
        return Rejection(RejectionReason.EMPTY)
    search = _Search(region, snapshot.language, claim.start_line - 1, hint)
    try:
        place, exact = search.find(quotes, snapshot)
    except _RejectedError as rejected:
        return Rejection(rejected.reason)
    if any(document_line(region, snapshot, line) is None for line in range(place.first, place.last + 1)):
        return Rejection(RejectionReason.OUTDATED)
    start, end = search.underlined(place, claim.focus)
    text = "\n".join(line.strip() for line in region.lines[place.first : place.last + 1])
    quote = region.lines[place.first][slice(*place.part)] if place.part else text
    return Anchor(_in_document(region, start, end), place.first, exact, search.hint_for(place), quote)


def document_line(region: Region, snapshot: Snapshot, line: int) -> str | None:
    """Line `line` of `region`, from 0, as the document has it, without its end; with its indentation and secrets.

    None when the snapshot does not hold there what was sent.
    """
    index = region.start_line + line
    if not region.start_line <= index < min(region.end_line, len(snapshot.lines)):
        return None
    sent = region.lines[line]
    swaps = [swap for swap in region.substitutions if swap.line == line]
    for swap in sorted(swaps, key=lambda swap: swap.start, reverse=True):
        if sent[swap.start : swap.end] != swap.placeholder:
            return None
        sent = sent[: swap.start] + swap.original + sent[swap.end :]
    content = line_content(snapshot.lines[index])
    cut = region.dedents[line]
    return content if not content[:cut].strip() and content[cut:] == sent else None


class _Search:
    """The ladder over one region. Whole lines are compared as the model saw them, without comments that address it."""

    def __init__(self, region: Region, language: str, stated: int, hint: AnchorHint | None) -> None:
        self.region = region
        self.hint = hint
        self.stated = stated if hint is None else hint.offset
        self.lines = [line.strip() for line in neutralise(region.lines, language)]

    @cached_property
    def folded(self) -> list[str]:
        return [fold(line) for line in self.lines]

    def find(self, quotes: Sequence[Quote], snapshot: Snapshot) -> tuple[_Place, bool]:
        """The place, and whether it holds the quote exactly. Raises `_RejectedError`."""
        for rung in (self.equal, self.equal_folded):
            for quote in quotes:
                place = rung(quote)
                if place is not None:
                    return place, True
        if self.stands_elsewhere(quotes, snapshot):
            raise _RejectedError(RejectionReason.ELSEWHERE)
        for rung in (self.part_of_line, self.alike):
            for quote in quotes:
                place = rung(quote)
                if place is not None:
                    return place, rung == self.part_of_line
        raise _RejectedError(RejectionReason.NOT_FOUND)

    def equal(self, quote: Quote) -> _Place | None:
        """Equal lines: at the stated line, the nearest within 3 lines, the only ones."""
        length = len(quote.lines)
        starts = [
            start
            for start in range(len(self.lines) - length + 1)
            if all(self.lines[start + index] == line for index, line in enumerate(quote.lines))
        ]
        if self.hint is not None:
            return self.chosen([_Place(start, start + length - 1) for start in starts])
        for stated in self.stated_lines(quote):
            if stated in starts:
                return _Place(stated, stated + length - 1)
        if not quote.says_something:
            return None
        near = self.nearest(starts, quote)
        if near is not None:
            return _Place(near, near + length - 1)
        return self.chosen([_Place(start, start + length - 1) for start in starts])

    def equal_folded(self, quote: Quote) -> _Place | None:
        """Lines that are equal once folded, however the quote breaks them, if there is one such place."""
        if not quote.says_something:
            return None
        runs = [self.run(start, quote.folded) for start, line in enumerate(self.lines) if line]
        return self.chosen([place for place in runs if place is not None])

    def part_of_line(self, quote: Quote) -> _Place | None:
        """A line that the quote is a part of."""
        text, open_end = without_ellipsis(quote.lines[0])
        if len(quote.lines) > 1 or len("".join(text.split())) < SHORTEST_PART or not quote.says_something:
            return None
        places = []
        for line, content in enumerate(self.region.lines):
            found = occurrences(text, content, open_end=open_end)
            if len(found) == 1:
                places.append(_Place(line, line, (found[0], found[0] + len(text))))
        if self.hint is None:
            for stated in self.stated_lines(quote):
                for place in places:
                    if place.first == stated:
                        return place
        return self.chosen(places)

    def alike(self, quote: Quote) -> _Place | None:
        """The only lines near the stated one that are much like the quote."""
        target, length = quote.folded, len(quote.lines)
        if len(target) > _LONGEST_FUZZY or not quote.says_something:
            return None
        matcher = SequenceMatcher(None, "", target, autojunk=False)
        places = []
        last = min(len(self.lines) - length, self.stated + FUZZY_LINES)
        for start in range(max(0, self.stated - FUZZY_LINES), last + 1):
            text = " ".join(self.folded[start : start + length])
            if not self.lines[start] or not self.lines[start + length - 1]:
                continue
            matcher.set_seq1(text)
            if matcher.real_quick_ratio() >= FUZZY_RATIO and matcher.ratio() >= FUZZY_RATIO:
                places.append(_Place(start, start + length - 1))
        return self.chosen(places)

    def chosen(self, places: Sequence[_Place]) -> _Place | None:
        """The only place; among several the one that the hint tells. Raises `_RejectedError`."""
        if len(places) <= 1:
            return places[0] if places else None
        if self.hint is None:
            raise _RejectedError(RejectionReason.AMBIGUOUS)
        ranks = [self.rank(place, self.hint) for place in places]
        best = max(ranks)
        if ranks.count(best) > 1:
            raise _RejectedError(RejectionReason.AMBIGUOUS)
        return places[ranks.index(best)]

    def rank(self, place: _Place, hint: AnchorHint) -> tuple[int, bool]:
        own = self.hint_for(place)
        return (own.before == hint.before) + (own.after == hint.after), place.first == hint.offset

    def stated_lines(self, quote: Quote) -> list[int]:
        """The lines that the claim names: the number copied with the quote was printed in front of that very line."""
        return [self.stated] if quote.number is None else [quote.number - 1, self.stated]

    def nearest(self, starts: Sequence[int], quote: Quote) -> int | None:
        """The nearest within 3 lines; of two at the same distance the one with the quote's indentation."""
        distances = [abs(start - self.stated) for start in starts]
        least = min(distances, default=NEAR_LINES + 1)
        if least > NEAR_LINES:
            return None
        nearest = [start for start, distance in zip(starts, distances, strict=True) if distance == least]
        if len(nearest) > 1:
            nearest = [start for start in nearest if self.region.lines[start].rstrip() == quote.raw]
        if len(nearest) != 1:
            raise _RejectedError(RejectionReason.AMBIGUOUS)
        return nearest[0]

    def run(self, start: int, target: str) -> _Place | None:
        """The lines from `start` on that make up `target` when they are folded into one."""
        text = self.folded[start]
        last = start
        while len(text) < len(target) and target.startswith(text) and last + 1 < len(self.lines):
            last += 1
            text = f"{text} {self.folded[last]}".rstrip()
        return _Place(start, last) if text == target else None

    def stands_elsewhere(self, quotes: Sequence[Quote], snapshot: Snapshot) -> bool:
        """Whether all lines of a quote stand in the context block or in the document outside the region."""
        region = self.region
        outside = {
            fold(line)
            for line in (
                *split_lines(region.context),
                *snapshot.lines[: region.start_line],
                *snapshot.lines[region.end_line :],
            )
        }
        return any(all(fold(line) in outside for line in quote.lines if line) for quote in quotes)

    def hint_for(self, place: _Place) -> AnchorHint:
        above, below = reversed(self.lines[: place.first]), self.lines[place.last + 1 :]
        before, after = (next(filter(None, map(fold, lines)), "") for lines in (above, below))
        return AnchorHint(place.first, before, after)

    def underlined(self, place: _Place, focus: str) -> tuple[Position, Position]:
        """Start and end of what to underline, in sent lines of the region."""
        focus = focus.strip()
        for line in range(place.first, place.last + 1):
            text = self.region.lines[line]
            low, high = place.part or (0, len(text))
            found = [at for at in occurrences(focus, text) if low <= at and at + len(focus) <= high]
            if len(found) == 1:
                return Position(line, found[0]), Position(line, found[0] + len(focus))
            if found:
                break
        if place.part is not None:
            return Position(place.first, place.part[0]), Position(place.first, place.part[1])
        first, last = self.region.lines[place.first], self.region.lines[place.last]
        return Position(place.first, len(first) - len(first.lstrip())), Position(place.last, len(last.rstrip()))


def _in_document(region: Region, start: Position, end: Position) -> Range:
    """Sent lines and columns as a range of the document; a placeholder is taken in whole or not at all."""
    first, last = start.column, end.column
    after_secret = 0
    for swap in region.substitutions:
        if swap.line == start.line and swap.start < start.column < swap.end:
            first = swap.start
        if swap.line == end.line and swap.start < end.column < swap.end:
            last = swap.end
        if swap.line == start.line and swap.start == swap.end == start.column:
            after_secret += len(swap.original)
    return Range(
        Position(region.start_line + start.line, region.document_column(start.line, first) + after_secret),
        Position(region.start_line + end.line, region.document_column(end.line, last)),
    )
