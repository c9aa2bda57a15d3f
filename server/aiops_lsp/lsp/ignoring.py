"""Ignore comments: how one reads, and the edit that puts it in.

The edit is tried on a parse of the whole document, which takes too long for the event loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.core.comments import comment_syntax
from aiops_lsp.lsp import convert
from aiops_lsp.lsp.protocol import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiops_lsp.core.findings import Edit, Finding
    from aiops_lsp.core.text import Snapshot, TextDocument
    from aiops_lsp.lsp.session import Session


def ignore_comment(language: str, finding: Finding) -> str | None:
    """The comment that silences `finding`; None in a language that has none, or none of the same sort everywhere."""
    syntax = comment_syntax(language)
    return None if syntax is None or syntax.mixed else syntax.comment(f"aiops: ignore[{finding.code}]")


def ignoring_edit(session: Session, document: TextDocument, finding: Finding) -> Awaitable[types.WorkspaceEdit]:
    """The edit that puts it in. Reads the document now, and is refused if it has changed when the edit is known."""
    return _ignoring_edit(session, document, document.snapshot(), finding)


async def _ignoring_edit(
    session: Session, document: TextDocument, snapshot: Snapshot, finding: Finding
) -> types.WorkspaceEdit:
    edit = await asyncio.to_thread(_edit, snapshot, finding)
    if edit is None:
        raise RequestRefused(
            types.LSPErrorCodes.RequestFailed, "no comment can be put there without changing what the code means"
        )
    if session.documents.get(document.uri) is not document or document.snapshot() is not snapshot:
        raise RequestRefused(types.LSPErrorCodes.ContentModified, "the text has changed meanwhile; ask again")
    return convert.workspace_edit(document, [edit], "Ignore with a comment", session.client, by_model=False)


def _edit(snapshot: Snapshot, finding: Finding) -> Edit | None:
    from aiops_lsp.core.suppressions import ignore_edit  # noqa: PLC0415 - brings the parser, with the engine

    return ignore_edit(snapshot, finding)
