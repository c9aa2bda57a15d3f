"""Bringing a ledger that was deleted or replaced while it was open over into the file that stands there now.

The old file's content stays readable to a process that has it open. Were it dropped, deleting the ledger would give
every window a second budget for the day and month. Each ledger has an id, and a file remembers whose content it
holds, so that of many windows only the first carries an old ledger over.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from aiops_lsp.store.budget import Totals
from aiops_lsp.store.ledger_totals import shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = list[tuple[Any, ...]]

_log = logging.getLogger(__name__)

# Tables, their key columns first. Amounts are merged; of the others the new file's rows win.
_PERIODS = ("id", "kind", "starts_at", "ends_at", "label")
_TOTALS = (("period_id", "project"), ("used_tokens", "used_micro_usd"))
_USAGE = (
    ("day", "model", "tier", "project", "language", "purpose"),
    (
        "requests",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "assumed_tokens",
        "micro_usd",
    ),
)
_SAVED = (("day", "project", "language"), ("regions", "tokens", "micro_usd"))
_RESERVATIONS = (
    "id",
    "state",
    "day_id",
    "month_id",
    "process",
    "made_at",
    "expires_at",
    "day",
    "model",
    "tier",
    "project",
    "language",
    "purpose",
    "expected_tokens",
    "expected_micro_usd",
    "hard_tokens",
    "hard_micro_usd",
)
_KEPT = {
    "ratios": ("model", "language", "estimated", "actual"),
    "leases": ("key", "holder", "expires_at"),
    "failures": ("key", "count", "reason", "noted_at", "next_try_at"),
}
_WARNINGS = ("period_id", "threshold")


def carry_over(old: sqlite3.Connection, new: sqlite3.Connection, now: float) -> str:
    """Add what `old` holds to `new`, in one transaction, unless another process did. Returns a sentence about it.

    When `new` is an earlier copy of `old` itself (a backup put back), the larger of both amounts stands. A pending
    reservation that moves along can be settled as before. An unreadable `old` is said, and given up. Raises
    sqlite3.Error when `new` cannot be written.
    """
    try:
        held = _read(old)
    except sqlite3.Error as error:
        _log.warning("the earlier ledger could not be read: %s", error)
        return "the spending ledger was replaced, and the earlier one cannot be read; spending is counted anew"
    new.execute("BEGIN IMMEDIATE")
    try:
        _write(held, new, now)
        new.execute("COMMIT")
    except BaseException:
        if new.in_transaction:
            new.execute("ROLLBACK")
        raise
    return "the spending ledger was deleted or replaced while in use; what it held was carried over"


def _read(old: sqlite3.Connection) -> dict[str, Rows]:
    columns = {
        "lineage": ("id",),
        "periods": _PERIODS,
        "totals": _TOTALS[0] + _TOTALS[1],
        "usage": _USAGE[0] + _USAGE[1],
        "saved": _SAVED[0] + _SAVED[1],
        "reservations": _RESERVATIONS,
        "warnings": _WARNINGS,
        **_KEPT,
    }
    old.execute("BEGIN")
    try:
        held: dict[str, Rows] = {table: _select(old, table, names) for table, names in columns.items()}
        held["own"] = old.execute("SELECT id FROM lineage WHERE own = 1").fetchall()
        return held
    finally:
        if old.in_transaction:
            old.execute("ROLLBACK")


def _write(held: dict[str, Rows], new: sqlite3.Connection, now: float) -> None:
    known = {row[0]: bool(row[1]) for row in new.execute("SELECT id, own FROM lineage")}
    own_id = held["own"][0][0]
    if own_id in known and not known[own_id]:
        return  # another window was faster
    larger = own_id in known
    new.executemany("INSERT OR IGNORE INTO lineage VALUES (?, 0)", held["lineage"])
    moved = _write_periods(held["periods"], new, now)
    # Only what is used: what is held comes with the reservations, unless they are there already.
    _merge(new, "totals", _TOTALS, [(moved[row[0]], *row[1:]) for row in held["totals"]], larger=larger)
    _merge(new, "usage", _USAGE, held["usage"], larger=larger)
    _merge(new, "saved", _SAVED, held["saved"], larger=larger)
    _write_reservations([(*row[:2], moved[row[2]], moved[row[3]], *row[4:]) for row in held["reservations"]], new)
    _insert(new, "warnings", _WARNINGS, [(moved[row[0]], row[1]) for row in held["warnings"]])
    for table, names in _KEPT.items():
        _insert(new, table, names, held[table])


def _write_periods(periods: Rows, new: sqlite3.Connection, now: float) -> dict[int, int]:
    """Bring over the periods; returns old ids to new ones.

    A running one becomes one with the new file's running one, which then ends with the later of both.
    """
    moved: dict[int, int] = {}
    for old_id, *values in periods:
        kind, starts_at, ends_at, _label = values
        row = new.execute(
            "SELECT id FROM periods WHERE kind = ? AND starts_at = ? AND ends_at = ?", (kind, starts_at, ends_at)
        ).fetchone()
        if row is None and ends_at > now:
            row = new.execute(
                "SELECT id FROM periods WHERE kind = ? AND ends_at > ? ORDER BY ends_at DESC LIMIT 1", (kind, now)
            ).fetchone()
        if row is not None:
            new.execute("UPDATE periods SET ends_at = max(ends_at, ?) WHERE id = ?", (ends_at, row[0]))
            moved[old_id] = row[0]
        else:
            new.execute("INSERT INTO periods (kind, starts_at, ends_at, label) VALUES (?, ?, ?, ?)", values)
            moved[old_id] = new.execute("SELECT last_insert_rowid()").fetchone()[0]
    return moved


def _write_reservations(rows: Rows, new: sqlite3.Connection) -> None:
    for row in rows:
        if _insert(new, "reservations", _RESERVATIONS, [row]) and row[1] == "pending":
            project = row[_RESERVATIONS.index("project")]
            shift(new, (row[2], row[3]), project, Totals(0, 0, *row[-4:]))


def _select(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> Rows:
    return connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()  # noqa: S608 - our own names


def _insert(connection: sqlite3.Connection, table: str, names: Sequence[str], rows: Rows) -> int:
    """Insert what is not there yet; returns how many rows that were."""
    marks = ", ".join("?" * len(names))
    statement = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    return connection.executemany(statement, rows).rowcount if rows else 0


def _merge(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[tuple[str, ...], tuple[str, ...]],
    rows: Rows,
    *,
    larger: bool,
) -> None:
    """Insert rows; where the key stands already, add the amounts or take the larger ones."""
    key, amounts = columns
    joined = "max({0}, excluded.{0})" if larger else "{0} + excluded.{0}"
    updates = ", ".join(f"{name} = {joined.format(name)}" for name in amounts)
    marks = ", ".join("?" * (len(key) + len(amounts)))
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(key + amounts)}) VALUES ({marks}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}",
        rows,
    )
