"""Each way in which a provider, the way to it or our own stores can fail, through the whole engine over real HTTP.

Time is the engine's: waits pass at once, and no test depends on how fast the machine is. In each case the rules go
on, what was complete is kept, the state is said in words, and the engine heals by itself.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.engine import dispatch
from aiops_lsp.engine.deadline import DEADLINE_SECONDS
from aiops_lsp.engine.governor import LONGEST_PAUSE_SECONDS, MISCONFIGURED_SECONDS
from aiops_lsp.engine.host import State
from tests.support.clock import FakeClock, until
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, Stop, findings_where
from tests.support.time_passing import Time
from tests.support.tls import self_signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.settings import Settings
    from tests.support.engine import Desk
    from tests.support.provider import Exchange

SHOP = """\
def price_of(order):
    return order.total / order.count


def gather(data, into=[]):
    into.append(data)
    return into
"""
DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "focus": "order.count"}})
HTML = Reply(raw="<html>Please log in to the network.</html>", content_type="text/html")


def error(status: int, code: str, **headers: str) -> Reply:
    body = f'{{"error": {{"message": "scripted", "type": "error", "code": "{code}"}}}}'
    return Reply(status=status, raw=body, headers=headers)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


@dataclass(frozen=True)
class Fault:
    """What a provider does, what the status then says, and how many requests that takes.

    `says` is what the status says, or, where one region alone is affected, why the region is not reviewed.
    `heals_within` are the seconds until the provider, being well again, has reviewed everything unasked.
    """

    reply: Callable[[Exchange], Reply]
    requests: int
    says: str
    heals_within: float
    state: State = State.DEGRADED


def always(reply: Reply) -> Callable[[Exchange], Reply]:
    return lambda _exchange: reply


async def hang(_piece: int) -> None:
    await asyncio.Event().wait()


FAULTS = {
    "429, small Retry-After": Fault(always(error(429, "rate", **{"retry-after": "2"})), 3, "pause of 2 s", 30),
    "429, no Retry-After": Fault(always(error(429, "rate")), 3, "limits our rate", 30),
    "429, Retry-After in the past": Fault(
        always(error(429, "rate", **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})), 3, "limits our rate", 30
    ),
    "429, absurd Retry-After": Fault(
        always(error(429, "rate", **{"retry-after": "99999999"})), 1, "pause of 86400 s", LONGEST_PAUSE_SECONDS + 30
    ),
    "500": Fault(always(error(500, "server_error")), 3, r"failing at the moment \(HTTP 500", 60),
    "503, Retry-After": Fault(always(error(503, "busy", **{"retry-after": "3"})), 3, "HTTP 503", 60),
    "529": Fault(always(error(529, "overloaded_error")), 3, "HTTP 529, overloaded_error", 60),
    "hang": Fault(always(Reply(gate=hang)), 3, "did not answer within", 60),
    "disconnect": Fault(always(Reply(disconnect_after=-1)), 3, "broke off", 60),
    "disconnect in the answer": Fault(always(Reply(disconnect_after=1, piece=8)), 3, "broke off", 60),
    "HTML page": Fault(always(HTML), 3, "is not an answer of a model; check base_url", 60),
    "garbage": Fault(always(Reply("no JSON at all")), 2, "something else than a review", 60, State.IDLE),
    "truncated": Fault(
        always(Reply('{"regions": [', stop=Stop.TRUNCATED)), 2, "ran into its bound on output tokens", 60, State.IDLE
    ),
    "refusal": Fault(always(Reply(stop=Stop.REFUSED)), 1, "declined to review this code", 60, State.IDLE),
    "request not accepted": Fault(
        always(error(422, "unprocessable")), 1, "does not accept our requests", 60, State.DEGRADED
    ),
    "key revoked": Fault(
        always(error(401, "invalid_api_key")), 1, "rejected the API key.*set a valid key", MISCONFIGURED_SECONDS + 30
    ),
    "no credit": Fault(
        always(error(429, "insufficient_quota")), 1, "wants payment.*check its plan", MISCONFIGURED_SECONDS + 30
    ),
    "model retired": Fault(
        always(error(404, "model_not_found")), 1, "knows no model small.*choose another", MISCONFIGURED_SECONDS + 30
    ),
}


def of_model(at: Desk, document: TextDocument) -> list[str]:
    return [one.title for one in at.shown(document) if one.origin is Origin.MODEL]


def of_rules(at: Desk, document: TextDocument) -> list[str]:
    return [one.code for one in at.shown(document) if one.origin is Origin.RULE]


def is_well(at: Desk, document: TextDocument) -> bool:
    """Everything is reviewed, and the status says so."""
    status = at.reviewer.status()
    (of_document,) = status.documents
    return (
        of_model(at, document) == ["Divides by zero"]
        and status.state is State.IDLE
        and of_document.reviewed == of_document.regions
    )


def said(at: Desk) -> str:
    """What the user can read of the state: the status, then what keeps regions back."""
    status = at.reviewer.status()
    return "\n".join([status.reason, *status.documents[0].not_reviewed])


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
async def test_a_provider_at_fault(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(dispatch, "PIECE_SECONDS", 0.3 if fault.reply is FAULTS["hang"].reply else 30.0)
    async with Provider(fault.reply) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        assert len(provider.journal) == fault.requests
        assert re.search(fault.says, said(at)), said(at)
        assert at.reviewer.status().state is fault.state
        assert of_rules(at, document) == ["py/mutable-default"]
        assert of_model(at, document) == []
        assert at.reviewer.status().documents[0].reviewed == 0
        assert at.host.messages == []

        provider.script = DIVIDES
        monkeypatch.setattr(dispatch, "PIECE_SECONDS", 30.0)
        await time.until(lambda: is_well(at, document), fault.heals_within)
        assert len(provider.journal) <= fault.requests + 2  # a region that failed travels alone


def certificates(folder: Path, days: int) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS, and the certificate that vouches for it until `days` from now."""
    folder.mkdir()
    certificate, key = self_signed(folder, days, issuer=folder.name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


async def test_a_certificate_that_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    expired, old = certificates(tmp_path / "old", -2)
    renewed, new = certificates(tmp_path / "new", 30)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.read_bytes() + new.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with Provider(DIVIDES, tls=expired) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        assert provider.journal == []
        assert re.search("TLS certificate of 127.0.0.1 was rejected.*expired", said(at))
        assert at.reviewer.status().state is State.DEGRADED
        assert of_rules(at, document) == ["py/mutable-default"]
        assert at.reviewer.status().spend.today_tokens == 0
        await provider.__aexit__()
        async with Provider(DIVIDES, tls=renewed, port=provider.port) as again:
            await time.until(lambda: is_well(at, document), 90)
            assert len(again.journal) == 1


async def test_a_server_that_is_down_and_comes_back() -> None:
    clock = FakeClock()
    async with Provider() as provider:
        port = provider.port
    async with desk(settings_for(f"http://127.0.0.1:{port}/v1"), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        assert "no server answers at 127.0.0.1 for test; is it running?" in said(at)
        assert at.reviewer.status().state is State.DEGRADED
        assert at.reviewer.status().spend.today_tokens == 0
        async with Provider(DIVIDES, port=port) as provider:
            await time.until(lambda: is_well(at, document), 90)
            assert len(provider.journal) == 1


def remote(**more: Any) -> Settings:
    """Settings for a provider elsewhere, to which code may be sent."""
    sections: dict[str, Any] = {
        "providers": {"test": {"base_url": "https://models.example.com/v1", "api_key_env": "TEST_KEY"}},
        "prices": {"test:small": {"input": 1, "output": 1}, "test:middle": {"input": 1, "output": 1}},
        "privacy": {"allow_hosts": ["models.example.com"]},
    }
    return settings_for("https://models.example.com/v1", **(sections | more))


KEY = {"TEST_KEY": "k" * 20}


async def test_a_name_that_cannot_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str | bytes, *rest: Any, **more: Any) -> Any:
        if host in ("models.example.com", b"models.example.com"):
            looked_up.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **more)

    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    async with Provider(DIVIDES) as provider, desk(remote(), clock=clock, environ=KEY) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        assert len(looked_up) == 3
        assert "the host models.example.com of test was not found; check network and base_url" in said(at)
        assert at.reviewer.status().state is State.DEGRADED
        assert at.reviewer.status().spend.today_tokens == 0
        assert of_rules(at, document) == ["py/mutable-default"]
        await at.reviewer.settings_changed(settings_for(provider.base_url), {})
        await time.until(lambda: is_well(at, document), 30)


