"""Time as the engine sees it, so that tests can hold it still.

Everything in the engine that waits or stamps asks a `Clock`; nothing there calls `time` or `asyncio.sleep` itself.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """A call that is due later and may be cancelled before."""

    def cancel(self) -> None:
        """Drop the call; harmless when it was made already."""
        ...


class Clock(Protocol):
    """Seconds, on the wall and on a line that never goes back."""

    def wall(self) -> float:
        """Seconds since the epoch: for what is stored or shown."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start: for every interval."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the event loop in `seconds`."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The real time, on the running event loop."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of the system's monotonic clock."""
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running event loop in `seconds`."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
