"""A review as SARIF 2.1.0, the exchange format that code hosts import.

Source: OASIS Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiops_lsp import __version__
from aiops_lsp.cli.excerpt import masked
from aiops_lsp.core.findings import Category, Origin, Severity

if TYPE_CHECKING:
    from aiops_lsp.cli.outcome import Outcome, ReviewedFile
    from aiops_lsp.core.findings import Finding, Fix
    from aiops_lsp.core.text import Range

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SECURITY_SEVERITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Of 10, in the ranges that code hosts show as critical, high, medium and low."""

_FINGERPRINT = "aiopsFindingId/v1"
_BASE = "SRCROOT"


def render(outcome: Outcome, root: Path) -> str:
    """The text of the log. Paths are relative to `root`, the folder that the review ran in."""
    rules = _rules(outcome)
    order = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "aiops-lsp", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {"uri": root.as_uri().rstrip("/") + "/"}},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": _notifications(outcome)},
        ],
        "results": [_result(file, finding, order[finding.code]) for file, finding in outcome.findings],
        "properties": {"tokens": outcome.tokens, "usd": outcome.usd},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(outcome: Outcome) -> list[dict[str, object]]:
    """Each rule or category that has a result, once, described by its first finding."""
    first: dict[str, Finding] = {}
    for _, finding in outcome.findings:
        first.setdefault(finding.code, finding)
    return [_rule(finding) for finding in first.values()]


def _rule(finding: Finding) -> dict[str, object]:
    by_model = finding.origin is Origin.MODEL
    text = f"A language model found a defect of the kind {finding.code}" if by_model else finding.title
    rule: dict[str, object] = {
        "id": finding.code,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": [finding.category.value, finding.origin.value], **_security(finding)},
    }
    if finding.url:
        rule["helpUri"] = finding.url
    return rule


def _security(finding: Finding) -> dict[str, str]:
    if finding.category is not Category.SECURITY:
        return {}
    return {"security-severity": _SECURITY_SEVERITY[finding.severity]}


def _result(file: ReviewedFile, finding: Finding, rule_index: int) -> dict[str, object]:
    start, end = (file.snapshot.offset_at(place) for place in (finding.range.start, finding.range.end))
    region = {**_region(finding.range), "snippet": {"text": masked(file.snapshot.text)[start:end]}}
    told = [finding.title, finding.why, *([f"Trigger: {finding.trigger}"] if finding.trigger else [])]
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(told)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(file.path), "region": region}}],
        "partialFingerprints": {_FINGERPRINT: finding.id},
        "rank": float(finding.confidence),
        "properties": {"category": finding.category.value, "severity": finding.severity.value},
    }
    if finding.fix is not None:
        result["fixes"] = [_fix(file.path, finding.fix)]
    return result


def _fix(path: str, fix: Fix) -> dict[str, object]:
    replacements = [
        {"deletedRegion": _region(edit.range), "insertedContent": {"text": edit.new_text}} for edit in fix.edits
    ]
    changes = [{"artifactLocation": _artifact(path), "replacements": replacements}]
    return {"description": {"text": fix.title}, "artifactChanges": changes}


def _notifications(outcome: Outcome) -> list[dict[str, object]]:
    """What was not reviewed is part of the result: without it an empty list of results would read as clean."""
    told: list[dict[str, object]] = [
        {
            "level": "note",
            "message": {"text": unread.reason},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(unread.path)}}],
        }
        for unread in outcome.not_reviewed()
    ]
    return told + [{"level": "warning", "message": {"text": note}} for note in outcome.notes]


def _region(span: Range) -> dict[str, int]:
    return {
        "startLine": span.start.line + 1,
        "startColumn": span.start.column + 1,
        "endLine": span.end.line + 1,
        "endColumn": span.end.column + 1,
    }


def _artifact(path: str) -> dict[str, str]:
    if Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path.encode("utf-8", "surrogateescape")), "uriBaseId": _BASE}
