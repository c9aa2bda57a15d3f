"""Deriving findings: what is kept of a region that changed, and what takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Category, Claim, ClaimedFix, Confirmation, Finding, Origin, Severity
from aiops_lsp.core.regions import Region, RegionKind, moved
from aiops_lsp.core.text import Position, Range, Snapshot
from aiops_lsp.engine.derive import LiveFinding, derive, still_stands
from aiops_lsp.engine.placement import PlacedRecords, place_of
from aiops_lsp.engine.standing import Reason, Standing
from aiops_lsp.store.reviews import CachedClaim, CachedReview

if TYPE_CHECKING:
    from aiops_lsp.core.anchors import Anchor

SNAPSHOT = Snapshot("file:///t", 2, "python", "one two\nthree\n")
REGION = Region(RegionKind.STATEMENTS, "", 0, 3, ("one two", "three", ""), (0, 0, 0), "", "0|one two\n0|three")


def record_of(quote: str, focus: str) -> CachedReview:
    claim = Claim(quote, focus, 1, 1, "any call", "It fails.", "Fails", Category.BUG, Severity.HIGH, 95, False, None)
    return CachedReview(
        exact="e",
        loose="l",
        claims=(CachedClaim(claim, None, Confirmation.NOT_DUE),),
        provider="test",
        model="test:small",
        tier="simple",
        made_at=0.0,
        security_sensitive=False,
        under_pressure=False,
        tokens=1,
        micro_usd=1,
    )


def live(line: int, start: int, end: int, evidence: str, *, suspended: bool = False) -> LiveFinding:
    place = Range(Position(line, start), Position(line, end))
    finding = Finding(
        id="",
        code="bug",
        origin=Origin.MODEL,
        category=Category.BUG,
        severity=Severity.HIGH,
        confidence=95,
        title="Fails",
        why="It fails.",
        trigger="any call",
        range=place,
        evidence=evidence,
        symbol="",
    )
    return LiveFinding(finding, evidence, suspended=suspended)


@pytest.mark.parametrize(
    ("shown", "stands"),
    [
        (live(0, 4, 7, "two"), True),
        (live(0, 4, 7, "six"), False),
        (live(0, 4, 6, "two"), False),
        (live(1, 0, 5, "two"), False),
        (live(9, 0, 3, "two"), False),
        (live(0, 4, 7, "two", suspended=True), False),
    ],
)
def test_only_what_covers_its_evidence_still_stands(shown: LiveFinding, stands: bool) -> None:
    assert still_stands(shown, SNAPSHOT) is stands
    kept = derive(
        SNAPSHOT, [REGION], [Standing.not_reviewed(Reason.SETTLING)], [shown], lambda _code: 0, PlacedRecords()
    )
    assert [one.finding.rechecking for one in kept] == [True] * stands


def test_an_answer_takes_the_place_of_what_it_overlaps_and_of_nothing_else_on_the_line() -> None:
    shown = [live(0, 0, 3, "one"), live(0, 5, 7, "wo")]
    standings = [Standing.reviewing(record_of("one two", "two"))]
    found = derive(SNAPSHOT, [REGION], standings, shown, lambda _code: 0, PlacedRecords())
    assert sorted(one.finding.evidence for one in found) == ["one", "two"]


def test_an_answer_takes_the_place_of_nothing_of_another_category() -> None:
    shown = live(0, 4, 7, "two")
    shown.finding = shown.finding._replace(category=Category.SECURITY)
    standings = [Standing.reviewing(record_of("one two", "two"))]
    found = derive(SNAPSHOT, [REGION], standings, [shown], lambda _code: 0, PlacedRecords())
    assert {(one.finding.category, one.finding.rechecking) for one in found} == {
        (Category.BUG, False),
        (Category.SECURITY, True),
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The quotes of the claims whose places are looked for, one after the other."""
    quotes: list[str] = []

    def counted(cached: CachedClaim, region: Region, snapshot: Snapshot, *, exact: bool) -> Anchor | None:
        quotes.append(cached.claim.quote)
        return place_of(cached, region, snapshot, exact=exact)

    monkeypatch.setattr("aiops_lsp.engine.placement.place_of", counted)
    return quotes


def test_an_answer_does_not_have_the_others_placed_again(asked: list[str]) -> None:
    regions = [REGION._replace(end_line=1, lines=("one two",)), REGION._replace(start_line=1, lines=("three", ""))]
    one, other, fresh = (Standing.reviewing(record_of(quote, "")) for quote in ("one two", "three", "three"))
    placed = PlacedRecords()

    def shown(snapshot: Snapshot, *standings: Standing) -> list[str]:
        found = derive(snapshot, regions, standings, [], lambda _code: 0, placed)
        return [one.finding.evidence for one in found]

    assert shown(SNAPSHOT, one, Standing.reviewing()) == ["one two"]
    assert shown(SNAPSHOT, one, other) == ["one two", "three"]
    assert asked == ["one two", "three"]
    assert shown(SNAPSHOT, one, fresh) == ["one two", "three"]
    assert asked == ["one two", "three", "three"]
    changed = replace(SNAPSHOT, text="none\nthree\n")
    assert shown(changed, one, fresh) == ["three"]


FIX = ClaimedFix(1, 1, ("alpha = beta(gamma)",), ("alpha = beta",))
LONGER = Snapshot("file:///t", 2, "python", "alpha = beta(gamma)\nthree\n")
IN_LONGER = REGION._replace(lines=("alpha = beta(gamma)", "three", ""), loose="0|alpha=beta(gamma)\n0|three")


@pytest.mark.parametrize(
    ("quote", "fix", "anew"),
    [
        ("alpha = beta(gamma)", None, False),
        ("alpha = beta(gamma)\nthree", None, False),
        ("= beta(gamma)", None, True),
        ("alpha = beta(gamma)", FIX, True),
    ],
    ids=["a line", "two lines", "a part of a line", "with a fix"],
)
def test_a_region_that_is_moved_takes_along_what_depends_on_it_alone(
    asked: list[str], quote: str, fix: ClaimedFix | None, anew: bool
) -> None:
    record = record_of(quote, "")
    (cached,) = record.claims
    record = replace(record, claims=(replace(cached, claim=replace(cached.claim, fix=fix)),))
    standing, placed = Standing.reviewed(record, exact=True, age_seconds=None), PlacedRecords()

    def lines(snapshot: Snapshot, region: Region) -> list[tuple[int, int]]:
        found = derive(snapshot, [region], [standing], [], lambda _code: 0, placed)
        assert all(snapshot.slice(one.finding.range) == one.finding.evidence for one in found)
        return [(one.finding.range.start.line, one.finding.range.end.line) for one in found]

    last = quote.count("\n")
    assert lines(LONGER, IN_LONGER) == [(0, last)]
    (below,) = moved([IN_LONGER], 2)
    assert lines(replace(LONGER, text=f"x\n\n{LONGER.text}"), below) == [(2, 2 + last)]
    assert asked == [quote] * (1 + anew)
    assert lines(replace(LONGER, text=LONGER.text.replace("\n", "\r\n")), IN_LONGER) == [(0, last)]
    assert lines(LONGER, IN_LONGER._replace(lines=("alpha = beta(delta)", "three", ""))) == []
