"""Open documents: our own text follows the client's, change by change.

Each handler is done when it returns, so that whatever comes next sees the text as it was then.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiops_lsp.core.text import TextDocument
from aiops_lsp.lsp import convert

if TYPE_CHECKING:
    from lsprotocol import types

    from aiops_lsp.lsp.session import Session

logger = logging.getLogger(__name__)


def did_open(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """`textDocument/didOpen`. A document that is open already is taken anew."""
    item = params.text_document
    if item.uri in session.documents:
        session.close(item.uri)
    session.open(TextDocument(item.uri, item.version, str(item.language_id), item.text, session.client.encoding))


def did_change(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """`textDocument/didChange`."""
    uri = params.text_document.uri
    document = session.documents.get(uri)
    if document is None:
        logger.warning("a change of a document that is not open was ignored")
        return
    edits = document.apply(convert.changes_from_client(params.content_changes), params.text_document.version)
    session.edited(uri, edits)


def did_save(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """`textDocument/didSave`."""
    if session.reviewer is not None:
        session.reviewer.saved(params.text_document.uri)


def did_close(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """`textDocument/didClose`."""
    session.close(params.text_document.uri)


def lost(session: Session, uri: object) -> None:
    """A change could not be followed, so the text is not known any more: nothing is shown until it is opened again."""
    if isinstance(uri, str) and uri in session.documents:
        logger.error("a document is no longer followed, because one of its changes could not be read")
        session.close(uri)
