"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class _Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Implements the engine's `Clock`; time passes only in `advance`."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._start = start
        self._now = 0.0
        self._order = itertools.count()
        self._due: list[tuple[float, int, _Timer, Callable[[], None]]] = []
        self._asleep: set[asyncio.Task[object] | None] = set()

    def wall(self) -> float:
        return self._start + self._now

    def monotonic(self) -> float:
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer()
        heapq.heappush(self._due, (self._now + max(0.0, seconds), next(self._order), timer, callback))
        return timer

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.call_later(seconds, wake)
        task = asyncio.current_task()
        self._asleep.add(task)
        try:
            await done
        finally:
            self._asleep.discard(task)
            timer.cancel()

    def is_asleep(self, task: asyncio.Task[object]) -> bool:
        """Whether `task` waits for this clock."""
        return task in self._asleep

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass: each timer that falls due runs at its own moment, and the loop settles after it."""
        end = self._now + seconds
        await settle()
        while self._due and self._due[0][0] <= end:
            due, _, timer, callback = heapq.heappop(self._due)
            self._now = max(self._now, due)
            if not timer.cancelled:
                callback()
                await settle()
        self._now = end
        await settle()

    async def step(self, most: float) -> None:
        """Let time pass as far as the next timer that falls due, and for `most` seconds at most."""
        due = self.next_due
        await self.advance(most if due is None else max(0.0, min(most, due - self._now)))

    @property
    def next_due(self) -> float | None:
        """When the next timer that is set falls due; None when none is."""
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    @property
    def waiting(self) -> int:
        """How many timers are set."""
        return sum(not timer.cancelled for _, _, timer, _ in self._due)


async def settle(turns: int = 20) -> None:
    """Let every task that is ready run, and those that it makes ready."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(
    condition: Callable[[], object], seconds: float = 20.0, seen: Callable[[], object] = lambda: ""
) -> None:
    """Wait for a state. Fails, rather than hangs, when it does not come, and then says what `seen` gives."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"the state did not come within {seconds} s {seen()}")
        await asyncio.sleep(0.002)
