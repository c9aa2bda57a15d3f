"""Eight windows on one state folder, edited at full speed and killed at random: what is billed stays in bounds.

The provider keeps the only books that count here: its journal of what it billed, to dead windows as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.engine.governor import RESERVATION_SECONDS
from aiops_lsp.store.ledger import Ledger
from tests.support.engine_process import CONCURRENT_REQUESTS, PRICE
from tests.support.ledger import FAST_FOLDER, pending
from tests.support.provider import Billed, Provider, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.provider import Exchange

ROOT = Path(__file__).parents[2]
WINDOWS = 8
MOST_SECONDS = 30.0
QUIET_SECONDS = 6.0
MOST_WINDOWS = 60  # all that are ever started


@pytest.fixture
def folder() -> Iterator[Path]:
    """State and cache in memory where there is a place for that: what counts here is locks, not the disk."""
    with TemporaryDirectory(dir=FAST_FOLDER) as name:
        yield Path(name)


@dataclass(frozen=True)
class Limits:
    daily_tokens: int
    monthly_usd: float


class Till:
    """Bills each request at random: up to its hard cap when honest, up to `factor` times that when not."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._chance = random.Random(11)

    @staticmethod
    def hard_cap(exchange: Exchange) -> int:
        """What the request can cost at most: the bytes of its input and its bound on output."""
        assert exchange.max_output_tokens is not None
        return len((exchange.system + exchange.user).encode()) + exchange.max_output_tokens

    async def __call__(self, exchange: Exchange) -> Reply:
        assert exchange.max_output_tokens is not None
        given = len((exchange.system + exchange.user).encode())
        share = self._chance.choice((0.3, 0.6, 1.0)) * self._factor
        billed = Billed(round(given * share), round(exchange.max_output_tokens * share))
        pause = self._chance.choice((0.0, 0.02, 0.2))

        async def gate(piece: int) -> None:
            if piece == 0:
                await asyncio.sleep(pause)  # how slow a model is, not a wait for a state

        return Reply(gate=gate, billed=billed)


class Windows:
    """The windows that are open, over one provider."""

    def __init__(self, forker: asyncio.subprocess.Process, provider: Provider, limits: Limits) -> None:
        self._forker = forker
        self._provider = provider
        self._limits = limits
        self.started = 0
        self.killed: set[int] = set()
        self.open: dict[int, int] = {}

    async def start(self) -> None:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        number = self.started
        self.started += 1
        base_url = f"{self._provider.origin}/window{number}/v1"  # the path tells whose request it is
        line = f"{number} {number} {base_url} {self._limits.daily_tokens} {self._limits.monthly_usd}\n"
        self._forker.stdin.write(line.encode())
        await self._forker.stdin.drain()
        self.open[number] = int(await self._forker.stdout.readline())

    def end(self, number: int, sign: signal.Signals) -> None:
        process = self.open.pop(number)
        if sign is signal.SIGKILL:
            self.killed.add(number)
        with suppress(ProcessLookupError):
            os.kill(process, sign)


@asynccontextmanager
async def windows(folder: Path, provider: Provider, limits: Limits) -> AsyncIterator[Windows]:
    environment = os.environ | {"AIOPS_STATE_DIR": str(folder / "state"), "AIOPS_CACHE_DIR": str(folder / "cache")}
    forker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.engine_process",
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    opened = Windows(forker, provider, limits)
    try:
        yield opened
    finally:
        for number in list(opened.open):
            opened.end(number, signal.SIGKILL)
        forker.kill()
        await forker.wait()


async def hammer(opened: Windows, provider: Provider, seed: int) -> None:
    """Open windows, and kill and restart them until nothing has been sent for a while, or the time is over."""
    chance = random.Random(seed)
    for _ in range(WINDOWS):
        await opened.start()
    await provider.until(lambda: len(provider.journal) > 0, 90)
    until = time.monotonic() + MOST_SECONDS
    sent, quiet_since = 0, time.monotonic()
    while time.monotonic() < until and time.monotonic() - quiet_since < QUIET_SECONDS:
        await asyncio.sleep(chance.uniform(0.2, 1.5))  # at random moments
        if opened.started < MOST_WINDOWS:
            victim = chance.choice(sorted(opened.open))
            opened.end(victim, chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
            await opened.start()
        if len(provider.journal) != sent:
            sent, quiet_since = len(provider.journal), time.monotonic()


def regions_of(exchange: Exchange) -> list[str]:
    return ["\n".join(lines).rstrip() for lines in exchange.regions.values()]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("limits", "factor"),
    [
        pytest.param(Limits(150_000, 500.0), 1.0, id="tokens, honest"),
        pytest.param(Limits(10_000_000, 0.15), 1.0, id="dollars, honest"),
        pytest.param(Limits(150_000, 500.0), 3.0, id="tokens, billed up to threefold"),
    ],
)
async def test_what_is_billed_to_all_windows_stays_in_bounds(folder: Path, limits: Limits, factor: float) -> None:
    till = Till(factor)
    async with Provider(till) as provider:
        async with windows(folder, provider, limits) as opened:
            await hammer(opened, provider, seed=int(factor))
        journal = list(provider.journal)
    bills = [
        (exchange, exchange.billed.input_tokens + exchange.billed.output_tokens)
        for exchange in journal
        if exchange.billed
    ]
    total = sum(bill for _, bill in bills)
    limit = min(limits.daily_tokens, round(limits.monthly_usd * 1_000_000 / PRICE))
    # Beyond the limit goes only what is billed above hard caps (store/budget.py): to the requests that were in flight
    # when the limit was reached, as many as all windows may have, and to those whose bill no window lived to book.
    excess = {id(exchange): max(0, bill - till.hard_cap(exchange)) for exchange, bill in bills}
    untold = sum(excess[id(exchange)] for exchange, _ in bills if was_killed(exchange, opened))
    told = sorted((excess[id(exchange)] for exchange, _ in bills if not was_killed(exchange, opened)), reverse=True)
    assert total <= limit + sum(told[: WINDOWS * CONCURRENT_REQUESTS]) + untold
    if factor == 1.0:
        assert total <= limit
    assert total > 0.3 * limit
    assert len(opened.killed) >= 3
    asked = Counter(region for exchange in journal for region in regions_of(exchange))
    assert [region for region, times in asked.items() if times > 1] == []
    assert_nothing_is_held(folder / "state", total, factor)


def was_killed(exchange: Exchange, opened: Windows) -> bool:
    return int(exchange.path.split("/")[1].removeprefix("window")) in opened.killed


def assert_nothing_is_held(state: Path, billed: int, factor: float) -> None:
    later = Ledger.open(state, lambda: time.time() + RESERVATION_SECONDS + 1)
    later.sweep()
    spend = later.spend()
    later.close()
    assert pending(state) == 0
    assert (spend.day.reserved_tokens, spend.month.reserved_micro_usd) == (0, 0)
    if factor == 1.0:
        assert billed <= spend.day.tokens  # nothing that was billed is missing from the books
