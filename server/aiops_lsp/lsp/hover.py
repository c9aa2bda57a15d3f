"""Hover: a finding in full, and how to ignore it. On a document's first line, why the document is not reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.core.findings import Origin
from aiops_lsp.lsp import convert, prose
from aiops_lsp.lsp.ignoring import ignore_comment

if TYPE_CHECKING:
    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Position, Range, TextDocument
    from aiops_lsp.lsp.session import Session


def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """`textDocument/hover`."""
    document = session.documents.get(params.text_document.uri)
    if document is None or session.reviewer is None:
        return None
    position = convert.position_from_client(document, params.position)
    here = [finding for finding in session.findings(document.uri) if _covers(finding.range, position)]
    if here:
        separator = "\n\n---\n\n" if session.client.hover_markdown else "\n\n"
        text = separator.join(_text(session, document, finding) for finding in here)
        span = convert.range_to_client(document, min(finding.range for finding in here))
        return types.Hover(convert.hover_content(text, session.client), span)
    if position.line == 0 and (note := _note(session, document.uri)):
        text = f"Not reviewed by a language model: {note}"
        return types.Hover(
            convert.hover_content(prose.escape(text) if session.client.hover_markdown else text, session.client)
        )
    return None


def _covers(span: Range, position: Position) -> bool:
    """Whether the cursor is on the finding; editors place it before a character or, at its end, after it."""
    return span.start <= position <= span.end


def _text(session: Session, document: TextDocument, finding: Finding) -> str:
    ignore = ignore_comment(document.language, finding)
    if session.client.hover_markdown:
        return prose.hover_markdown(finding, ignore, _page(finding))
    return prose.hover_plain(finding, ignore)


def _page(finding: Finding) -> str | None:
    """The page of the rule that found it; ruff's rules have theirs on the web."""
    if finding.origin is not Origin.RULE:
        return None
    from aiops_lsp.rules.pages import find_rule, page  # noqa: PLC0415 - with the rules, after the start

    rule = find_rule(finding.code)
    return page(rule) if rule is not None else None


def _note(session: Session, uri: str) -> str:
    status = session.status()
    documents = status.documents if status is not None else ()
    return next((document.note for document in documents if document.uri == uri), "")
