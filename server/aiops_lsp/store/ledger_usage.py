"""What was used, day by day; what the cache saved; how far the token estimates are off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from aiops_lsp.store.budget import MAX_AMOUNT
from aiops_lsp.store.database import storable
from aiops_lsp.store.ledger_part import LedgerPart

if TYPE_CHECKING:
    import sqlite3

LOWEST_RATIO = 0.5
HIGHEST_RATIO = 3.0
_RATIO_MEMORY = 200_000  # tokens: about the last fifty requests decide the learned ratio


@dataclass(frozen=True, slots=True)
class Booking:
    """What a settled request is booked with.

    `input_tokens` includes those that the provider read from or wrote to its cache. `assumed_tokens` stand in where
    nobody knows the true ones.
    """

    micro_usd: int
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    assumed_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All tokens that count against a limit."""
        return self.input_tokens + self.output_tokens + self.assumed_tokens


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Settled requests of one kind on one local day (2026-11-22)."""

    day: str
    model: str
    tier: str
    project: str
    language: str
    purpose: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    assumed_tokens: int
    micro_usd: int

    @property
    def tokens(self) -> int:
        """All tokens that count against a limit."""
        return self.input_tokens + self.output_tokens + self.assumed_tokens


@dataclass(frozen=True, slots=True)
class SavedRow:
    """What cached results made unnecessary on one local day: regions, and the tokens and dollars they had cost."""

    day: str
    project: str
    language: str
    regions: int
    tokens: int
    micro_usd: int


class UsageRecords(LedgerPart):
    """The ledger's reports, and the ratios learned from them."""

    def usage(self, days: int = 30) -> list[UsageRow]:
        """The usage of the last `days` local days, today included, oldest first."""
        with self._database.read() as connection:
            return [
                UsageRow(*row)
                for row in connection.execute(
                    "SELECT day, model, tier, project, language, purpose, requests, input_tokens, output_tokens, "
                    "cache_read_tokens, cache_write_tokens, assumed_tokens, micro_usd FROM usage WHERE day >= ? "
                    "ORDER BY day, model, tier, project, language, purpose",
                    (self._first_day(connection, days),),
                )
            ]

    def saved(self, days: int = 30) -> list[SavedRow]:
        """What the cache saved on the last `days` local days, today included, oldest first."""
        with self._database.read() as connection:
            return [
                SavedRow(*row)
                for row in connection.execute(
                    "SELECT day, project, language, regions, tokens, micro_usd FROM saved WHERE day >= ? "
                    "ORDER BY day, project, language",
                    (self._first_day(connection, days),),
                )
            ]

    def add_saved(self, tokens: int, micro_usd: int, project: str = "", language: str = "", regions: int = 1) -> None:
        """Count `regions` cached results that were shown instead of asking again."""
        project = storable(project)
        with self._database.write(durable=False) as connection:
            day = self._periods(connection, self._now())[0].label
            connection.execute(
                "INSERT OR IGNORE INTO saved (day, project, language) VALUES (?, ?, ?)", (day, project, language)
            )
            connection.execute(
                "UPDATE saved SET regions = regions + ?, tokens = tokens + ?, micro_usd = micro_usd + ? "
                "WHERE day = ? AND project = ? AND language = ?",
                (bounded(regions), bounded(tokens), bounded(micro_usd), day, project, language),
            )

    def learn(self, model: str, language: str, estimated: int, actual: int) -> None:
        """Remember that `estimated` tokens turned out to be `actual`. Both must be positive to count.

        One request moves the ratio by no more than its size, and an absurd one (a provider that bills wildly) by
        no more than the bounds of a ratio.
        """
        if estimated <= 0 or actual <= 0:
            return
        estimate = float(min(estimated, _RATIO_MEMORY))
        truth = estimate * _clamped(actual / estimated)
        with self._database.write(durable=False) as connection:
            row = connection.execute(
                "SELECT estimated, actual FROM ratios WHERE model = ? AND language = ?", (model, language)
            ).fetchone()
            known, known_truth = row or (0.0, 0.0)
            fading = min(1.0, max(0.0, _RATIO_MEMORY - estimate) / known) if known else 0.0
            connection.execute(
                "INSERT OR REPLACE INTO ratios VALUES (?, ?, ?, ?)",
                (model, language, known * fading + estimate, known_truth * fading + truth),
            )

    def ratio(self, model: str, language: str) -> float | None:
        """Actual by estimated tokens of late, 0.5 to 3.0; None while nothing is known."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT estimated, actual FROM ratios WHERE model = ? AND language = ?", (model, language)
            ).fetchone()
        return _clamped(row[1] / row[0]) if row is not None and row[0] > 0 else None

    def _first_day(self, connection: sqlite3.Connection, days: int) -> str:
        today = date.fromisoformat(self._periods(connection, self._now())[0].label)
        span = min(max(days, 1) - 1, (today - date.min).days)
        return (today - timedelta(days=span)).isoformat()


def book(connection: sqlite3.Connection, day: str, kind: tuple[str, ...], booking: Booking, sign: int = 1) -> None:
    """Add one request to the usage of `day`; with sign -1 take it away again.

    `kind` is its model, tier, project, language and purpose.
    """
    connection.execute(
        "INSERT OR IGNORE INTO usage (day, model, tier, project, language, purpose) VALUES (?, ?, ?, ?, ?, ?)",
        (day, *kind),
    )
    amounts = (
        1,
        booking.input_tokens,
        booking.output_tokens,
        booking.cache_read_tokens,
        booking.cache_write_tokens,
        booking.assumed_tokens,
        booking.micro_usd,
    )
    connection.execute(
        "UPDATE usage SET requests = requests + ?, input_tokens = input_tokens + ?, "
        "output_tokens = output_tokens + ?, cache_read_tokens = cache_read_tokens + ?, "
        "cache_write_tokens = cache_write_tokens + ?, assumed_tokens = assumed_tokens + ?, micro_usd = micro_usd + ? "
        "WHERE day = ? AND model = ? AND tier = ? AND project = ? AND language = ? AND purpose = ?",
        (*(sign * amount for amount in amounts), day, *kind),
    )


def bounded(amount: int) -> int:
    """An amount from outside as one that can be booked: 0 or more, and no larger than sqlite can add up."""
    return min(max(0, amount), MAX_AMOUNT)


def _clamped(ratio: float) -> float:
    return min(max(LOWEST_RATIO, ratio), HIGHEST_RATIO)
