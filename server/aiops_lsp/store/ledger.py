"""The spending ledger: one file that all processes of the user share, and through which every paid request passes.

A request is reserved before it is sent, then booked as billed (`commit`), booked at its hard cap because nobody knows
what was billed (`commit_in_full`), or given back because it never left (`release`). What a crashed process had in
flight is booked at its hard cap by `sweep`: it may have been billed up to that, and anything less could let the limit
be crossed. Should the truth still come in, a late `commit` or `release` puts it right. `budget` says what passes and
why a limit holds.

Each call is one transaction. Any failure raises `LedgerUnavailable`: the caller then sends nothing that costs.
A ledger that is deleted or replaced while a process has it open is brought up to date by that process from what it
still can read; deleted while no process runs, history starts anew, and with it the running periods' budgets.
"""

from __future__ import annotations

import logging
import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiops_lsp.store.budget import (
    Denied,
    DeniedReason,
    Limits,
    PeriodSpend,
    Reservation,
    ReservationRequest,
    Spend,
    Totals,
    reserved,
)
from aiops_lsp.store.database import Database, StoreUnavailable, storable
from aiops_lsp.store.ledger_admission import denial
from aiops_lsp.store.ledger_recovery import carry_over
from aiops_lsp.store.ledger_regions import Failure, RegionRecords
from aiops_lsp.store.ledger_schema import MIGRATIONS
from aiops_lsp.store.ledger_totals import begun, shift, totals_of
from aiops_lsp.store.ledger_usage import Booking, SavedRow, UsageRecords, UsageRow, book, bounded
from aiops_lsp.store.periods import Period, PeriodKind, local_utc_offset

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from aiops_lsp.store.periods import UtcOffset

__all__ = [
    "Denied",
    "DeniedReason",
    "Failure",
    "Ledger",
    "LedgerUnavailable",
    "Limits",
    "PeriodKind",
    "PeriodSpend",
    "Reservation",
    "ReservationRequest",
    "SavedRow",
    "Spend",
    "UsageRow",
]

LEDGER_FILE = "ledger.sqlite3"

_KEPT_SECONDS = 86400.0  # how long a settled reservation stays, for late corrections and the rate
_CLOCK_SLACK = 300.0  # a reservation made further ahead than this was made before the clock was set back
_BATCH = 2000
_PAGES_FREED_AT_ONCE = 500

_log = logging.getLogger(__name__)


class LedgerUnavailable(StoreUnavailable):
    """There is no working ledger, so nothing paid may be sent; `str()` says why, in words."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A reservation as it stands in the ledger: pending, in_full or committed (see the schema)."""

    id: str
    state: str
    periods: tuple[int, int]
    day: str
    kind: tuple[str, ...]  # model, tier, project, language, purpose
    expected: tuple[int, int]  # tokens, micro-dollars
    hard: tuple[int, int]

    @property
    def project(self) -> str:
        return self.kind[2]

    @property
    def in_full(self) -> Booking:
        return Booking(micro_usd=self.hard[1], assumed_tokens=self.hard[0])


