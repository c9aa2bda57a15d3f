"""The stores alone, small and large: `python -m tests.benchmarks.stores FOLDER` prints seconds per call as JSON.

The rows that make a store large are written as the store itself would, but many at a time.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.regions import RegionKeys
from aiops_lsp.store.cache import RESULTS_FOLDER, ResultCache
from aiops_lsp.store.ledger import LEDGER_FILE, Denied, Ledger, Limits, ReservationRequest
from aiops_lsp.store.reviews import CachedReview

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 100_000
ROWS = 1_000_000

_CALLS = 200
_WRITTEN = 1_000
_UNKNOWN = RegionKeys("0" * 64, "1" * 64)
_COUNTED = "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {})"
_LIMITS = Limits(daily_tokens=10**12, monthly_micro_usd=10**12, requests_per_minute=10_000)


def measured(call: Callable[[int], object]) -> list[float]:
    """The seconds that each of several calls took."""
    seconds = []
    for number in range(_CALLS):
        begun = time.perf_counter()
        call(number)
        seconds.append(time.perf_counter() - begun)
    return seconds


def record(number: int) -> CachedReview:
    """A clean region's result."""
    exact = hashlib.sha256(b"exact %d" % number).hexdigest()
    loose = hashlib.sha256(b"loose %d" % number).hexdigest()
    return CachedReview(
        exact=exact,
        loose=loose,
        made_at=time.time(),
        provider="test",
        model="test:small",
        tier="simple",
        under_pressure=False,
        security_sensitive=False,
        tokens=500,
        micro_usd=100,
        claims=(),
    )


def cache(folder: Path) -> dict[str, list[float]]:
    """Look-ups and writes with few and with many entries, and opening the file."""
    figures: dict[str, list[float]] = {}
    store = ResultCache.open(folder, 2**30)
    chosen = random.Random(7)
    for entries in (_WRITTEN, ENTRIES):
        if entries > _WRITTEN:
            _copy_entries(folder / RESULTS_FOLDER / "cache.db", entries)
        else:
            for number in range(entries):
                store.put(record(number))
        known = [record(chosen.randrange(_WRITTEN)) for _ in range(_CALLS)]

        def hit(number: int, known: list[CachedReview] = known) -> None:
            assert store.get(RegionKeys(known[number].exact, known[number].loose)) is not None

        figures[f"cache of {entries:,} entries: a hit"] = measured(hit)
        figures[f"cache of {entries:,} entries: a miss"] = measured(lambda _number: store.get(_UNKNOWN))
        figures[f"cache of {entries:,} entries: a write"] = measured(lambda number: store.put(record(10**6 + number)))
    store.close()
    begun = time.perf_counter()
    ResultCache.open(folder, 2**30).close()
    figures[f"cache of {ENTRIES:,} entries: open"] = [time.perf_counter() - begun]
    return figures


def ledger(folder: Path) -> dict[str, list[float]]:
    """Reservations and reports with few and with many rows."""
    figures: dict[str, list[float]] = {}
    folder.mkdir()
    books = Ledger.open(folder, time.time)
    request = ReservationRequest(1000, 100, 2000, 200, model="test:small", tier="simple")

    def pay(_number: int) -> None:
        held = books.reserve(request, _LIMITS)
        assert not isinstance(held, Denied), held
        books.commit(held, input_tokens=900, output_tokens=50, micro_usd=90)

    reached = _CALLS
    for rows in (_CALLS, ROWS):
        if rows > reached:
            _add_rows(folder / LEDGER_FILE, rows)
        figures[f"ledger of {rows:,} rows: reserve and commit"] = measured(pay)
        figures[f"ledger of {rows:,} rows: spend"] = measured(lambda _number: books.spend(_LIMITS))
        figures[f"ledger of {rows:,} rows: usage of 30 days"] = measured(lambda _number: books.usage())
        figures[f"ledger of {rows:,} rows: sweep"] = measured(lambda _number: books.sweep())
    books.close()
    begun = time.perf_counter()
    Ledger.open(folder, time.time).close()
    figures[f"ledger of {ROWS:,} rows: open"] = [time.perf_counter() - begun]
    return figures


def _copy_entries(file: Path, entries: int) -> None:
    """Copies of the rows that the cache wrote, two for each entry, under keys that nobody asks for."""
    with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
        connection.row_factory = sqlite3.Row
        columns = [row["name"] for row in connection.execute("PRAGMA table_info(Cache)") if row["name"] != "rowid"]
        copied = ", ".join({"key": "key || '-' || n"}.get(name, name) for name in columns)
        connection.execute(
            f"{_COUNTED.format(entries // _WRITTEN - 1)} "
            f"INSERT INTO Cache ({', '.join(columns)}) SELECT {copied} FROM counted, "
            f"(SELECT * FROM Cache ORDER BY rowid LIMIT {2 * _WRITTEN})"
        )


def _add_rows(file: Path, rows: int) -> None:
    """Settled reservations of the last half day, copies of one that the ledger wrote."""
    with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
        connection.row_factory = sqlite3.Row
        columns = [row["name"] for row in connection.execute("PRAGMA table_info(reservations)")]
        copied = ", ".join(
            {"id": "'copy-' || n", "made_at": "made_at - 100 - n * 0.04"}.get(name, name) for name in columns
        )
        connection.execute(
            f"{_COUNTED.format(rows)} INSERT INTO reservations ({', '.join(columns)}) SELECT {copied} FROM counted, "
            "(SELECT * FROM reservations LIMIT 1)"
        )


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(json.dumps(cache(where / "cache") | ledger(where / "state")))
