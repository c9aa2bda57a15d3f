"""A review as one JSON object. Lines and columns count from 1, columns in code points; ends are not included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.cli.outcome import Outcome
    from aiops_lsp.core.findings import Finding, Fix
    from aiops_lsp.core.text import Position, Range


def render(outcome: Outcome) -> str:
    """The text of the object, in ASCII: it passes every pipe unharmed, and no terminal obeys it."""
    regions = outcome.region_outcomes()
    document = {
        "findings": [{"path": file.path, **_finding(finding)} for file, finding in outcome.findings],
        "not_reviewed": [{"path": unread.path, "reason": unread.reason} for unread in outcome.not_reviewed()],
        "usage": {
            "tokens": outcome.tokens,
            "usd": outcome.usd,
            "files": len(outcome.files),
            "regions": {kind: regions[kind] for kind in ("reviewed", "cached", "not_reviewed")},
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        **_span(finding.range),
        "id": finding.id,
        "rule": finding.code,
        "category": finding.category.value,
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "title": finding.title,
        "why": finding.why,
        "trigger": finding.trigger,
        "fix": _fix(finding.fix) if finding.fix is not None else None,
    }


def _fix(fix: Fix) -> dict[str, object]:
    edits = [{**_span(edit.range), "old_text": edit.old_text, "new_text": edit.new_text} for edit in fix.edits]
    return {"title": fix.title, "verified": fix.verified, "edits": edits}


def _span(span: Range) -> dict[str, object]:
    return {"start": _place(span.start), "end": _place(span.end)}


def _place(position: Position) -> dict[str, int]:
    return {"line": position.line + 1, "column": position.column + 1}
