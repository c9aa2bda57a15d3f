"""The one translator between our types and the protocol's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.core.findings import Origin, Severity
from aiops_lsp.core.text import Change, Position, Range
from aiops_lsp.lsp import prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.core.findings import Edit, Finding
    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.lsp.capabilities import ClientFeatures

SOURCE = "aiops"

_CERTAIN = 90
_ANNOTATION = "aiops"

_UNUSED_CODE = frozenset({"F401", "F811", "F841"})
"""ruff's rules whose findings are code without use, which clients show faded."""

_SEVERITIES = {
    Severity.HIGH: types.DiagnosticSeverity.Warning,
    Severity.MEDIUM: types.DiagnosticSeverity.Information,
    Severity.LOW: types.DiagnosticSeverity.Hint,
}


def severity(finding: Finding) -> types.DiagnosticSeverity:
    """A critical finding is an error only where it is all but certain."""
    if finding.severity is Severity.CRITICAL:
        return types.DiagnosticSeverity.Error if finding.confidence >= _CERTAIN else types.DiagnosticSeverity.Warning
    return _SEVERITIES[finding.severity]


def position_to_client(document: TextDocument, position: Position) -> types.Position:
    """A position in the document's current text, in the client's units."""
    line, character = document.to_client(position)
    return types.Position(line=line, character=character)


def range_to_client(document: TextDocument, span: Range) -> types.Range:
    """A range of the document's current text, in the client's units."""
    return types.Range(start=position_to_client(document, span.start), end=position_to_client(document, span.end))


def position_from_client(document: TextDocument, position: types.Position) -> Position:
    """A client's position, clamped to the current text."""
    return document.from_client(position.line, position.character)


def range_from_client(document: TextDocument, span: types.Range) -> Range:
    """A client's range, clamped to the current text and turned round where it is given backwards."""
    start, end = position_from_client(document, span.start), position_from_client(document, span.end)
    return Range(min(start, end), max(start, end))


def changes_from_client(changes: Iterable[types.TextDocumentContentChangeEvent]) -> list[Change]:
    """The changes of a `didChange`, still in the client's units: only the text at each step can translate them."""
    converted = []
    for change in changes:
        span = None
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            span = Range(Position(start.line, start.character), Position(end.line, end.character))
        converted.append(Change(span, change.text))
    return converted


def diagnostic(document: TextDocument, finding: Finding, client: ClientFeatures) -> types.Diagnostic:
    """A finding of the document's current text, with no more than the client announced."""
    href = finding.url if client.code_description else None
    tags = [types.DiagnosticTag.Unnecessary] if finding.origin is Origin.RUFF and finding.code in _UNUSED_CODE else []
    tags = [tag for tag in tags if tag.value in client.diagnostic_tags]
    return types.Diagnostic(
        range=range_to_client(document, finding.range),
        severity=severity(finding),
        code=finding.code,
        code_description=types.CodeDescription(href=href) if href else None,
        source=SOURCE,
        message=prose.message(finding),
        tags=tags or None,
        data={"id": finding.id} if client.diagnostic_data else None,
    )


def workspace_edit(
    document: TextDocument, edits: Sequence[Edit], label: str, client: ClientFeatures, *, by_model: bool
) -> types.WorkspaceEdit:
    """Edits of the document's current text, bound to its version where the client can do that."""
    text_edits = [types.TextEdit(range_to_client(document, edit.range), edit.new_text) for edit in edits]
    if not client.document_changes:
        return types.WorkspaceEdit(changes={document.uri: text_edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    if not client.change_annotations:
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, text_edits)])
    annotated = [types.AnnotatedTextEdit(_ANNOTATION, edit.range, edit.new_text) for edit in text_edits]
    annotation = types.ChangeAnnotation(
        label=label, description="Proposed by a language model" if by_model else "A fix of aiops"
    )
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(identifier, annotated)],
        change_annotations={_ANNOTATION: annotation},
    )


def fits(document: TextDocument, edit: Edit) -> bool:
    """Whether the text that `edit` replaces still stands where it says."""
    start, end = edit.range.start, edit.range.end
    if end.line >= document.line_count or start > end:
        return False
    if start.line == end.line:
        return document.line(start.line)[start.column : end.column] == edit.old_text
    middle = (document.line(line) for line in range(start.line + 1, end.line))
    held = (document.line(start.line)[start.column :], *middle, document.line(end.line)[: end.column])
    return "".join(held) == edit.old_text


def hover_content(text: str, client: ClientFeatures) -> types.MarkupContent:
    """`text` in the form in which it was written for this client."""
    kind = types.MarkupKind.Markdown if client.hover_markdown else types.MarkupKind.PlainText
    return types.MarkupContent(kind=kind, value=text)
