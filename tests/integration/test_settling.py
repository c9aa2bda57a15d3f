"""Code that is still being written costs nothing: what is sent rests first, and what has gone is not paid for."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from tests.support.clock import FakeClock, until
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, findings_where
from tests.support.time_passing import Time

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.core.text import TextDocument
    from tests.support.engine import Desk
    from tests.support.provider import Exchange

PATIENT = {"debounce_ms": 600, "settle_ms": 2000}
SHOP = """\
RATE = 19


def tax_of(price):
    return price * RATE / 100


def price_of(order):
    return order.total / order.count
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


def sent(exchanges: list[Exchange]) -> set[str]:
    return {lines[0] for exchange in exchanges for lines in exchange.regions.values()}


def has_passed(clock: FakeClock, moment: float) -> bool:
    return clock.monotonic() > moment


async def look_at(document: TextDocument, at: Desk, clock: FakeClock) -> None:
    """Let the engine look at the text as it is now while a request is under way, which no time brings on."""
    followed = at.reviewer._documents[document.uri]
    await clock.advance(0.1)
    await until(lambda: followed.examined and followed.is_current(followed.examined.snapshot))


async def test_what_uses_code_that_is_being_written_waits_until_that_has_come_to_rest() -> None:
    clock = FakeClock()
    async with Provider() as provider, desk(settings_for(provider.base_url, review=PATIENT), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        asked = len(provider.journal)
        for old, new in (("RATE = 19", "RATE = 1"), ("RATE = 1\n", "RATE = 16\n"), ("RATE = 16", "RATE = 160")):
            at.replace(document, old, new)
            await time.until(partial(has_passed, clock, clock.monotonic() + 1.5), 3)
            assert provider.journal[asked:] == []
        await time.until(lambda: len(provider.journal) > asked, 60)
        await time.rest(document)
        assert "def tax_of(price):" in sent(provider.journal[asked:])
        assert "def price_of(order):" not in sent(provider.journal[asked:])
        (request,) = (one for one in provider.journal[asked:] if "def tax_of(price):" in sent([one]))
        assert "RATE = 160" in request.user


async def test_what_waits_behind_a_request_is_not_sent_once_the_text_has_gone_on() -> None:
    clock, release = FakeClock(), asyncio.Event()

    async def hold(_piece: int) -> None:
        await release.wait()

    async with Provider(lambda _exchange: Reply(gate=hold)) as provider:
        settings = settings_for(provider.base_url, review={"settle_ms": 2000})
        async with desk(settings, clock=clock) as at:
            document = at.open(SHOP)
            await until(lambda: provider.journal)
            at.replace(document, "order.total", "order.sum")
            await look_at(document, at, clock)
            await clock.advance(2.5)
            assert at.reviewer._assembly is not None
            sending = at.reviewer._assembly.sending
            await until(lambda: document.uri in sending._waiting)  # what is new, for the request under way
            at.replace(document, "order.sum", "order.amount")
            release.set()
            await until(lambda: all(exchange.state == "answered" for exchange in provider.journal))
            time = Time(at, clock)
            await time.rest(document)
            await time.until(lambda: at.reviewer.status().documents[0].reviewed == 3, 120)
            assert not any("order.sum" in exchange.user for exchange in provider.journal)
            assert any("order.amount" in exchange.user for exchange in provider.journal)


@pytest.mark.parametrize("goes", [True, False], ids=["gone", "still there"])
async def test_no_second_opinion_is_asked_of_code_that_has_gone(goes: bool) -> None:
    clock, release = FakeClock(), asyncio.Event()
    reports = findings_where({"order.total": {"title": "Divides by zero"}})

    async def hold(_piece: int) -> None:
        await release.wait()

    def script(exchange: Exchange) -> Reply:
        return Reply() if exchange.finding_ids else Reply(reports(exchange).text, gate=hold)

    async with Provider(script) as provider:
        settings = settings_for(provider.base_url, review={"second_opinion": "high", "settle_ms": 60_000})
        async with desk(settings, clock=clock) as at:
            document = at.open(SHOP)
            await until(lambda: provider.journal)
            if goes:
                at.replace(document, "order.total / order.count", "order.sum")
                await look_at(document, at, clock)
            release.set()
            await Time(at, clock).until(lambda: not at.reviewer.is_busy(document.uri), 5)
            opinions = [exchange for exchange in provider.journal if exchange.finding_ids]
            assert len(opinions) == (0 if goes else 1)
            shown = [one.title for one in at.shown(document) if one.origin is Origin.MODEL]
            assert shown == ([] if goes else ["Divides by zero"])
