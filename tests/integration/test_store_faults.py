"""Ledger and cache at fault, through the whole engine: nothing paid leaves without a ledger, and the rules go on.

What goes away heals by itself; what cannot be used is told once, in words, and left as it is.
"""

from __future__ import annotations

import re
import sqlite3
import time as system_time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.engine.host import State
from aiops_lsp.store.cache import RESULTS_FOLDER
from aiops_lsp.store.ledger import LEDGER_FILE, Ledger
from tests.support.clock import FakeClock
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, findings_where
from tests.support.time_passing import Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiops_lsp.core.text import TextDocument
    from tests.support.engine import Desk

SHOP = """\
def price_of(order):
    return order.total / order.count


def gather(data, into=[]):
    into.append(data)
    return into
"""
DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "focus": "order.count"}})

EAGER = {"reviews_per_document_per_minute": 600, "requests_per_minute": 600}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "state"


def make_ledger(state: Path) -> Path:
    """A ledger as an earlier session left it."""
    Ledger.open(state, FakeClock().wall).close()
    return state / LEDGER_FILE


def unwritable(state: Path) -> Callable[[], None]:
    """A file stands where the folder should be: nobody can write there, not even root."""
    state.write_text("in the way")
    return state.unlink


def corrupt(state: Path) -> Callable[[], None]:
    ledger = make_ledger(state)
    ledger.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    return ledger.unlink


def newer(state: Path) -> Callable[[], None]:
    ledger = make_ledger(state)
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    return ledger.unlink


def locked(state: Path) -> Callable[[], None]:
    ledger = make_ledger(state)
    connection = sqlite3.connect(ledger, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    return connection.close


FAULTS: dict[Callable[[Path], Callable[[], None]], str] = {
    unwritable: "make its folder writable for you",
    corrupt: "is damaged; move it away to start anew",
    newer: "was written by a newer version of aiops-lsp",
    locked: "is locked by another process",
}


def of_model(at: Desk, document: TextDocument) -> list[str]:
    return [one.title for one in at.shown(document) if one.origin is Origin.MODEL]


def of_rules(at: Desk, document: TextDocument) -> list[str]:
    return [one.code for one in at.shown(document) if one.origin is Origin.RULE]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_without_a_ledger_nothing_is_sent_and_it_heals_when_the_cause_is_gone(
    fault: Callable[[Path], Callable[[], None]], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "at", partial(Ledger.at, busy_seconds=0.05))
    state.parent.mkdir(exist_ok=True)
    mend = fault(state)
    before = (state / LEDGER_FILE).read_bytes() if fault in (corrupt, newer) else b""
    clock = FakeClock()
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.rest(document)
        at.replace(document, "order.total / order.count", "order.sum / order.count")
        await time.rest(document)
        assert provider.journal == []
        assert of_rules(at, document) == ["py/mutable-default"]
        status = at.reviewer.status()
        assert status.state is State.DEGRADED
        assert FAULTS[fault] in status.reason
        assert status.documents[0].reviewed == 0
        told = [text for _, text in at.host.messages if "Nothing paid is sent until then" in text]
        assert len(told) == 1
        assert FAULTS[fault] in told[0]
        if before:
            assert (state / LEDGER_FILE).read_bytes() == before
        mend()
        await time.until(lambda: of_model(at, document), 120)
        await time.rest(document)
        assert at.reviewer.status().state is State.IDLE


async def test_a_disk_that_fills_up_stops_what_is_paid_and_nothing_else(state: Path) -> None:
    clock = FakeClock()
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url, limits=EAGER), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.until(lambda: of_model(at, document), 10)
        await time.rest(document)
        asked, booked = len(provider.journal), at.reviewer.status().spend.today_tokens
        assert at.reviewer._assembly is not None
        database = at.reviewer._assembly.services.ledger._database
        with database.outside_transaction() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
        number = 0
        while at.reviewer.status().state is not State.DEGRADED:  # until the last free page is used
            number += 1
            at.replace(document, "into.append(data)", f"into.append(data)  or f({number})")
            await time.rest(document)
            at.replace(document, f"  or f({number})", "")
            await time.rest(document)
            assert number < 300
        assert "the disk is full" in at.reviewer.status().reason
        asked = len(provider.journal)
        at.replace(document, "order.total / order.count", "order.sum / order.count")
        await time.rest(document)
        assert len(provider.journal) == asked
        assert of_rules(at, document) == ["py/mutable-default"]
        assert len([text for _, text in at.host.messages if "the disk is full" in text]) == 1
        assert at.reviewer.status().spend.today_tokens >= booked
        with database.outside_transaction() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        await time.until(lambda: len(provider.journal) == asked + 1, 120)
        await time.rest(document)
        assert at.reviewer.status().state is State.IDLE