@pytest.mark.parametrize("fault", ["key revoked", "no credit", "model retired"])
async def test_what_the_user_mends_is_tried_at_once(fault: str) -> None:
    clock = FakeClock()
    async with Provider(FAULTS[fault].reply) as provider:
        settings = settings_for(provider.base_url)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            await time.rest(document)
            at.replace(document, "order.total / order.count", "order.sum / order.count")
            await time.rest(document)
            assert len(provider.journal) == 1  # not asked again, whatever is typed
            provider.script = DIVIDES
            await at.reviewer.settings_changed(settings, {})
            await time.until(lambda: is_well(at, document), 5)
            assert len(provider.journal) == 2


async def test_a_key_that_was_revoked_is_not_tried_with_the_other_models() -> None:
    clock = FakeClock()
    text = SHOP + "\n\ndef run(data):\n    return eval(data)\n"
    async with Provider(always(error(401, "invalid_api_key"))) as provider:
        settings = settings_for(provider.base_url, limits={"concurrent_requests": 1})
        async with desk(settings, clock=clock) as at:
            document = at.open(text)
            await Time(at, clock).rest(document)
            assert len(provider.journal) == 1


async def test_a_region_that_is_not_accepted_keeps_no_other_back() -> None:
    clock = FakeClock()

    def script(exchange: Exchange) -> Reply:
        return error(400, "bad_request") if "poison" in exchange.user else DIVIDES(exchange)

    async with Provider(script) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP + "\n\ndef poison(well):\n    return well\n")
        await time.until(lambda: of_model(at, document), 60)
        at.replace(document, "order.total / order.count", "order.sum / order.count")
        await time.until(lambda: of_model(at, document) and not at.shown(document)[0].rechecking, 10)
        day = clock.monotonic() + 86_000
        await time.until(lambda: clock.monotonic() > day, 87_000)
        assert "does not accept our requests" in said(at)
        assert list(at.reviewer.status().documents[0].not_reviewed.values()) == [1]
        assert len([exchange for exchange in provider.journal if "poison" in exchange.user]) == 3


