"""Runs the real engine in a test: real stores in a temporary folder, a loopback provider, a host that records."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument
from aiops_lsp.engine.host import ConsentAnswer, ConsentQuestion, Folder, Publication, Urgency
from aiops_lsp.engine.review import Reviewer
from aiops_lsp.settings import Settings, resolve
from tests.support.clock import until
from tests.support.lockstep import UnderWay, WatchedExecutor, stores_watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.engine.clock import Clock


class RecordingHost:
    """A host that keeps what it is told, and answers the consent question as it was set up to."""

    def __init__(self, consent: ConsentAnswer = ConsentAnswer.NOT_NOW) -> None:
        self.publications: list[Publication] = []
        self.messages: list[tuple[Urgency, str]] = []
        self.questions: list[ConsentQuestion] = []
        self.consent = consent
        self.status_changes = 0

    def publish(self, publication: Publication) -> None:
        self.publications.append(publication)

    def status_changed(self) -> None:
        self.status_changes += 1

    def show_message(self, urgency: Urgency, text: str) -> None:
        self.messages.append((urgency, text))

    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        self.questions.append(question)
        return self.consent

    def shown(self, uri: str) -> tuple[Finding, ...]:
        """What the client shows of a document."""
        for publication in reversed(self.publications):
            if publication.uri == uri:
                return publication.findings
        return ()


def settings_for(base_url: str | None, **sections: Mapping[str, Any]) -> Settings:
    """Settings whose models are all at `base_url` (None: no model), with quick timing. Sections override."""
    values: dict[str, Any] = {
        "review": {"scope": "file", "debounce_ms": 0, "settle_ms": 0, "second_opinion": "off", "language": "en"},
        "rules": {"ruff": "off"},
    }
    if base_url is not None:
        values["providers"] = {"test": {"base_url": base_url}}
        values["models"] = {"simple": "test:small", "medium": "test:middle", "complex": "test:large"}
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    settings, problems = resolve(values, {}, None, None)
    assert not problems, problems
    return settings


class Desk:
    """A reviewer with its host and the documents that are open in it."""

    def __init__(self, reviewer: Reviewer, host: RecordingHost, folder: Folder) -> None:
        self.reviewer = reviewer
        self.host = host
        self.folder = folder
        self.documents: dict[str, TextDocument] = {}
        self.on_threads = UnderWay()

    async def start(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Start the reviewer, with an eye on what it does on threads."""
        asyncio.get_running_loop().set_default_executor(WatchedExecutor(self.on_threads))
        await self.reviewer.start(settings, environ)
        stores_watched(self.reviewer, self.on_threads)

    def open(self, text: str, uri: str = "file:///tmp/project/shop.py", language: str = "python") -> TextDocument:
        document = TextDocument(uri, 1, language, text, PositionEncoding.UTF16)
        self.documents[uri] = document
        self.reviewer.open(document)
        return document

    def replace(self, document: TextDocument, old: str, new: str) -> None:
        """Type `new` over the one place that reads `old`."""
        snapshot = document.snapshot()
        start = snapshot.text.index(old)
        place = Range(_client(document, start), _client(document, start + len(old)))
        edits = document.apply([Change(place, new)], document.version + 1)
        self.reviewer.edited(document.uri, edits)

    def shown(self, document: TextDocument) -> tuple[Finding, ...]:
        return self.host.shown(document.uri)

    async def until_shown(self, document: TextDocument, condition: Callable[[tuple[Finding, ...]], object]) -> None:
        await until(lambda: condition(self.shown(document)))

    async def until_quiet(self, document: TextDocument) -> None:
        """Wait until everything that the document needs has been looked at, sent and answered."""

        def quiet() -> bool:
            status = next((one for one in self.reviewer.status().documents if one.uri == document.uri), None)
            return status is not None and status.regions > 0 and not self.reviewer.is_busy(document.uri)

        await until(quiet)


def _client(document: TextDocument, offset: int) -> Position:
    line, character = document.to_client(document.snapshot().position_at(offset))
    return Position(line, character)


@asynccontextmanager
async def desk(
    settings: Settings,
    *,
    root: Path | None = None,
    host: RecordingHost | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Desk]:
    """A started reviewer. State and cache are where AIOPS_STATE_DIR and AIOPS_CACHE_DIR say."""
    host = host or RecordingHost()
    reviewer = Reviewer(host, lambda _uri: at.folder, clock)
    at = Desk(reviewer, host, Folder(root, settings))
    await at.start(settings, environ or {})
    try:
        yield at
    finally:
        await asyncio.wait_for(reviewer.aclose(), 30)
