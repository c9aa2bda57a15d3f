"""The engine in lockstep, with every promise about places checked after each edit and each derivation.

The checks know nothing of how the engine comes to its findings: they compare with the client's own copy of the text,
and with what the scripted model has said of which code.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.findings import Origin
from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument
from aiops_lsp.engine.document import ReviewedDocument
from aiops_lsp.engine.host import DocumentClosed, Folder
from aiops_lsp.engine.review import Reviewer
from aiops_lsp.engine.standing import Progress
from tests.support.clock import FakeClock
from tests.support.engine import RecordingHost, settings_for
from tests.support.lockstep import Lockstep, stores_inline
from tests.support.place_checks import History, Places, check_finding
from tests.support.scripted_model import MARK, MARKED, ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import pytest

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.engine.host import Publication
    from tests.support.buffer import Buffer
    from tests.support.scripted_model import Faults

NOWHERE = "http://127.0.0.1:9/v1"
"""Where the models are said to be; nobody listens there, and nobody is asked."""

PATIENT: dict[str, Any] = {
    "review": {"debounce_ms": 600, "settle_ms": 2000},
    "limits": {"reviews_per_document_per_minute": 600, "requests_per_minute": 1000},
    "budget": {"daily_token_budget": 1_000_000_000},
}


def code(line: str) -> str:
    """A line of Python, whose strings hold no #, without its comment."""
    return line.partition("#")[0]


def code_of(lines: Sequence[str]) -> str:
    """Lines of Python without comments, blanks and line ends: what a loose key is made of, in a plain way."""
    return "".join("".join(code(line).split()) for line in lines)


