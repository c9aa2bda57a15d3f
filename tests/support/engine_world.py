"""The engine in lockstep, with every promise about places checked after each edit and each derivation.

The checks know nothing of how the engine comes to its findings: they compare with the client's own copy of the text,
and with what the scripted model has said of which code.
"""

from __future__ import annotations

import asyncio
import re
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
from tests.support.scripted_model import MARK, ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.engine.host import Publication
    from tests.support.buffer import Buffer

NOWHERE = "http://127.0.0.1:9/v1"
"""Where the models are said to be; nobody listens there, and nobody is asked."""

_ENDS = re.compile(r"\r\n|\r|\n")

PATIENT: dict[str, Any] = {
    "review": {"debounce_ms": 600, "settle_ms": 2000},
    "limits": {"reviews_per_document_per_minute": 600, "requests_per_minute": 1000},
    "budget": {"daily_token_budget": 1_000_000_000},
}


def code(line: str) -> str:
    """A line of Python, whose strings hold no #, without its comment."""
    return line.partition("#")[0]


def code_of(lines: list[str]) -> str:
    """Lines of Python without comments, blanks and line ends: what a loose key is made of, in a plain way."""
    return "".join("".join(code(line).split()) for line in lines)


class EngineWorld:
    """A started reviewer, its model and its clients' texts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str, second_opinion: str = "off") -> None:
        self.steps = Lockstep()
        self.clock = FakeClock()
        self.encoding = encoding
        self.model = ScriptedModel()
        self.host = CheckingHost(self)
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
        return [
            (
                one.title,
                one.range.start.line,
                [
                    (_offset(edit.range.start, buffer.text), _offset(edit.range.end, buffer.text), edit.new_text)
                    for edit in one.fix.edits
                ],
            )
            for one in self.reviewer.findings(buffer.uri)
            if one.fix is not None
        ]

    # What must hold.

    def check(self, uri: str) -> None:
        """What is shown holds in the current text, and so does every edit that is offered."""
        for one in self.reviewer.findings(uri):
            self.check_finding(one, self.buffers[uri].text)

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
        lines = _ENDS.split(buffer.text)
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

    def check_finding(self, one: Finding, text: str) -> None:
        lines = _ENDS.split(text)
        covered = _covered(one.range, text)
        assert covered == one.evidence, (covered, one)
        assert covered, one
        if one.origin is Origin.MODEL:
            mark = one.title.removeprefix("Fails ")
            assert mark in covered, (covered, one)
        if one.fix is None:
            return
        assert not one.rechecking
        for edit in one.fix.edits:
            assert _covered(edit.range, text) == edit.old_text, edit
        if one.origin is Origin.MODEL:
            (edit,) = one.fix.edits
            start, end = _offset(edit.range.start, text), _offset(edit.range.end, text)
            fixed = text[:start] + edit.new_text + text[end:]
            after = _ENDS.split(fixed)
            assert [_ENDS.findall(text), len(after)] == [_ENDS.findall(fixed), len(lines)]
            changed = [number for number, line in enumerate(lines) if after[number] != line]
            assert changed == [one.range.start.line]
            (number,) = changed
            column = next(at for at, char in enumerate(after[number]) if char != lines[number][at])
            found = next(match for match in MARK.finditer(lines[number]) if match.start() == column)
            wanted = found[0].replace("bug", "ok")
            assert after[number] == lines[number][:column] + wanted + lines[number][found.end() :]

    def published(self, publication: Publication) -> None:
        buffer = self.buffers.get(publication.uri)
        assert buffer is not None, "published for a document that is not open"
        if publication.snapshot is None:
            assert publication.findings == ()
            return
        assert publication.version == buffer.version
        assert publication.snapshot.text == buffer.text
        for one in publication.findings:
            self.check_finding(one, buffer.text)
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
        shown: dict[str, set[tuple[object, ...]]] = {keys.exact: set() for keys in examined.keys}
        for one in document.findings():
            if one.origin is not Origin.MODEL:
                continue
            index = next(
                number for number, region in enumerate(regions) if one.range.start.line in range(*_lines(region))
            )
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
        said = self.said_of(code_of(list(region.lines)))
        if one.rechecking:
            before = self.histories[document.uri].findings
            assert any(earlier.evidence == one.evidence and earlier.title == one.title for earlier in before), one
        else:
            assert one.title in said, (one, region.lines, said)
        self.histories[document.uri].remember(one)

    def said_of(self, code: str) -> set[str]:
        return {
            f"Fails {mark[0]}"
            for call in self.model.calls
            for lines in call.sent.regions.values()
            if code_of(lines) == code
            for line in lines
            for mark in MARK.finditer(line)
        }


class History:
    """What was shown of one open document, region by region, for as long as the region is there."""

    def __init__(self) -> None:
        self.published: tuple[Finding, ...] | None = None
        self.findings: list[Finding] = []
        self._shown: dict[str, set[tuple[object, ...]]] = {}
        self._gone: dict[str, set[tuple[object, ...]]] = {}

    def remember(self, one: Finding) -> None:
        self.findings.append(one)

    def take(self, shown: dict[str, set[tuple[object, ...]]]) -> None:
        """Nothing that has gone from a region comes back while the region stays the same."""
        gone: dict[str, set[tuple[object, ...]]] = {}
        for key, places in shown.items():
            back = places & self._gone.get(key, set())
            assert not back, f"vanished and returned: {back}"
            gone[key] = self._gone.get(key, set()) | (self._shown.get(key, set()) - places)
        self._shown, self._gone = shown, gone


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


def _offset(position: Position, text: str) -> int:
    """The offset of a position in code points, which must be one of the text."""
    start = 0
    for _ in range(position.line):
        found = _ENDS.search(text, start)
        assert found is not None, position
        start = found.end()
    end = _ENDS.search(text, start)
    assert start + position.column <= (end.start() if end else len(text)), position
    return start + position.column


def _covered(place: Range, text: str) -> str:
    return text[_offset(place.start, text) : _offset(place.end, text)]
