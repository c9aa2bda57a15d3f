"""Finds out what holds up the event loop: the CPU time of each callback that runs on it.

CPU time of the loop's own thread, not wall time, so that a busy machine or other threads do not blur the figure.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Slowest:
    """The longest callbacks so far: CPU seconds and what was called, the longest first."""

    most: int = 5
    found: list[tuple[float, str]] = field(default_factory=list)

    def add(self, seconds: float, handle: asyncio.Handle) -> None:
        """Count one callback."""
        if len(self.found) < self.most or seconds > self.found[-1][0]:
            self.found.append((seconds, repr(handle)))
            self.found.sort(key=lambda one: -one[0])
            del self.found[self.most :]


@contextmanager
def slowest_callbacks() -> Iterator[Slowest]:
    """Watch every callback of this thread's event loop."""
    slowest = Slowest()
    original = asyncio.Handle._run
    thread = threading.get_ident()

    def timed(handle: asyncio.Handle) -> None:
        if threading.get_ident() != thread:
            original(handle)
            return
        started = time.thread_time()
        try:
            original(handle)
        finally:
            slowest.add(time.thread_time() - started, handle)

    asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]  # a method, put there by hand
    try:
        yield slowest
    finally:
        asyncio.Handle._run = original  # type: ignore[method-assign]  # as above
