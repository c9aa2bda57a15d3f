"""Findings of a snapshot, derived from what is known of its regions.

At each split everything is derived again: a region whose result is known shows it at its new place; a region that
changed keeps the findings whose evidence still stands, marked as being checked again. Findings are told apart by
their id, so what stays the same does not blink.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Fix, Origin, number_findings
from aiops_lsp.engine.placement import Derived
from aiops_lsp.engine.standing import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops_lsp.core.regions import Region, RegionKeys
    from aiops_lsp.core.text import AppliedEdit, Range, Snapshot
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.placement import PlacedRecords
    from aiops_lsp.engine.standing import Standing


@dataclass(slots=True)
class LiveFinding:
    """A finding while the text moves on under it: `finding` as it stands in the current text.

    An edit that touches its range suspends it until the next split; one that touches its fix takes the fix away.
    `hidden` keeps one that the user does not want to see: its place in the count of equals is not lost. `home` is
    its range in the text that findings were last derived for.
    """

    finding: Finding
    quote: str
    suspended: bool = False
    hidden: bool = False
    home: Range | None = None

    def carry(self, edit: AppliedEdit, carry: Callable[[Range, AppliedEdit], Range | None]) -> None:
        """Move with `edit`."""
        if self.suspended:
            return
        moved = carry(self.finding.range, edit)
        if moved is None:
            self.suspended = True
        elif moved is not self.finding.range or self.finding.fix is not None:
            self.finding = self.finding._replace(range=moved, fix=_carried_fix(self.finding.fix, edit, carry))


def derive(
    snapshot: Snapshot,
    regions: Sequence[Region],
    standings: Sequence[Standing],
    live: Iterable[LiveFinding],
    count_errors: Callable[[str], int],
    placed: PlacedRecords,
) -> list[Derived]:
    """The model's findings of `snapshot`, with their ids, in document order.

    `live` are the findings shown so far, carried to this snapshot's text. `count_errors` counts the parse errors of
    a piece of code in the snapshot's language. `placed` holds what was derived before.
    """
    kept: dict[int, list[LiveFinding]] = {}
    starts = [region.start_line for region in regions]
    for shown in live:
        if shown.finding.origin is Origin.MODEL and not shown.suspended:
            index = bisect_right(starts, shown.finding.range.start.line) - 1
            answered = standings[index].progress in (Progress.REVIEWED, Progress.STALE)
            if not answered and still_stands(shown, snapshot) and _inside(shown.finding.range, regions[index]):
                kept.setdefault(index, []).append(shown)
    found: list[Derived] = []
    for index, standing in enumerate(standings):
        record, here = standing.record, kept.get(index, [])
        if not here and (record is None or not record.claims):
            continue
        known = placed.findings(snapshot, regions, index, standing, count_errors)
        found += known
        found += [
            Derived(shown.finding._replace(rechecking=True, fix=None), shown.quote)
            for shown in _not_yet_again(here, known)
        ]
    found.sort(key=lambda one: (one.finding.range, one.finding.category))
    numbered = number_findings(found)
    return [Derived(finding, one.quote) for finding, one in zip(numbered, found, strict=True)]


def bring_home(live: Iterable[LiveFinding], before: Examined, now: Examined) -> None:
    """Put findings that an edit touched back in their regions where those turn out to be the same as before.

    An edit may replace a whole document to change two lines of it, or be undone before anybody looked. The homes of
    `live` are in the text of `before`.
    """
    lost = [(shown, shown.home) for shown in live if shown.suspended and shown.home is not None]
    if not lost:
        return
    names, regions = _names(before.keys), before.split.regions
    by_name = dict(zip(_names(now.keys), now.split.regions, strict=True))
    starts = [region.start_line for region in regions]
    for shown, home in lost:
        index = bisect_right(starts, home.start.line) - 1
        left, entered = regions[index], by_name.get(names[index])
        if entered is None or not _inside(home, left):
            continue
        ends = [position.line - left.start_line for position in home]
        first, last = (entered.dedents[line] - left.dedents[line] for line in ends)
        place = home.moved(entered.start_line - left.start_line, first, last)
        shown.finding = shown.finding._replace(range=place, fix=None)
        shown.suspended = False


def _names(keys: Sequence[RegionKeys]) -> list[tuple[str, int]]:
    """The exact key of each region, and how many before it have the same."""
    seen: Counter[str] = Counter()
    names = []
    for one in keys:
        names.append((one.exact, seen[one.exact]))
        seen[one.exact] += 1
    return names


def still_stands(shown: LiveFinding, snapshot: Snapshot) -> bool:
    """Whether a carried finding's evidence is what its range covers in `snapshot`."""
    place = shown.finding.range
    if shown.suspended or place.end.line >= len(snapshot.lines):
        return False
    return snapshot.slice(place) == shown.finding.evidence


def _not_yet_again(kept: Sequence[LiveFinding], known: Sequence[Derived]) -> list[LiveFinding]:
    """Those of `kept` that no finding of `known` takes the place of.

    Each takes the place of one: of the one with its range, else of one that it overlaps. A line may hold several.
    """
    left, fresh = list(kept), list(known)
    tests: tuple[Callable[[Range, Range], bool], ...] = (eq, _overlap)
    for alike in tests:
        for one in list(fresh):
            for shown in left:
                if shown.finding.category is one.finding.category and alike(shown.finding.range, one.finding.range):
                    left.remove(shown)
                    fresh.remove(one)
                    break
    return left


def _overlap(one: Range, other: Range) -> bool:
    return one.start < other.end and other.start < one.end


def _inside(place: Range, region: Region) -> bool:
    return region.start_line <= place.start.line and place.end.line < region.end_line


def _carried_fix(fix: Fix | None, edit: AppliedEdit, carry: Callable[[Range, AppliedEdit], Range | None]) -> Fix | None:
    if fix is None:
        return None
    edits = []
    for one in fix.edits:
        moved = carry(one.range, edit)
        if moved is None or _joins(edit, one.range, moved):
            return None
        edits.append(one._replace(range=moved))
    return fix._replace(edits=tuple(edits))


def _joins(edit: AppliedEdit, before: Range, after: Range) -> bool:
    """Whether `edit` left something right beside a range, in its line: then the line is not what was reviewed."""
    at_start = edit.new_end == after.start and after.start.column > 0
    at_end = edit.range.start == before.end and before.end.column > 0 and not edit.text.startswith(("\n", "\r"))
    return at_start or at_end
