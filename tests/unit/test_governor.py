from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.breaker import FAILURES_TO_OPEN
from aiops_lsp.engine.governor import Ask, Governor, Permit
from aiops_lsp.engine.host import Folder
from aiops_lsp.engine.models import ModelPool, Route
from aiops_lsp.engine.standing import Reason, Standing
from aiops_lsp.llm.client import (
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    Overloaded,
    RateLimited,
    Unreachable,
    Usage,
)
from aiops_lsp.llm.prices import PriceTable
from aiops_lsp.settings import Models, Price
from aiops_lsp.store.ledger import Ledger
from aiops_lsp.store.worker import StoreWorker
from tests.support.clock import FakeClock, settle, until
from tests.support.engine import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FIRST, SECOND = "test:first", "test:second"
USAGE = Usage(input_tokens=300, output_tokens=50)


class Bench:
    """A governor over a real ledger, with two priced models on a loopback route."""

    def __init__(self, ledger: Ledger, clock: FakeClock, worker: StoreWorker) -> None:
        self.ledger = ledger
        self.clock = clock
        self.allowed = True
        route = Route("test", "http://127.0.0.1:9/v1", "127.0.0.1", loopback=True, key=None, key_source="")
        self.pool = ModelPool(Models(simple=(FIRST, SECOND)), {"test": route})
        prices = PriceTable({FIRST: Price(input=1, output=2), SECOND: Price(input=1, output=2)})
        self.governor = Governor(
            clock=clock, ledger=ledger, worker=worker, prices=prices, consent=lambda _folder, _route: self.allowed
        )
        self.folder = Folder(None, settings_for("http://127.0.0.1:9/v1"))

    def only_one_at_a_time(self) -> None:
        limits = self.folder.settings.limits.model_copy(update={"concurrent_requests": 1})
        self.folder = self.folder._replace(settings=self.folder.settings.model_copy(update={"limits": limits}))

    def ask(self, models: tuple[str, ...] = (FIRST,)) -> Ask:
        return Ask(self.folder, "python", Tier.SIMPLE, models, "review", 400, 1200, 500)

    async def admit(self, models: tuple[str, ...] = (FIRST,)) -> Permit | Standing:
        return await self.governor.admit(self.ask(models), self.pool)

    async def permit(self, models: tuple[str, ...] = (FIRST,)) -> Permit:
        permit = await self.admit(models)
        assert isinstance(permit, Permit), permit
        return permit

    async def fail(self, error: ModelError, usage: Usage | None = None) -> None:
        """A call that ends in `error` after the provider said `usage`."""

        async def call() -> None:
            async with await self.permit() as permit:
                permit.usage = usage
                raise error

        with pytest.raises(type(error)):
            await call()

    @property
    def tokens(self) -> tuple[int, int]:
        """Booked and reserved tokens of today."""
        day = self.ledger.spend().day
        return day.tokens, day.reserved_tokens


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock, worker = FakeClock(), StoreWorker()
    ledger = Ledger.open(tmp_path, clock.wall)
    yield Bench(ledger, clock, worker)
    await worker.aclose()
    ledger.close()


async def test_what_was_billed_is_booked(bench: Bench) -> None:
    async with await bench.permit() as permit:
        assert bench.tokens == (0, 900)
        permit.usage = USAGE
    assert bench.tokens == (350, 0)
    assert permit.booked[1] == 400


async def test_a_call_that_never_left_costs_nothing(bench: Bench) -> None:
    await bench.fail(Unreachable("no route"))
    assert bench.tokens == (0, 0)


async def test_a_broken_call_is_booked_at_its_hard_cap(bench: Bench) -> None:
    said_before_it_broke = Usage(300, 1)
    await bench.fail(Overloaded("broke off"), said_before_it_broke)
    assert bench.tokens == (1700, 0)


async def test_a_useless_answer_is_booked_as_billed(bench: Bench) -> None:
    await bench.fail(InvalidAnswer("nonsense"), USAGE)
    assert bench.tokens == (350, 0)


async def test_a_cancelled_call_is_booked_in_full_and_blames_nobody(bench: Bench) -> None:
    started = asyncio.Event()

    async def call() -> None:
        async with await bench.permit():
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.tokens == (1700, 0)
    assert bench.governor.trouble == {}


async def test_a_permit_given_back_frees_its_place_and_its_money(bench: Bench) -> None:
    bench.only_one_at_a_time()
    first = await bench.permit()
    second = asyncio.create_task(bench.admit())
    await settle()
    assert not second.done()
    await first.give_back()
    permit = await second
    assert isinstance(permit, Permit)
    assert bench.tokens == (0, 900)
    await permit.give_back()
    assert bench.tokens == (0, 0)


