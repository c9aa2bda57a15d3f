"""Lets a fake clock pass for a real engine over real HTTP, without a word about how fast the machine is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiops_lsp.engine.deadline import DEADLINE_SECONDS
from tests.support.clock import until
from tests.support.lockstep import anything_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.core.text import TextDocument
    from tests.support.clock import FakeClock
    from tests.support.engine import Desk


class Time:
    """Lets the engine's time pass whenever nothing but time can bring it on, and no further than to its next timer."""

    def __init__(self, at: Desk, clock: FakeClock) -> None:
        self._at = at
        self.clock = clock

    @property
    def _engine_works(self) -> bool:
        """Whether the engine has something to do, on its loop or on threads, or waits for a program or a provider."""
        if anything_ready() or self._at.on_threads:
            return True
        if any(slot.running for slot in self._at.reviewer._scheduler._slots.values()):
            return True  # a look waits for no time, but for git
        assembly = self._at.reviewer._assembly
        requests = assembly.dispatcher._requests if assembly is not None else ()
        return not all(self.clock.is_asleep(request) for request in requests)

    async def until(self, condition: Callable[[], object], seconds: float) -> None:
        """Let at most `seconds` pass until `condition` holds."""
        end = self.clock.monotonic() + seconds
        deadline = asyncio.get_running_loop().time() + 60
        while not condition():
            assert self.clock.monotonic() <= end, f"the state did not come within {seconds} s"
            assert asyncio.get_running_loop().time() < deadline, "the engine stands still"
            if self._engine_works:
                await asyncio.sleep(0.001)
            else:
                await self.clock.step(max(0.25, seconds / 200))

    async def rest(self, document: TextDocument) -> None:
        """Wait until the document is looked at, and everything that it needs is sent, retried, answered or given up."""
        await until(lambda: self._at.reviewer.status().documents[0].regions > 0)
        await self.until(lambda: not self._at.reviewer.is_busy(document.uri), DEADLINE_SECONDS)
