"""What the client can do, read once into a frozen record, and what the server offers.

The client's announcement is read as plain JSON, and leniently: whatever is missing or has an unexpected form counts
as not announced. A client that announces nothing gets the oldest form of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lsprotocol import types

from aiops_lsp.core.text import PositionEncoding

FIX_ALL = "source.fixAll.aiops"
REVIEW_DEEPER = "source.aiops.reviewDeeper"

COMMANDS = (
    "aiops.reviewDocument",
    "aiops.reviewChanges",
    "aiops.reviewWorkspace",
    "aiops.reviewDeeper",
    "aiops.clearCache",
    "aiops.showUsage",
    "aiops.dismiss",
    "aiops.applyFix",
    "aiops.ignore",
)


class ClientFeatures(NamedTuple):
    """The client's announcement, as far as it matters here."""

    encoding: PositionEncoding = PositionEncoding.UTF16
    diagnostic_data: bool = False
    code_description: bool = False
    diagnostic_tags: frozenset[int] = frozenset()
    code_action_literals: bool = False
    code_action_data: bool = False
    code_action_resolve_edit: bool = False
    code_action_preferred: bool = False
    code_action_llm_tag: bool = False
    document_changes: bool = False
    change_annotations: bool = False
    apply_edit: bool = False
    inlay_hint_refresh: bool = False
    hover_markdown: bool = False
    work_done_progress: bool = False
    configuration: bool = False
    dynamic_configuration: bool = False
    dynamic_watched_files: bool = False

    @property
    def resolves_edits(self) -> bool:
        """Whether the client comes back for the edit of a code action, and brings along what it was told about it."""
        return self.code_action_literals and self.code_action_resolve_edit and self.code_action_data

    @classmethod
    def announced(cls, capabilities: object) -> ClientFeatures:
        """Read the `capabilities` of the `initialize` request."""

        def has(path: str) -> bool:
            return _at(capabilities, path) is True

        def lists(path: str, value: object) -> bool:
            listed = _at(capabilities, path)
            return isinstance(listed, list) and value in listed

        action = "textDocument.codeAction"
        return cls(
            encoding=_encoding(_at(capabilities, "general.positionEncodings")),
            diagnostic_data=has("textDocument.publishDiagnostics.dataSupport"),
            code_description=has("textDocument.publishDiagnostics.codeDescriptionSupport"),
            diagnostic_tags=_integers(_at(capabilities, "textDocument.publishDiagnostics.tagSupport.valueSet")),
            code_action_literals=isinstance(_at(capabilities, f"{action}.codeActionLiteralSupport"), Mapping),
            code_action_data=has(f"{action}.dataSupport"),
            code_action_resolve_edit=lists(f"{action}.resolveSupport.properties", "edit"),
            code_action_preferred=has(f"{action}.isPreferredSupport"),
            code_action_llm_tag=lists(f"{action}.tagSupport.valueSet", types.CodeActionTag.LlmGenerated.value),
            document_changes=has("workspace.workspaceEdit.documentChanges"),
            change_annotations=isinstance(
                _at(capabilities, "workspace.workspaceEdit.changeAnnotationSupport"), Mapping
            ),
            apply_edit=has("workspace.applyEdit"),
            inlay_hint_refresh=has("workspace.inlayHint.refreshSupport"),
            hover_markdown=lists("textDocument.hover.contentFormat", "markdown"),
            work_done_progress=has("window.workDoneProgress"),
            configuration=has("workspace.configuration"),
            dynamic_configuration=has("workspace.didChangeConfiguration.dynamicRegistration"),
            dynamic_watched_files=has("workspace.didChangeWatchedFiles.dynamicRegistration"),
        )


def server_capabilities(client: ClientFeatures) -> types.ServerCapabilities:
    """What the server offers to this client."""
    actions = types.CodeActionOptions(
        code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL, REVIEW_DEEPER],
        resolve_provider=client.resolves_edits,
    )
    return types.ServerCapabilities(
        position_encoding=types.PositionEncodingKind(client.encoding.value),
        text_document_sync=types.TextDocumentSyncOptions(
            open_close=True,
            change=types.TextDocumentSyncKind.Incremental,
            save=types.SaveOptions(include_text=False),
        ),
        hover_provider=True,
        code_action_provider=actions if client.code_action_literals else True,
        inlay_hint_provider=types.InlayHintOptions(resolve_provider=False),
        execute_command_provider=types.ExecuteCommandOptions(commands=list(COMMANDS), work_done_progress=True),
        workspace=types.WorkspaceOptions(
            workspace_folders=types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
        ),
    )


def _at(tree: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(name)
    return tree


def _encoding(listed: object) -> PositionEncoding:
    """The first that is supported, in the client's order of preference; UTF-16 where none is."""
    known = {encoding.value: encoding for encoding in PositionEncoding}
    names = listed if isinstance(listed, list) else []
    return next((known[name] for name in names if isinstance(name, str) and name in known), PositionEncoding.UTF16)


def _integers(listed: object) -> frozenset[int]:
    return frozenset(value for value in listed if isinstance(value, int)) if isinstance(listed, list) else frozenset()
