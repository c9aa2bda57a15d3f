"""Days and months: no setting of the clock or the time zone opens a second budget."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lsp.store.budget import Limits
from aiops_lsp.store.periods import Period, PeriodKind, local_utc_offset, local_words, period_at
from tests.support.ledger import DAY, NOON, WallClock, asking, commit, held, opened, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def zone(name: str) -> Callable[[float], float]:
    def offset(moment: float) -> float:
        delta = datetime.fromtimestamp(moment, ZoneInfo(name)).utcoffset()
        assert delta is not None
        return delta.total_seconds()

    return offset


@pytest.mark.parametrize(
    ("kind", "now", "where", "starts", "ends", "label"),
    [
        ("day", "2026-11-22 12:00", "UTC", "2026-11-22 00:00", "2026-11-23 00:00", "2026-11-22"),
        ("day", "2026-11-22 00:00", "UTC", "2026-11-22 00:00", "2026-11-23 00:00", "2026-11-22"),
        ("day", "2026-11-22 20:00", "Asia/Tokyo", "2026-11-22 15:00", "2026-11-23 15:00", "2026-11-23"),
        ("day", "2026-03-29 12:00", "Europe/Berlin", "2026-03-28 23:00", "2026-03-29 22:00", "2026-03-29"),
        ("day", "2026-10-25 00:30", "Europe/Berlin", "2026-10-24 22:00", "2026-10-25 23:00", "2026-10-25"),
        ("month", "2026-12-31 23:59", "UTC", "2026-12-01 00:00", "2027-01-01 00:00", "2026-12"),
        ("month", "2026-12-31 23:59", "Asia/Tokyo", "2026-12-31 15:00", "2027-01-31 15:00", "2027-01"),
        ("month", "2026-03-31 12:00", "Europe/Berlin", "2026-02-28 23:00", "2026-03-31 22:00", "2026-03"),
        ("month", "2028-02-29 12:00", "UTC", "2028-02-01 00:00", "2028-03-01 00:00", "2028-02"),
    ],
)
def test_a_period_is_the_local_calendar_s(kind: str, now: str, where: str, starts: str, ends: str, label: str) -> None:
    period = period_at(PeriodKind(kind), at(now), None, zone(where))
    assert period == Period(PeriodKind(kind), at(starts), at(ends), label)


@pytest.mark.parametrize(
    ("kind", "last_ends", "now", "where", "starts", "ends"),
    [
        # A flight to the west: the Tokyo day has ended; 17 hours are left of the local one, too few for a day.
        ("day", "2026-11-22 15:00", "2026-11-22 15:00", "America/Los_Angeles", "2026-11-22 15:00", "2026-11-24 08:00"),
        # The last of the month in Tokyo, then Los Angeles, where it is still November: no month of 17 hours.
        (
            "month",
            "2026-11-30 15:00",
            "2026-11-30 16:00",
            "America/Los_Angeles",
            "2026-11-30 15:00",
            "2027-01-01 08:00",
        ),
        # A flight to the east: the new day has begun there long ago; it joins the next.
        ("day", "2026-11-23 08:00", "2026-11-23 09:00", "Asia/Tokyo", "2026-11-23 08:00", "2026-11-24 15:00"),
        ("day", "2026-11-22 01:00", "2026-11-22 12:00", "UTC", "2026-11-22 01:00", "2026-11-23 00:00"),
    ],
)
def test_a_new_period_never_starts_before_the_last_has_ended(
    kind: str, last_ends: str, now: str, where: str, starts: str, ends: str
) -> None:
    last = Period(PeriodKind(kind), 0.0, at(last_ends), "last", 1)
    period = period_at(PeriodKind(kind), at(now), last, zone(where))
    assert (period.starts_at, period.ends_at) == (at(starts), at(ends))


@pytest.mark.parametrize(
    ("what", "steps", "allowed"),
    [
        ("the clock is set back", [(-3 * DAY, 0)], 1),
        ("the clock is set forward and back again", [(2 * DAY, 0), (-2 * DAY, 0), (HOUR, 0), (DAY, 0)], 2),
        ("the clock jumps to and fro", [(DAY, 0), (-DAY, 0)] * 5, 2),
        ("the time zone goes around the world", [(0, offset * HOUR) for offset in range(-12, 15)], 1),
        ("the time zone changes at each turn of the day", [(13 * HOUR, 12 * HOUR), (2 * HOUR, -9 * HOUR)], 2),
        ("two days pass", [(DAY, 0), (DAY, 0)], 3),
    ],
)
def test_clock_and_time_zone_open_no_hole(
    tmp_path: Path, what: str, steps: list[tuple[float, float]], allowed: int
) -> None:
    """Each step moves the clock and sets the offset; a day's budget is then spent as often as it is let."""
    clock, limits = WallClock(NOON), Limits(daily_tokens=100)
    spent = 0
    for forward, offset in [(0.0, 0.0), *steps]:
        clock.now += forward
        clock.offset = offset
        ledger = opened(tmp_path, clock)
        answer = ledger.reserve(asking(100), limits)
        if not hasattr(answer, "retry_at"):
            commit(ledger, held(answer), 100)
            spent += 1
        ledger.close()
    assert spent == allowed, what


def test_a_period_from_the_future_is_explained(tmp_path: Path) -> None:
    clock = WallClock(NOON + 30 * DAY)
    ledger = opened(tmp_path, clock)
    commit(ledger, held(ledger.reserve(asking(100), Limits())), 100)
    clock.now = NOON
    assert "the clock was ahead" in refused(ledger.reserve(asking(1), Limits(daily_tokens=100))).words


@given(
    moves=st.lists(
        st.tuples(st.floats(-3 * DAY, 3 * DAY, allow_nan=False), st.integers(-12 * 4, 14 * 4)), min_size=1, max_size=40
    ),
    kind=st.sampled_from(PeriodKind),
)
@settings(max_examples=300)
def test_periods_follow_each_other_and_none_is_short(moves: list[tuple[float, int]], kind: PeriodKind) -> None:
    """Whatever clock and zone do: periods do not overlap, and each is most of a day or month long."""
    clock, periods = WallClock(NOON), list[Period]()
    for forward, quarters in moves:
        clock.now += forward
        clock.offset = quarters * 900.0
        last = periods[-1] if periods else None
        period = period_at(kind, clock.now, last, clock.utc_offset)
        assert clock.now < period.ends_at
        if period is not last:
            periods.append(period)
    shortest = {PeriodKind.DAY: 20 * HOUR, PeriodKind.MONTH: 20 * DAY}[kind]
    for earlier, later in pairwise(periods):
        assert later.starts_at >= earlier.ends_at
    assert all(period.ends_at - period.starts_at >= shortest for period in periods)


def test_local_time_is_said_as_people_read_it() -> None:
    assert local_words(NOON, lambda _moment: 9 * HOUR) == "2026-11-22 21:00"
    assert abs(local_utc_offset(NOON)) <= 14 * HOUR
