"""A review for people: a block per finding, then a summary that never calls clean what was not reviewed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from aiops_lsp.cli.console import counted, neutral, print_line, print_prose, prose
from aiops_lsp.cli.excerpt import excerpt, fix_diff
from aiops_lsp.core.findings import Confirmation, Origin, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from aiops_lsp.cli.outcome import Outcome, ReviewedFile
    from aiops_lsp.core.findings import Finding, Fix

_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold blue",
}
_INDENT = 2
_LABEL = len("Trigger  ")
_MOST_PLACES = 5
_LONGEST_FIX_LINE = 400
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def render(outcome: Outcome, console: Console) -> None:
    """Print the review."""
    for file, finding in outcome.findings:
        _print_finding(console, file, finding)
    _print_summary(console, outcome)


def _print_finding(console: Console, file: ReviewedFile, finding: Finding) -> None:
    style = _STYLES[finding.severity]
    start = finding.range.start
    print_line(
        console,
        (f"{neutral(file.path)}:{start.line + 1}:{start.column + 1}", "bold"),
        "  ",
        (finding.severity.value, style),
        f"  {prose(finding.title)}  ",
        (_about(finding), "dim"),
    )
    width = console.width - _INDENT
    for line in excerpt(file.snapshot, finding.range, width, style.replace("white on red", "red")):
        console.print(Text.assemble(" " * _INDENT, line), soft_wrap=True)
    _print_labelled(console, "Why", finding.why)
    _print_labelled(console, "Trigger", finding.trigger)
    if finding.fix is not None:
        _print_labelled(console, "Fix", _fix_words(finding.fix, finding.title))
        for line in fix_diff(file.snapshot, finding.fix, _LONGEST_FIX_LINE):
            console.print(Text.assemble(" " * (_INDENT + _LABEL), line), soft_wrap=True)
    console.print()


def _about(finding: Finding) -> str:
    """Which rule or model says so, how surely, and what is to be kept in mind."""
    parts = [finding.code]
    if finding.origin is Origin.MODEL:
        parts.append(f"{finding.confidence} %")
    if finding.confirmation is Confirmation.UNCONFIRMED:
        parts.append("unconfirmed")
    if finding.age_seconds is not None:
        parts.append(f"result of {_age(finding.age_seconds)} ago")
    return f"[{', '.join(parts)}]"


def _fix_words(fix: Fix, finding_title: str) -> str:
    """What the fix does, unless that only repeats the finding, and whether it can be relied on."""
    title = fix.title.removeprefix("Fix: ")
    standing = "verified" if fix.verified else "not verified, look at it before you keep it"
    return standing if title == finding_title else f"{title} ({standing})"


def _print_labelled(console: Console, label: str, text: str) -> None:
    if text:
        print_prose(console, prose(text), indent=_INDENT, label=Text(f"{label:<{_LABEL}}", "bold cyan"))


def _age(seconds: float) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if count != 1 else ''}"
    return "a moment"


def _print_summary(console: Console, outcome: Outcome) -> None:
    print_prose(console, _verdict(outcome), style="bold")
    if outcome.files:
        print_prose(console, _coverage(outcome))
    if _common_reason(outcome) is None:
        _print_reasons(console, "Reviewed by rules only:", _rules_only(outcome))
    _print_reasons(console, "Not reviewed at all:", [(unread.reason, unread.path) for unread in outcome.unread])
    if outcome.tokens:
        print_prose(console, f"Spent {outcome.tokens:,} tokens, {outcome.usd:.4f} USD.")
    for note in outcome.notes:
        print_prose(console, prose(note), style="yellow")


def _verdict(outcome: Outcome) -> str:
    if not outcome.files:
        return "Nothing was reviewed."
    severities = outcome.severities()
    if not severities:
        return f"No findings in {counted(len(outcome.files), 'file')}."
    with_findings = sum(bool(file.findings) for file in outcome.files)
    listed = ", ".join(f"{severities[one]} {one.value}" for one in Severity if severities[one])
    files = counted(len(outcome.files), "file")
    return f"{counted(severities.total(), 'finding')} in {with_findings} of {files}: {listed}."


def _coverage(outcome: Outcome) -> str:
    """Who reviewed what: "no findings" by rules alone is less than "no findings" by a model."""
    seen = sum(not file.not_sent and not file.unsent_regions for file in outcome.files)
    if seen == len(outcome.files):
        return f"By rules and by a model: all of it{_from_cache(outcome)}."
    if not any(outcome.region_outcomes()[kind] for kind in ("reviewed", "cached")):
        reason = _common_reason(outcome)
        return "By rules only; no model has seen the code" + (f": {prose(reason)}." if reason else ".")
    return f"By rules and by a model: {seen} of {counted(len(outcome.files), 'file')} in full{_from_cache(outcome)}."


def _common_reason(outcome: Outcome) -> str | None:
    """The one reason why no file was put to a model; None where there are several, or a model saw something."""
    reasons = {file.not_sent for file in outcome.files}
    reason = reasons.pop() if len(reasons) == 1 else ""
    return reason.rstrip(".") or None


def _from_cache(outcome: Outcome) -> str:
    regions = outcome.region_outcomes()
    reviewed = regions["reviewed"] + regions["cached"]
    if not regions["cached"]:
        return ""
    return f" ({regions['cached']} of {counted(reviewed, 'region')} from the cache)"


def _rules_only(outcome: Outcome) -> list[tuple[str, str]]:
    whole = [(file.not_sent, file.path) for file in outcome.files if file.not_sent]
    parts = [
        (reason, f"{file.path} {lines}") for file in outcome.files for reason, lines in file.unsent_lines().items()
    ]
    return whole + parts


def _print_reasons(console: Console, heading: str, reasons: Sequence[tuple[str, str]]) -> None:
    """Each reason once, the most frequent first, with what it holds for."""
    if not reasons:
        return
    console.print(heading)
    for reason, count in Counter(reason for reason, _ in reasons).most_common():
        places = [place for one, place in reasons if one == reason]
        shown = ", ".join(neutral(place) for place in places[:_MOST_PLACES])
        more = f" and {count - _MOST_PLACES} more" if count > _MOST_PLACES else ""
        print_prose(console, f"{prose(reason).rstrip('.')}: {shown}{more}", indent=_INDENT)
