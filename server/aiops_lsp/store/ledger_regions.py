"""What all windows know of single regions: who is asking for one right now, and which ones failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.store.database import chunks, storable
from aiops_lsp.store.ledger_part import LedgerPart

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

LONGEST_LEASE_SECONDS = 3600.0
FIRST_BACK_OFF_SECONDS = 30.0
LONGEST_BACK_OFF_SECONDS = 3600.0
_FORGOTTEN_AFTER_SECONDS = 7 * 86400.0
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Failure:
    """A region that could not be reviewed `count` times; not before `next_try_at` (wall seconds) again."""

    count: int
    reason: str
    next_try_at: float


class RegionRecords(LedgerPart):
    """Leases and failures, by the exact keys of regions."""

    def lease(self, keys: Iterable[str], holder: str, seconds: float) -> set[str]:
        """Take the leases of `keys` for `holder` and return those that were granted.

        A key is granted when nobody else holds it: it is free, expired, or already the holder's own, which
        prolongs it. A lease lasts `seconds`, at most an hour, and ends by itself when its holder dies.
        """
        now = self._now()
        expires_at = now + min(seconds, LONGEST_LEASE_SECONDS)
        wanted = set(keys)
        granted: set[str] = set()
        with self._database.write(durable=False) as connection:
            for key in wanted:
                # One that ends later than any lease may was given before the clock was set back: it is void.
                cursor = connection.execute(
                    "INSERT INTO leases VALUES (:key, :holder, :expires_at) ON CONFLICT (key) DO UPDATE "
                    "SET holder = :holder, expires_at = :expires_at "
                    "WHERE holder = :holder OR expires_at <= :now OR expires_at > :latest",
                    {
                        "key": key,
                        "holder": holder,
                        "expires_at": expires_at,
                        "now": now,
                        "latest": now + LONGEST_LEASE_SECONDS,
                    },
                )
                if cursor.rowcount == 1:
                    granted.add(key)
        return granted

    def release_lease(self, keys: Iterable[str], holder: str) -> None:
        """Give back those leases of `keys` that `holder` has."""
        with self._database.write(durable=False) as connection:
            connection.executemany(
                "DELETE FROM leases WHERE key = ? AND holder = ?", [(key, holder) for key in set(keys)]
            )

    def note_failure(self, key: str, reason: str) -> Failure:
        """Remember that the region with `key` could not be reviewed, in words without source text.

        Each failure in a row makes the wait four times as long: 30 s, 2 min, 8 min, 32 min, 1 h.
        """
        now = self._now()
        with self._database.write(durable=False) as connection:
            row = connection.execute("SELECT count FROM failures WHERE key = ?", (key,)).fetchone()
            count = 1 + (row[0] if row is not None else 0)
            wait = min(FIRST_BACK_OFF_SECONDS * 4.0 ** min(count - 1, 10), LONGEST_BACK_OFF_SECONDS)
            failure = Failure(count, storable(reason[:_LONGEST_REASON]), now + wait)
            connection.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?)",
                (key, failure.count, failure.reason, now, failure.next_try_at),
            )
            return failure

    def failures(self, keys: Iterable[str]) -> dict[str, Failure]:
        """What is known of those of `keys` that failed."""
        now = self._now()
        found: dict[str, Failure] = {}
        with self._database.read() as connection:
            for some, marks in chunks(keys):
                for key, count, reason, next_try_at in connection.execute(
                    f"SELECT key, count, reason, next_try_at FROM failures WHERE key IN ({marks})",  # noqa: S608 - marks only
                    some,
                ):
                    # After the clock was set back a wait is no longer than the longest.
                    found[key] = Failure(count, reason, min(next_try_at, now + LONGEST_BACK_OFF_SECONDS))
        return found

    def clear_failures(self, keys: Iterable[str]) -> None:
        """Forget the failures of `keys`: they were reviewed, or are asked for anew."""
        with self._database.write(durable=False) as connection:
            connection.executemany("DELETE FROM failures WHERE key = ?", [(key,) for key in set(keys)])

    def _forget_regions(self, connection: sqlite3.Connection, now: float) -> int:
        """Remove expired leases and week-old failures."""
        expired = connection.execute(
            "DELETE FROM leases WHERE expires_at <= ? OR expires_at > ?", (now, now + LONGEST_LEASE_SECONDS)
        ).rowcount
        old = connection.execute("DELETE FROM failures WHERE noted_at < ?", (now - _FORGOTTEN_AFTER_SECONDS,)).rowcount
        return expired + old
