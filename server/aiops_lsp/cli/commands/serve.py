"""`aiops-lsp serve`: the language server. Imports nothing that the server does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.cli.failure import CouldNotRun

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Serve until the client leaves. The exit code is the one that LSP asks for: 1 without a shutdown request."""
    from aiops_lsp.lsp.server import serve_stdio, serve_tcp, serve_ws  # noqa: PLC0415 - after the arguments are read

    if options.tcp is None and options.ws is None:
        return serve_stdio()
    host, port = options.tcp or options.ws
    try:
        return serve_tcp(host, port) if options.tcp is not None else serve_ws(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CouldNotRun(f"cannot listen on {host} port {port}: {reason}; name another port") from error
