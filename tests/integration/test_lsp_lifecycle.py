"""The order of a session, and what the specification wants to be answered outside it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client import MODERN, Client, Refused, at, connected
from tests.support.clock import settle, until
from tests.support.fake_reviewer import FakeReviewer, fake

if TYPE_CHECKING:
    from collections.abc import Callable

URI = "file:///w/a.py"
HOVER = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}


async def refused(answer: Any) -> int:
    with pytest.raises(Refused) as caught:
        await answer
    return caught.value.code


async def test_nothing_is_answered_before_initialize_but_an_error() -> None:
    async with connected(FakeReviewer) as client:
        assert await refused(client.request("textDocument/hover", HOVER)) == -32002
        assert await refused(client.request("shutdown")) == -32002
        client.open(URI, "BUG")
        await client.initialize()
        assert client.server.session.documents == {}


async def test_a_second_initialize_is_refused() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        assert await refused(client.request("initialize", {"capabilities": {}})) == -32600


async def test_after_shutdown_everything_but_exit_is_refused() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        await client.ready()
        assert await client.request("shutdown") is None
        assert await refused(client.request("textDocument/hover", HOVER)) == -32600
        assert await refused(client.request("shutdown")) == -32600
        client.notify("exit")
        await until(lambda: client.exit_code is not None)
        assert client.exit_code == 0


@pytest.mark.parametrize("initialized", [True, False])
async def test_exit_without_shutdown_is_a_failure(initialized: bool) -> None:
    async with connected(FakeReviewer) as client:
        if initialized:
            await client.initialize()
        client.notify("exit")
        await until(lambda: client.exit_code is not None)
        assert client.exit_code == 1


async def test_a_lost_connection_closes_the_engine() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        await client.ready()
        reviewer = fake(client)
        assert await client.hang_up() == 1
        assert reviewer.closed


async def test_the_first_request_is_prepared_for_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiops_lsp.lsp.session._PREPARE_AFTER_SECONDS", 0.0)
    async with connected(FakeReviewer) as client:
        await client.initialize()
        await client.ready()
        await until(lambda: ("prepare",) in fake(client).calls)


async def test_exit_right_after_shutdown_waits_for_the_engine_to_close() -> None:
    class Slow(FakeReviewer):
        async def aclose(self) -> None:
            await settle(50)
            await super().aclose()

    async with connected(Slow) as client:
        await client.initialize()
        await client.ready()
        reviewer = fake(client)
        client.start_request("shutdown")
        client.notify("exit")
        await until(lambda: client.exit_code is not None)
        assert reviewer.closed
        assert client.exit_code == 0


async def test_shutdown_with_a_command_under_way_cancels_it() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        client.open(URI, "BUG")
        await client.ready()
        reviewer = fake(client)
        reviewer.hold = asyncio.Event()
        _, answer = client.start_request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [URI]}
        )
        await until(lambda: reviewer.called("review"))
        assert await client.leave() == 0
        assert await refused(answer) == -32800


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/hover", None),
        ("textDocument/hover", {"textDocument": {}, "position": {"line": 0, "character": 0}}),
        ("textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}}),
        ("textDocument/hover", [1, 2]),
        ("textDocument/codeAction", {"textDocument": {"uri": URI}, "range": at(0, 0), "context": 7}),
        ("workspace/executeCommand", {"command": 5}),
        ("workspace/executeCommand", {"command": "rm -rf"}),
        ("workspace/executeCommand", {"command": "aiops.reviewDocument"}),
        ("workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": ["file:///not/open.py"]}),
        ("workspace/executeCommand", {"command": "aiops.dismiss", "arguments": [{"uri": URI}]}),
        ("aiops/usage", {"days": 0}),
        ("aiops/usage", {"days": "many"}),
    ],
)
async def test_invalid_params_are_answered(method: str, params: object) -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.ready()
        assert await refused(client.request(method, params)) == -32602


async def test_unknown_methods() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        assert await refused(client.request("textDocument/noSuchThing", {})) == -32601
        client.notify("$/setTrace", {"value": "verbose"})
        client.notify("textDocument/noSuchThing", {"x": 1})
        client.notify("$/cancelRequest", {"id": 77})
        client.notify("$/cancelRequest")
        client.notify("window/workDoneProgress/cancel", {"token": "unknown"})
        assert await client.request("textDocument/hover", HOVER) is None
        assert client.received("window/showMessage") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{nonsense", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'"x"', -32600),
        (b'{"method": "exit"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}', -32600),
    ],
)
async def test_what_is_no_message_is_answered_and_nothing_breaks(body: bytes, code: int) -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.send_bytes(body)
        await until(lambda: client.stray)
        assert client.stray[0]["error"]["code"] == code
        assert await client.request("textDocument/hover", HOVER) is None


@pytest.mark.parametrize(
    "capabilities",
    [
        {"textDocument": {"publishDiagnostics": {"tagSupport": {"valueSet": [1, 2, 99]}}}},
        {"textDocument": {"codeAction": {"tagSupport": {"valueSet": [1, 99]}}}},
        {"workspace": {"workspaceEdit": {"failureHandling": "hope"}}},
        {"general": {"positionEncodings": ["utf-64"]}},
        {"textDocument": {"hover": {"contentFormat": ["asciidoc"]}}},
    ],
)
async def test_a_client_newer_than_us_is_served(capabilities: dict[str, Any]) -> None:
    async with connected(FakeReviewer) as client:
        result = await client.initialize(capabilities)
        assert result["serverInfo"]["name"] == "aiops-lsp"
        client.open(URI, "BUG")
        assert len(await client.diagnostics(URI, 1)) == 1


@pytest.mark.parametrize("params", [None, [], {"capabilities": 5}])
async def test_an_initialize_without_sense_is_refused_and_may_be_sent_again(params: object) -> None:
    async with connected(FakeReviewer) as client:
        assert await refused(client.request("initialize", params)) == -32602
        await client.initialize()


async def test_a_failing_handler_is_an_error_in_words_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeReviewer):
        def visible(self, uri: str, start_line: int, end_line: int) -> None:
            raise ZeroDivisionError("secret source text")

        def saved(self, uri: str) -> None:
            raise ZeroDivisionError("secret source text")

    async with connected(Broken) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.ready()
        hint = {"textDocument": {"uri": URI}, "range": at(0, 0, 1, 0)}
        with pytest.raises(Refused) as caught:
            await client.request("textDocument/inlayHint", hint)
        assert caught.value.code == -32603
        assert "secret" not in caught.value.message
        for _ in range(3):
            client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        assert await client.request("textDocument/hover", HOVER) is not None
        messages = client.received("window/showMessage")
        assert len(messages) == 1
        assert "didSave" in messages[0]["message"]
        assert "secret" not in messages[0]["message"]
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 4
    assert all(record.exc_info for record in logged)


async def test_an_engine_that_cannot_start_is_told_once_and_the_server_answers() -> None:
    class Dead(FakeReviewer):
        async def start(self, settings: object) -> None:
            raise OSError("no disk")

    async with connected(Dead) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await until(lambda: client.received("window/showMessage"))
        assert await client.request("textDocument/hover", HOVER) is None
        assert await refused(client.request("aiops/usage")) == -32803
        assert len(client.received("window/showMessage")) == 1
        assert await client.leave() == 0


async def test_a_late_answer_to_a_cancelled_question_is_dropped() -> None:
    async with connected(FakeReviewer) as client:
        client.unanswered.add("window/showMessageRequest")
        await client.initialize(MODERN)
        client.open(URI, "BUG")
        await client.ready()
        reviewer = fake(client)
        reviewer.estimate_micro_usd = 600_000
        number, answer = client.start_request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [URI]}
        )
        await until(lambda: client.asked("window/showMessageRequest"))
        client.notify("$/cancelRequest", {"id": number})
        assert await refused(answer) == -32800
        question = next(message for message in client.requests if message["method"] == "window/showMessageRequest")
        client.send({"id": question["id"], "result": {"title": "Review"}})
        assert await client.request("textDocument/hover", HOVER) is not None
        assert client.received("window/showMessage") == []
        assert reviewer.called("review") == []


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "nonsense"},
        {"result": {"title": 5}},
        {"error": {"code": -32603, "message": "no"}},
        {"error": "nonsense"},
        {"error": {"code": "x"}},
        {},
    ],
)
async def test_an_answer_without_sense_counts_as_no(answer: dict[str, Any]) -> None:
    async with connected(FakeReviewer) as client:
        client.unanswered.add("window/showMessageRequest")
        await client.initialize(MODERN)
        client.open(URI, "BUG")
        await client.ready()
        reviewer = fake(client)
        reviewer.estimate_micro_usd = 600_000
        _, result = client.start_request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [URI]}
        )
        await until(lambda: client.asked("window/showMessageRequest"))
        question = next(message for message in client.requests if message["method"] == "window/showMessageRequest")
        client.send({"id": question["id"], **answer})
        assert "refused" in await result
        assert reviewer.called("review") == []


async def test_books_of_messages_are_empty_when_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiops_lsp.lsp.session._PREPARE_AFTER_SECONDS", 0.0)
    async with connected(FakeReviewer) as client:
        del client.answers["window/workDoneProgress/create"]
        await client.initialize(MODERN)
        client.open(URI, "BUG")
        await client.ready()
        for version in range(2, 60):
            client.change(URI, version, {"range": at(0, 0), "text": "x"})
            client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
            command = {"command": "aiops.reviewDocument", "arguments": [URI], "workDoneToken": version}
            await client.request("workspace/executeCommand", command)
            await client.request("textDocument/hover", HOVER)
        await until(lambda: client.server.protocol.pending == 0)
        assert len(client.server.session.progress) == 0
        assert client.server.session.tasks._tasks == set()


async def test_two_requests_of_one_id_are_both_answered() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        await client.ready()
        for _ in range(2):
            client.send({"id": "same", "method": "aiops/usage"})
        await until(lambda: len(client.stray) == 2)
        assert all(message["result"] == {"days": 30, "usage": []} for message in client.stray)
        await until(lambda: client.server.protocol.pending == 0)


@pytest.mark.parametrize("spoil", [lambda d: d.pop("version"), lambda d: d.update(version="x"), lambda d: d.clear()])
async def test_a_document_whose_change_cannot_be_read_is_dropped(spoil: Callable[[dict[str, Any]], object]) -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize()
        client.open(URI, "BUG")
        await client.diagnostics(URI, 1)
        identifier: dict[str, Any] = {"uri": URI, "version": 2}
        spoil(identifier)
        changes = [{"range": at(0, 0), "text": "x"}]
        client.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": changes})
        await until(lambda: client.received("window/showMessage"))
        if "uri" in identifier:
            assert client.published(URI)[-1]["diagnostics"] == []
            assert URI not in client.server.session.documents
            client.open(URI, "BUG", version=9)
            assert len(await client.diagnostics(URI, 9)) == 1


def test_the_clients_messages_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The support client itself: what is written is what is read."""

    async def scenario() -> None:
        async with connected(FakeReviewer) as client:
            assert isinstance(client, Client)
            result = await client.initialize()
            assert json.loads(json.dumps(result)) == result

    asyncio.run(scenario())
    assert capsys.readouterr().out == ""
