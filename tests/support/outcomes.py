"""Findings and reviewed files for tests of what is shown, made from a text and the words in it that they are about."""

from __future__ import annotations

from aiops_lsp.cli.outcome import ReviewedFile
from aiops_lsp.core.findings import Category, Confirmation, Edit, Finding, Fix, Origin, Severity
from aiops_lsp.core.text import Range, Snapshot

SAMPLE = "def total(prices=[]):\n\treturn sum(prices)\n"


def snapshot(text: str = SAMPLE) -> Snapshot:
    return Snapshot("file:///w/app.py", 0, "python", text)


def span_of(text: Snapshot, words: str) -> Range:
    start = text.text.index(words)
    return Range(text.position_at(start), text.position_at(start + len(words)))


def finding(
    text: Snapshot,
    words: str = "[]",
    *,
    severity: Severity = Severity.HIGH,
    title: str = "Mutable default argument",
    why: str = "The list is shared by all calls.",
    trigger: str = "Call it twice.",
    code: str = "bug",
    origin: Origin = Origin.MODEL,
    category: Category = Category.BUG,
    replacement: str | None = None,
    confirmation: Confirmation = Confirmation.NOT_DUE,
    age_seconds: float | None = None,
    url: str | None = None,
) -> Finding:
    span = span_of(text, words)
    fix = None
    if replacement is not None:
        fix = Fix("Use None", (Edit(span, words, replacement),), verified=True)
    return Finding(
        id="0123456789abcdef",
        code=code,
        origin=origin,
        category=category,
        severity=severity,
        confidence=92,
        title=title,
        why=why,
        trigger=trigger,
        range=span,
        evidence=words,
        symbol="total",
        fix=fix,
        confirmation=confirmation,
        age_seconds=age_seconds,
        url=url,
    )


def reviewed(*findings: Finding, text: Snapshot | None = None, path: str = "src/app.py") -> ReviewedFile:
    return ReviewedFile(path, text or snapshot(), findings)
