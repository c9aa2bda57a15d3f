"""Runs a Python server as `python` would, and writes down how late its event loop is: `watched LOG (-m MODULE | FILE)`.

A timer is due every five milliseconds; how much later it runs is what anything else that waits for the loop would have
waited. Only the loop that runs first is watched: one that the server runs on a thread of its own keeps nobody waiting.
Each line of the log is a moment of the monotonic clock, which processes share, and the milliseconds of delay.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

_INTERVAL = 0.005


class Watch:
    """The delays of one loop."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._delays: list[tuple[float, float]] = []
        self._due = 0.0

    def start(self) -> None:
        """Begin, on the running loop."""
        self._due = time.monotonic() + _INTERVAL
        asyncio.get_running_loop().call_at(self._due, self._tick)

    def write(self) -> None:
        """Write everything down."""
        lines = (f"{moment:.6f} {delay * 1000:.3f}\n" for moment, delay in self._delays)
        self._log.write_text("".join(lines), "utf-8")

    def _tick(self) -> None:
        now = time.monotonic()
        self._delays.append((now, max(0.0, now - self._due)))
        self.start()


def delays(log: Path, since: float, until: float) -> list[float]:
    """The delays between two moments of the monotonic clock, in milliseconds."""
    pairs = (line.split() for line in log.read_text("utf-8").splitlines())
    return [float(delay) for moment, delay in pairs if since <= float(moment) <= until]


def run_module() -> None:
    """Run the module that the command line names after the log."""
    assert sys.argv[2] == "-m", "only modules are run"
    sys.argv = sys.argv[3:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def main() -> None:
    """Run the server below the watch."""
    watch = Watch(Path(sys.argv[1]))
    original = asyncio.run

    def run(main: Coroutine[Any, Any, Any], **options: Any) -> Any:
        async def watched() -> Any:
            watch.start()
            return await main

        asyncio.run = original
        try:
            return original(watched(), **options)
        finally:
            watch.write()

    asyncio.run = run
    run_module()


if __name__ == "__main__":
    main()
