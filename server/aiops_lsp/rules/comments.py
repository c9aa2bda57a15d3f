"""Comments that speak to a reviewer or a language model, as findings.

They never have an effect here. They are reported because what they cover deserves a look. What such a comment is,
`core.injection` says, which also keeps it from models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Origin
from aiops_lsp.core.injection import addressing_comments
from aiops_lsp.core.syntax import plain_lines
from aiops_lsp.core.text import Position, Range
from aiops_lsp.rules.builtin import REVIEWER_ADDRESSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import SgNode

    from aiops_lsp.core.text import Snapshot

_MARKS = " \t\f\v*"


def reviewer_addressed(snapshot: Snapshot, span: tuple[int, int], root: SgNode | None) -> Iterator[Range]:
    """Where, in the offsets of `span`, comments speak to a reviewer: each on one line, with the marks around it.

    `root` is the tree of exactly that text, for whoever has it.
    """
    text = snapshot.text[slice(*span)]
    lines = plain_lines(text)
    first = None
    for comment in addressing_comments(lines, snapshot.language, None if "\r" in text else root):
        start = comment.start if comment.outer_start is None else comment.outer_start
        end = comment.end if comment.outer_end is None else comment.outer_end
        words = lines[comment.line][start:end]
        start += len(words) - len(words.lstrip(_MARKS))
        end -= len(words) - len(words.rstrip())
        first = first or snapshot.position_at(span[0])
        line, shift = first.line + comment.line, first.column if comment.line == 0 else 0
        if start < end:
            yield Range(Position(line, start + shift), Position(line, end + shift))


def comment_finding(place: Range, evidence: str, symbol: str) -> Finding:
    """The finding, without id, for such a comment."""
    rule = REVIEWER_ADDRESSED
    return Finding(
        id="",
        code=rule.id,
        origin=Origin.RULE,
        category=rule.category,
        severity=rule.severity,
        confidence=rule.confidence,
        title=rule.title,
        why=rule.why,
        trigger=rule.trigger,
        range=place,
        evidence=evidence,
        symbol=symbol,
    )