@pytest.mark.parametrize("spoil", ["corrupt", "file in the way"])
async def test_without_a_cache_reviews_go_on(spoil: str, state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / RESULTS_FOLDER
    if spoil == "corrupt":
        folder.mkdir(parents=True)
        (folder / "cache.db").write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    else:
        (tmp_path / "cache").write_text("in the way")
    clock = FakeClock()
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url), clock=clock) as at:
        time = Time(at, clock)
        document = at.open(SHOP)
        await time.until(lambda: of_model(at, document), 10)
        await time.rest(document)
        assert len(provider.journal) == 1
        assert len([text for _, text in at.host.messages if "not cached" in text]) == 1
        at.reviewer.look_again(document.uri)
        await time.rest(document)
        assert len(provider.journal) == 1  # what this session has learned it does not ask for again
        assert at.reviewer.status().state is State.IDLE


def delete_ledger(state: Path) -> None:
    for file in state.glob(f"{LEDGER_FILE}*"):
        file.unlink()


async def test_a_ledger_deleted_while_it_is_used_is_carried_over(state: Path) -> None:
    clock = FakeClock()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            await time.until(lambda: of_model(at, document), 10)
            await time.rest(document)
            spent = at.reviewer.status().spend.today_tokens
            assert spent > 0
            delete_ledger(state)
            at.replace(document, "order.total / order.count", "order.sum / order.count")
            await time.rest(document)
            assert len(provider.journal) == 2
            billed = provider.billed
            assert at.reviewer.status().spend.today_tokens == billed.input_tokens + billed.output_tokens > spent
            notices = [text for _, text in at.host.messages if "what it held was carried over" in text]
            assert len(notices) == 1
        async with desk(settings, clock=clock) as later:
            assert later.reviewer.status().spend.today_tokens == billed.input_tokens + billed.output_tokens


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the machine's time zone, for the time of the test."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        system_time.tzset()

    yield set_zone
    monkeypatch.undo()
    system_time.tzset()


def day_of(at: Desk) -> float:
    """When the running day ends: what tells one budget from another."""
    return at.reviewer.status().spend.day_resets_at


@pytest.mark.parametrize(
    ("jump", "days"),
    [(-40 * 86400, 1), (-86400, 1), (-7200, 1), (3600, 1), (86400, 2), (400 * 86400, 2)],
    ids=["40 days back", "a day back", "2 h back", "an hour on", "a day on", "400 days on"],
)
async def test_setting_the_clock_opens_no_second_budget(
    jump: float, days: int, state: Path, zone: Callable[[str], None]
) -> None:
    """The clock is set in the middle, and at the end set right again. Only a later date begins a new day, once."""
    zone("UTC")
    clock = FakeClock()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url, budget={"daily_token_budget": 9000}, limits=EAGER)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            await time.rest(document)
            seen = {day_of(at)}
            for number in range(24):
                if number in (8, 16):
                    clock._start += jump if number == 8 else -jump
                at.replace(document, "order.total", f"order.total_{number} + order.total")
                await time.rest(document)
                seen.add(day_of(at))
            assert len(seen) == days
            billed = provider.billed
            assert 5000 * days < billed.input_tokens + billed.output_tokens <= 9000 * days
            assert at.reviewer.status().state is State.OVER_BUDGET
            assert of_rules(at, document) == ["py/mutable-default"]
            told = [text for _, text in at.host.messages if text.startswith("Only the offline rules")]
            assert len(told) == days


