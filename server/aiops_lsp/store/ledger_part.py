"""What the parts of the ledger have in common: one database, one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.store.ledger_totals import current_period
from aiops_lsp.store.periods import Period, PeriodKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from aiops_lsp.store.database import Database
    from aiops_lsp.store.periods import UtcOffset


class LedgerPart:
    """One concern of the ledger's file. `now` is the wall clock in seconds."""

    def __init__(self, database: Database, now: Callable[[], float], utc_offset: UtcOffset) -> None:
        self._database = database
        self._now = now
        self._utc_offset = utc_offset

    def _periods(self, connection: sqlite3.Connection, now: float) -> tuple[Period, Period]:
        """The day and the month that spending at `now` belongs to."""
        return (
            current_period(connection, PeriodKind.DAY, now, self._utc_offset),
            current_period(connection, PeriodKind.MONTH, now, self._utc_offset),
        )
