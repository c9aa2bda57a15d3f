"""Holds what was found against the labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Origin
from tests.benchmarks.quality import trials
from tests.benchmarks.quality.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.cli.outcome import ReviewedFile
    from aiops_lsp.core.findings import Finding, Fix
    from aiops_lsp.core.text import Snapshot
    from tests.benchmarks.quality.cases import Task
    from tests.benchmarks.quality.worlds import Reviewed


@dataclass(frozen=True, slots=True)
class ScoredFix:
    """An offered fix: whether it applies, the result parses, and passes the test (None: tests were left out)."""

    applies: bool
    parses: bool
    passes: bool | None


@dataclass(frozen=True, slots=True)
class ScoredFinding:
    """A finding as it showed. Lines count from 1. `on_change`: it lies on a line that the twin has otherwise."""

    title: str
    why: str
    trigger: str
    origin: str
    category: str
    severity: str
    confidence: int
    confirmation: str
    first_line: int
    last_line: int
    evidence: str
    on_change: bool
    fix: ScoredFix | None


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case with what was found in it.

    `regions` were reviewed, `regions_with_findings` of them have any; `unanswered` were not reviewed. `claims` is how
    many a model stated, `rejected` how many of these had no place, `unsure` how many were below the confidence that
    is shown, `fixes_stated` how many of those that show came with a fix.
    """

    name: str
    problem: str
    language: str
    buggy: bool
    lines: int
    regions: int = 0
    regions_with_findings: int = 0
    unanswered: int = 0
    claims: int = 0
    rejected: int = 0
    unsure: int = 0
    fixes_stated: int = 0
    findings: tuple[ScoredFinding, ...] = ()
    not_reviewed: str = ""

    @property
    def detected(self) -> bool:
        """Whether a finding lies on the lines that are wrong."""
        return any(finding.on_change for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates over cases. `detected` and `any_finding` are about buggy twins, those named `false_` about correct ones.

    `precise` are findings on wrong lines, of all that showed in both twins. `cured` are buggy twins that an offered fix
    made pass their test, `harmful` offered fixes that made a correct twin fail it.
    """

    detected: Rate
    any_finding: Rate
    false_twins: Rate
    false_regions: Rate
    false_lines: Rate
    precise: Rate
    rejected: Rate
    fixes_offered: Rate
    fixes_apply: Rate
    fixes_parse: Rate
    fixes_pass: Rate
    cured: Rate
    harmful: Rate
    by_rules: Rate
    unanswered: Rate
    not_reviewed: dict[str, int] = field(default_factory=dict)


def score(reviewed: Reviewed, min_confidence: int, *, tests: bool) -> ScoredCase:
    """Hold one review against its label. With `tests`, what fixes make of the case is run."""
    case, file = reviewed.case, reviewed.file
    scored = ScoredCase(
        name=case.name,
        problem=case.task.problem,
        language=case.task.language,
        buggy=case.buggy,
        lines=len([line for line in case.text.splitlines() if line.strip()]),
        not_reviewed=reviewed.problem,
    )
    if file is None:
        return scored
    answered = [region for region in file.regions if region.outcome != "not_reviewed" and not file.not_sent]
    places = [finding.range.start.line for finding in file.findings]
    placed = [claim for claim, held in reviewed.claims if held]
    shown = [claim for claim in placed if claim.confidence >= min_confidence]
    return ScoredCase(
        name=scored.name,
        problem=scored.problem,
        language=scored.language,
        buggy=scored.buggy,
        lines=scored.lines,
        regions=len(answered),
        regions_with_findings=sum(
            any(region.start_line <= line < region.end_line for line in places) for region in answered
        ),
        unanswered=len(file.regions) - len(answered),
        claims=len(reviewed.claims),
        rejected=len(reviewed.claims) - len(placed),
        unsure=len(placed) - len(shown),
        fixes_stated=sum(claim.fix is not None for claim in shown),
        findings=tuple(_scored(finding, file, reviewed, tests=tests) for finding in file.findings),
        not_reviewed=reviewed.problem,
    )


def figures(cases: Sequence[ScoredCase]) -> Figures:
    """The rates over `cases`. Twins that were not reviewed at all count in `not_reviewed` and nowhere else."""
    reasons: dict[str, int] = {}
    for case in cases:
        if not case.regions:
            reason = case.not_reviewed or "nothing in it to review"
            reasons[reason] = reasons.get(reason, 0) + 1
    seen = [case for case in cases if case.regions]
    buggy, correct = [case for case in seen if case.buggy], [case for case in seen if not case.buggy]
    findings = [finding for case in seen for finding in case.findings]
    fixes = [finding.fix for finding in findings if finding.fix]
    on_buggy = [finding.fix for case in buggy for finding in case.findings if finding.fix and finding.on_change]
    on_correct = [finding.fix for case in correct for finding in case.findings if finding.fix]
    false_lines = sum(len({finding.first_line for finding in case.findings}) for case in correct)
    return Figures(
        detected=_share(case.detected for case in buggy),
        any_finding=_share(bool(case.findings) for case in buggy),
        false_twins=_share(bool(case.findings) for case in correct),
        false_regions=Rate(_sum(correct, "regions_with_findings"), _sum(correct, "regions")),
        false_lines=Rate(false_lines, _sum(correct, "lines")),
        precise=_share(finding.on_change for finding in findings),
        rejected=Rate(_sum(seen, "rejected"), _sum(seen, "claims")),
        fixes_offered=Rate(
            sum(finding.origin == Origin.MODEL.value for finding in findings if finding.fix), _sum(seen, "fixes_stated")
        ),
        fixes_apply=_share(fix.applies for fix in fixes),
        fixes_parse=_share(fix.parses for fix in fixes),
        fixes_pass=_share(fix.passes for fix in on_buggy if fix.passes is not None),
        cured=_share(any(finding.fix and finding.fix.passes for finding in case.findings) for case in buggy),
        harmful=_share(not fix.passes for fix in on_correct if fix.passes is not None),
        by_rules=_share(finding.origin != Origin.MODEL.value for finding in findings),
        unanswered=Rate(_sum(cases, "unanswered"), _sum(cases, "unanswered") + _sum(cases, "regions")),
        not_reviewed=reasons,
    )


def patched(snapshot: Snapshot, fix: Fix) -> str | None:
    """The text with `fix`; None when it does not hold what the fix is made for."""
    text = snapshot.text
    for edit in reversed(fix.edits):
        if snapshot.slice(edit.range) != edit.old_text:
            return None
        start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
        text = f"{text[:start]}{edit.new_text}{text[end:]}"
    return text


def _scored(finding: Finding, file: ReviewedFile, reviewed: Reviewed, *, tests: bool) -> ScoredFinding:
    first, last = finding.range.start.line, finding.range.end.line
    task = reviewed.case.task
    return ScoredFinding(
        title=finding.title,
        why=finding.why,
        trigger=finding.trigger,
        origin=finding.origin.value,
        category=finding.category.value,
        severity=finding.severity.value,
        confidence=finding.confidence,
        confirmation=finding.confirmation.value,
        first_line=first + 1,
        last_line=last + 1,
        evidence=finding.evidence,
        on_change=any(first <= end and start <= last for start, end in reviewed.case.changed),
        fix=None if finding.fix is None else _scored_fix(patched(file.snapshot, finding.fix), task, tests=tests),
    )


def _scored_fix(text: str | None, task: Task, *, tests: bool) -> ScoredFix:
    if text is None:
        return ScoredFix(applies=False, parses=False, passes=False if tests else None)
    valid = trials.parses(task.language, text)
    passes = (valid and trials.passes(task.language, text, task.test)) if tests else None
    return ScoredFix(applies=True, parses=valid, passes=passes)


def _share(truths: Iterable[bool]) -> Rate:
    listed = list(truths)
    return Rate(sum(listed), len(listed))


def _sum(cases: Iterable[ScoredCase], name: str) -> int:
    return sum(getattr(case, name) for case in cases)
