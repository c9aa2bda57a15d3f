"""Inlay hints: at the end of a line with findings, the gravest one's title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.core.text import Position, line_content
from aiops_lsp.lsp import convert, prose

if TYPE_CHECKING:
    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.lsp.session import Session


def inlay_hint(session: Session, params: types.InlayHintParams) -> list[types.InlayHint]:
    """`textDocument/inlayHint`. What is asked for is what the user sees, which the reviewer likes to know."""
    document = session.documents.get(params.text_document.uri)
    if document is None:
        return []
    asked = convert.range_from_client(document, params.range)
    if session.reviewer is not None:
        session.reviewer.visible(document.uri, asked.start.line, asked.end.line)
    by_line: dict[int, list[Finding]] = {}
    for finding in session.findings(document.uri):
        by_line.setdefault(finding.range.start.line, []).append(finding)
    ends = {line: Position(line, len(line_content(document.line(line)))) for line in by_line}
    return [
        _hint(session, document, ends[line], findings)
        for line, findings in sorted(by_line.items())
        if asked.start <= ends[line] <= asked.end
    ]


def _hint(session: Session, document: TextDocument, position: Position, findings: list[Finding]) -> types.InlayHint:
    if session.client.hover_markdown:
        full = "\n\n---\n\n".join(prose.hover_markdown(finding, None, None) for finding in findings)
        tooltip: str | types.MarkupContent = types.MarkupContent(types.MarkupKind.Markdown, full)
    else:
        tooltip = "\n\n".join(prose.hover_plain(finding, None) for finding in findings)
    return types.InlayHint(
        position=convert.position_to_client(document, position),
        label=prose.hint_label(findings),
        tooltip=tooltip,
        padding_left=True,
    )
