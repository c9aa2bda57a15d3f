"""When to look at a document again: debounce, one run at a time, and the latest state wins.

Knows neither reviews nor LSP: it runs a coroutine per key. A key has at most one run under way and one waiting; what
comes meanwhile joins the one that waits, so no run ever works on a state that was already replaced when it began.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.engine.tasks import TaskGroup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiops_lsp.engine.clock import Clock, Timer


@dataclass(slots=True)
class _Slot:
    timer: Timer | None = None
    due_at: float = 0.0
    running: bool = False
    pending: bool = False


class Scheduler:
    """Runs `run(key)` for each key that asked for it, debounced."""

    def __init__(self, clock: Clock, run: Callable[[str], Awaitable[None]]) -> None:
        self._clock = clock
        self._run = run
        self._slots: dict[str, _Slot] = {}
        self._closed = False
        self._tasks = TaskGroup()

    def postpone(self, key: str, seconds: float) -> None:
        """Run `key` once it has been left alone for `seconds`: a wait that is under way starts again."""
        self._set(key, seconds)

    def by(self, key: str, seconds: float) -> None:
        """Run `key` in `seconds` at the latest: an earlier run that is due anyway serves."""
        slot = self._slots.get(key)
        if slot is None or slot.timer is None or slot.due_at > self._clock.monotonic() + seconds:
            self._set(key, seconds)

    def now(self, key: str) -> None:
        """Run `key` at once, or right after the run that is under way."""
        if self._closed:
            return
        slot = self._slots.setdefault(key, _Slot())
        self._stop_timer(slot)
        if slot.running:
            slot.pending = True
            return
        slot.running = True
        self._tasks.start(self._work(key, slot), f"run {key}")

    def forget(self, key: str) -> None:
        """Drop what waits for `key`; a run under way ends by itself."""
        slot = self._slots.pop(key, None)
        if slot is not None:
            self._stop_timer(slot)
            slot.pending = False

    def is_idle(self, key: str, seconds: float = math.inf) -> bool:
        """Whether nothing runs for `key` or is due within `seconds`."""
        slot = self._slots.get(key)
        if slot is None:
            return True
        due = slot.timer is not None and slot.due_at - self._clock.monotonic() <= seconds
        return not (slot.running or slot.pending or due)

    async def aclose(self) -> None:
        """Forget all keys and cancel the runs. Nothing runs from here on."""
        self._closed = True
        for key in list(self._slots):
            self.forget(key)
        await self._tasks.cancel()

    def _set(self, key: str, seconds: float) -> None:
        if self._closed:
            return
        slot = self._slots.setdefault(key, _Slot())
        self._stop_timer(slot)
        slot.due_at = self._clock.monotonic() + seconds
        slot.timer = self._clock.call_later(seconds, lambda: self.now(key))

    @staticmethod
    def _stop_timer(slot: _Slot) -> None:
        if slot.timer is not None:
            slot.timer.cancel()
            slot.timer = None

    async def _work(self, key: str, slot: _Slot) -> None:
        try:
            await self._run(key)
        finally:
            slot.running = False
            if slot.pending:
                slot.pending = False
                self.now(key)
