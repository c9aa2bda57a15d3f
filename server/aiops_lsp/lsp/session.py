"""One client's session: its documents, what it can do, and the engine behind it.

The session is the engine's `Host`: what the engine publishes or asks goes to the client through here. It owns every
task that the server starts.
"""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aiops_lsp.engine.host import Urgency
from aiops_lsp.engine.tasks import TaskGroup
from aiops_lsp.lsp import configuration, convert, questions
from aiops_lsp.lsp.capabilities import ClientFeatures
from aiops_lsp.lsp.configuration import Configuration
from aiops_lsp.lsp.messages import Messages
from aiops_lsp.lsp.progress import ProgressTokens
from aiops_lsp.lsp.protocol import RequestRefused
from aiops_lsp.lsp.refresh import HintRefresher
from aiops_lsp.lsp.status import StatusNotifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import AppliedEdit, TextDocument
    from aiops_lsp.engine.host import ConsentAnswer, ConsentQuestion, Folder, Host, Publication, Status
    from aiops_lsp.engine.review import Reviewer
    from aiops_lsp.lsp.protocol import ReviewProtocol

    ReviewerFactory = Callable[[Host, Callable[[str], Folder]], Reviewer]

logger = logging.getLogger(__name__)

_PREPARE_AFTER_SECONDS = 1.0
_TYPES = {
    Urgency.INFO: types.MessageType.Info,
    Urgency.WARNING: types.MessageType.Warning,
    Urgency.ERROR: types.MessageType.Error,
}


