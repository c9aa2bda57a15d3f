"""The findings of results that are known of regions, at their places in a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aiops_lsp.core.anchors import Anchor, anchor
from aiops_lsp.core.findings import Confirmation, Finding, Fix, Origin
from aiops_lsp.core.fixes import offer
from aiops_lsp.core.quotes import fold
from aiops_lsp.core.regions import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.standing import Standing
    from aiops_lsp.store.cache import CachedClaim, CachedReview


class Derived(NamedTuple):
    """A finding and the quote that its id is made of."""

    finding: Finding
    quote: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """The findings of the result that `standing` has of `region`. Those that are `movable` depend on its code alone."""

    region: Region
    standing: Standing
    findings: list[Derived]
    movable: bool


class PlacedRecords:
    """The findings of the results that are known of a snapshot's regions.

    Each result is placed once, while answer after answer comes for the same text, and while edits of other regions
    move its own.
    """

    def __init__(self) -> None:
        self._of: tuple[Snapshot, Sequence[Region]] | None = None
        self._placed: dict[int, _Placed] = {}
        self._before: dict[int, _Placed] = {}  # by the identity of the region's lines, which no edit of others changes

    def findings(
        self,
        snapshot: Snapshot,
        regions: Sequence[Region],
        index: int,
        standing: Standing,
        count_errors: Callable[[str], int],
    ) -> list[Derived]:
        """Those of the region at `index`, which has this standing; none where it has no result."""
        if standing.record is None:
            return []
        if self._of is None or self._of[0] is not snapshot or self._of[1] is not regions:
            self._before = {id(one.region.lines): one for one in self._placed.values() if one.movable}
            self._of, self._placed = (snapshot, regions), {}
        region, known = regions[index], self._placed.get(index)
        if known is None or known.standing is not standing:
            known = _carried(self._before.get(id(region.lines)), standing, region, snapshot)
            if known is None:
                found, movable = _record_findings(standing.record, standing, region, snapshot, count_errors)
                known = _Placed(region, standing, found, movable)
            self._placed[index] = known
        return known.findings


def _carried(before: _Placed | None, standing: Standing, region: Region, snapshot: Snapshot) -> _Placed | None:
    """What was placed before an edit of other regions, at its new place; None where it has to be placed anew."""
    if before is None or before.standing is not standing:
        return None
    found = before.findings
    if region is not before.region:
        lines = region.start_line - before.region.start_line
        if moved((before.region,), lines) != (region,):
            return None
        found = [Derived(one.finding.moved(lines), one.quote) for one in found]
    if any(snapshot.slice(one.finding.range) != one.finding.evidence for one in found):
        return None  # the lines end in another way
    return _Placed(region, standing, found, movable=True)


def _record_findings(
    record: CachedReview,
    standing: Standing,
    region: Region,
    snapshot: Snapshot,
    count_errors: Callable[[str], int],
) -> tuple[list[Derived], bool]:
    """The findings of a cached result at their places in `region`; those that have none there are left out.

    Also whether that depends on the code of the region alone: for a quote that is less than whole lines, and for what
    a fix has to fit to, the rest of the document counts.
    """
    places = [(cached, place_of(cached, region, snapshot, exact=standing.exact)) for cached in record.claims]
    alone = all(
        place is not None and place.exact and _is_of_whole_lines(place, region) and cached.claim.fix is None
        for cached, place in places
    )
    found = [
        _finding(cached, place, standing, region, snapshot, count_errors)
        for cached, place in places
        if place is not None
    ]
    return found, alone


def _is_of_whole_lines(place: Anchor, region: Region) -> bool:
    last = place.line + place.quote.count("\n")
    return place.quote == "\n".join(line.strip() for line in region.lines[place.line : last + 1])


def place_of(cached: CachedClaim, region: Region, snapshot: Snapshot, *, exact: bool) -> Anchor | None:
    """Where a cached claim stands in `region`, None where it has no place.

    `exact` is false for a result that was found for the same code with other comments and blanks. Then a quote that is
    only alike may be a comment that was reworded since, and of several equal lines one may be spaced in another way:
    which of them was meant cannot be told any more.
    """
    place = anchor(cached.claim, region, snapshot, hint=cached.hint)
    if not isinstance(place, Anchor):
        return None
    if not exact and (not place.exact or _has_disguised_equals(place.quote, region)):
        return None
    return place


def _has_disguised_equals(quote: str, region: Region) -> bool:
    """Whether the quote stands in the region's code, whatever its blanks, more often than it can be read in lines."""
    as_read = fold(quote)
    in_lines = sum(fold(line).count(as_read) for line in region.lines)
    return "".join(region.loose.split()).count("".join(quote.split())) > in_lines


def _finding(
    cached: CachedClaim,
    place: Anchor,
    standing: Standing,
    region: Region,
    snapshot: Snapshot,
    count_errors: Callable[[str], int],
) -> Derived:
    claim = cached.claim
    severity = claim.severity
    if claim.needs_outside_context:
        severity = severity.lowered()
    if cached.confirmation is Confirmation.UNCONFIRMED:
        severity = severity.lowered()
    offered = offer(
        claim,
        place,
        region,
        snapshot,
        verified=cached.fix_verified,
        title=f"Fix: {claim.title}",
        count_errors=count_errors,
    )
    finding = Finding(
        id="",
        code=claim.category.value,
        origin=Origin.MODEL,
        category=claim.category,
        severity=severity,
        confidence=claim.confidence,
        title=claim.title,
        why=claim.why,
        trigger=claim.trigger,
        range=place.range,
        evidence=snapshot.slice(place.range),
        symbol=region.symbol,
        fix=offered if isinstance(offered, Fix) else None,
        confirmation=cached.confirmation,
        age_seconds=standing.age_seconds,
    )
    return Derived(finding, place.quote)
