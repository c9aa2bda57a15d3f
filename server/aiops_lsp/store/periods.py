"""Budget periods: which day and which month a spending belongs to.

A day or month is a stretch of time with a fixed end that is written down when it begins. The clock and the time zone
are read only when the last one has ended, so that setting them never opens a second budget for time that a first one
covers. Pure functions; times are seconds since the epoch, offsets seconds east of UTC.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    UtcOffset = Callable[[float], float]


class PeriodKind(StrEnum):
    """The two lengths of a budget."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The time from `starts_at` up to and not including `ends_at`.

    `label` is the local date (2026-11-22) or month (2026-11) in which it began to be used. `id` is its row in the
    ledger, None while it has none.
    """

    kind: PeriodKind
    starts_at: float
    ends_at: float
    label: str
    id: int | None = None


# A period cut short because the last one ended inside it (the time zone changed) takes in the next one as well when
# less than this is left of it. Otherwise a flight on the last of a month would open a month of a few hours, with a
# whole month's budget.
_SHORTEST = {PeriodKind.DAY: 20 * 3600.0, PeriodKind.MONTH: 20 * 86400.0}


def period_at(kind: PeriodKind, now: float, last: Period | None, utc_offset: UtcOffset) -> Period:
    """The period that spending at `now` belongs to, given the `last` one of the ledger.

    That is `last` itself until its end has come, also when the clock says that it has not begun. Afterwards it is
    the local calendar day or month, cut to begin no earlier than the last one ended.
    """
    if last is not None and now < last.ends_at:
        return last
    starts_at, ends_at, label = _calendar(kind, now, utc_offset)
    if last is not None and starts_at < last.ends_at:
        starts_at = last.ends_at
        if ends_at - starts_at < _SHORTEST[kind]:
            ends_at = _calendar(kind, ends_at + 1, utc_offset)[1]
    return Period(kind, starts_at, ends_at, label)


def local_utc_offset(moment: float) -> float:
    """The machine's offset from UTC at `moment`, in seconds east."""
    return float(time.localtime(moment).tm_gmtoff)


def local_words(moment: float, utc_offset: UtcOffset) -> str:
    """`moment` as people read it: "2026-11-23 00:00"."""
    return f"{_local(moment, utc_offset):%Y-%m-%d %H:%M}"


def _calendar(kind: PeriodKind, now: float, utc_offset: UtcOffset) -> tuple[float, float, str]:
    """Start, end and label of the local calendar day or month that `now` is in."""
    midnight = _local(now, utc_offset).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind is PeriodKind.DAY:
        first, after, label = midnight, midnight + timedelta(days=1), f"{midnight:%Y-%m-%d}"
    else:
        first = midnight.replace(day=1)
        after, label = (first + timedelta(days=32)).replace(day=1), f"{first:%Y-%m}"
    ends_at = _moment(after, utc_offset)
    # An offset that jumps by hours (they come from outside) may put the end before now; an hour still is a period.
    return _moment(first, utc_offset), ends_at if ends_at > now else now + 3600, label


def _local(moment: float, utc_offset: UtcOffset) -> datetime:
    """Local wall time, carried as if it were UTC."""
    return datetime.fromtimestamp(moment, UTC) + timedelta(seconds=utc_offset(moment))


def _moment(local: datetime, utc_offset: UtcOffset) -> float:
    """When local wall time `local` is. Where the clocks change in between, the offset is looked up twice."""
    wall = local.timestamp()
    return wall - utc_offset(wall - utc_offset(wall))
