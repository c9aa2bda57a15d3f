"""Runs this project's server as `python` would, and writes down when it begins to look at documents: `fired LOG -m
MODULE`.

After a change that is the moment when the debounce fires. Each line of the log is one, on the monotonic clock, which
processes share.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from aiops_lsp.engine.scheduler import Scheduler
from tests.benchmarks.watched import run_module


def first_after(log: Path, moment: float) -> float:
    """When the server began to look for the first time after a moment of the monotonic clock."""
    return next(at for at in map(float, log.read_text("utf-8").split()) if at >= moment)


def main() -> None:
    """Run the server, writing down."""
    log, moments = Path(sys.argv[1]), list[float]()
    original = Scheduler.now

    def now(self: Scheduler, key: str) -> None:
        moments.append(time.monotonic())
        original(self, key)

    Scheduler.now = now  # type: ignore[method-assign]
    try:
        run_module()
    finally:
        log.write_text("".join(f"{moment:.6f}\n" for moment in moments), "utf-8")


if __name__ == "__main__":
    main()