class Session:
    """The state behind the handlers. `reviewer` is None until the engine has started."""

    def __init__(self, protocol: ReviewProtocol, reviewer_factory: ReviewerFactory | None = None) -> None:
        self._protocol = protocol
        self._factory = reviewer_factory
        self.client = ClientFeatures()
        self.configuration = Configuration()
        self.documents: dict[str, TextDocument] = {}
        self.reviewer: Reviewer | None = None
        self.progress = ProgressTokens()
        self.messages = Messages(self.say)
        self.tasks = TaskGroup()
        self._status = StatusNotifier(self.status, self.notify)
        self._hints = HintRefresher(self._refresh_hints)
        self._starting: asyncio.Task[object] | None = None
        self._reloading: asyncio.Task[object] | None = None
        self._settings_stale = False
        self._engine: Reviewer | None = None
        self._closing: asyncio.Task[None] | None = None
        self._shown: set[str] = set()
        self._early: dict[str, list[AppliedEdit]] | None = {}

    def initialize(self, params: Mapping[str, object]) -> None:
        """Take over what the `initialize` request says."""
        self.client = ClientFeatures.announced(params.get("capabilities"))
        self.configuration.initialize(params)

    def start(self) -> None:
        """Load the engine, off the event loop. Documents that are opened meanwhile wait for it."""
        if self._starting is None:
            self._starting = self.tasks.start(self._start(), "start the engine")

    async def started(self) -> Reviewer:
        """The reviewer, as soon as it works. Raises RequestRefused when it could not be started."""
        if self.reviewer is None and self._starting is not None:
            await asyncio.wait([self._starting])
        if self.reviewer is None:
            words = "aiops could not be started; the log says why"
            raise RequestRefused(types.LSPErrorCodes.RequestFailed, words)
        return self.reviewer

    def open(self, document: TextDocument) -> None:
        """Follow a document from now on."""
        self.start()
        self.configuration.forget(document.uri)  # a review of the workspace may have read the file for itself
        self.documents[document.uri] = document
        if self.reviewer is not None:
            self.reviewer.open(document)

    def edited(self, uri: str, edits: Sequence[AppliedEdit]) -> None:
        """A document's text has changed. What is typed before the engine has started is told to it afterwards."""
        if self.reviewer is not None:
            self.reviewer.edited(uri, edits)
        elif self._early is not None:
            self._early.setdefault(uri, []).extend(edits)

    def close(self, uri: str) -> None:
        """Forget a document and what was shown of it."""
        if self._early is not None:
            self._early.pop(uri, None)
        if self.documents.pop(uri, None) is not None and self.reviewer is not None:
            self.reviewer.close(uri)
        self.configuration.forget(uri)

    def findings(self, uri: str) -> list[Finding]:
        """The findings of a document as they stand in its current text."""
        return self.reviewer.findings(uri) if self.reviewer is not None and uri in self.documents else []

    def finding(self, uri: str, finding_id: str) -> Finding | None:
        """One of them, by its id."""
        return next((finding for finding in self.findings(uri) if finding.id == finding_id), None)

    def status(self) -> Status | None:
        """What the engine is doing; None before it has started."""
        return self.reviewer.status() if self.reviewer is not None else None

    def reload_settings(self) -> None:
        """Settings, folders or configuration files changed: resolve them anew and look at the documents again."""
        self._settings_stale = True
        if self.reviewer is not None and (self._reloading is None or self._reloading.done()):
            self._reloading = self.tasks.start(self._reload(), "reload the settings")

    async def aclose(self) -> None:
        """Stop everything that runs; reservations are settled and stores closed. May be called again."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close_all(), name="close the session")
        await asyncio.shield(self._closing)

    async def _close_all(self) -> None:
        self._status.close()
        self._hints.close()
        await self._protocol.cancel_requests()
        await self.tasks.cancel()
        self.reviewer = None
        if self._engine is not None:
            await self._engine.aclose()

    # What goes to the client.

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._protocol.notify(method, params)

    def say(self, urgency: types.MessageType, text: str) -> None:
        """Show a message to the user."""
        self.notify(types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(type=urgency, message=text))

    async def ask(self, method: str, params: object, *, timeout_seconds: float | None = None) -> Any:
        """Send a request. The answer is None as well when the client refuses it or takes longer than is given."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._protocol.ask(method, params)
        except JsonRpcException as error:
            logger.info("the client refused %s: %s", method, error.code)
        except TimeoutError:
            logger.warning("the client did not answer %s", method)
        return None

    async def asked(self, method: str, params: object) -> bool:
        """Send a request whose answer says nothing. False when the client refuses it."""
        try:
            await self._protocol.ask(method, params)
        except JsonRpcException as error:
            logger.info("the client refused %s: %s", method, error.code)
            return False
        return True

    def _send_diagnostics(self, params: types.PublishDiagnosticsParams) -> None:
        self.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    # What the engine tells and asks: its Host.

    def publish(self, publication: Publication) -> None:
        """Show these findings. Of files that the client has not opened nothing is shown."""
        uri = publication.uri
        document = self.documents.get(uri)
        if publication.snapshot is None:
            if uri in self._shown:
                self._shown.discard(uri)
                self._send_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
        elif document is not None and document.version == publication.version:
            self._shown.add(uri)
            found = [convert.diagnostic(document, finding, self.client) for finding in publication.findings]
            self._send_diagnostics(types.PublishDiagnosticsParams(uri, found, publication.version))
        if self.client.inlay_hint_refresh:
            self._hints.changed()
        self._status.changed()

    def status_changed(self) -> None:
        """The status may be another."""
        self._status.changed()

    def show_message(self, urgency: Urgency, text: str) -> None:
        """Tell the user, once."""
        self.messages.once(text, _TYPES[urgency], text)

    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        """Ask the user whether source may be sent."""
        return await questions.consent(self, question)

    # Starting and settings.

    async def _start(self) -> None:
        try:
            factory = self._factory if self._factory is not None else await asyncio.to_thread(_load_engine)
            self._settings_stale = False
            await self._load_settings()
            self._engine = reviewer = factory(self, self.configuration.folder_of)
            await reviewer.start(self.configuration.settings)
        except Exception:
            logger.exception("the engine could not be started")
            self.say(types.MessageType.Error, "aiops could not start and reviews nothing. The log says why.")
            self._early = None
            return
        self.reviewer = reviewer
        early, self._early = self._early or {}, None
        for uri, document in self.documents.items():
            reviewer.open(document)
            if edits := early.get(uri):
                reviewer.edited(uri, edits)
        self._status.changed()
        self.tasks.start(configuration.register(self), "register for changes")
        self.tasks.start(_prepare(reviewer), "prepare for the first request")
        if self._settings_stale:
            self.reload_settings()

    async def _reload(self) -> None:
        while self._settings_stale and self.reviewer is not None:
            self._settings_stale = False
            await self._load_settings()
            await self.reviewer.settings_changed(self.configuration.settings)

    async def _load_settings(self) -> None:
        editor = await configuration.pull(self)
        loaded = await asyncio.to_thread(self.configuration.load, editor)
        self.configuration.adopt(loaded)
        new = [problem for problem in loaded.problems if self.messages.is_new(problem)]
        if new:
            self.say(types.MessageType.Warning, configuration.in_words(new))

    def _refresh_hints(self) -> None:
        self.tasks.start(self._ask_for_refresh(), "refresh inlay hints")

    async def _ask_for_refresh(self) -> None:
        await self.ask(types.WORKSPACE_INLAY_HINT_REFRESH, None)


async def _prepare(reviewer: Reviewer) -> None:
    """Load the SDKs while nobody waits for them, once what was opened first has been looked at."""
    await asyncio.sleep(_PREPARE_AFTER_SECONDS)
    await reviewer.prepare()


def _load_engine() -> ReviewerFactory:
    """Import the engine, which brings most of what the program depends on. Takes a while: run it on a thread."""
    return cast("ReviewerFactory", import_module("aiops_lsp.engine.review").Reviewer)
