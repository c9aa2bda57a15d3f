"""Whether the ledger as it stands lets a request pass, and in which words it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.store.budget import Denied, DeniedReason, Fit, Limits, ReservationRequest, fit
from aiops_lsp.store.database import storable
from aiops_lsp.store.ledger_totals import EVERYTHING, totals_of
from aiops_lsp.store.periods import Period, local_words

if TYPE_CHECKING:
    import sqlite3

    from aiops_lsp.store.periods import UtcOffset

_RATE_SECONDS = 60.0
_DAY_SECONDS = 86400.0


def denial(
    connection: sqlite3.Connection,
    request: ReservationRequest,
    periods: tuple[Period, Period],
    limits: tuple[Limits, Limits | None],
    now: float,
    utc_offset: UtcOffset,
) -> Denied | None:
    """Why `request` may not pass, or None when it may.

    `periods` are the running day and month, `limits` the user's and those of the request's project. Reads only.
    """
    user, share = limits
    for limit, project in ((user, EVERYTHING), (share, storable(request.project))):
        if limit is None:
            continue
        refused = _over_tokens(connection, request, periods[0], limit, project) or _over_cost(
            connection, request, periods[1], limit, project
        )
        if refused is not None:
            reason, stands, words = refused
            period = periods[0] if reason is DeniedReason.DAILY_TOKENS else periods[1]
            return Denied(
                reason,
                period.ends_at,
                words + _reset_words(period, now, utc_offset),
                in_flight=stands is Fit.AFTER_IN_FLIGHT,
                share=limit is share,
                project=request.project,
            )
    rates = [
        limit.requests_per_minute for limit in limits if limit is not None and limit.requests_per_minute is not None
    ]
    return _over_rate(connection, min(rates), now) if rates else None


_Refusal = tuple[DeniedReason, Fit, str]


def _over_tokens(
    connection: sqlite3.Connection, request: ReservationRequest, day: Period, limits: Limits, project: str
) -> _Refusal | None:
    totals = totals_of(connection, day, project)
    stands = fit(limits.daily_tokens, totals.used_tokens, totals.hard_tokens, request.hard_tokens)
    if stands is Fit.FITS:
        return None
    words = (
        f"{_whose(project)} daily limit of {limits.daily_tokens:,} tokens has no room for this request: "
        f"{totals.used_tokens:,} are used, requests under way may take {totals.hard_tokens:,}, this one up to "
        f"{request.hard_tokens:,}"
    )
    return DeniedReason.DAILY_TOKENS, stands, words


def _over_cost(
    connection: sqlite3.Connection, request: ReservationRequest, month: Period, limits: Limits, project: str
) -> _Refusal | None:
    totals = totals_of(connection, month, project)
    stands = fit(limits.monthly_micro_usd, totals.used_micro_usd, totals.hard_micro_usd, request.hard_micro_usd)
    if stands is Fit.FITS:
        return None
    words = (
        f"{_whose(project)} monthly limit of {_usd(limits.monthly_micro_usd or 0)} has no room for this request: "
        f"{_usd(totals.used_micro_usd)} is spent, requests under way may cost {_usd(totals.hard_micro_usd)}, this one "
        f"up to {_usd(request.hard_micro_usd)}"
    )
    return DeniedReason.MONTHLY_COST, stands, words


def _over_rate(connection: sqlite3.Connection, per_minute: int, now: float) -> Denied | None:
    """Requests of the last minute, of all processes. Those from before the clock was set back do not count."""
    oldest = now + _RATE_SECONDS
    if per_minute > 0:
        row = connection.execute(
            "SELECT made_at FROM reservations WHERE made_at > ? AND made_at <= ? "
            "ORDER BY made_at DESC LIMIT 1 OFFSET ?",
            (now - _RATE_SECONDS, now, per_minute - 1),
        ).fetchone()
        if row is None:
            return None
        oldest = row[0] + _RATE_SECONDS
    return Denied(
        DeniedReason.RATE, oldest, f"no more than {per_minute} requests a minute are allowed, over all windows"
    )


def _reset_words(period: Period, now: float, utc_offset: UtcOffset) -> str:
    words = f"; it starts anew at {local_words(period.ends_at, utc_offset)}"
    if period.starts_at > now + _DAY_SECONDS:
        words += f" (the clock was ahead when the running {period.kind.value} began)"
    return words


def _whose(project: str) -> str:
    return "the project's" if project else "the"


def _usd(micro_usd: int) -> str:
    return f"{micro_usd / 1_000_000:.2f} USD"
