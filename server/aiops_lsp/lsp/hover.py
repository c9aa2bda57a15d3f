"""Hover: a finding in full, and how to ignore it. On a document's first line, why the document is not reviewed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.core.findings import Origin
from aiops_lsp.lsp import convert, prose
from aiops_lsp.lsp.ignoring import ignore_comment

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Position, Range
    from aiops_lsp.lsp.session import Session


def hover(session: Session, params: types.HoverParams) -> types.Hover | Awaitable[types.Hover] | None:
    """`textDocument/hover`."""
    document = session.documents.get(params.text_document.uri)
    if document is None or session.reviewer is None:
        return None
    position = convert.position_from_client(document, params.position)
    here = [finding for finding in session.findings(document.uri) if _covers(finding.range, position)]
    if here:
        span = convert.range_to_client(document, min(finding.range for finding in here))
        return _on_findings(session, document.language, here, span)
    if position.line == 0 and (note := _note(session, document.uri)):
        text = f"Not reviewed by a language model: {note}"
        return types.Hover(
            convert.hover_content(prose.escape(text) if session.client.hover_markdown else text, session.client)
        )
    return None


async def _on_findings(session: Session, language: str, findings: list[Finding], span: types.Range) -> types.Hover:
    ignores = [ignore_comment(language, finding) for finding in findings]
    if not session.client.hover_markdown:
        texts = map(prose.hover_plain, findings, ignores)
        return types.Hover(convert.hover_content("\n\n".join(texts), session.client), span)
    # Rules are read from disk when the first page is asked for.
    pages = await asyncio.to_thread(lambda: [_examples(finding) for finding in findings])
    texts = map(prose.hover_markdown, findings, ignores, pages)
    return types.Hover(convert.hover_content("\n\n---\n\n".join(texts), session.client), span)


def _covers(span: Range, position: Position) -> bool:
    """Whether the cursor is on the finding; editors place it before a character or, at its end, after it."""
    return span.start <= position <= span.end


def _examples(finding: Finding) -> str | None:
    """Of the page of the rule that found it, what the finding does not say itself. ruff's rules have theirs on the web.

    Blocks.
    """
    if finding.origin is not Origin.RULE:
        return None
    from aiops_lsp.rules.pages import find_rule, page  # noqa: PLC0415 - with the rules, after the start

    rule = find_rule(finding.code)
    if rule is None:
        return None
    _, heading, examples = page(rule).partition("\n## ")
    return f"## {examples}" if heading else None


def _note(session: Session, uri: str) -> str:
    status = session.status()
    documents = status.documents if status is not None else ()
    return next((document.note for document in documents if document.uri == uri), "")
