"""A review as workflow commands of GitHub Actions, which show as annotations on the changed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.cli.console import neutral, prose
from aiops_lsp.core.findings import Severity

if TYPE_CHECKING:
    from aiops_lsp.cli.outcome import Outcome
    from aiops_lsp.core.findings import Finding

_COMMANDS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def render(outcome: Outcome) -> str:
    """One command a line: the findings first, then one notice on what no model reviewed."""
    lines = [_annotation(file.path, finding) for file, finding in outcome.findings]
    unread = outcome.not_reviewed()
    if unread:
        told = "\n".join(f"{neutral(one.path)}: {prose(one.reason)}" for one in unread)
        lines.append(f"::notice title={_property('aiops-lsp: not reviewed by a model')}::{_data(told)}")
    lines += [f"::notice title=aiops-lsp::{_data(prose(note))}" for note in outcome.notes]
    return "".join(f"{line}\n" for line in lines)


def _annotation(path: str, finding: Finding) -> str:
    start, end = finding.range.start, finding.range.end
    properties = {"file": path, "line": str(start.line + 1), "endLine": str(end.line + 1)}
    if start.line == end.line:  # GitHub drops an annotation that has columns over several lines
        properties |= {"col": str(start.column + 1), "endColumn": str(end.column + 1)}
    properties["title"] = f"{prose(finding.title)} ({finding.code}, {finding.severity.value})"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    told = [prose(finding.why), *([f"Trigger: {prose(finding.trigger)}"] if finding.trigger else [])]
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(chr(10).join(told))}"


def _data(text: str) -> str:
    """Escaped as the toolkit of GitHub Actions escapes a command's message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escaped as the toolkit of GitHub Actions escapes a property's value."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
