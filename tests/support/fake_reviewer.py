"""An engine that finds what a test tells it to find, behind the methods of the real `Reviewer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiops_lsp.core.findings import Category, Confirmation, Edit, Finding, Fix, Origin, Severity
from aiops_lsp.core.text import Position, Range, carry
from aiops_lsp.engine.host import (
    Publication,
    RegionReport,
    ReviewReport,
    Spend,
    State,
    Status,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from aiops_lsp.core.text import AppliedEdit, Snapshot, TextDocument
    from aiops_lsp.engine.host import DocumentStatus, Folder, Host
    from aiops_lsp.settings import Settings
    from tests.support.client import Client


class FakeReviewer:
    """Publishes at once on opening, and after an edit when the test calls `look`.

    `find` decides what a text's findings are. `calls` records what was asked. `hold`, when set to an event, keeps
    `review` waiting, as a slow model would.
    """

    def __init__(self, host: Host, folder_of: Callable[[str], Folder]) -> None:
        self.host = host
        self.folder_of = folder_of
        self.documents: dict[str, TextDocument] = {}
        self.calls: list[tuple[object, ...]] = []
        self.find: Callable[[Snapshot], Sequence[Finding]] = bugs
        self.hold: asyncio.Event | None = None
        self.estimate_micro_usd = 0
        self.document_status: tuple[DocumentStatus, ...] = ()
        self.state = State.IDLE
        self.settings: Settings | None = None
        self.closed = False
        self._found: dict[str, list[Finding]] = {}
        self._dismissed: set[str] = set()

    async def start(self, settings: Settings) -> None:
        self.settings = settings
        self.calls.append(("start",))

    async def settings_changed(self, settings: Settings) -> None:
        self.settings = settings
        self.calls.append(("settings_changed",))

    def open(self, document: TextDocument, *, look: bool = True) -> None:
        self.calls.append(("open", document.uri))
        self.documents[document.uri] = document
        self._found.setdefault(document.uri, [])
        if look:
            self.look(document.uri)

    def edited(self, uri: str, edits: Sequence[AppliedEdit]) -> None:
        self.calls.append(("edited", uri))
        for edit in edits:
            self._found[uri] = [moved for finding in self._found[uri] if (moved := _carried(finding, edit))]

    def saved(self, uri: str) -> None:
        self.calls.append(("saved", uri))
        self.look(uri)

    def close(self, uri: str) -> None:
        self.calls.append(("close", uri))
        document = self.documents.pop(uri)
        self.host.publish(Publication(uri, document.version, (), None))

    def visible(self, uri: str, start_line: int, end_line: int) -> None:
        self.calls.append(("visible", uri, start_line, end_line))

    def findings(self, uri: str) -> list[Finding]:
        return [finding for finding in self._found.get(uri, []) if finding.id not in self._dismissed]

    async def review(
        self,
        uri: str,
        *,
        deep: bool = False,
        lines: tuple[int, int] | None = None,
        changes_only: bool = False,
        at_most: tuple[int, int] | None = None,
    ) -> ReviewReport:
        self.calls.append(("review", uri, deep, lines, changes_only))
        if self.hold is not None:
            await self.hold.wait()
        self.look(uri)
        snapshot = self.documents[uri].snapshot()
        regions = (RegionReport("f", 0, 1, "reviewed"), RegionReport("g", 1, 2, "not_reviewed", "too large"))
        return ReviewReport(uri, snapshot, tuple(self.findings(uri)), regions, tokens=120, micro_usd=2500)

    async def estimate(self, uri: str, *, deep: bool = False) -> tuple[int, int]:
        self.calls.append(("estimate", uri))
        return self.estimate_micro_usd // 10, self.estimate_micro_usd

    async def costs_nothing(self) -> bool:
        return not self.estimate_micro_usd

    async def dismiss(self, uri: str, finding_id: str) -> None:
        self.calls.append(("dismiss", uri, finding_id))
        self._dismissed.add(finding_id)
        self.look(uri)

    async def clear_cache(self) -> int:
        return 3

    def status(self) -> Status:
        return Status(self.state, "because", Spend(today_tokens=7), self.document_status)

    async def usage(self, days: int = 30) -> dict[str, object]:
        return {"days": days, "usage": []}

    async def prepare(self) -> None:
        self.calls.append(("prepare",))

    async def aclose(self) -> None:
        self.closed = True

    def look(self, uri: str) -> None:
        """Publish what is found in the current text."""
        snapshot = self.documents[uri].snapshot()
        self._found[uri] = list(self.find(snapshot))
        self.host.publish(Publication(uri, snapshot.version, tuple(self.findings(uri)), snapshot))

    def called(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of each call of the method `name`."""
        return [call[1:] for call in self.calls if call[0] == name]


def fake(client: Client) -> FakeReviewer:
    """The fake behind a client's server, once it has started."""
    return cast("FakeReviewer", client.server.session.reviewer)


def bugs(snapshot: Snapshot) -> list[Finding]:
    """A model's finding with a fix for each `BUG` in the text; for `SAFEBUG` a rule's, with a verified fix."""
    found: list[Finding] = []
    for line, text in enumerate(snapshot.lines):
        start = text.find("BUG")
        while start >= 0:
            safe = text[:start].endswith("SAFE")
            first = start - len("SAFE") if safe else start
            span = Range(Position(line, first), Position(line, start + 3))
            found.append(finding(span, text[first : start + 3], ordinal=len(found), verified=safe))
            start = text.find("BUG", start + 3)
    return found


def finding(span: Range, evidence: str, *, ordinal: int = 0, verified: bool = False, **changes: object) -> Finding:
    """A finding on `span`, with a fix; `changes` replace fields."""
    fix = Fix("Replace it by FIX", (Edit(span, evidence, "FIX"),), verified)
    made = Finding(
        id=f"{ordinal:016x}",
        code="bug",
        origin=Origin.RULE if verified else Origin.MODEL,
        category=Category.BUG,
        severity=Severity.HIGH,
        confidence=90,
        title="A bug",
        why="It breaks.",
        trigger="f(0)",
        range=span,
        evidence=evidence,
        symbol="f",
        fix=fix,
        confirmation=Confirmation.NOT_DUE,
    )
    return made._replace(**changes)  # type: ignore[arg-type] # the fields are named by each test


def _carried(finding: Finding, edit: AppliedEdit) -> Finding | None:
    span = carry(finding.range, edit)
    if span is None:
        return None
    fix = finding.fix
    if fix is not None:
        moved = [(one, carry(one.range, edit)) for one in fix.edits]
        edits = tuple(one._replace(range=there) for one, there in moved if there is not None)
        fix = fix._replace(edits=edits) if len(edits) == len(fix.edits) else None
    return finding._replace(range=span, fix=fix)
