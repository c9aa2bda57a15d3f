"""Lets a fake clock pass for a real engine over real HTTP, without a word about how fast the machine is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiops_lsp.engine.deadline import DEADLINE_SECONDS
from tests.support.clock import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.core.text import TextDocument
    from tests.support.clock import FakeClock
    from tests.support.engine import Desk


class Time:
    """Lets the engine's time pass whenever nothing but time can bring it on: no look and no request is under way."""

    def __init__(self, at: Desk, clock: FakeClock) -> None:
        self._at = at
        self.clock = clock

    @property
    def _asking(self) -> bool:
        if any(slot.running for slot in self._at.reviewer._scheduler._slots.values()):
            return True  # a look works on threads, which the clock does not drive
        assembly = self._at.reviewer._assembly
        if assembly is None or assembly.governor is None:
            return False
        most = self._at.folder.settings.limits.concurrent_requests
        return any(slots._value < most for slots in assembly.governor._slots.values())

    async def until(self, condition: Callable[[], object], seconds: float) -> None:
        """Let at most `seconds` pass until `condition` holds."""
        end = self.clock.monotonic() + seconds
        deadline = asyncio.get_running_loop().time() + 60
        while not condition():
            assert self.clock.monotonic() <= end, f"the state did not come within {seconds} s"
            assert asyncio.get_running_loop().time() < deadline, "the engine stands still"
            if not self._asking:
                await self.clock.advance(max(0.25, seconds / 200))
            await asyncio.sleep(0.003)

    async def rest(self, document: TextDocument) -> None:
        """Wait until the document is looked at, and everything that it needs is sent, retried, answered or given up."""
        await until(lambda: self._at.reviewer.status().documents[0].regions > 0)
        await self.until(lambda: not self._at.reviewer.is_busy(document.uri), DEADLINE_SECONDS)
