"""The tables of the spending ledger, version by version.

A migration runs inside a transaction: no statement in it may commit (`executescript` does).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from aiops_lsp.store.database import Migration


def _amount(name: str) -> str:
    return f"{name} INTEGER NOT NULL DEFAULT 0 CHECK (typeof({name}) = 'integer' AND {name} >= 0)"


_TABLES = (
    # The ledgers whose content this one holds: itself (own = 1) and those it was carried over from.
    "CREATE TABLE lineage (id TEXT PRIMARY KEY, own INTEGER NOT NULL)",
    """CREATE TABLE periods (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, starts_at REAL NOT NULL, ends_at REAL NOT NULL, label TEXT NOT NULL
    )""",
    "CREATE INDEX periods_by_end ON periods (kind, ends_at)",
    # Running totals, so that no reservation ever adds up rows. Project '' is everything.
    f"""CREATE TABLE totals (
        period_id INTEGER NOT NULL, project TEXT NOT NULL,
        {_amount("used_tokens")}, {_amount("used_micro_usd")},
        {_amount("expected_tokens")}, {_amount("expected_micro_usd")},
        {_amount("hard_tokens")}, {_amount("hard_micro_usd")},
        PRIMARY KEY (period_id, project)
    ) WITHOUT ROWID""",
    # pending: in flight; in_full: booked at its hard cap for want of better; committed: booked as billed.
    f"""CREATE TABLE reservations (
        id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('pending', 'in_full', 'committed')),
        process TEXT NOT NULL, made_at REAL NOT NULL, expires_at REAL NOT NULL,
        day_id INTEGER NOT NULL, month_id INTEGER NOT NULL, day TEXT NOT NULL,
        model TEXT NOT NULL, tier TEXT NOT NULL, project TEXT NOT NULL, language TEXT NOT NULL, purpose TEXT NOT NULL,
        {_amount("expected_tokens")}, {_amount("expected_micro_usd")},
        {_amount("hard_tokens")}, {_amount("hard_micro_usd")}
    )""",
    "CREATE INDEX reservations_by_time ON reservations (made_at)",
    "CREATE INDEX reservations_pending ON reservations (expires_at) WHERE state = 'pending'",
    # `assumed_tokens` were booked without the provider's word for them.
    f"""CREATE TABLE usage (
        day TEXT NOT NULL, model TEXT NOT NULL, tier TEXT NOT NULL, project TEXT NOT NULL, language TEXT NOT NULL,
        purpose TEXT NOT NULL,
        {_amount("requests")}, {_amount("input_tokens")}, {_amount("output_tokens")},
        {_amount("cache_read_tokens")}, {_amount("cache_write_tokens")}, {_amount("assumed_tokens")},
        {_amount("micro_usd")},
        PRIMARY KEY (day, model, tier, project, language, purpose)
    ) WITHOUT ROWID""",
    f"""CREATE TABLE saved (
        day TEXT NOT NULL, project TEXT NOT NULL, language TEXT NOT NULL,
        {_amount("regions")}, {_amount("tokens")}, {_amount("micro_usd")},
        PRIMARY KEY (day, project, language)
    ) WITHOUT ROWID""",
    """CREATE TABLE warnings (
        period_id INTEGER NOT NULL, threshold INTEGER NOT NULL, PRIMARY KEY (period_id, threshold)
    ) WITHOUT ROWID""",
    """CREATE TABLE ratios (
        model TEXT NOT NULL, language TEXT NOT NULL, estimated REAL NOT NULL, actual REAL NOT NULL,
        PRIMARY KEY (model, language)
    ) WITHOUT ROWID""",
    "CREATE TABLE leases (key TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID",
    """CREATE TABLE failures (
        key TEXT PRIMARY KEY, count INTEGER NOT NULL, reason TEXT NOT NULL,
        noted_at REAL NOT NULL, next_try_at REAL NOT NULL
    ) WITHOUT ROWID""",
)


def _first(connection: sqlite3.Connection) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO lineage VALUES (?, 1)", (uuid.uuid4().hex,))


MIGRATIONS: tuple[Migration, ...] = (_first,)
