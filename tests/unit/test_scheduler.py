from __future__ import annotations

import asyncio

import pytest

from aiops_lsp.engine.scheduler import Scheduler
from tests.support.clock import FakeClock, settle


class Runs:
    """Counts runs and lets a test hold them open."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.finished: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, key: str) -> None:
        self.started.append(key)
        await self.gate.wait()
        self.finished.append(key)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def scheduler(clock: FakeClock, runs: Runs) -> Scheduler:
    return Scheduler(clock, runs)


async def test_each_postponement_starts_the_wait_again(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    for _ in range(5):
        scheduler.postpone("a", 0.6)
        await clock.advance(0.5)
    assert runs.started == []
    await clock.advance(0.1)
    assert runs.started == ["a"]
    assert scheduler.is_idle("a")


async def test_keys_do_not_wait_for_each_other(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    scheduler.postpone("a", 0.6)
    scheduler.postpone("b", 0.2)
    await clock.advance(0.3)
    assert runs.started == ["b"]


async def test_by_never_delays_what_is_due_earlier(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    scheduler.postpone("a", 0.6)
    scheduler.by("a", 5.0)
    await clock.advance(0.6)
    assert runs.started == ["a"]
    scheduler.by("a", 5.0)
    scheduler.by("a", 1.0)
    await clock.advance(1.0)
    assert runs.started == ["a", "a"]


async def test_now_cancels_the_wait(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    scheduler.postpone("a", 0.6)
    scheduler.now("a")
    await clock.advance(10)
    assert runs.started == ["a"]


async def test_what_comes_while_a_run_is_under_way_joins_one_run_after_it(runs: Runs, scheduler: Scheduler) -> None:
    runs.gate.clear()
    scheduler.now("a")
    await settle()
    for _ in range(4):
        scheduler.now("a")
    await settle()
    assert runs.started == ["a"]
    runs.gate.set()
    await settle()
    assert runs.started == ["a", "a"]
    assert runs.finished == ["a", "a"]
    assert scheduler.is_idle("a")


async def test_forget_drops_what_waits_and_lets_the_run_end(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    runs.gate.clear()
    scheduler.now("a")
    await settle()
    scheduler.now("a")
    scheduler.postpone("b", 1)
    scheduler.forget("a")
    scheduler.forget("b")
    runs.gate.set()
    await clock.advance(10)
    assert runs.finished == ["a"]
    assert clock.waiting == 0


async def test_a_run_that_fails_is_logged_and_the_next_one_goes(
    caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    calls: list[str] = []

    async def run(key: str) -> None:
        calls.append(key)
        if len(calls) == 1:
            raise RuntimeError("broken")

    scheduler = Scheduler(clock, run)
    scheduler.now("a")
    await settle()
    scheduler.now("a")
    await settle()
    assert calls == ["a", "a"]
    assert "run a failed" in caplog.text


async def test_closing_cancels_runs_and_timers(clock: FakeClock, runs: Runs, scheduler: Scheduler) -> None:
    runs.gate.clear()
    scheduler.now("a")
    scheduler.postpone("b", 1)
    await settle()
    await scheduler.aclose()
    await clock.advance(5)
    assert runs.started == ["a"]
    assert runs.finished == []
