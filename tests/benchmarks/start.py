"""From the start of the process to the answer of `initialize`, and the memory of a server at rest."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.benchmarks.stdio import ready, running

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

GROUP = "Start"

_STARTS = 27
"""So many because the machine may change its speed between two of them."""
_RESTS = 3


async def measure(bench: Bench) -> None:
    """All servers."""
    report = bench.report
    report.settings[GROUP] = (
        "No workspace folder; bytecode is there. Memory is resident, a second after the engine has started."
    )
    servers = [bench.bare, *bench.ours, bench.ruff, *bench.others]
    for turn in range(bench.turns(_STARTS) + 1):
        for server in bench.rotated(servers, turn):
            begun = time.monotonic()
            async with running(bench.at_home(server)) as peer:
                answered = await peer.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
                used = peer.cpu_seconds()
                await peer.kill()
            if turn:  # the first one also reads the files from the disk
                report.add(GROUP, "initialize answered", server.name, "ms", (answered.at - begun) * 1000)
                report.add(GROUP, "processor time until then", server.name, "ms", used * 1000)
    for turn in range(bench.turns(_RESTS)):
        for server in bench.rotated(servers, turn):
            async with running(bench.at_home(server)) as peer:
                await ready(peer, server)
                await asyncio.sleep(1)
                report.add(GROUP, "memory at rest", server.name, "MB", peer.memory())
    for ours in bench.ours:
        for measure_name, limit in (
            ("initialize answered", 1.15),
            ("processor time until then", 1.15),
            ("memory at rest", 1.6),
        ):
            found, floor = (report.find(GROUP, measure_name, one.name) for one in (ours, bench.bare))
            report.hold_ratio(f"{ours.name}: {measure_name}, to bare pygls", found, floor, limit)
