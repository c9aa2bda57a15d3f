"""Real processes on one ledger, some killed in the middle: limits hold, and nothing stays held."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.store.ledger import LEDGER_FILE
from tests.support.ledger import FAST_FOLDER, WallClock, opened
from tests.support.ledger_process import EXPIRES_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROCESSES = 8


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder in memory where there is a place for that: what counts here is locks, not the disk."""
    with TemporaryDirectory(dir=FAST_FOLDER) as name:
        yield Path(name)


@contextmanager
def spending(folder: Path, seed: int, limit: int, bills_up_to: int) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [str(folder), str(seed), str(limit), str(bills_up_to)]
    process = subprocess.Popen([sys.executable, "-m", "tests.support.ledger_process", *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def settled(folder: Path) -> int:
    """How many requests have been settled so far; 0 while there is no ledger."""
    try:
        with sqlite3.connect(f"file:{folder / LEDGER_FILE}?mode=ro", uri=True, timeout=60) as connection:
            return int(connection.execute("SELECT total(requests) FROM usage").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def run_and_kill(folder: Path, seed: int, limit: int, bills_up_to: int) -> None:
    """Let a process spend; those with an odd seed are killed as soon as some more requests were settled."""
    with spending(folder, seed, limit, bills_up_to) as process:
        if seed % 2 == 0:
            assert process.wait() == 0
            return
        enough = settled(folder) + random.Random(seed).randint(20, 120)
        while process.poll() is None and settled(folder) < enough:
            time.sleep(0.002)  # a poll, not a wait for time to pass
        process.kill()


@dataclass(frozen=True)
class Bill:
    """What the provider billed for a request, its hard cap, and whether the ledger can have been told."""

    amount: int
    hard: int
    told: bool

    @property
    def excess(self) -> int:
        return max(0, self.amount - self.hard)


def read_bills(folder: Path) -> list[Bill]:
    bills = []
    for file in folder.glob("bills.*"):
        lines = [line.split() for line in file.read_text().splitlines()]
        # A process that is killed may not have come to book its last one.
        bills += [Bill(int(a), int(b), c == "1" and i < len(lines) - 1) for i, (a, b, c) in enumerate(lines)]
    return bills


@pytest.mark.parametrize(("bills_up_to", "limit"), [(1, 25_000), (3, 25_000)], ids=["honest", "bills threefold"])
def test_limits_hold_over_processes_that_are_killed(folder: Path, bills_up_to: int, limit: int) -> None:
    with ThreadPoolExecutor(2 * PROCESSES) as pool:
        seeds = range(2 * PROCESSES)
        list(pool.map(lambda seed: run_and_kill(folder, seed, limit, bills_up_to), seeds))

    clock = WallClock()
    clock.now += EXPIRES_IN
    ledger = opened(folder, clock)
    ledger.sweep()
    spend = ledger.spend()
    bills = read_bills(folder)
    total = sum(bill.amount for bill in bills)
    # Each process has one request under way at a time.
    under_way = sum(sorted((bill.excess for bill in bills if bill.told), reverse=True)[: 2 * PROCESSES])
    assert total <= limit + under_way + sum(bill.excess for bill in bills if not bill.told)
    if bills_up_to == 1:
        assert total <= spend.day.tokens == spend.month.micro_usd <= limit
    assert spend.day.tokens > 0.9 * limit
    assert (spend.day.reserved_tokens, spend.month.reserved_micro_usd) == (0, 0)
    assert sum(row.tokens for row in ledger.usage()) == spend.day.tokens
    assert_held_nothing(folder)
    ledger.close()


def assert_held_nothing(folder: Path) -> None:
    with sqlite3.connect(folder / LEDGER_FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT sum(hard_tokens), sum(expected_tokens), sum(hard_micro_usd) FROM totals"
        assert connection.execute(query).fetchall() == [(0, 0, 0)]
        assert connection.execute("SELECT count(*) FROM reservations WHERE state = 'pending'").fetchall() == [(0,)]
    connection.close()


def test_windows_that_start_at_once_share_one_new_ledger(folder: Path) -> None:
    """The first start of several windows: one makes the file, the others find it whole. Often, since it is a race."""

    def open_one(state: Path, number: int) -> int:
        ledger = opened(state, WallClock(), busy_seconds=60)
        granted = ledger.lease(["a"], str(number), 60)
        ledger.close()
        return len(granted)

    with ThreadPoolExecutor(PROCESSES) as pool:
        for round_ in range(40):
            state = folder / str(round_)
            assert sum(pool.map(open_one, [state] * PROCESSES, range(PROCESSES))) == 1
            assert [file.name for file in state.glob("*.sqlite3")] == [LEDGER_FILE]