async def test_the_next_model_takes_over_at_once() -> None:
    clock = FakeClock()

    def script(exchange: Exchange) -> Reply:
        return error(529, "overloaded_error") if exchange.model == "small" else DIVIDES(exchange)

    async with Provider(script) as provider:
        settings = settings_for(provider.base_url, models={"simple": ["test:small", "test:spare"]})
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            await time.rest(document)
            assert of_model(at, document)
            assert [exchange.model for exchange in provider.journal] == ["small", "spare"]


class Drip:
    """Lets pieces through one by one, each after some seconds of the engine's time; `held` is the one that is next."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.held = -1

    async def __call__(self, piece: int) -> None:
        self.held = piece
        if piece >= 0:
            await self._clock.sleep(self._seconds)


async def test_a_slow_drip_is_given_up_and_its_complete_regions_are_kept() -> None:
    clock = FakeClock()
    slowly = Drip(clock, DEADLINE_SECONDS - 20)

    def drip(exchange: Exchange) -> Reply:
        text = DIVIDES(exchange).text
        assert text is not None
        return Reply(text, piece=len(text) - 20, gate=slowly)

    async with Provider(drip) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.until(lambda: slowly.held == 0, 20)
        await clock.advance(DEADLINE_SECONDS - 20)
        await until(lambda: of_model(at, document))
        await clock.advance(21)
        await until(lambda: provider.journal[0].state != "open")
        await time.rest(document)
        assert "test:small did not finish its answer within 120 s" in said(at)
        assert at.reviewer.status().state is State.DEGRADED
        assert of_model(at, document) == ["Divides by zero"]
        assert len(provider.journal) == 1
        provider.script = DIVIDES
        await time.until(lambda: is_well(at, document), 60)
        assert [len(exchange.regions) for exchange in provider.journal] == [2, 1]


@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param(lambda text: Reply(text, piece=len(text) - 20, disconnect_after=1), id="disconnect"),
        pytest.param(lambda text: Reply(text[:-20], stop=Stop.TRUNCATED), id="truncated"),
        pytest.param(lambda text: Reply(text[:-20] + "<html>"), id="garbage"),
    ],
)
async def test_regions_that_were_complete_are_kept_and_not_paid_for_again(breaks: Callable[[str], Reply]) -> None:
    clock = FakeClock()

    def script(exchange: Exchange) -> Reply:
        text = DIVIDES(exchange).text
        assert text is not None
        return breaks(text) if len(exchange.regions) == 2 else Reply(text)

    async with Provider(script) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.until(lambda: is_well(at, document), 60)
        assert [len(exchange.regions) for exchange in provider.journal] == [2, 1]
        again = provider.journal[1].regions["r1"]
        assert again[0] == "def gather(data, into=[]):"


async def test_without_a_price_nothing_is_sent_and_the_status_says_how_to_mend_it() -> None:
    clock = FakeClock()
    async with desk(remote(prices={"test:other": {"input": 1, "output": 1}}), clock=clock, environ=KEY) as at:
        document = at.open(SHOP)
        await Time(at, clock).rest(document)
        status = at.reviewer.status()
        assert status.state is State.DEGRADED
        assert '[prices."test:small"]' in status.reason
        assert status.documents[0].reviewed == 0


async def test_without_a_key_the_rules_go_on_and_the_status_says_what_is_missing() -> None:
    clock = FakeClock()
    async with desk(remote(), clock=clock, environ={}) as at:
        document = at.open(SHOP)
        await Time(at, clock).rest(document)
        status = at.reviewer.status()
        assert status.state is State.OFFLINE
        assert "TEST_KEY" in status.reason
        assert of_rules(at, document) == ["py/mutable-default"]
        assert status.documents[0].reviewed == 0