async def test_another_time_zone_opens_no_second_budget(state: Path, zone: Callable[[str], None]) -> None:
    zone("UTC")
    clock = FakeClock()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url, budget={"daily_token_budget": 9000}, limits=EAGER)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            zones = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo", "UTC"]
            for number, name in enumerate(zones * 4):
                zone(name)
                at.replace(document, "order.total", f"order.total_{number} + order.total")
                await time.rest(document)
            billed = provider.billed
            assert 5000 < billed.input_tokens + billed.output_tokens <= 9000
            assert at.reviewer.status().state is State.OVER_BUDGET


@pytest.mark.parametrize("limit", ["daily_token_budget", "monthly_cost_limit"])
async def test_one_warning_near_a_limit_and_one_at_it(limit: str, state: Path) -> None:
    """Near the limit cheaper models serve; at the limit the rules go on alone, and a higher limit sets them free."""
    clock = FakeClock()
    prices = {f"test:{name}": {"input": 1, "output": 1} for name in ("small", "middle", "large")}
    budget = {limit: 30_000 if limit == "daily_token_budget" else 0.03}
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url, budget=budget, limits=EAGER, prices=prices)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP.replace("order.count", "eval(order)"))
            for number in range(50):
                at.replace(document, "order.total", f"order.total_{number} + order.total")
                await time.rest(document)
            texts = [text for _, text in at.host.messages]
            assert len(texts) == 2, texts
            what = "daily token budget" if limit == "daily_token_budget" else "monthly cost limit"
            assert re.fullmatch(rf"8\d% of the {what} is used; cheaper models review .* It resets .*\.", texts[0])
            assert re.fullmatch(r"Only the offline rules review from here on: .* it starts anew at .*\.", texts[1])
            assert {exchange.model for exchange in provider.journal[:4]} == {"middle", "small"}
            assert provider.journal[-1].model == "small"
            assert at.reviewer.status().state is State.OVER_BUDGET
            asked = len(provider.journal)
            more = settings_for(provider.base_url, limits=EAGER, prices=prices)
            at.folder = at.folder._replace(settings=more)
            await at.reviewer.settings_changed(more, {})
            await time.until(lambda: len(provider.journal) > asked, 30)


async def test_the_limit_of_one_project_is_told_for_it_alone(state: Path, tmp_path: Path) -> None:
    """What a repository may spend by its own file is used up; another of the same name goes on to the user's limit."""
    clock = FakeClock()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url, budget={"daily_token_budget": 30_000}, limits=EAGER)
        share = settings.repository.model_copy(update={"daily_token_budget": 9000})
        own = settings.model_copy(update={"repository": share})
        async with desk(own, root=tmp_path / "a" / "api", clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)

            async def edit(*numbers: int) -> list[str]:
                for number in numbers:
                    at.replace(document, "order.total", f"order.total_{number} + order.total")
                    await time.rest(document)
                return [text for _, text in at.host.messages]

            (told,) = await edit(*range(20))
            assert re.fullmatch(
                r"Only the offline rules review in api from here on: the project's daily limit .*", told
            )
            billed = provider.billed
            assert 5000 < billed.input_tokens + billed.output_tokens <= 9000
            at.folder = at.folder._replace(root=tmp_path / "b" / "api", settings=settings)
            texts = await edit(*range(20, 80))
            assert provider.billed.input_tokens > 15_000
            assert len(texts) == 3
            assert re.match(r"8\d% of the daily token budget is used", texts[1])
            assert re.fullmatch(r"Only the offline rules review from here on: the daily limit .*", texts[2])


async def test_a_new_day_is_seen_although_the_machine_was_asleep_when_it_began(state: Path) -> None:
    """The clock that waits stands still meanwhile: only the one on the wall has gone on."""
    clock = FakeClock()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url, budget={"daily_token_budget": 6000}, limits=EAGER)
        async with desk(settings, clock=clock) as at:
            time = Time(at, clock)
            document = at.open(SHOP)
            for number in range(10):
                at.replace(document, "order.total", f"order.total_{number} + order.total")
                await time.rest(document)
            assert at.reviewer.status().state is State.OVER_BUDGET
            asked = len(provider.journal)
            clock._start += 86400
            await time.until(lambda: len(provider.journal) > asked, 180)
            await time.until(lambda: at.reviewer.status().state is State.IDLE, 30)
