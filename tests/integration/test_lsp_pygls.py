"""The faults of pygls that are worked around. Each of these fails once pygls is mended: then the cure may go."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import converters, types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

if TYPE_CHECKING:
    from pygls.protocol import LanguageServerProtocol


class Written:
    """Keeps what a server sends."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data.split(b"\r\n\r\n", 1)[-1]))

    def close(self) -> None:
        self.messages.append({"closed": True})


def plain() -> tuple[LanguageServerProtocol, Written]:
    server = LanguageServer("plain", "1")
    written = Written()
    server.protocol.set_writer(written)
    return server.protocol, written


def deliver(protocol: LanguageServerProtocol, **message: object) -> None:
    structured = protocol.structure_message({"jsonrpc": "2.0", **message})
    protocol.handle_message(structured)


INITIALIZE: dict[str, object] = {"method": "initialize", "params": {"capabilities": {}}}


async def test_a_future_is_kept_for_each_notification_with_an_async_handler() -> None:
    protocol, _ = plain()

    @protocol._server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(_params: object) -> None:
        return None

    for _ in range(10):
        protocol._handle_notification(types.TEXT_DOCUMENT_DID_SAVE, None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(protocol._request_futures) == 10


async def test_a_type_is_kept_for_each_request_that_the_client_refuses() -> None:
    protocol, _ = plain()
    future = protocol.send_request(types.WORKSPACE_INLAY_HINT_REFRESH, msg_id="x")
    deliver(protocol, id="x", error={"code": -32601, "message": "no"})
    assert future.exception() is not None
    assert "x" in protocol._result_types


async def test_progress_tokens_are_kept() -> None:
    protocol, _ = plain()
    protocol.progress.begin("t", types.WorkDoneProgressBegin(title="x"))
    protocol.progress.end("t", types.WorkDoneProgressEnd())
    assert "t" in protocol.progress.tokens


async def test_a_late_answer_to_a_cancelled_request_fails() -> None:
    protocol, _ = plain()
    future = protocol.send_request(types.WORKSPACE_INLAY_HINT_REFRESH, msg_id="x")
    future.cancel()
    with pytest.raises(Exception, match=r"CANCELLED|invalid state|InvalidState"):
        deliver(protocol, id="x", result=None)


async def test_a_second_initialize_is_accepted() -> None:
    protocol, written = plain()
    for number in (1, 2):
        deliver(protocol, id=number, **INITIALIZE)
    assert ["result" in message for message in written.messages] == [True, True]


async def test_a_request_after_shutdown_gets_no_answer() -> None:
    protocol, written = plain()
    deliver(protocol, id=1, **INITIALIZE)
    deliver(protocol, id=2, method="shutdown")
    before = len(written.messages)
    deliver(protocol, id=3, method="shutdown")
    assert len(written.messages) == before


async def test_params_that_do_not_fit_raise_instead_of_an_answer() -> None:
    protocol, written = plain()
    with pytest.raises(Exception, match="Invalid Params"):
        deliver(protocol, id=1, method="textDocument/hover", params={})
    assert written.messages == []


def test_a_value_that_it_does_not_know_fails_the_whole_initialize() -> None:
    capabilities = {"textDocument": {"publishDiagnostics": {"tagSupport": {"valueSet": [99]}}}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": capabilities}}
    with pytest.raises(Exception, match="InitializeRequest"):
        converters.get_converter().structure(message, types.InitializeRequest)


def test_its_documents_break_lines_as_python_does() -> None:
    assert len(TextDocument("file:///a", "a\fb\u2028c").lines) > 1
