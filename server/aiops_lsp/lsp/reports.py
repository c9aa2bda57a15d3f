"""A review that was asked for, as JSON: the result of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.engine.host import ReviewReport


def describe(report: ReviewReport) -> dict[str, object]:
    """Lines and columns count from 0, columns in code points; `usd` is what the review cost."""
    missing = [region for region in report.regions if region.outcome == "not_reviewed"]
    return {
        "uri": report.uri,
        "version": report.snapshot.version,
        "findings": [
            {
                "id": finding.id,
                "code": finding.code,
                "severity": finding.severity.value,
                "confidence": finding.confidence,
                "title": finding.title,
                "line": finding.range.start.line,
                "column": finding.range.start.column,
            }
            for finding in report.findings
        ],
        "regions": len(report.regions),
        "reviewed": len(report.regions) - len(missing),
        "notReviewed": [
            {"symbol": region.symbol, "line": region.start_line, "reason": region.reason} for region in missing
        ],
        "note": report.not_reviewed,
        "tokens": report.tokens,
        "usd": report.micro_usd / 1_000_000,
    }
