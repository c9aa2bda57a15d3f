"""The floor of the platform: a server of pygls that follows documents and does nothing else.

With the argument `echo` it answers each change with one diagnostic.
"""

from __future__ import annotations

import sys

from lsprotocol import types
from pygls.lsp.server import LanguageServer


def create() -> LanguageServer:
    """The server."""
    server = LanguageServer("bare", "1")

    def did_change(ls: LanguageServer, params: types.DidChangeTextDocumentParams) -> None:
        place = types.Range(types.Position(0, 0), types.Position(0, 1))
        document = params.text_document
        found = [types.Diagnostic(place, "changed", code=f"echo/{document.version}")]
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(document.uri, found, document.version))

    if "echo" in sys.argv[1:]:
        server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    return server


if __name__ == "__main__":
    create().start_io()
