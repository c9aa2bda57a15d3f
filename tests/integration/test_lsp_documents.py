"""What a client opens, changes, saves and closes, and what it is shown of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.core.text import Position, Range
from aiops_lsp.engine.host import DocumentStatus, Publication
from tests.support.client import MODERN, Client, at, connected
from tests.support.clock import settle, until
from tests.support.fake_reviewer import FakeReviewer, fake, finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.host import Folder, Host

URI = "file:///w/a.py"


def text_of(client: Client, uri: str = URI) -> str:
    return client.server.session.documents[uri].snapshot().text


async def hints(client: Client, span: dict[str, Any]) -> list[Any]:
    found: list[Any] = await client.request("textDocument/inlayHint", {"textDocument": {"uri": URI}, "range": span})
    return found


async def hover(client: Client, line: int, character: int) -> Any:
    position = {"line": line, "character": character}
    return await client.request("textDocument/hover", {"textDocument": {"uri": URI}, "position": position})


@pytest.mark.parametrize(("encoding", "start"), [("utf-8", 17), ("utf-16", 11), ("utf-32", 10)])
async def test_columns_are_counted_as_the_client_does(encoding: str, start: int) -> None:
    async with connected(FakeReviewer) as client:
        result = await client.initialize({"general": {"positionEncodings": [encoding]}})
        assert result["capabilities"]["positionEncoding"] == encoding
        client.open(URI, "s = '日本😀';BUG\n")
        (diagnostic,) = await client.diagnostics(URI, 1)
        assert diagnostic["range"] == at(0, start, 0, start + 3)


async def test_changes_are_followed_where_pygls_would_drift() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "a\f\u2028b\u0085c\nx\r\ny\rz")
        client.change(
            URI,
            2,
            {"range": at(0, 6), "text": "!"},
            {"range": at(1, 0, 1, 1), "text": "X"},
            {"range": at(3, 1), "text": "BUG"},
        )
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        (diagnostic,) = await client.diagnostics(URI, 2)
        assert text_of(client) == "a\f\u2028b\u0085c!\nX\r\ny\rzBUG"
        assert diagnostic["range"] == at(3, 1, 3, 4)
        client.change(URI, 3, {"text": "whole"})
        await settle()
        await until(lambda: text_of(client) == "whole")


async def test_a_document_opened_before_the_engine_works_is_followed_meanwhile() -> None:
    gate = asyncio.Event()

    class Late(FakeReviewer):
        async def start(self, settings: object) -> None:
            await gate.wait()

    async with connected(Late) as client:
        await client.initialize()
        client.open(URI, "nothing")
        client.change(URI, 2, {"range": at(0, 0, 0, 7), "text": "BUG"})
        client.open("file:///w/b.py", "BUG")
        client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///w/b.py"}})
        assert await hints(client, at(0, 0, 9, 0)) == []
        assert await hover(client, 0, 0) is None
        gate.set()
        assert len(await client.diagnostics(URI, 2)) == 1
        assert client.published("file:///w/b.py") == []


async def test_an_engine_is_started_by_the_first_document_too() -> None:
    async with connected(FakeReviewer) as client:
        await client.request("initialize", {"capabilities": {}})
        client.open(URI, "BUG")
        assert len(await client.diagnostics(URI, 1)) == 1


async def test_closing_takes_back_what_was_shown() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        await until(lambda: client.published(URI)[-1]["diagnostics"] == [])
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        client.change(URI, 2, {"range": at(0, 0), "text": "x"})
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        assert await hover(client, 0, 0) is None


async def test_opening_twice_takes_the_newer_text() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        client.open(URI, "\nBUG", version=5)
        (diagnostic,) = await client.diagnostics(URI, 5)
        assert diagnostic["range"] == at(1, 0, 1, 3)


async def test_nothing_is_shown_for_another_version_or_for_what_is_not_open() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        client.change(URI, 2, {"range": at(0, 0), "text": "x"})
        await until(lambda: fake(client).called("edited"))
        old = client.server.session.documents[URI].snapshot()
        before = len(client.notifications)
        client.server.session.publish(Publication(URI, 1, (), old))
        client.server.session.publish(Publication("file:///other.py", 1, (), old))
        client.server.session.publish(Publication("file:///other.py", 1, (), None))
        await hover(client, 0, 0)
        assert [m for m in client.notifications[before:] if "publish" in m["method"]] == []


async def test_hints_are_for_the_range_and_tell_what_is_visible() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "BUG BUG\nx\nBUG # end\n")
        await client.diagnostics(URI, 1)
        first, second = await hints(client, at(0, 0, 3, 0))
        assert (first["position"], first["label"]) == ({"line": 0, "character": 7}, "▲ A bug (+1)")
        assert (second["position"], second["label"]) == ({"line": 2, "character": 9}, "▲ A bug")
        assert first["tooltip"]["kind"] == "markdown"
        assert await hints(client, at(1, 0, 2, 0)) == []
        assert fake(client).called("visible") == [(URI, 0, 3), (URI, 1, 2)]


async def test_hints_are_refreshed_once_for_many_changes() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        for _ in range(20):
            fake(client).look(URI)
        await until(lambda: client.asked("workspace/inlayHint/refresh"))
        await settle()
        assert len(client.asked("workspace/inlayHint/refresh")) == 1


async def test_a_client_without_refresh_is_not_asked() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        await until(lambda: client.received("aiops/status"))
        assert client.requests == []
        (hint,) = await hints(client, at(0, 0, 1, 0))
        assert isinstance(hint["tooltip"], str)


async def test_hover_says_everything_on_the_finding_and_nothing_beside_it() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "x = BUG\n")
        await client.diagnostics(URI, 1)
        found = await hover(client, 0, 5)
        assert found["range"] == at(0, 4, 0, 7)
        assert found["contents"]["kind"] == "markdown"
        assert "aiops: ignore[bug]" in found["contents"]["value"]
        assert await hover(client, 0, 2) is None
        assert await hover(client, 1, 0) is None


async def test_hover_on_a_rules_finding_shows_the_rules_examples() -> None:
    def find(snapshot: Snapshot) -> list[Finding]:
        span = Range(Position(0, 0), Position(0, 3))
        return [finding(span, "BUG", origin=Origin.RULE, code="py/mutable-default")]

    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        await client.ready()
        fake(client).find = find
        client.open(URI, "BUG\n")
        await client.diagnostics(URI, 1)
        text = (await hover(client, 0, 1))["contents"]["value"]
        assert "## Reported" in text
        assert text.count("It breaks.") == 1
        assert "py/mutable-default: " not in text


async def test_hover_in_plain_text() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize({"textDocument": {"hover": {"contentFormat": ["plaintext"]}}})
        client.open(URI, "x = BUG\n")
        await client.diagnostics(URI, 1)
        contents = (await hover(client, 0, 5))["contents"]
        assert contents["kind"] == "plaintext"
        assert "**" not in contents["value"]


async def test_the_first_line_says_why_a_document_is_not_reviewed() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "x\ny")
        await client.diagnostics(URI, 1)
        fake(client).document_status = (DocumentStatus(URI, 1, 0, 0, note="it is *generated*"),)
        assert (await hover(client, 0, 0))["contents"]["value"] == (
            "Not reviewed by a language model: it is \\*generated\\*"
        )
        assert await hover(client, 1, 0) is None


async def test_findings_move_with_edits_before_the_next_look() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "x = BUG\n")
        await client.diagnostics(URI, 1)
        client.change(URI, 2, {"range": at(0, 0), "text": "\n\n"})
        assert await hover(client, 0, 5) is None
        assert (await hover(client, 2, 5))["range"] == at(2, 4, 2, 7)


async def test_the_status_goes_out_when_it_changes() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        fake(client).document_status = (DocumentStatus(URI, 41, 7, 1, {"too large": 2}),)
        for _ in range(5):
            client.server.session.status_changed()
        await until(lambda: client.received("aiops/status"))
        status = client.received("aiops/status")[-1]
        assert status["state"] == "idle"
        assert status["spend"]["todayTokens"] == 7
        (document,) = status["documents"]
        assert document["words"] == "7 of 41 regions reviewed"
        assert document["notReviewed"] == {"too large": 2}
        count = len(client.received("aiops/status"))
        client.server.session.status_changed()
        await until(lambda: client.server.session._status._timer is None)
        assert len(client.received("aiops/status")) == count


@pytest.mark.parametrize("capabilities", [{}, MODERN])
async def test_any_client_gets_through_a_whole_session(capabilities: dict[str, Any]) -> None:
    made: list[FakeReviewer] = []

    def make(host: Host, folder_of: Callable[[str], Folder]) -> FakeReviewer:
        made.append(FakeReviewer(host, folder_of))
        return made[0]

    async with connected(make) as client:
        await client.initialize(capabilities)
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        client.change(URI, 2, {"range": at(0, 3), "text": " BUG"})
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        assert len(await client.diagnostics(URI, 2)) == 2
        assert await hover(client, 0, 0)
        assert await hints(client, at(0, 0, 1, 0))
        assert isinstance(await client.request("aiops/usage", {"days": 3}), dict)
        assert await client.leave() == 0
        assert made[0].closed
