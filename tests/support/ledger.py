"""A ledger in a temporary folder, under a wall clock and time zone that tests set."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.store.ledger import LEDGER_FILE, Denied, Ledger, Reservation, ReservationRequest

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC, a Sunday
DAY = 86_400.0
MIDNIGHT = NOON + DAY / 2


# Property tests write thousands of transactions: in memory where there is a place for that.
FAST_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclass
class WallClock:
    """A clock that tests set, and the time zone with it."""

    now: float = NOON
    offset: float = 0.0

    def __call__(self) -> float:
        return self.now

    def utc_offset(self, _moment: float) -> float:
        return self.offset


def opened(folder: Path | str, clock: WallClock, busy_seconds: float = 5.0) -> Ledger:
    return Ledger.open(folder, clock, utc_offset=clock.utc_offset, busy_seconds=busy_seconds)


def asking(hard: int, estimate: int | None = None, **rest: object) -> ReservationRequest:
    """A request for `hard` tokens and as many micro-dollars at most."""
    amount = hard if estimate is None else estimate
    about = {"model": "openai:m", "tier": "simple", **rest}
    return ReservationRequest(amount, amount, hard, hard, **about)  # type: ignore[arg-type]


def held(answer: Reservation | Denied) -> Reservation:
    assert isinstance(answer, Reservation), answer
    return answer


def refused(answer: Reservation | Denied) -> Denied:
    assert isinstance(answer, Denied), answer
    return answer


def commit(ledger: Ledger, reservation: Reservation, tokens: int) -> bool:
    return ledger.commit(reservation, input_tokens=tokens, output_tokens=0, micro_usd=tokens)


def used(ledger: Ledger) -> tuple[int, int]:
    spend = ledger.spend()
    return spend.day.tokens, spend.month.micro_usd


def pending(folder: Path) -> int:
    with sqlite3.connect(folder / LEDGER_FILE) as connection:
        return int(connection.execute("SELECT count(*) FROM reservations WHERE state = 'pending'").fetchone()[0])
