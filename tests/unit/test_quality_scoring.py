"""Rates, and what findings count as."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.cli.outcome import ReviewedFile
from aiops_lsp.core.findings import Category, Claim, ClaimedFix, Edit, Finding, Fix, Origin, Severity
from aiops_lsp.core.text import Position, Range, Snapshot
from aiops_lsp.engine.host import RegionReport
from tests.benchmarks.quality.cases import Case, Task
from tests.benchmarks.quality.rates import Rate
from tests.benchmarks.quality.scoring import Figures, ScoredCase, figures, patched, score
from tests.benchmarks.quality.tables import Result
from tests.benchmarks.quality.transcripts import Call
from tests.benchmarks.quality.worlds import Reviewed

TASK = Task(
    problem="last",
    language="python",
    buggy="def last(items):\n    return items[0]\n",
    correct="def last(items):\n    return items[-1]\n",
    test="assert last([1, 2]) == 2",
)
BUGGY, CORRECT = Case(TASK, buggy=True), Case(TASK, buggy=False)
REGION = RegionReport("last", 0, 2, "reviewed")


def finding(case: Case, line: int, new: str | None = None, origin: Origin = Origin.MODEL) -> Finding:
    """A finding on a whole line, which its fix replaces by `new`."""
    old = case.text.splitlines()[line]
    span = Range(Position(line, 0), Position(line, len(old)))
    return Finding(
        id="0" * 16,
        code="bug",
        origin=origin,
        category=Category.BUG,
        severity=Severity.HIGH,
        confidence=95,
        title="Wrong item",
        why="It is the first one.",
        trigger="last([1, 2])",
        range=span,
        evidence=old,
        symbol="last",
        fix=None if new is None else Fix("Mend", (Edit(span, old, new),), verified=False),
    )


def claim(confidence: int = 95, *, fix: bool = False) -> Claim:
    stated = ClaimedFix(2, 2, ("a",), ("b",)) if fix else None
    return Claim("a", "", 2, 2, "t", "w", "t", Category.BUG, Severity.HIGH, confidence, False, stated)


def reviewed(case: Case, *findings: Finding, claims: tuple[tuple[Claim, bool], ...] = ()) -> Reviewed:
    snapshot = Snapshot(f"file:///{case.file_name}", 1, "python", case.text)
    return Reviewed(case, ReviewedFile(case.file_name, snapshot, findings, (REGION,)), claims)


def scored(*all_reviewed: Reviewed, tests: bool = True) -> Figures:
    return figures([score(one, 80, tests=tests) for one in all_reviewed])


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 40, 0.0044, 0.1288),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval_as_published(hits: int, of: int, low: float, high: float) -> None:
    assert Rate(hits, of).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share_and_stays_within_bounds(hits: int, misses: int) -> None:
    rate = Rate(hits, hits + misses)
    low, high = rate.interval
    assert 0 <= low <= high <= 1
    if rate.share is not None:
        assert low <= rate.share + 1e-12
        assert rate.share <= high + 1e-12
        assert Rate(hits * 4, (hits + misses) * 4).interval[1] - Rate(hits * 4, (hits + misses) * 4).interval[0] < (
            high - low
        )


@pytest.mark.parametrize(("line", "detected"), [(1, 1), (0, 0)])
def test_a_defect_is_found_only_at_its_lines(line: int, detected: int) -> None:
    found = scored(reviewed(BUGGY, finding(BUGGY, line)), reviewed(CORRECT))
    assert found.detected == Rate(detected, 1)
    assert found.any_finding == Rate(1, 1)
    assert found.precise == Rate(detected, 1)
    assert found.false_twins == Rate(0, 1)


def test_whatever_is_found_in_a_correct_twin_is_a_false_alarm() -> None:
    found = scored(reviewed(BUGGY), reviewed(CORRECT, finding(CORRECT, 1), finding(CORRECT, 1), finding(CORRECT, 0)))
    assert found.false_twins == Rate(1, 1)
    assert found.false_regions == Rate(1, 1)
    assert found.false_lines == Rate(2, 2)
    assert found.precise == Rate(0, 3)
    assert (found.detected, found.any_finding) == (Rate(0, 1), Rate(0, 1))


@pytest.mark.parametrize(
    ("new", "parses", "passes"),
    [("    return items[-1]", 1, 1), ("    return items[1:]", 1, 0), ("    return items[", 0, 0)],
)
def test_a_fix_is_tried(new: str, parses: int, passes: int) -> None:
    found = scored(reviewed(BUGGY, finding(BUGGY, 1, new), claims=((claim(fix=True), True),)))
    assert found.fixes_offered == found.fixes_apply == Rate(1, 1)
    assert found.fixes_parse == Rate(parses, 1)
    assert found.fixes_pass == found.cured == Rate(passes, 1)
    assert found.harmful == Rate(0, 0)


def test_a_fix_that_breaks_a_correct_twin_is_counted() -> None:
    harmful, harmless = finding(CORRECT, 1, "    return items[0]"), finding(CORRECT, 1, "    return items[-1:][0]")
    assert scored(reviewed(CORRECT, harmful, harmless)).harmful == Rate(1, 2)


def test_without_tests_no_fix_is_run() -> None:
    found = scored(reviewed(BUGGY, finding(BUGGY, 1, "    return items[-1]")), tests=False)
    assert found.fixes_parse == Rate(1, 1)
    assert found.fixes_pass == Rate(0, 0)


def test_claims_without_a_place_and_without_confidence_are_counted() -> None:
    claims = ((claim(), True), (claim(70), True), (replace(claim(), title="other"), False))
    one = score(reviewed(BUGGY, finding(BUGGY, 1), claims=claims), 80, tests=False)
    assert (one.claims, one.rejected, one.unsure) == (3, 1, 1)
    assert figures([one]).rejected == Rate(1, 3)


def test_a_fix_that_does_not_fit_the_text_does_not_apply() -> None:
    snapshot = Snapshot("file:///a.py", 1, "python", "a = 1\nb = 2\n")
    first, second = (Range(Position(line, 0), Position(line, 1)) for line in (0, 1))
    assert patched(snapshot, Fix("", (Edit(first, "a", "xyz"), Edit(second, "b", "y")), verified=False)) == (
        "xyz = 1\ny = 2\n"
    )
    assert patched(snapshot, Fix("", (Edit(first, "q", "x"),), verified=False)) is None


def test_what_was_not_reviewed_is_neither_clean_nor_missed() -> None:
    unanswered = RegionReport("last", 0, 2, "not_reviewed", "nobody has answered")
    lost = reviewed(BUGGY)
    assert lost.file is not None
    lost = replace(lost, file=replace(lost.file, regions=(unanswered,)), problem="nobody has answered")
    found = scored(lost, Reviewed(CORRECT, None, problem="unreadable"), reviewed(CORRECT))
    assert found.detected == Rate(0, 0)
    assert found.false_twins == Rate(0, 1)
    assert found.unanswered == Rate(1, 2)
    assert found.not_reviewed == {"nobody has answered": 1, "unreadable": 1}


def test_findings_of_rules_are_told_apart() -> None:
    both = reviewed(BUGGY, finding(BUGGY, 1), finding(BUGGY, 1, origin=Origin.RULE))
    assert scored(both).by_rules == Rate(1, 2)


def test_the_table_has_each_rate_with_its_interval_and_languages() -> None:
    cases = [score(reviewed(BUGGY, finding(BUGGY, 1)), 80, tests=False), score(reviewed(CORRECT), 80, tests=False)]
    other = [replace(case, language="javascript", findings=()) for case in cases]
    calls = [
        Call("test:m", "review", 1000, 50, estimated=False, micro_usd=1500, seconds=seconds, first_seconds=seconds / 2)
        for seconds in (1.0, 2.0, 3.0)
    ]
    result = Result({"answered by": "test:m"}, [*cases, *other], calls, wrong_labels=1)
    table = result.as_markdown()
    assert "| | all | javascript | python |" in table
    assert "1 of 2: 50 % (9 to 91) | 0 of 1: 0 % (0 to 79) | 1 of 1: 100 % (21 to 100)" in table
    assert "0 in 4: 0.0 (0.0 to 489.9)" in table
    assert "3 requests, 3,000 tokens in and 150 out, 0.0045 USD." in table
    assert "Seconds to the whole answer: median 2.0, 95 % 3.0." in table
    assert "1 pairs were left out" in table
    content = json.loads(result.as_json())
    assert content["figures"]["python"]["detected"]["hits"] == 1
    assert content["cases"][0]["findings"][0]["on_change"] is True


def test_a_case_that_was_not_scored_is_empty() -> None:
    empty = ScoredCase("0", "p", "python", buggy=True, lines=1)
    assert not empty.detected
