"""A test's time stands while the engine works, however long that takes on a busy machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.engine import models
from aiops_lsp.store.cache import ResultCache
from aiops_lsp.store.ledger import Ledger
from tests.support.clock import FakeClock
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply
from tests.support.time_passing import Time

if TYPE_CHECKING:
    from collections.abc import Callable

SHOP = "def price_of(order):\n    return order.total / order.count\n"

CALLS: list[tuple[object, str]] = [
    (ResultCache, "get_many"),
    (Ledger, "failures"),
    (Ledger, "spend"),
    (Ledger, "lease"),
    (Ledger, "ratio"),
    (models, "open_client"),
    (Ledger, "reserve"),
    (Ledger, "commit"),
    (Ledger, "learn"),
    (Ledger, "release_lease"),
]
"""What a look and a request do on threads."""


def slowed(call: Callable[..., Any], clock: FakeClock, times: list[float]) -> Callable[..., Any]:
    """`call`, for which the event loop has to wait through many of its turns; the clock before and after is noted."""
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **more: Any) -> Any:
        before = clock.monotonic()
        for _ in range(50):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001), loop).result()
        times.append(clock.monotonic() - before)
        return call(*args, **more)

    return slow


@pytest.mark.parametrize(("where", "name"), CALLS, ids=[name for _, name in CALLS])
async def test_no_time_passes_while_a_call_is_on_a_thread(
    where: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    times: list[float] = []
    async with Provider() as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        monkeypatch.setattr(where, name, slowed(getattr(where, name), clock, times))
        document = at.open(SHOP)
        await Time(at, clock).rest(document)
        assert len(provider.journal) == 1
    assert times
    assert max(times) == 0.0


async def test_no_time_passes_while_a_provider_answers() -> None:
    clock = FakeClock()
    times: list[float] = []

    async def slow(_piece: int) -> None:
        before = clock.monotonic()
        for _ in range(50):
            await asyncio.sleep(0.001)
        times.append(clock.monotonic() - before)

    async with Provider(lambda _exchange: Reply(gate=slow)) as provider:
        async with desk(settings_for(provider.base_url), clock=clock) as at:
            await Time(at, clock).rest(at.open(SHOP))
        assert len(provider.journal) == 1
    assert times
    assert max(times) == 0.0


async def test_time_stops_at_each_timer_until_what_it_set_off_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A debounce that falls due sets off a look, and that is over before the clock goes on."""
    clock = FakeClock()
    looked: list[float] = []
    real = ResultCache.get_many

    def get_many(cache: ResultCache, *keys: Any) -> Any:
        looked.append(clock.monotonic())
        return real(cache, *keys)

    monkeypatch.setattr(ResultCache, "get_many", get_many)
    settings = settings_for(None, review={"debounce_ms": 100})
    async with desk(settings, clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        at.replace(document, "order.total", "order.sum")
        looked.clear()
        due = clock.monotonic() + 0.1
        await time.rest(document)
        assert looked == [due]
        assert clock.monotonic() == due
