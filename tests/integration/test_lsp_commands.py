"""Commands, progress, and the questions that only the user can answer."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.engine.host import ConsentAnswer, ConsentQuestion, DocumentClosed, Urgency
from aiops_lsp.store.database import StoreUnavailable
from tests.support.client import MODERN, Client, Refused, connected
from tests.support.clock import until
from tests.support.fake_reviewer import FakeReviewer, fake

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.engine.host import ReviewReport

URI = "file:///w/a.py"


async def ready(client: Client, capabilities: dict[str, Any] | None = None) -> FakeReviewer:
    await client.initialize(MODERN if capabilities is None else capabilities)
    client.open(URI, "BUG\nSAFEBUG\n")
    await client.diagnostics(URI, 1)
    return fake(client)


async def run(client: Client, command: str, *arguments: object, **params: object) -> Any:
    fields = {"command": command, "arguments": list(arguments), **params}
    return await client.request("workspace/executeCommand", fields)


def choosing(title: str | None) -> Any:
    return lambda _params: None if title is None else {"title": title}


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("aiops.reviewDocument", [URI], (URI, False, None, False)),
        ("aiops.reviewDocument", [{"uri": URI}], (URI, False, None, False)),
        ("aiops.reviewChanges", [URI], (URI, False, None, True)),
        ("aiops.reviewChanges", [], (URI, False, None, True)),
        ("aiops.reviewDeeper", [{"uri": URI}], (URI, True, None, False)),
        ("aiops.reviewDeeper", [{"uri": URI, "startLine": 1, "endLine": 4}], (URI, True, (1, 4), False)),
        ("aiops.reviewDeeper", [{"uri": URI, "startLine": 1}], (URI, True, (1, 1), False)),
    ],
)
async def test_reviews_that_are_asked_for(command: str, arguments: list[object], call: tuple[object, ...]) -> None:
    async with connected(FakeReviewer) as client:
        reviewer = await ready(client)
        result = await run(client, command, *arguments)
        assert reviewer.called("review") == [call]
        report = result[0] if isinstance(result, list) else result
        assert (report["uri"], report["regions"], report["reviewed"], report["usd"]) == (URI, 2, 1, 0.0025)
        assert report["notReviewed"] == [{"symbol": "g", "line": 1, "reason": "too large"}]
        assert [found["line"] for found in report["findings"]] == [0, 1]


@pytest.mark.parametrize(
    "argument",
    [
        {"uri": URI, "startLine": 5, "endLine": 4},
        {"uri": URI, "startLine": -1},
        {"uri": URI, "startLine": "x"},
        {"uri": URI, "startLine": 1, "endLine": None},
    ],
)
async def test_lines_that_are_none(argument: object) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client)
        with pytest.raises(Refused) as caught:
            await run(client, "aiops.reviewDeeper", argument)
        assert caught.value.code == -32602


async def test_the_books_and_the_cache() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client)
        assert await run(client, "aiops.clearCache") == {"dropped": 3}
        assert await run(client, "aiops.showUsage", {"days": 7}) == {"days": 7, "usage": []}
        assert await client.request("aiops/usage") == {"days": 30, "usage": []}
        said = [message["message"] for message in client.received("window/showMessage")]
        assert "3 cached results" in said[0]
        assert "today: 7 of" in said[1]


async def test_what_a_store_cannot_do_is_told_in_words() -> None:
    class Broken(FakeReviewer):
        async def clear_cache(self) -> int:
            raise StoreUnavailable("the cache is locked; close the other window")

        async def usage(self, days: int = 30) -> dict[str, object]:
            raise StoreUnavailable("the ledger is from a newer version")

    async with connected(Broken) as client:
        await ready(client)
        for answer in (run(client, "aiops.clearCache"), client.request("aiops/usage")):
            with pytest.raises(Refused, match=r"locked|newer") as caught:
                await answer
            assert caught.value.code == -32803


async def test_a_document_that_is_closed_while_the_user_thinks() -> None:
    async with connected(FakeReviewer) as client:
        client.unanswered.add("window/showMessageRequest")
        reviewer = await ready(client)
        reviewer.estimate_micro_usd = 600_000
        _, answer = client.start_request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [URI]}
        )
        await until(lambda: client.asked("window/showMessageRequest"))
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        question = next(message for message in client.requests if message["method"] == "window/showMessageRequest")
        client.send({"id": question["id"], "result": {"title": "Review"}})
        with pytest.raises(Refused, match="closed"):
            await answer


@pytest.mark.parametrize(
    ("micro_usd", "answer", "reviewed"),
    [
        (0, None, True),
        (500_000, None, True),
        (500_001, "Review", True),
        (500_001, "Cancel", False),
        (500_001, None, False),
    ],
)
@pytest.mark.parametrize("command", ["aiops.reviewDocument", "aiops.reviewDeeper"])
async def test_a_costly_review_needs_a_yes(command: str, micro_usd: int, answer: str | None, reviewed: bool) -> None:
    async with connected(FakeReviewer) as client:
        client.answers["window/showMessageRequest"] = choosing(answer)
        reviewer = await ready(client)
        reviewer.estimate_micro_usd = micro_usd
        result = await run(client, command, {"uri": URI})
        assert bool(reviewer.called("review")) is reviewed
        assert ("refused" in result) is not reviewed
        asked = client.asked("window/showMessageRequest")
        assert len(asked) == (micro_usd > 500_000)
        said = [message["message"] for message in client.received("window/showMessage")]
        assert any("0.50 USD" in text for text in (*said, *(one["message"] for one in asked))) is bool(micro_usd)


async def test_where_nobody_can_be_asked_a_costly_review_is_refused_in_words() -> None:
    async with connected(FakeReviewer) as client:
        reviewer = await ready(client, {})
        reviewer.estimate_micro_usd = 2_000_000
        result = await run(client, "aiops.reviewDocument", URI)
        assert "2.00 USD" in result["refused"]
        assert client.received("window/showMessage")[-1]["message"] == result["refused"]
        assert reviewer.called("review") == []


def progress_of(client: Client) -> list[tuple[object, str]]:
    return [(params["token"], params["value"]["kind"]) for params in client.received("$/progress")]


async def test_progress_is_shown_under_the_clients_token() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client)
        await run(client, "aiops.reviewDocument", URI, workDoneToken="mine")
        assert progress_of(client) == [("mine", "begin"), ("mine", "end")]
        assert client.asked("window/workDoneProgress/create") == []


async def test_progress_is_shown_under_a_token_of_our_own() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client)
        await run(client, "aiops.reviewDocument", URI)
        (created,) = client.asked("window/workDoneProgress/create")
        assert progress_of(client) == [(created["token"], "begin"), (created["token"], "end")]


@pytest.mark.parametrize("announced", [True, False])
async def test_no_progress_where_the_client_shows_none(announced: bool) -> None:
    async with connected(FakeReviewer) as client:
        del client.answers["window/workDoneProgress/create"]
        await ready(client, MODERN if announced else {})
        assert (await run(client, "aiops.reviewDocument", URI))["uri"] == URI
        assert progress_of(client) == []


@pytest.mark.parametrize("way", ["request", "progress"])
async def test_a_review_is_cancelled_either_way(way: str) -> None:
    async with connected(FakeReviewer) as client:
        reviewer = await ready(client)
        reviewer.hold = asyncio.Event()
        fields = {"command": "aiops.reviewDocument", "arguments": [URI], "workDoneToken": 5}
        number, answer = client.start_request("workspace/executeCommand", fields)
        await until(lambda: reviewer.called("review"))
        if way == "request":
            client.notify("$/cancelRequest", {"id": number})
        else:
            client.notify("window/workDoneProgress/cancel", {"token": 5})
        with pytest.raises(Refused) as caught:
            await answer
        assert caught.value.code == -32800
        assert progress_of(client) == [(5, "begin"), (5, "end")]
        await until(lambda: client.server.protocol.pending == 0)
        assert len(client.server.session.progress) == 0


async def test_requests_are_answered_while_a_review_is_under_way() -> None:
    async with connected(FakeReviewer) as client:
        reviewer = await ready(client)
        reviewer.hold = asyncio.Event()
        _, answer = client.start_request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [URI]}
        )
        await until(lambda: reviewer.called("review"))
        assert await client.request("aiops/usage")
        reviewer.hold.set()
        assert (await answer)["uri"] == URI


QUESTION = ConsentQuestion("api.example.com", "openai", "/w", "Changed functions are sent.")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("This workspace", ConsentAnswer.WORKSPACE),
        ("Everywhere", ConsentAnswer.EVERYWHERE),
        ("Not now", ConsentAnswer.NOT_NOW),
        ("Sure!", ConsentAnswer.NOT_NOW),
        (None, ConsentAnswer.NOT_NOW),
    ],
)
async def test_consent_is_asked_with_what_and_to_whom(answer: str | None, expected: ConsentAnswer) -> None:
    async with connected(FakeReviewer) as client:
        client.answers["window/showMessageRequest"] = choosing(answer)
        await ready(client)
        assert await client.server.session.ask_consent(QUESTION) is expected
        (asked,) = client.asked("window/showMessageRequest")
        assert [action["title"] for action in asked["actions"]] == ["This workspace", "Everywhere", "Not now"]
        for part in ("api.example.com", "openai", "/w", "Changed functions are sent.", "offline"):
            assert part in asked["message"]


async def test_consent_of_a_client_that_cannot_ask_is_not_now() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, {})
        assert await client.server.session.ask_consent(QUESTION) is ConsentAnswer.NOT_NOW


async def test_a_file_without_a_workspace_cannot_be_allowed_as_one() -> None:
    async with connected(FakeReviewer) as client:
        client.answers["window/showMessageRequest"] = choosing("This workspace")
        await ready(client)
        question = ConsentQuestion("api.example.com", "openai", "", "It is sent.")
        assert await client.server.session.ask_consent(question) is ConsentAnswer.NOT_NOW
        (asked,) = client.asked("window/showMessageRequest")
        assert [action["title"] for action in asked["actions"]] == ["Everywhere", "Not now"]


async def test_an_open_question_ends_with_the_session() -> None:
    async with connected(FakeReviewer) as client:
        client.unanswered.add("window/showMessageRequest")
        await ready(client)
        session = client.server.session
        asking = session.tasks.start(session.ask_consent(QUESTION), "ask")
        await until(lambda: client.asked("window/showMessageRequest"))
        assert await client.leave() == 0
        assert asking.cancelled()
        assert client.server.protocol.pending == 0


async def test_a_message_is_shown_once() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client)
        for _ in range(3):
            client.server.session.show_message(Urgency.WARNING, "the budget is used up")
        await client.request("aiops/usage")
        assert client.received("window/showMessage") == [{"type": 2, "message": "the budget is used up"}]


async def test_the_files_of_the_workspace_are_reviewed(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("y = BUG\n")
    (tmp_path / "c.py").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "d.js").write_text("BUG")
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        opened = (tmp_path / "a.py").as_uri()
        client.open(opened, "x = BUG\n")
        await client.diagnostics(opened, 1)
        reviewer = fake(client)
        result = await run(client, "aiops.reviewWorkspace")
        assert {found["uri"]: len(found["findings"]) for found in result["documents"]} == {
            opened: 1,
            (tmp_path / "b.py").as_uri(): 1,
        }
        (unreadable,) = result["unreadable"]
        assert unreadable["uri"].endswith("c.py")
        assert list(reviewer.documents) == [opened]
        assert client.published((tmp_path / "b.py").as_uri()) == []
        assert json.dumps(result)


async def test_a_file_that_is_closed_meanwhile_does_not_end_the_review_of_the_workspace(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("BUG\n")

    class Closed(FakeReviewer):
        async def review(self, uri: str, **options: Any) -> ReviewReport:
            if uri.endswith("a.py"):
                raise DocumentClosed(uri)
            return await super().review(uri, **options)

    async with connected(Closed) as client:
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        result = await run(client, "aiops.reviewWorkspace")
        assert [found["uri"] for found in result["documents"]] == [(tmp_path / "b.py").as_uri()]
        (left_out,) = result["unreadable"]
        assert left_out == {"uri": (tmp_path / "a.py").as_uri(), "reason": "was opened or closed meanwhile"}


async def test_many_files_of_a_workspace_wait_for_their_answers_at_the_same_time(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"f{number:02}.py").write_text("x = BUG\n")
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        reviewer = fake(client)
        reviewer.hold = asyncio.Event()
        reviewing = asyncio.ensure_future(run(client, "aiops.reviewWorkspace"))
        await until(lambda: len(reviewer.called("review")) >= 16)
        assert len(reviewer.documents) < 40
        reviewer.hold.set()
        uris = [found["uri"] for found in (await reviewing)["documents"]]
        assert uris == [(tmp_path / f"f{number:02}.py").as_uri() for number in range(40)]
        assert reviewer.documents == {}


async def test_a_costly_workspace_needs_a_yes_and_nothing_is_sent_before(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("BUG\n")
    triggers = []

    class Watching(FakeReviewer):
        async def estimate(self, uri: str, *, deep: bool = False) -> tuple[int, int]:
            triggers.append(self.folder_of(uri).settings.review.trigger)
            return await super().estimate(uri, deep=deep)

    async with connected(Watching) as client:
        client.answers["window/showMessageRequest"] = choosing("Cancel")
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        fake(client).estimate_micro_usd = 300_000
        result = await run(client, "aiops.reviewWorkspace")
        assert "0.60 USD" in result["refused"]
        assert fake(client).called("review") == []
        assert triggers == ["manual", "manual"]


async def test_settings_that_change_meanwhile_do_not_start_reviews_that_nobody_agreed_to(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("BUG\n")
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        reviewer = fake(client)
        reviewer.hold = asyncio.Event()
        reviewing = asyncio.ensure_future(run(client, "aiops.reviewWorkspace"))
        await until(lambda: len(reviewer.called("review")) == 2)
        reloads = len(reviewer.called("settings_changed"))
        client.notify("workspace/didChangeConfiguration", {"settings": {}})
        await until(lambda: len(reviewer.called("settings_changed")) > reloads)
        uris = [(tmp_path / name).as_uri() for name in ("a.py", "b.py")]
        assert [reviewer.folder_of(uri).settings.review.trigger for uri in uris] == ["manual", "manual"]
        client.open(uris[0], "x = BUG\n")
        await client.diagnostics(uris[0], 1)
        assert reviewer.folder_of(uris[0]).settings.review.trigger == "change"
        reviewer.hold.set()
        await reviewing
        assert reviewer.folder_of(uris[1]).settings.review.trigger == "change"
