"""The ledger: what passes, what is booked, and that no sequence of events crosses a limit."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lsp.store.budget import Fit, fit, fraction, reserved
from aiops_lsp.store.database import Database
from aiops_lsp.store.ledger import (
    LEDGER_FILE,
    DeniedReason,
    Ledger,
    Limits,
    PeriodKind,
    Reservation,
    ReservationRequest,
)
from tests.support.ledger import (
    DAY,
    FAST_FOLDER,
    MIDNIGHT,
    NOON,
    WallClock,
    asking,
    commit,
    held,
    opened,
    pending,
    refused,
    used,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

LIMITED = Limits(daily_tokens=1000, monthly_micro_usd=1000, requests_per_minute=100)


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: WallClock) -> Iterator[Ledger]:
    ledger = opened(tmp_path, clock)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(
    ("limit", "used_before", "in_flight", "hard", "expected"),
    [
        (100, 0, 0, 100, Fit.FITS),
        (100, 0, 0, 101, Fit.NO),
        (100, 60, 30, 10, Fit.FITS),
        (100, 60, 31, 10, Fit.AFTER_IN_FLIGHT),
        (100, 91, 0, 10, Fit.NO),
        (100, 150, 0, 0, Fit.FITS),
        (None, 10**12, 0, 10**9, Fit.FITS),
        (0, 0, 0, 1, Fit.NO),
    ],
)
def test_one_inequality_decides(limit: int | None, used_before: int, in_flight: int, hard: int, expected: Fit) -> None:
    assert fit(limit, used_before, in_flight, hard) is expected


@pytest.mark.parametrize(
    ("limit", "used_before", "expected", "hard", "counted"),
    [(1000, 0, 40, 100, 40), (1000, 860, 40, 100, 40), (1000, 861, 40, 100, 100), (None, 10**9, 40, 100, 40)],
)
def test_hard_caps_are_reserved_when_less_is_left_than_is_in_flight(
    limit: int | None, used_before: int, expected: int, hard: int, counted: int
) -> None:
    assert reserved(limit, used_before, expected, hard) == counted


@pytest.mark.parametrize(
    ("limit", "used_before", "expected", "hard", "share"),
    [(None, 5, 5, 5, 0.0), (0, 0, 0, 0, 0.0), (0, 1, 0, 0, 1.0), (100, 80, 0, 0, 0.8), (100, 50, 10, 30, 0.6)],
)
def test_pressure_is_the_fraction_that_is_spent_or_reserved(
    limit: int | None, used_before: int, expected: int, hard: int, share: float
) -> None:
    spent = used_before + reserved(limit, used_before, expected, hard)
    assert fraction(limit, spent) == pytest.approx(share)


def test_a_reservation_is_booked_as_billed_and_only_once(ledger: Ledger) -> None:
    limits = Limits(daily_tokens=1000, monthly_micro_usd=1000)
    reservation = held(ledger.reserve(asking(300, 100), limits))
    spend = ledger.spend()
    assert (spend.day.tokens, spend.day.reserved_tokens, spend.month.reserved_micro_usd) == (0, 100, 100)

    assert ledger.commit(
        reservation, input_tokens=90, output_tokens=20, cache_read_tokens=30, cache_write_tokens=5, micro_usd=77
    )
    assert not commit(ledger, reservation, 5)
    assert not ledger.commit_in_full(reservation)
    assert not ledger.release(reservation)

    spend = ledger.spend()
    assert (spend.day.tokens, spend.day.reserved_tokens) == (110, 0)
    assert (spend.month.micro_usd, spend.month.reserved_micro_usd) == (77, 0)
    (row,) = ledger.usage(1)
    assert (row.day, row.model, row.tier, row.requests) == ("2026-11-22", "openai:m", "simple", 1)
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens) == (90, 20, 30, 5)
    assert (row.assumed_tokens, row.micro_usd, row.tokens) == (0, 77, 110)


def test_a_released_reservation_leaves_no_trace(ledger: Ledger, tmp_path: Path) -> None:
    limits = Limits(daily_tokens=300, requests_per_minute=1)
    reservation = held(ledger.reserve(asking(300), limits))
    assert ledger.release(reservation)
    assert not ledger.release(reservation)
    assert used(ledger) == (0, 0)
    assert ledger.usage() == []
    held(ledger.reserve(asking(300), limits))


def test_unknown_usage_is_booked_at_the_hard_cap_until_the_truth_comes(ledger: Ledger) -> None:
    reservation = held(ledger.reserve(asking(300, 100), Limits()))
    assert ledger.commit_in_full(reservation)
    assert used(ledger) == (300, 300)
    assert ledger.usage()[0].assumed_tokens == 300

    assert commit(ledger, reservation, 120)
    assert used(ledger) == (120, 120)
    (row,) = ledger.usage()
    assert (row.requests, row.input_tokens, row.assumed_tokens) == (1, 120, 0)


def test_what_a_crashed_process_had_in_flight_is_swept_as_spent(tmp_path: Path, clock: WallClock) -> None:
    crashed, survivor = opened(tmp_path, clock), opened(tmp_path, clock)
    lost = held(crashed.reserve(asking(300, 100, expires_in=60), Limits()))
    unsent = held(crashed.reserve(asking(500, 100, expires_in=60), Limits()))
    clock.now += 59
    assert survivor.sweep() == 0
    clock.now += 1
    assert survivor.sweep() == 2
    assert survivor.sweep() == 0
    assert used(survivor) == (800, 800)
    assert pending(tmp_path) == 0
    # It was not dead, only slow: the truth still counts.
    assert commit(crashed, lost, 50)
    assert crashed.release(unsent)
    assert used(survivor) == (50, 50)


@pytest.mark.parametrize(
    ("limits", "share", "reason", "of_share"),
    [
        (Limits(daily_tokens=99), None, DeniedReason.DAILY_TOKENS, False),
        (Limits(monthly_micro_usd=99), None, DeniedReason.MONTHLY_COST, False),
        (Limits(requests_per_minute=0), None, DeniedReason.RATE, False),
        (Limits(daily_tokens=1000), Limits(daily_tokens=99), DeniedReason.DAILY_TOKENS, True),
        (Limits(), Limits(monthly_micro_usd=99), DeniedReason.MONTHLY_COST, True),
        (Limits(requests_per_minute=9), Limits(requests_per_minute=0), DeniedReason.RATE, False),
    ],
)
def test_a_denied_request_says_why_and_writes_nothing(
    ledger: Ledger, tmp_path: Path, limits: Limits, share: Limits | None, reason: DeniedReason, of_share: bool
) -> None:
    def written() -> tuple[bytes, bytes]:
        return (tmp_path / LEDGER_FILE).read_bytes(), (tmp_path / f"{LEDGER_FILE}-wal").read_bytes()

    before = written()
    answer = refused(ledger.reserve(asking(100, project="/p"), limits, share))
    assert (answer.reason, answer.share) == (reason, of_share)
    assert answer.words
    assert written() == before


def test_the_limits_reset_with_day_and_month(ledger: Ledger, clock: WallClock) -> None:
    tokens, cost = Limits(daily_tokens=100), Limits(monthly_micro_usd=100)
    commit(ledger, held(ledger.reserve(asking(100), tokens)), 100)
    assert refused(ledger.reserve(asking(1), tokens)).retry_at == MIDNIGHT
    assert refused(ledger.reserve(asking(1), cost)).retry_at == NOON + 8.5 * DAY
    assert "2026-12-01 00:00" in refused(ledger.reserve(asking(1), cost)).words
    clock.now = MIDNIGHT
    held(ledger.reserve(asking(1), tokens))
    refused(ledger.reserve(asking(1), cost))
    clock.now = NOON + 8.5 * DAY
    held(ledger.reserve(asking(1), cost))


def test_a_request_is_booked_to_the_day_that_it_was_reserved_on(ledger: Ledger, clock: WallClock) -> None:
    late = held(ledger.reserve(asking(100), Limits()))
    clock.now = MIDNIGHT + 1
    held(ledger.reserve(asking(7), Limits()))
    commit(ledger, late, 100)
    assert ledger.spend().day.tokens == 0
    assert [(row.day, row.tokens) for row in ledger.usage()] == [("2026-11-22", 100)]


def test_requests_in_flight_are_told_from_a_spent_limit(ledger: Ledger) -> None:
    limits = Limits(daily_tokens=100)
    first = held(ledger.reserve(asking(90), limits))
    assert refused(ledger.reserve(asking(50), limits)).in_flight
    commit(ledger, first, 60)
    assert not refused(ledger.reserve(asking(50), limits)).in_flight


def test_what_costs_nothing_passes_a_spent_money_limit(ledger: Ledger) -> None:
    free = ReservationRequest(10, 0, 10, 0, model="local:m", tier="simple")
    held(ledger.reserve(free, Limits(monthly_micro_usd=0)))
    refused(ledger.reserve(asking(1), Limits(monthly_micro_usd=0)))


def test_a_project_has_its_own_share(ledger: Ledger) -> None:
    limits, share = Limits(daily_tokens=1000, monthly_micro_usd=10**9), Limits(daily_tokens=100)
    commit(ledger, held(ledger.reserve(asking(100, project="/a"), limits, share)), 100)
    assert refused(ledger.reserve(asking(1, project="/a"), limits, share)).share
    held(ledger.reserve(asking(100, project="/b"), limits, share))
    assert ledger.spend(project="/a").day.tokens == 100
    assert ledger.spend(share, "/a").pressure(share).tokens == 1.0
    assert ledger.spend(limits).pressure(limits).tokens == pytest.approx(0.2)


def test_a_project_in_an_undecodable_folder_is_booked_as_any_other(ledger: Ledger) -> None:
    project, limits = "/home/\udce9t\udce9", Limits(daily_tokens=100)
    commit(ledger, held(ledger.reserve(asking(60, project=project), Limits(), limits)), 60)
    refused(ledger.reserve(asking(60, project=project), Limits(), limits))
    ledger.add_saved(1, 1, project)
    assert ledger.spend(project=project).day.tokens == 60
    assert ledger.spend(limits, project).pressure(limits).tokens == pytest.approx(0.6)


def test_what_is_read_together_is_of_one_moment(tmp_path: Path, clock: WallClock) -> None:
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    with one.reading():
        before = one.spend()
        held(other.reserve(asking(100), LIMITED))
        assert one.spend() == before
        assert one.spend(LIMITED).pressure(LIMITED).tokens == 0.0
    assert one.spend().day.reserved_tokens == 100
    held(one.reserve(asking(100), LIMITED))
    assert other.spend().day.reserved_tokens == 200
    one.close()
    other.close()


def test_the_rate_counts_the_requests_of_all_processes(tmp_path: Path, clock: WallClock) -> None:
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    limits = Limits(requests_per_minute=3)
    for ledger in (one, other, one):
        held(ledger.reserve(asking(1), limits))
        clock.now += 5
    answer = refused(other.reserve(asking(1), limits))
    assert (answer.reason, answer.retry_at) == (DeniedReason.RATE, NOON + 60)
    clock.now = NOON + 60
    held(other.reserve(asking(1), limits))


def test_numbers_from_outside_cannot_lower_the_books(ledger: Ledger) -> None:
    commit(ledger, held(ledger.reserve(asking(10), Limits())), -1_000_000)
    ledger.commit(held(ledger.reserve(asking(10), Limits())), input_tokens=10**30, output_tokens=0, micro_usd=10**30)
    tokens, micro_usd = used(ledger)
    assert tokens == micro_usd == 2**53


@pytest.mark.parametrize("amounts", [(-1, 0, 0, 0), (0, 0, 2**60, 0)])
def test_an_impossible_reservation_is_an_error(amounts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="amounts"):
        ReservationRequest(*amounts, model="m", tier="simple")


def test_an_overrun_is_bounded_by_what_was_in_flight(ledger: Ledger) -> None:
    """A provider that bills three times the hard cap: the excess of the requests under way, and nothing after it."""
    limits = Limits(daily_tokens=1000)
    under_way: list[Reservation] = []
    while isinstance(answer := ledger.reserve(asking(90), limits), Reservation):
        under_way.append(answer)
    for reservation in under_way:
        commit(ledger, reservation, 270)
    refused(ledger.reserve(asking(1), limits))
    assert ledger.spend().day.tokens <= 1000 + sum(270 - 90 for _ in under_way)


def test_one_warning_per_period_over_all_processes(tmp_path: Path, clock: WallClock) -> None:
    ledgers = [opened(tmp_path, clock) for _ in range(3)]

    def claims(kind: PeriodKind, threshold: float) -> int:
        return sum(ledger.claim_warning(kind, threshold) for ledger in ledgers)

    assert claims(PeriodKind.DAY, 0.8) == claims(PeriodKind.DAY, 1.0) == claims(PeriodKind.MONTH, 0.8) == 1
    assert claims(PeriodKind.DAY, 0.8) == 0
    clock.now = MIDNIGHT
    assert claims(PeriodKind.DAY, 0.8) == 1
    assert claims(PeriodKind.MONTH, 0.8) == 0


def test_compaction_keeps_the_reports_and_the_totals(ledger: Ledger, clock: WallClock) -> None:
    for _ in range(20):
        commit(ledger, held(ledger.reserve(asking(10), Limits())), 10)
    forgotten = held(ledger.reserve(asking(10), Limits()))
    clock.now += 2 * DAY
    commit(ledger, held(ledger.reserve(asking(10), Limits())), 3)
    assert ledger.compact() == 21
    assert ledger.compact() == 0
    assert [(row.day, row.tokens) for row in ledger.usage()] == [("2026-11-22", 210), ("2026-11-24", 3)]
    assert ledger.spend().month.tokens == 213
    assert not commit(ledger, forgotten, 1)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, ["2026-11-24"]),
        (2, ["2026-11-24"]),
        (3, ["2026-11-22", "2026-11-24"]),
        (10**9, ["2026-11-22", "2026-11-24"]),
    ],
)
def test_usage_goes_back_as_many_days_as_asked(
    ledger: Ledger, clock: WallClock, days: int, expected: list[str]
) -> None:
    for moment in (NOON, NOON + 2 * DAY):
        clock.now = moment
        commit(ledger, held(ledger.reserve(asking(10), Limits())), 10)
        ledger.add_saved(5, 6, "/p", "python")
        ledger.add_saved(5, 6, "/p", "python", regions=2)
    assert [row.day for row in ledger.usage(days)] == expected
    assert [row.day for row in ledger.saved(days)] == expected
    saved = ledger.saved(1)[0]
    assert (saved.project, saved.language, saved.regions, saved.tokens, saved.micro_usd) == ("/p", "python", 3, 10, 12)


def test_token_ratios_are_learned_and_bounded(ledger: Ledger) -> None:
    assert ledger.ratio("m", "python") is None
    ledger.learn("m", "python", 1000, 1200)
    assert ledger.ratio("m", "python") == pytest.approx(1.2)
    assert ledger.ratio("m", "go") is None
    ledger.learn("m", "python", 1000, 10**9)
    assert ledger.ratio("m", "python") == pytest.approx(2.1)
    for _ in range(500):
        ledger.learn("m", "python", 4000, 1)
    assert ledger.ratio("m", "python") == pytest.approx(0.5, abs=0.01)
    ledger.learn("m", "go", 0, 5)
    assert ledger.ratio("m", "go") is None


@given(samples=st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**9)), min_size=1, max_size=20))
@settings(max_examples=25)
def test_a_ratio_stays_in_its_bounds(samples: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory(dir=FAST_FOLDER) as folder:
        ledger = opened(folder, WallClock())
        for estimated, actual in samples:
            ledger.learn("m", "python", estimated, actual)
        ratio = ledger.ratio("m", "python")
        ledger.close()
    assert ratio is not None
    assert 0.5 <= ratio <= 3.0


def test_compaction_gives_space_back_in_steps(ledger: Ledger, clock: WallClock, tmp_path: Path) -> None:
    commit(ledger, held(ledger.reserve(asking(10), Limits())), 10)
    connection = ledger._database._connection
    assert connection is not None
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO reservations SELECT i, 'committed', '1', made_at, expires_at, day_id, month_id, day, model, tier, "
        "project, language, purpose, 1, 1, 1, 1 FROM reservations, n"
    )
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    clock.now += 2 * DAY
    steps = [ledger.compact() for _ in range(5)]
    assert steps == [2000, 2000, 1001, 0, 0]
    assert connection.execute("PRAGMA page_count").fetchone()[0] < pages / 4
    assert ledger.usage()[0].tokens == 10


def test_no_call_reads_all_reservations(ledger: Ledger) -> None:
    """With a million rows each call is as fast as with ten: none goes through them all."""
    reservation = held(ledger.reserve(asking(10, project="/p"), LIMITED, LIMITED))
    connection = ledger._database._connection
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    ledger.reserve(asking(10, project="/p"), LIMITED, LIMITED)
    commit(ledger, reservation, 10)
    ledger.sweep()
    ledger.spend()
    ledger.usage(1)
    ledger.lease(["a"], "one", 1)
    ledger.failures(["a"])
    connection.set_trace_callback(None)
    plans = [
        str(row[3])
        for statement in statements
        if statement.startswith(("SELECT", "UPDATE", "DELETE"))
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert any(plan.startswith("SEARCH") and "reservations" in plan for plan in plans)
    # The index of pending reservations holds only what is in flight.
    assert not [plan for plan in plans if plan.startswith("SCAN") and "reservations_pending" not in plan]


@dataclass
class _World:
    """Three processes on one ledger, a provider that bills, and what each process has in flight."""

    folder: str
    clock: WallClock = field(default_factory=WallClock)
    ledgers: list[Ledger] = field(default_factory=list)
    in_flight: list[list[Reservation]] = field(default_factory=lambda: [[], [], []])
    billed: int = 0

    def __post_init__(self) -> None:
        self.ledgers = [opened(self.folder, self.clock) for _ in range(3)]

    def step(self, action: str, process: int, amount: int, limits: Limits) -> None:
        ledger, mine = self.ledgers[process], self.in_flight[process]
        if action == "reserve":
            answer = ledger.reserve(asking(amount, amount // 3, expires_in=60), limits)
            if isinstance(answer, Reservation):
                mine.append(answer)
        elif action == "sweep":
            ledger.sweep()
        elif action == "wait":
            self.clock.now += amount
        elif action == "crash":
            # The provider bills what was under way, up to its hard cap, and nobody books it.
            self.billed += sum(one.request.hard_tokens for one in mine)
            mine.clear()
        elif mine:
            self.finish(action, ledger, mine.pop(amount % len(mine)), amount)

    def finish(self, action: str, ledger: Ledger, reservation: Reservation, amount: int) -> None:
        bill = amount % (reservation.request.hard_tokens + 1)
        if action == "release":
            ledger.release(reservation)
            return
        self.billed += bill
        if action == "in_full":
            ledger.commit_in_full(reservation)
        else:
            commit(ledger, reservation, bill)
            commit(ledger, reservation, bill)


_ACTIONS = st.sampled_from(["reserve"] * 4 + ["commit"] * 3 + ["release", "in_full", "crash", "sweep", "wait"])


@given(
    steps=st.lists(st.tuples(_ACTIONS, st.integers(0, 2), st.integers(0, 120)), max_size=60),
    limit=st.integers(0, 900),
    limited=st.sampled_from(["tokens", "cost"]),
)
@settings(max_examples=150)
def test_what_is_billed_never_exceeds_the_limit(steps: list[tuple[str, int, int]], limit: int, limited: str) -> None:
    """Whatever several processes do, as long as the provider bills no request above its hard cap."""
    limits = Limits(daily_tokens=limit) if limited == "tokens" else Limits(monthly_micro_usd=limit)
    with tempfile.TemporaryDirectory(dir=FAST_FOLDER) as folder:
        world = _World(folder)
        for step in steps:
            world.step(*step, limits)
            tokens, micro_usd = used(world.ledgers[0])
            assert tokens == micro_usd <= limit
            assert world.billed <= limit
        world.clock.now += 61
        world.ledgers[0].sweep()
        spend = world.ledgers[0].spend()
        assert (spend.day.reserved_tokens, spend.month.reserved_micro_usd) == (0, 0)
        assert world.billed <= spend.day.tokens == spend.month.micro_usd <= limit
        assert sum(row.tokens for row in world.ledgers[0].usage()) == spend.day.tokens
        for ledger in world.ledgers:
            ledger.close()


def test_only_what_holds_or_books_money_waits_for_the_disk(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where power is lost, leases, lessons and counts may be lost with it; held money and what was billed may not."""
    write, waits = Database.write, list[bool]()

    @contextmanager
    def watched(database: Database, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        with write(database, durable=durable) as connection:
            waits.append(connection.execute("PRAGMA synchronous").fetchone() == (2,))
            yield connection

    monkeypatch.setattr(Database, "write", watched)
    kept, billed, unknown = (held(ledger.reserve(asking(10), Limits())) for _ in range(3))
    ledger.release(kept)
    commit(ledger, billed, 1)
    ledger.commit_in_full(unknown)
    assert waits == [True] * 6
    waits.clear()
    ledger.lease(["a"], "me", 60)
    ledger.release_lease(["a"], "me")
    ledger.note_failure("a", "no answer")
    ledger.clear_failures(["a"])
    ledger.learn("m", "python", 10, 12)
    ledger.add_saved(1, 1)
    assert waits == [False] * 6
