"""The Anthropic SDK's adapter against a provider on loopback, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.llm.anthropic import WORTH_CACHING_BYTES, AnthropicClient
from aiops_lsp.llm.client import Effort, InvalidAnswer, ModelTimeout, Overloaded, Unreachable, Usage
from tests.support.model_calls import BILLED, FAULTS, KEY, SOURCE, Fault, call, check_fault, rejecting, request
from tests.support.provider import Provider, Reply, answer
from tests.support.provider_wire import Payload, Stop, Style, document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOTHING_FOUND = answer({"r1": []})


@asynccontextmanager
async def client_of(provider: Provider, key: str | None = KEY) -> AsyncIterator[AnthropicClient]:
    client = AnthropicClient(provider="anthropic", base_url=provider.origin, key=key)
    try:
        yield client
    finally:
        await client.aclose()


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_an_answer_and_its_usage(stream: bool) -> None:
    async with Provider([Reply(billed=BILLED, headers={"request-id": "req_7"})]) as provider:
        async with client_of(provider) as client:
            made = await call(client, request(stream=stream))
        assert made.error is None
        assert made.text == NOTHING_FOUND
        assert (len(made.pieces) > 1) == stream
        assert made.usage == Usage(700, 90, 200)
        assert made.request_id == "req_7"
        (exchange,) = provider.journal
        assert exchange.path == "/v1/messages"
        assert exchange.headers["authorization"] == f"Bearer {KEY}"
        assert exchange.max_output_tokens == 1000
        assert SOURCE in exchange.user
        assert exchange.system == "Review."


@pytest.mark.parametrize(
    ("effort", "thinking", "asked"),
    [(Effort.MINIMAL, "disabled", "low"), (Effort.MEDIUM, "adaptive", "medium"), (Effort.HIGH, "adaptive", "high")],
)
async def test_what_is_asked_for(effort: Effort, thinking: str, asked: str) -> None:
    async with Provider() as provider, client_of(provider) as client:
        await call(client, request(effort=effort))
        body = provider.journal[0].body
    assert body["thinking"] == {"type": thinking}
    assert body["output_config"]["effort"] == asked
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert "temperature" not in body


@pytest.mark.parametrize(("size", "marked"), [(WORTH_CACHING_BYTES - 1, False), (WORTH_CACHING_BYTES, True)])
async def test_only_a_beginning_that_can_be_cached_is_marked(size: int, marked: bool) -> None:
    async with Provider() as provider, client_of(provider) as client:
        await call(client, request(system="s" * size))
        (system,) = provider.journal[0].body["system"]
    assert ("cache_control" in system) == marked


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_faults(fault: Fault, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Provider([fault.reply]) as provider, client_of(provider) as client:
        await check_fault(client, fault, stream=stream)
        assert len(provider.journal) == 1
    assert KEY not in caplog.text
    assert "launch_codes" not in caplog.text


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_a_provider_that_hangs(stream: bool) -> None:
    async def shut(_piece: int) -> None:
        await asyncio.Event().wait()

    async with Provider() as provider, client_of(provider) as client:
        await call(client, request())  # loads the SDK
        provider.script = [Reply(gate=shut)]
        made = await call(client, request(stream=stream, timeout_seconds=0.3))
        assert type(made.error) is ModelTimeout
        assert made.error.sent
        await provider.until(lambda: provider.journal[1].state == "dropped")


async def test_a_server_that_only_says_it_is_alive() -> None:
    """Pings keep the connection up, and are no answer."""
    ended = asyncio.Event()

    async def ping_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            while True:
                writer.write(b'event: ping\ndata: {"type": "ping"}\n\n')
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            ended.set()
        finally:
            writer.close()

    server = await asyncio.start_server(ping_for_ever, "127.0.0.1", 0)
    async with server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = AnthropicClient(provider="anthropic", base_url=base_url, key=None)
        made = await call(client, request(timeout_seconds=0.5))
        assert type(made.error) is ModelTimeout
        await asyncio.wait_for(ended.wait(), 30)
        await client.aclose()


async def test_a_stream_that_stalls_keeps_what_came() -> None:
    async def gate(piece: int) -> None:
        if piece == 1:
            await asyncio.Event().wait()

    async with Provider([Reply(gate=gate)]) as provider, client_of(provider) as client:
        made = await call(client, request(timeout_seconds=1.0))
        assert type(made.error) is ModelTimeout
        assert made.usage is None, "what is known before the end is not what is billed"
        assert NOTHING_FOUND.startswith(made.text)
        assert made.text
        await provider.until(lambda: provider.journal[0].state == "dropped")


async def test_cancelling_closes_the_connection() -> None:
    got_text = asyncio.Event()

    async def gate(piece: int) -> None:
        if piece == 1:
            await asyncio.Event().wait()

    async with Provider([Reply(gate=gate)]) as provider, client_of(provider) as client:
        task = asyncio.create_task(call(client, request(), on_text=lambda _text: got_text.set()))
        await got_text.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await provider.until(lambda: provider.journal[0].state == "dropped")
        assert (await call(client, request())).error is None


REJECTED_PARTS: list[tuple[dict[str, str], str, object]] = [
    ({"thinking": "disabled"}, "thinking", None),
    ({"output_config": "json_schema"}, "output_config", None),
]


@pytest.mark.parametrize(("rejected", "part", "instead"), REJECTED_PARTS)
async def test_what_a_server_does_not_know_is_left_out_and_remembered(
    rejected: dict[str, str], part: str, instead: object
) -> None:
    async with Provider(rejecting(**rejected)) as provider, client_of(provider) as client:
        first = await call(client, request())
        tries = len(provider.journal)
        second = await call(client, request())
        assert (first.error, second.error) == (None, None)
        assert tries > 1
        assert len(provider.journal) == tries + 1
        assert provider.journal[-1].body.get(part) == instead


async def test_a_model_without_efforts_still_gets_the_schema() -> None:
    def script(exchange: Any) -> Reply:
        if "effort" in exchange.body["output_config"]:
            return Reply(status=400, message="output_config.effort: this model does not support effort")
        return Reply()

    async with Provider(script) as provider, client_of(provider) as client:
        assert (await call(client, request())).error is None
        assert set(provider.journal[-1].body["output_config"]) == {"format"}


async def test_a_server_that_does_not_stream() -> None:
    whole = Payload(Style.MESSAGES, "model-1", (NOTHING_FOUND,), Stop.COMPLETE, BILLED)
    async with Provider([Reply(raw=json.dumps(document(whole)))]) as provider, client_of(provider) as client:
        made = await call(client, request(stream=True))
    assert (made.text, made.error, made.usage) == (NOTHING_FOUND, None, Usage(700, 90, 200))


def events(*pairs: tuple[str, dict[str, Any]]) -> str:
    return "".join(f"event: {kind}\ndata: {json.dumps({'type': kind} | rest)}\n\n" for kind, rest in pairs)


START = ("message_start", {"message": {"type": "message", "usage": {"input_tokens": 9, "output_tokens": 1}}})
TEXT = ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "x"}})


def end(reason: str, **usage: int) -> tuple[str, dict[str, Any]]:
    return ("message_delta", {"delta": {"stop_reason": reason}, "usage": usage})


STREAMS = [
    pytest.param(events(START, TEXT, end("end_turn", output_tokens=5)), None, Usage(9, 5), id="complete"),
    pytest.param(
        events(
            START,
            TEXT,
            end("end_turn", input_tokens=20, output_tokens=5, cache_read_input_tokens=7, cache_creation_input_tokens=3),
        ),
        None,
        Usage(30, 5, 7, 3),
        id="usage corrected at the end",
    ),
    pytest.param(
        events(
            START, ("content_block_delta", {"delta": {"type": "thinking_delta", "thinking": "hm"}}), end("end_turn")
        ),
        InvalidAnswer,
        Usage(9, 1),
        id="thoughts only",
    ),
    pytest.param(events(START, TEXT), Overloaded, None, id="no end"),
    pytest.param(events(START, TEXT, end("tool_use")), InvalidAnswer, Usage(9, 1), id="a tool"),
    pytest.param(
        events(START, TEXT) + 'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n',
        Overloaded,
        None,
        id="an error",
    ),
    pytest.param("event: message_start\ndata: {oops\n\n", InvalidAnswer, None, id="no JSON"),
    pytest.param("event: other\ndata: 3\n\n", InvalidAnswer, None, id="other things"),
]


@pytest.mark.parametrize(("stream", "error", "usage"), STREAMS)
async def test_streams(stream: str, error: type[Exception] | None, usage: Usage | None) -> None:
    reply = Reply(raw=stream, content_type="text/event-stream")
    async with Provider([reply]) as provider, client_of(provider) as client:
        made = await call(client, request())
    assert (type(made.error) if made.error else None) is error
    assert made.usage == usage


async def test_only_the_key_goes_to_a_server_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "vendor-secret")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-secret")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: gateway-secret\nauthorization: Bearer other-secret")
    async with Provider() as provider, client_of(provider) as client:
        assert (await call(client, request())).error is None
        headers = provider.journal[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "secret" not in "".join(f"{name}{value}" for name, value in headers.items() if name != "authorization")


async def test_no_server_is_told_of_the_machine_not_even_the_vendors_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Provider() as provider:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.origin)
        async with client_of(provider) as client:
            assert (await call(client, request())).error is None
        headers = provider.journal[0].headers
    assert headers["anthropic-version"]
    assert [name for name in headers if "stainless" in name] == []


async def test_a_gateway_gets_the_headers_that_are_meant_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: for-the-gateway")
    async with Provider() as provider:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.origin)
        async with client_of(provider) as client:
            assert (await call(client, request())).error is None
        assert provider.journal[0].headers["x-gateway"] == "for-the-gateway"


async def test_a_loopback_server_needs_no_key_and_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "vendor-secret")
    async with Provider() as provider, client_of(provider, key=None) as client:
        assert (await call(client, request())).error is None
        assert "authorization" not in provider.journal[0].headers


async def test_a_server_that_is_not_there() -> None:
    async with Provider() as provider:
        pass
    async with client_of(provider) as client:
        made = await call(client, request())
    assert type(made.error) is Unreachable
    assert not made.error.sent
