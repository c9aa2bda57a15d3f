"""The language server: which handler answers which method, and how the server is started."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aiops_lsp import __version__
from aiops_lsp.lsp import actions, commands, configuration, documents, hints, hover, progress, serving
from aiops_lsp.lsp.capabilities import server_capabilities
from aiops_lsp.lsp.protocol import ReviewProtocol, Stage, invalid_params
from aiops_lsp.lsp.session import Session
from aiops_lsp.observability.logs import PROCESS_KEYS, configure, redact_with
from aiops_lsp.settings.folders import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pygls.server import ServerErrors

    from aiops_lsp.lsp.session import ReviewerFactory

logger = logging.getLogger(__name__)

USAGE = "aiops/usage"

_SWITCH_SECONDS = 0.0005

_HANDLERS: Mapping[str, Callable[[Session, Any], Any]] = {
    types.TEXT_DOCUMENT_DID_OPEN: documents.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: documents.did_change,
    types.TEXT_DOCUMENT_DID_SAVE: documents.did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: documents.did_close,
    types.TEXT_DOCUMENT_CODE_ACTION: actions.code_action,
    types.CODE_ACTION_RESOLVE: actions.resolve,
    types.TEXT_DOCUMENT_INLAY_HINT: hints.inlay_hint,
    types.TEXT_DOCUMENT_HOVER: hover.hover,
    types.WORKSPACE_EXECUTE_COMMAND: commands.execute_command,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: configuration.did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: configuration.did_change_workspace_folders,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: configuration.did_change_watched_files,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: progress.did_cancel,
    USAGE: commands.usage,
}


class ReviewServer(LanguageServer):
    """One client's server. `exited` is done, with the exit code, once the client sent `exit`."""

    protocol: ReviewProtocol

    def __init__(self, reviewer_factory: ReviewerFactory | None = None) -> None:
        # What pygls logs below WARNING holds message bodies, that is, source code.
        logging.getLogger("pygls").setLevel(logging.WARNING)
        super().__init__("aiops-lsp", __version__, protocol_cls=ReviewProtocol)
        self.session = Session(self.protocol, reviewer_factory)
        self.exit_code: int | None = None
        self.on_exit: Callable[[], None] = lambda: None
        handlers = self.protocol.handlers
        handlers |= {method: partial(handler, self.session) for method, handler in _HANDLERS.items()}
        handlers[types.INITIALIZE] = self._initialize
        handlers[types.INITIALIZED] = lambda _params: self.session.start()
        handlers[types.SHUTDOWN] = lambda _params: self._shutdown()
        handlers[types.EXIT] = lambda _params: self._exit()
        handlers[types.SET_TRACE] = lambda _params: None

    def request_failed(self, method: str, error: Exception) -> None:
        """A handler of a request raised what it should not. The client gets an error; the log gets all of it."""
        logger.error("the request %s failed", method, exc_info=error)

    def notification_failed(self, method: str, params: object, error: Exception) -> None:
        """A notification could not be handled, which the client would not hear of otherwise."""
        logger.error("the notification %s failed", method, exc_info=error)
        if method == types.TEXT_DOCUMENT_DID_CHANGE:
            document = params.get("textDocument") if isinstance(params, dict) else None
            documents.lost(self.session, document.get("uri") if isinstance(document, dict) else None)
            self._tell(method, "A document could not be followed and is not reviewed until it is opened again.")
        else:
            self._tell(method, f"Something went wrong in {method}.")

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """What pygls itself could not do. The user hears once of each kind of failure."""
        logger.error("%s", source.__name__, exc_info=error)
        self._tell(type(error).__name__, "Something went wrong while talking to the editor.")

    def _tell(self, cause: str, words: str) -> None:
        text = f"aiops: {words} The log in {state_dir() / 'logs'} says more."
        self.session.messages.once(f"failure: {cause}", types.MessageType.Error, text)

    def _initialize(self, params: object) -> types.InitializeResult:
        if not isinstance(params, dict) or not isinstance(params.get("capabilities", {}), dict):
            raise invalid_params("the params of initialize must be an object with the client's capabilities")
        self.session.initialize(params)
        self.protocol.stage = Stage.RUNNING
        return types.InitializeResult(
            capabilities=server_capabilities(self.session.client),
            server_info=types.ServerInfo(name=self.name, version=self.version),
        )

    async def _shutdown(self) -> None:
        self.protocol.stage = Stage.SHUT_DOWN
        await self.session.aclose()

    def _exit(self) -> None:
        self.exit_code = 0 if self.protocol.stage is Stage.SHUT_DOWN else 1
        self.on_exit()


def create_server(reviewer_factory: ReviewerFactory | None = None) -> ReviewServer:
    """A server for one client. `reviewer_factory` makes the engine; without it the real one is imported when needed."""
    return ReviewServer(reviewer_factory)


def serve_stdio() -> int:
    """Serve the client at standard input and output. Returns 0 after `shutdown` and `exit`, else 1."""
    _make_ready()
    return asyncio.run(serving.stdio(create_server()))


def serve_tcp(host: str, port: int) -> int:
    """Serve the first client that connects; the port (0: any) is told on stderr. Raises OSError if it cannot listen."""
    _make_ready()
    return asyncio.run(serving.tcp(create_server(), host, port))


def serve_ws(host: str, port: int) -> int:
    """The same over WebSocket, one JSON message per frame."""
    _make_ready()
    return asyncio.run(serving.websocket(create_server(), host, port))


def _make_ready() -> None:
    # Looks work on threads beside the event loop, which by default waits 5 ms for the interpreter each time it is due.
    sys.setswitchinterval(_SWITCH_SECONDS)
    configure(lambda: state_dir() / "logs", redact_with(PROCESS_KEYS))
