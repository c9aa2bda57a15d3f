"""The OpenAI SDK's adapter against a provider on loopback, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.llm.client import (
    Effort,
    Misconfigured,
    ModelTimeout,
    Overloaded,
    Unreachable,
    Usage,
)
from aiops_lsp.llm.openai import OpenAIClient, Style
from tests.support.model_calls import BILLED, FAULTS, KEY, SOURCE, Fault, call, check_fault, rejecting, request
from tests.support.provider import Provider, Reply, answer, default_text
from tests.support.provider_wire import Payload, Stop, document
from tests.support.provider_wire import Style as WireStyle
from tests.support.tls import self_signed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

NOTHING_FOUND = answer({"r1": []})
STYLES = list(Style)


def client_of(provider: Provider, style: Style, key: str | None = KEY) -> AbstractAsyncContextManager[OpenAIClient]:
    return open_at(provider.base_url, style, key)


class open_at:  # noqa: N801 - reads as a function
    """A client that is closed at the end."""

    def __init__(self, base_url: str, style: Style | None, key: str | None = KEY) -> None:
        self.client = OpenAIClient(provider="openai", base_url=base_url, key=key, style=style)

    async def __aenter__(self) -> OpenAIClient:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("style", STYLES)
async def test_an_answer_and_its_usage(style: Style, stream: bool) -> None:
    async with Provider([Reply(billed=BILLED, headers={"x-request-id": "req-7"})]) as provider:
        async with client_of(provider, style) as client:
            made = await call(client, request(stream=stream))
        assert made.error is None
        assert made.text == NOTHING_FOUND
        assert (len(made.pieces) > 1) == stream
        assert made.usage == Usage(700, 90, 200)
        assert made.request_id == "req-7"
        (exchange,) = provider.journal
        assert exchange.path == f"/v1/{style}"
        assert exchange.headers["authorization"] == f"Bearer {KEY}"
        assert exchange.max_output_tokens == 1000
        assert SOURCE in exchange.user
        assert exchange.system == "Review."


async def test_preparing_sends_nothing_and_the_first_call_finds_all_ready() -> None:
    async with Provider([Reply()]) as provider:
        async with client_of(provider, Style.CHAT) as client:
            await client.prepare()
            assert provider.journal == []
            ready = client._client
            made = await call(client, request())
            assert client._client is ready is not None
        assert made.error is None


async def test_a_closed_client_is_not_prepared() -> None:
    async with Provider() as provider:
        client = OpenAIClient(provider="openai", base_url=provider.base_url, key=KEY, style=Style.CHAT)
        await client.aclose()
        await client.prepare()
        assert client._client is None


async def test_responses_are_asked_not_to_be_stored() -> None:
    async with Provider() as provider, client_of(provider, Style.RESPONSES) as client:
        await call(client, request())
        body = provider.journal[0].body
    assert body["store"] is False
    assert body["reasoning"] == {"effort": "none"}
    assert body["prompt_cache_key"] == "aiops-test"
    assert (body["text"]["format"]["type"], body["text"]["format"]["strict"]) == ("json_schema", True)


async def test_compatible_servers_get_what_they_know() -> None:
    async with Provider() as provider, client_of(provider, Style.CHAT) as client:
        await call(client, request())
        body = provider.journal[0].body
    assert set(body) == {"model", "messages", "stream", "max_tokens", "stream_options", "response_format"}
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("effort", list(Effort))
async def test_efforts_beyond_the_least_are_passed_on(effort: Effort) -> None:
    async with Provider() as provider, client_of(provider, Style.RESPONSES) as client:
        await call(client, request(effort=effort))
        asked = provider.journal[0].body["reasoning"]["effort"]
    assert asked == {"minimal": "none"}.get(effort.value, effort.value)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_faults(fault: Fault, style: Style, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Provider([fault.reply]) as provider, client_of(provider, style) as client:
        await check_fault(client, fault, stream=stream)
        assert len(provider.journal) == 1
    assert KEY not in caplog.text
    assert "launch_codes" not in caplog.text


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("style", STYLES)
async def test_a_provider_that_hangs(style: Style, stream: bool) -> None:
    async with Provider() as provider, client_of(provider, style) as client:
        await call(client, request())  # loads the SDK
        provider.script = [Reply(gate=shut_at(-1))]
        made = await call(client, request(stream=stream, timeout_seconds=0.3))
        assert type(made.error) is ModelTimeout
        assert made.error.sent
        assert "did not answer" in str(made.error)


def shut_at(number: int) -> Callable[[int], Awaitable[None]]:
    """A gate that never opens for one piece."""

    async def gate(piece: int) -> None:
        if piece == number:
            await asyncio.Event().wait()

    return gate


@pytest.mark.parametrize("style", STYLES)
async def test_a_stream_that_stalls_keeps_what_came(style: Style) -> None:
    async with Provider([Reply(gate=shut_at(1))]) as provider, client_of(provider, style) as client:
        made = await call(client, request(timeout_seconds=1.0))
        assert type(made.error) is ModelTimeout
        assert made.usage is None
        assert NOTHING_FOUND.startswith(made.text)
        assert len(made.pieces) == 1
        await provider.until(lambda: provider.journal[0].state == "dropped")


@pytest.mark.parametrize("style", STYLES)
async def test_text_is_handed_on_as_it_comes(style: Style) -> None:
    more = asyncio.Event()
    waited: list[int] = []

    async def gate(piece: int) -> None:
        if piece == 1:
            waited.append(piece)
            await more.wait()

    async with Provider([Reply(gate=gate)]) as provider, client_of(provider, style) as client:
        made = await call(client, request(), on_text=lambda _text: more.set())
    assert waited
    assert made.text == NOTHING_FOUND


@pytest.mark.parametrize("style", STYLES)
async def test_cancelling_closes_the_connection(style: Style) -> None:
    got_text = asyncio.Event()
    async with Provider([Reply(gate=shut_at(1))]) as provider, client_of(provider, style) as client:
        task = asyncio.create_task(call(client, request(), on_text=lambda _text: got_text.set()))
        await got_text.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await provider.until(lambda: provider.journal[0].state == "dropped")
        assert (await call(client, request())).error is None


REJECTED_PARTS: list[tuple[Style, dict[str, str], str, object]] = [
    (Style.CHAT, {"response_format": "json_schema"}, "response_format", {"type": "json_object"}),
    (Style.CHAT, {"response_format": "json_"}, "response_format", None),
    (Style.CHAT, {"stream_options": "include_usage"}, "stream_options", None),
    (Style.RESPONSES, {"reasoning": "none"}, "reasoning", {"effort": "minimal"}),
    (Style.RESPONSES, {"reasoning": "effort"}, "reasoning", None),
    (Style.RESPONSES, {"prompt_cache_key": "aiops"}, "prompt_cache_key", None),
    (Style.RESPONSES, {"text": "json_schema"}, "text", None),
]


@pytest.mark.parametrize(("style", "rejected", "part", "instead"), REJECTED_PARTS)
async def test_what_a_server_does_not_know_is_left_out_and_remembered(
    style: Style, rejected: dict[str, str], part: str, instead: object
) -> None:
    async with Provider(rejecting(**rejected)) as provider, client_of(provider, style) as client:
        first = await call(client, request())
        tries = len(provider.journal)
        second = await call(client, request())
        assert (first.error, second.error) == (None, None)
        assert first.text == NOTHING_FOUND
        assert tries > 1
        assert len(provider.journal) == tries + 1
        assert provider.journal[-1].body.get(part) == instead


async def test_the_other_name_of_the_output_bound() -> None:
    def script(exchange: Any) -> Reply:
        if "max_tokens" in exchange.body:
            return Reply(status=400, message="Unsupported parameter: use max_completion_tokens instead")
        return Reply()

    async with Provider(script) as provider, client_of(provider, Style.CHAT) as client:
        assert (await call(client, request())).error is None
        assert provider.journal[-1].body["max_completion_tokens"] == 1000


async def test_a_rejection_without_end_ends() -> None:
    replies = [Reply(status=400, message="response_format stream_options max_completion_tokens")] * 30
    async with Provider(replies) as provider, client_of(provider, Style.CHAT) as client:
        made = await call(client, request())
        assert type(made.error) is Misconfigured
        assert len(provider.journal) == 5


@pytest.mark.parametrize("style", STYLES)
async def test_a_server_that_does_not_stream(style: Style) -> None:
    whole = Payload(WireStyle(style.value), "model-1", (NOTHING_FOUND,), Stop.COMPLETE, BILLED)
    async with Provider([Reply(raw=json.dumps(document(whole)))]) as provider, client_of(provider, style) as client:
        made = await call(client, request(stream=True))
    assert (made.text, made.error, made.usage) == (NOTHING_FOUND, None, Usage(700, 90, 200))


@pytest.mark.parametrize("style", STYLES)
async def test_an_answer_without_usage(style: Style) -> None:
    async with Provider([Reply(report_usage=False)]) as provider, client_of(provider, style) as client:
        made = await call(client, request())
    assert (made.text, made.error, made.usage) == (NOTHING_FOUND, None, None)


SSE_FAULTS = [
    pytest.param("data: {oops\n\n", "base_url", id="no JSON"),
    pytest.param('data: {"error": {"message": "sk-test-0123456789-secret"}}\n\n', "broke off", id="an error"),
    pytest.param("data: [DONE]\n\n", "base_url", id="nothing"),
    pytest.param('data: {"choices": [{"delta": {"content": "x"}}]}\n\ndata: [DONE]\n\n', "broke off", id="no end"),
    pytest.param('data: {"choices": [{"delta": null, "finish_reason": "tool_calls"}]}\n\n', "stopped", id="tools"),
    pytest.param('data: {"choices": "x"}\n\ndata: 7\n\ndata: [1]\n\n', "broke off", id="other types"),
]


@pytest.mark.parametrize(("events", "says"), SSE_FAULTS)
async def test_streams_that_make_no_sense(events: str, says: str) -> None:
    reply = Reply(raw=events, content_type="text/event-stream")
    async with Provider([reply]) as provider, client_of(provider, Style.CHAT) as client:
        made = await call(client, request())
    assert made.error is not None
    assert says in str(made.error)
    assert made.error.sent
    assert KEY not in str(made.error)


async def test_a_response_that_fails_while_it_is_made() -> None:
    event = {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}}
    reply = Reply(raw=f"event: response.failed\ndata: {json.dumps(event)}\n\n", content_type="text/event-stream")
    async with Provider([reply]) as provider, client_of(provider, Style.RESPONSES) as client:
        made = await call(client, request())
    assert type(made.error) is Overloaded


async def test_a_loopback_server_needs_no_key_and_gets_none() -> None:
    async with Provider() as provider, client_of(provider, Style.CHAT, key=None) as client:
        assert (await call(client, request())).error is None
        assert "authorization" not in provider.journal[0].headers


async def test_only_the_key_goes_to_a_server_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-vendor")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gateway-secret\nauthorization: Bearer other-secret")
    async with Provider() as provider, client_of(provider, Style.CHAT) as client:
        assert (await call(client, request())).error is None
        headers = provider.journal[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "secret" not in "".join(f"{name}{value}" for name, value in headers.items() if name != "authorization")


async def test_no_server_is_told_of_the_machine_not_even_the_vendors_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-user")
    async with Provider() as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        async with client_of(provider, Style.RESPONSES) as client:
            assert (await call(client, request())).error is None
        headers = provider.journal[0].headers
    assert headers["openai-organization"] == "org-of-the-user"
    assert [name for name in headers if "stainless" in name] == []


async def test_proxies_of_the_environment_are_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Provider() as proxy, Provider() as provider:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        async with client_of(provider, Style.CHAT) as client:
            assert (await call(client, request())).error is None
        assert (len(proxy.journal), len(provider.journal)) == (0, 1)


async def test_a_redirect_takes_no_code_elsewhere() -> None:
    async with Provider() as other:
        reply = Reply(status=308, headers={"location": f"{other.base_url}/chat/completions"})
        async with Provider([reply]) as provider, client_of(provider, Style.CHAT) as client:
            assert type((await call(client, request())).error) is Misconfigured
        assert other.journal == []


async def test_a_server_that_is_not_there() -> None:
    async with Provider() as provider:
        base_url = provider.base_url
    async with open_at(base_url, Style.CHAT) as client:
        made = await call(client, request())
    assert type(made.error) is Unreachable
    assert not made.error.sent
    assert "is it running" in str(made.error)


@pytest.mark.parametrize(("days", "says"), [(-2, "expired"), (2, "certificate")], ids=["expired", "unknown issuer"])
async def test_certificates_are_verified(days: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = self_signed(tmp_path, days)
    if days < 0:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # trusted, and yet no longer valid
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with Provider(tls=context) as provider:
        async with open_at(provider.base_url, Style.CHAT) as client:
            made = await call(client, request())
        assert type(made.error) is Unreachable
        assert not made.error.sent
        assert says in str(made.error)
        assert provider.journal == []


async def test_a_certificate_of_the_companys_own_can_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, days=2)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with Provider(tls=context) as provider, open_at(provider.base_url, Style.CHAT) as client:
        assert (await call(client, request())).text == NOTHING_FOUND


async def test_a_closed_client_says_so() -> None:
    async with Provider() as provider:
        async with client_of(provider, Style.CHAT) as client:
            pass
        made = await call(client, request())
        assert type(made.error) is Unreachable
        assert provider.journal == []


async def test_requests_share_connections_and_do_not_wait_for_each_other() -> None:
    release = asyncio.Event()

    async def gate(_piece: int) -> None:
        await release.wait()

    async with (
        Provider(lambda exchange: Reply(default_text(exchange), gate=gate)) as provider,
        client_of(provider, Style.CHAT) as client,
    ):
        calls = [asyncio.create_task(call(client, request())) for _ in range(8)]
        await provider.until(lambda: len(provider.journal) == 8)
        release.set()
        assert [made.error for made in await asyncio.gather(*calls)] == [None] * 8


def test_nothing_shows_the_key() -> None:
    client = OpenAIClient(provider="openai", base_url="https://api.openai.com/v1", key=KEY)
    assert client.style is Style.RESPONSES
    assert KEY not in repr(client)