async def reserved(bench: Bench, tokens: int) -> None:
    await until(lambda: bench.tokens[1] == tokens)


async def test_as_many_as_may_run_reserve_while_they_wait_for_their_turn(bench: Bench) -> None:
    bench.only_one_at_a_time()
    first = await bench.permit()
    waiting = [asyncio.create_task(bench.admit()) for _ in range(3)]
    await reserved(bench, 2 * 900)
    await settle()
    assert bench.tokens == (0, 2 * 900)
    for task in [None, *waiting]:
        permit = first if task is None else await task
        assert isinstance(permit, Permit)
        async with permit:
            permit.usage = USAGE
    assert bench.tokens == (4 * 350, 0)


async def test_who_stops_waiting_gives_back_what_was_reserved(bench: Bench) -> None:
    bench.only_one_at_a_time()
    async with await bench.permit() as first:
        waiting = asyncio.create_task(bench.admit())
        await reserved(bench, 2 * 900)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert bench.tokens == (0, 900)
        first.usage = USAGE
    async with await bench.permit():
        assert bench.tokens == (350, 900)


async def test_what_was_reserved_for_a_model_that_failed_meanwhile_is_given_back(bench: Bench) -> None:
    bench.only_one_at_a_time()
    waiting = []

    async def rejected() -> None:
        async with await bench.permit():
            waiting.append(asyncio.create_task(bench.admit()))
            await reserved(bench, 2 * 900)
            raise Misconfigured("the key is not valid", kind=MisconfiguredKind.KEY)

    with pytest.raises(Misconfigured):
        await rejected()
    verdict = await waiting[0]
    assert isinstance(verdict, Standing)
    assert verdict.reason is Reason.MISCONFIGURED
    assert bench.tokens == (0, 0)


async def test_without_consent_nothing_is_reserved(bench: Bench) -> None:
    bench.allowed = False
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.NO_CONSENT
    assert bench.tokens == (0, 0)


async def test_the_next_model_is_asked_when_the_first_is_down(bench: Bench) -> None:
    for _ in range(FAILURES_TO_OPEN):
        await bench.fail(Overloaded("down"))
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.PROVIDER
    assert refused.retry_at is not None
    permit = await bench.permit((FIRST, SECOND))
    assert str(permit.model) == SECOND
    await permit.give_back()


async def test_one_probe_finds_out_whether_a_model_is_back(bench: Bench) -> None:
    for _ in range(FAILURES_TO_OPEN):
        await bench.fail(Overloaded("down"))
    await bench.clock.advance(60)
    probe = await bench.permit()
    assert isinstance(await bench.admit(), Standing)
    async with probe:
        probe.usage = USAGE
    await (await bench.permit()).give_back()
    assert bench.governor.trouble == {}


async def test_a_pause_that_the_provider_asks_for_is_kept(bench: Bench) -> None:
    await bench.fail(RateLimited("slow down", retry_after=7.0))
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.RATE
    assert refused.retry_at == bench.clock.monotonic() + 7.0
    await bench.clock.advance(7.0)
    await (await bench.permit()).give_back()


async def test_a_provider_that_rejects_the_set_up_is_left_alone_until_that_changes(bench: Bench) -> None:
    await bench.fail(Misconfigured("the key is not valid", kind=MisconfiguredKind.KEY))
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert (refused.reason, refused.words) == (Reason.MISCONFIGURED, "the key is not valid")
    bench.governor.settings_changed(bench.governor.prices)
    await (await bench.permit()).give_back()


async def test_a_model_without_a_price_is_not_asked(bench: Bench) -> None:
    bench.pool = ModelPool(
        Models(simple=("test:unpriced",)),
        {"test": Route("test", "https://models.example.com/v1", "models.example.com", False, "key", "a test")},
    )
    refused = await bench.admit(("test:unpriced",))
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.MISCONFIGURED
    assert "price" in refused.words


async def test_over_the_budget_nothing_passes_and_the_words_say_until_when(bench: Bench) -> None:
    budget = bench.folder.settings.budget.model_copy(update={"daily_token_budget": 1000})
    bench.folder = bench.folder._replace(settings=bench.folder.settings.model_copy(update={"budget": budget}))
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.OVER_BUDGET
    assert refused.words
    assert refused.retry_at is not None
    assert bench.tokens == (0, 0)


async def test_without_a_ledger_that_works_nothing_passes(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    bench.ledger.close()
    path.write_bytes(b"this is no database, and it is long enough to be told from one" * 50)
    refused = await bench.admit()
    assert isinstance(refused, Standing)
    assert refused.reason is Reason.NO_LEDGER
    assert refused.words