class EngineWorld:
    """A started reviewer, its model and its clients' texts.

    `plain_code` makes of a region's lines what does not change with its comments and blanks.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        encoding: str,
        second_opinion: str = "off",
        *,
        faults: Faults = MARKED,
        plain_code: Callable[[Sequence[str]], str] = code_of,
    ) -> None:
        self.steps = Lockstep()
        self.clock = FakeClock()
        self.encoding = encoding
        self.faults = faults
        self.code_of = plain_code
        self.model = ScriptedModel(faults)
        self.host = CheckingHost(self)
        self._said: dict[str, set[str]] = {}
        self._calls_read = 0
        self._places: dict[str, Places] = {}
        self.buffers: dict[str, Buffer] = {}
        self.documents: dict[str, TextDocument] = {}
        self.histories: dict[str, History] = {}
        self.reviews: list[asyncio.Future[None]] = []
        monkeypatch.setattr("aiops_lsp.engine.models.open_client", lambda *_: self.model)
        monkeypatch.setattr("aiops_lsp.engine.dispatch.secrets.randbelow", lambda _: 0)
        _observe(monkeypatch, self.derived)
        patient = {**PATIENT, "review": {**PATIENT["review"], "second_opinion": second_opinion}}
        self.settings = settings_for(NOWHERE, **patient)
        folder = Folder(None, self.settings)
        self.reviewer = Reviewer(self.host, lambda _uri: folder, self.clock)
        self.steps.run(self.reviewer.start(self.settings, {}))
        stores_inline(self.reviewer)

    def close(self) -> None:
        self.steps.run(self._end_reviews())
        self.steps.run(self.reviewer.aclose())
        self.steps.close()

    async def _end_reviews(self) -> None:
        for review in self.reviews:
            review.cancel()
        for ended in await asyncio.gather(*self.reviews, return_exceptions=True):
            assert ended is None or isinstance(ended, asyncio.CancelledError), ended

    # What a client does.

    def open(self, buffer: Buffer) -> None:
        document = TextDocument(
            buffer.uri, buffer.version, buffer.language, buffer.text, PositionEncoding(self.encoding)
        )
        self.buffers[buffer.uri] = buffer
        self.documents[buffer.uri] = document
        self.histories[buffer.uri] = History()
        self.steps.call(self.reviewer.open, document)

    def change(self, buffer: Buffer, changes: list[dict[str, Any]]) -> None:
        document = self.documents[buffer.uri]
        edits = document.apply([_change(one) for one in changes], buffer.told())
        assert document.snapshot().text == buffer.text
        self.steps.call(self.reviewer.edited, buffer.uri, edits)
        self.check(buffer.uri)

    def save(self, buffer: Buffer) -> None:
        self.steps.call(self.reviewer.saved, buffer.uri)

    def shut(self, buffer: Buffer) -> None:
        self.steps.call(self.reviewer.close, buffer.uri)
        assert self.host.shown(buffer.uri) == ()
        del self.buffers[buffer.uri], self.documents[buffer.uri], self.histories[buffer.uri]

    def review(self, buffer: Buffer, *, deep: bool) -> None:
        """Ask for a review and do not wait for it. It may end because the document is closed meanwhile."""

        async def review() -> None:
            with suppress(DocumentClosed):
                await self.reviewer.review(buffer.uri, deep=deep)

        self.reviews.append(self.steps.call(lambda: asyncio.ensure_future(review())))

    def turns(self, count: int) -> None:
        self.steps.turns(count)

    def advance(self, seconds: float) -> None:
        self.steps.run(self.clock.advance(seconds))

    def fixes(self, buffer: Buffer) -> list[tuple[str, int, list[tuple[int, int, str]]]]:
        """The fixes that are offered now: title, line of the finding, and edits as offsets."""
        places = self.places(buffer.uri)
        return [
            (
                one.title,
                one.range.start.line,
                [
                    (places.offset(edit.range.start), places.offset(edit.range.end), edit.new_text)
                    for edit in one.fix.edits
                ],
            )
            for one in self.reviewer.findings(buffer.uri)
            if one.fix is not None
        ]

    # What must hold.

    def places(self, uri: str) -> Places:
        """The client's own text of a document, with its lines looked up."""
        text = self.buffers[uri].text
        known = self._places.get(uri)
        if known is None or known.text is not text:
            known = self._places[uri] = Places(text)
        return known

    def check(self, uri: str) -> None:
        """What is shown holds in the current text, and so does every edit that is offered."""
        for one in self.reviewer.findings(uri):
            check_finding(one, self.places(uri), self.faults)

    def shown_titles(self, buffer: Buffer) -> set[tuple[int, str]]:
        """What is shown, by line."""
        return {(one.range.start.line, one.title) for one in self.reviewer.findings(buffer.uri)}

    def shown_places(self, buffer: Buffer) -> set[tuple[object, ...]]:
        """The places of the model's findings in the current text."""
        found = self.reviewer.findings(buffer.uri)
        return {(buffer.uri, one.range, one.evidence) for one in found if one.origin is Origin.MODEL}

    def check_complete(self, buffer: Buffer) -> None:
        """Of each region that counts as reviewed, everything is shown that the model found."""
        document = self.reviewer._documents[buffer.uri]
        assert document.examined is not None
        assert document.is_current(document.examined.snapshot)
        shown = {(one.range.start.line, one.title) for one in document.findings() if one.origin is Origin.MODEL}
        lines = self.places(buffer.uri).lines()
        for region, standing in zip(document.examined.split.regions, document.standings, strict=True):
            if standing.progress is not Progress.REVIEWED or not region.loose:
                continue
            inside = range(*_lines(region))
            found = {one for one in shown if one[0] in inside}
            everything = {(number, f"Fails {mark[0]}") for number in inside for mark in MARK.finditer(lines[number])}
            # A result for the same code with other comments says nothing of this one's comments, and a bare header
            # with a comment is sent to nobody.
            in_code = {(number, f"Fails {mark[0]}") for number in inside for mark in MARK.finditer(code(lines[number]))}
            least = everything if standing.exact and standing.record is not None else in_code
            assert least <= found <= everything, (found, region, standing)

    def published(self, publication: Publication) -> None:
        buffer = self.buffers.get(publication.uri)
        assert buffer is not None, "published for a document that is not open"
        if publication.snapshot is None:
            assert publication.findings == ()
            return
        assert publication.version == buffer.version
        assert publication.snapshot.text == buffer.text
        for one in publication.findings:
            check_finding(one, self.places(buffer.uri), self.faults)
        assert publication.findings != self.histories[buffer.uri].published, "published the same again"
        self.histories[buffer.uri].published = publication.findings

    def derived(self, document: ReviewedDocument) -> None:
        """The findings of a document were derived anew."""
        examined = document.examined
        if examined is None or not document.is_current(examined.snapshot):
            return
        regions = examined.split.regions
        assert [region.start_line for region in regions[1:]] == [region.end_line for region in regions[:-1]]
        assert (regions[0].start_line, regions[-1].end_line) == (0, len(examined.snapshot.lines))
        self.check(document.uri)
        starts = [region.start_line for region in regions]
        shown: dict[str, set[Hashable]] = {keys.exact: set() for keys in examined.keys}
        for one in document.findings():
            if one.origin is not Origin.MODEL:
                continue
            index = bisect_right(starts, one.range.start.line) - 1
            region = regions[index]
            self.check_reviewed(one, document, index)
            line = one.range.start.line - region.start_line
            place = (one.code, line, one.range.start.column - region.dedents[line], one.evidence)
            shown[examined.keys[index].exact].add(place)
        self.histories[document.uri].take(shown)

    def check_reviewed(self, one: Finding, document: ReviewedDocument, index: int) -> None:
        """Its region was answered for, or it stood before in a region that was."""
        assert document.examined is not None
        region = document.examined.split.regions[index]
        if one.rechecking:
            assert self.histories[document.uri].knows(one), one
        else:
            said = self.said_of(region.lines, document.examined.snapshot.language)
            assert one.title in said, (one, region.lines, said)
        self.histories[document.uri].remember(one)

    def said_of(self, lines: Sequence[str], language: str) -> set[str]:
        """The titles of all that the model was asked about code that is the same but for comments and blanks."""
        while self._calls_read < len(self.model.calls):
            for sent in self.model.calls[self._calls_read].sent.regions.values():
                titles = {f"Fails {word[0]}" for line in sent for word in self.faults.in_line(line)}
                self._said.setdefault(self.code_of(sent), set()).update(titles)
            self._calls_read += 1
        return self._said.get(self.code_of(lines), set())


class CheckingHost(RecordingHost):
    """Checks what is published at the moment it is."""

    def __init__(self, world: EngineWorld) -> None:
        super().__init__()
        self._world = world

    def publish(self, publication: Publication) -> None:
        self._world.published(publication)
        super().publish(publication)


def _observe(monkeypatch: pytest.MonkeyPatch, derived: Callable[[ReviewedDocument], None]) -> None:
    original = ReviewedDocument.publish

    def publish(document: ReviewedDocument) -> None:
        original(document)
        derived(document)

    monkeypatch.setattr(ReviewedDocument, "publish", publish)


def _lines(region: Any) -> tuple[int, int]:
    return region.start_line, region.end_line


def _change(change: dict[str, Any]) -> Change:
    place = change.get("range")
    if place is None:
        return Change(None, change["text"])
    start, end = (Position(place[name]["line"], place[name]["character"]) for name in ("start", "end"))
    return Change(Range(start, end), change["text"])