class Ledger(UsageRecords, RegionRecords):
    """The ledger in one state folder; make it with `open`. Safe to use from several threads and processes."""

    def __init__(self, folder: Path, now: Callable[[], float], utc_offset: UtcOffset, busy_seconds: float) -> None:
        database = Database(
            folder / LEDGER_FILE,
            label="spending ledger",
            migrations=MIGRATIONS,
            unavailable=LedgerUnavailable,
            busy_seconds=busy_seconds,
            carry=self._carry_over,
        )
        super().__init__(database, now, utc_offset)
        self._process = str(os.getpid())
        self._notices: list[str] = []

    @classmethod
    def open(
        cls,
        folder: Path | str,
        now: Callable[[], float],
        *,
        utc_offset: UtcOffset = local_utc_offset,
        busy_seconds: float = 5.0,
    ) -> Self:
        """Open or make the ledger in state folder `folder`. `now` is the wall clock in seconds.

        Raises LedgerUnavailable when the folder or file cannot be written, is damaged, is from a newer version
        (which is left untouched), is locked for longer than `busy_seconds`, or the disk is full.
        """
        ledger = cls.at(folder, now, utc_offset=utc_offset, busy_seconds=busy_seconds)
        ledger.connect()
        return ledger

    def connect(self) -> None:
        """Open or make the file now, and not with the first call. Raises LedgerUnavailable."""
        self._database.open()

    @classmethod
    def at(
        cls,
        folder: Path | str,
        now: Callable[[], float],
        *,
        utc_offset: UtcOffset = local_utc_offset,
        busy_seconds: float = 5.0,
    ) -> Self:
        """As `open`, but the first call opens the file: for who goes on without, until what is wrong with it is over.

        Never fails, and does not block.
        """
        return cls(Path(folder), now, utc_offset, busy_seconds)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def reserve(self, request: ReservationRequest, limits: Limits, share: Limits | None = None) -> Reservation | Denied:
        """Hold a part of the budget for `request`, or say why not. A denied request writes nothing.

        `limits` are the user's, `share` the lower ones that the request's project sets for itself; both must let
        it pass.
        """
        now = self._now()
        with self._database.write() as connection:
            periods = self._periods(connection, now)
            refused = denial(connection, request, periods, (limits, share), now, self._utc_offset)
            if refused is not None:
                return refused
            reservation = Reservation(uuid.uuid4().hex, request, now, now + request.expires_in)
            self._hold(connection, reservation, periods)
            return reservation

    def commit(
        self,
        reservation: Reservation,
        *,
        input_tokens: int,
        output_tokens: int,
        micro_usd: int,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> bool:
        """Book what the provider billed. `input_tokens` includes those read from and written to its cache.

        Returns whether the books changed: a second commit of a reservation does nothing. A negative amount counts
        as 0, since the numbers come from outside.
        """
        booking = Booking(
            bounded(micro_usd),
            bounded(input_tokens),
            bounded(output_tokens),
            bounded(cache_read_tokens),
            bounded(cache_write_tokens),
        )
        with self._database.write() as connection:
            return _settle(connection, self._known(connection, reservation), booking)

    def commit_in_full(self, reservation: Reservation) -> bool:
        """Book a request that was sent, and whose usage is unknown, at its hard cap. Returns whether it changed."""
        with self._database.write() as connection:
            return _settle(connection, self._known(connection, reservation), None)

    def release(self, reservation: Reservation) -> bool:
        """Give back what was held for a request that never left. Returns whether the books changed."""
        with self._database.write() as connection:
            row = _row(connection, reservation.id)
            if row is None or row.state == "committed":
                return False
            _unhold(connection, row)
            connection.execute("DELETE FROM reservations WHERE id = ?", (row.id,))
            return True

    def sweep(self) -> int:
        """Book the expired reservations, those of crashed processes, at their hard caps. Returns how many."""
        now = self._now()
        expired = "SELECT id FROM reservations WHERE state = 'pending' AND (expires_at <= ? OR made_at > ?)"
        with self._database.read() as connection:
            ids = [str(row[0]) for row in connection.execute(expired, (now, now + _CLOCK_SLACK))]
        if not ids:
            return 0
        with self._database.write() as connection:
            return sum(_settle(connection, _row(connection, expired_id), None) for expired_id in ids)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is read within belongs together: what others write meanwhile is not seen. Raises LedgerUnavailable."""
        with self._database.read():
            yield

    def spend(self, limits: Limits | None = None, project: str = "") -> Spend:
        """What is spent today and this month: of everything, or of one project.

        What is in flight counts as expected; near `limits`, if given, at its hard caps.
        """
        limits = limits or Limits()
        with self._database.read() as connection:
            day, month = self._periods(connection, self._now())
            return Spend(
                _period_spend(day, totals_of(connection, day, storable(project)), limits),
                _period_spend(month, totals_of(connection, month, storable(project)), limits),
            )

    def claim_warning(self, kind: PeriodKind, threshold: float) -> bool:
        """True for exactly one caller, of all processes, per period and threshold: it shows the warning."""
        with self._database.write() as connection:
            day, month = self._periods(connection, self._now())
            period = begun(connection, day if kind is PeriodKind.DAY else month)
            cursor = connection.execute(
                "INSERT OR IGNORE INTO warnings VALUES (?, ?)", (period.id, round(threshold * 1000))
            )
            return cursor.rowcount == 1

    def compact(self) -> int:
        """One step of housekeeping; safe while other processes work. Returns how many rows it removed.

        A step is short, so that nobody waits long for the ledger: call it again while it removes rows. Settled
        reservations go after a day; the daily usage rows, which stay, say what they said. Freed space goes back to
        the file system.
        """
        now = self._now()
        self.sweep()
        with self._database.write() as connection:
            removed = self._forget_regions(connection, now)
            removed += connection.execute(
                "DELETE FROM reservations WHERE id IN (SELECT id FROM reservations "
                "WHERE (made_at < ? OR made_at > ?) AND state != 'pending' LIMIT ?)",
                (now - _KEPT_SECONDS, now + _KEPT_SECONDS, _BATCH),
            ).rowcount
        with self._database.outside_transaction() as connection:
            # As a script, since Python's `execute` stops at the first page that this frees.
            connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_FREED_AT_ONCE})")
        return removed

    def take_notices(self) -> list[str]:
        """Sentences that the user should read (the ledger was replaced under us), each given out once."""
        notices, self._notices = self._notices, []
        return notices

    def _hold(self, connection: sqlite3.Connection, reservation: Reservation, periods: tuple[Period, Period]) -> None:
        day, month = begun(connection, periods[0]), begun(connection, periods[1])
        request = reservation.request
        connection.execute(
            "INSERT INTO reservations VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reservation.id,
                self._process,
                reservation.made_at,
                reservation.expires_at,
                day.id,
                month.id,
                day.label,
                request.model,
                request.tier,
                storable(request.project),
                request.language,
                request.purpose,
                reservation.tokens,
                reservation.micro_usd,
                request.hard_tokens,
                request.hard_micro_usd,
            ),
        )
        row = _row(connection, reservation.id)
        assert row is not None
        shift(connection, row.periods, row.project, Totals(0, 0, *row.expected, *row.hard))

    def _known(self, connection: sqlite3.Connection, reservation: Reservation) -> _Row | None:
        """The reservation's row. One that the ledger lost (it was deleted) is taken in again: the money is spent.

        None for one that is so old that it was settled and its row removed.
        """
        row = _row(connection, reservation.id)
        now = self._now()
        if row is None and abs(now - reservation.made_at) < _KEPT_SECONDS:
            self._hold(connection, reservation, self._periods(connection, now))
            row = _row(connection, reservation.id)
        return row

    def _carry_over(self, old: sqlite3.Connection, new: sqlite3.Connection) -> None:
        notice = carry_over(old, new, self._now())
        _log.warning("%s: %s", self._database.path, notice)
        self._notices.append(notice)


def _settle(connection: sqlite3.Connection, row: _Row | None, booking: Booking | None) -> bool:
    """Book `row`; None: at its hard cap, for want of better."""
    if row is None or row.state == "committed" or (row.state == "in_full" and booking is None):
        return False
    _unhold(connection, row)
    state = "in_full" if booking is None else "committed"
    booking = booking or row.in_full
    shift(connection, row.periods, row.project, Totals(booking.tokens, booking.micro_usd))
    book(connection, row.day, row.kind, booking)
    connection.execute("UPDATE reservations SET state = ? WHERE id = ?", (state, row.id))
    return True


def _unhold(connection: sqlite3.Connection, row: _Row) -> None:
    """Take what is held for a pending row, or booked in full for want of better, out of the totals again."""
    if row.state == "in_full":
        shift(connection, row.periods, row.project, Totals(-row.hard[0], -row.hard[1]))
        book(connection, row.day, row.kind, row.in_full, sign=-1)
    else:
        change = Totals(0, 0, *(-amount for amount in (*row.expected, *row.hard)))
        shift(connection, row.periods, row.project, change)


def _row(connection: sqlite3.Connection, reservation_id: str) -> _Row | None:
    found = connection.execute(
        "SELECT id, state, day_id, month_id, day, model, tier, project, language, purpose, "
        "expected_tokens, expected_micro_usd, hard_tokens, hard_micro_usd FROM reservations WHERE id = ?",
        (reservation_id,),
    ).fetchone()
    if found is None:
        return None
    return _Row(found[0], found[1], found[2:4], found[4], found[5:10], found[10:12], found[12:14])


def _period_spend(period: Period, totals: Totals, limits: Limits) -> PeriodSpend:
    of_day = period.kind is PeriodKind.DAY
    return PeriodSpend(
        period.label,
        period.ends_at,
        totals.used_tokens,
        totals.used_micro_usd,
        reserved(limits.daily_tokens if of_day else None, *totals.tokens),
        reserved(None if of_day else limits.monthly_micro_usd, *totals.micro_usd),
    )
