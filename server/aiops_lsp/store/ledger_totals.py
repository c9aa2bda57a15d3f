"""The ledger's periods and running totals as rows: found, begun, and moved within a caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.store.budget import Totals
from aiops_lsp.store.periods import Period, PeriodKind, period_at

if TYPE_CHECKING:
    import sqlite3

    from aiops_lsp.store.periods import UtcOffset

EVERYTHING = ""  # the project under which a period's overall totals stand


def last_period(connection: sqlite3.Connection, kind: PeriodKind) -> Period | None:
    """The period of `kind` that ends last."""
    row = connection.execute(
        "SELECT id, starts_at, ends_at, label FROM periods WHERE kind = ? ORDER BY ends_at DESC LIMIT 1", (kind.value,)
    ).fetchone()
    return None if row is None else Period(kind, row[1], row[2], row[3], row[0])


def current_period(connection: sqlite3.Connection, kind: PeriodKind, now: float, utc_offset: UtcOffset) -> Period:
    """The period that spending at `now` belongs to; its id is None as long as nothing was spent in it."""
    return period_at(kind, now, last_period(connection, kind), utc_offset)


def begun(connection: sqlite3.Connection, period: Period) -> Period:
    """`period` with a row of its own."""
    if period.id is not None:
        return period
    cursor = connection.execute(
        "INSERT INTO periods (kind, starts_at, ends_at, label) VALUES (?, ?, ?, ?)",
        (period.kind.value, period.starts_at, period.ends_at, period.label),
    )
    return replace(period, id=cursor.lastrowid)


def totals_of(connection: sqlite3.Connection, period: Period, project: str = EVERYTHING) -> Totals:
    """What is booked and held in `period`, of one project or of everything."""
    row = connection.execute(
        "SELECT used_tokens, used_micro_usd, expected_tokens, expected_micro_usd, hard_tokens, hard_micro_usd "
        "FROM totals WHERE period_id = ? AND project = ?",
        (period.id, project),
    ).fetchone()
    return Totals() if row is None else Totals(*row)


def shift(connection: sqlite3.Connection, period_ids: tuple[int, int], project: str, change: Totals) -> None:
    """Add `change`, whose amounts may be negative, to the totals of a day and its month, overall and of `project`.

    An amount that would fall below zero breaks a rule of the schema: the ledger is damaged, and nothing is written.
    """
    for period_id in period_ids:
        for name in {EVERYTHING, project}:
            connection.execute("INSERT OR IGNORE INTO totals (period_id, project) VALUES (?, ?)", (period_id, name))
            connection.execute(
                "UPDATE totals SET used_tokens = used_tokens + ?, used_micro_usd = used_micro_usd + ?, "
                "expected_tokens = expected_tokens + ?, expected_micro_usd = expected_micro_usd + ?, "
                "hard_tokens = hard_tokens + ?, hard_micro_usd = hard_micro_usd + ? "
                "WHERE period_id = ? AND project = ?",
                (
                    change.used_tokens,
                    change.used_micro_usd,
                    change.expected_tokens,
                    change.expected_micro_usd,
                    change.hard_tokens,
                    change.hard_micro_usd,
                    period_id,
                    name,
                ),
            )
