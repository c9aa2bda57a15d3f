"""Typing in many documents for long, with faults: memory, open files, tasks and logs must stay flat.

A turn stands for half a minute of a user's time: an edit in each of 20 documents, a save in some, one document closed
and opened anew, while the provider answers, fails, limits the rate or breaks off. Waiting is left out, so that 30
minutes take well under two.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.benchmarks import sources
from tests.benchmarks.models import configuration
from tests.benchmarks.stdio import deletion, insertion, ready, running
from tests.support.provider import Exchange, Provider, Reply

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.stdio import Peer
    from tests.benchmarks.subjects import Subject

GROUP = "Soak"

_DOCUMENTS = 20
_TURNS_A_MINUTE = 2
_MINUTES = 30
_WARM_UP_MINUTES = 5


async def measure(bench: Bench) -> None:
    """Each of our servers."""
    minutes = _MINUTES * (4 if bench.full else 1)
    bench.report.settings[GROUP] = (
        f"{_DOCUMENTS} documents, {minutes} simulated minutes of {_TURNS_A_MINUTE} turns; every seventh request fails, "
        "by turns with status 500, status 429, a broken connection and an answer that is no JSON. Growth is from the "
        f"median of the {_WARM_UP_MINUTES} minutes after the first {_WARM_UP_MINUTES} to that of the last ones."
    )
    for ours in bench.ours:
        await _soak(bench, ours, minutes)


def faults() -> itertools.cycle[Reply]:
    """What can go wrong, over and over."""
    return itertools.cycle(
        (
            Reply(status=500),
            Reply(status=429, headers={"retry-after": "1"}),
            Reply(disconnect_after=1),
            Reply("This is no JSON."),
        )
    )


async def _soak(bench: Bench, ours: Subject, minutes: int) -> None:
    numbers, going_wrong = itertools.count(1), faults()

    async def script(exchange: Exchange) -> Reply:
        return Reply() if next(numbers) % 7 else next(going_wrong)

    async with Provider(script) as provider:
        subject = bench.at_home(ours, configuration(provider, debounce_ms=20, settle_ms=0, ruff="on"))
        async with running(subject) as peer:
            await ready(peer, ours)
            for number in range(_DOCUMENTS):
                peer.open(_uri(number), sources.small_module(number, 10))
            for minute in range(minutes):
                for turn in range(_TURNS_A_MINUTE):
                    await _turn(peer, minute * _TURNS_A_MINUTE + turn)
                _sample(bench, ours, peer, minute)
                provider.journal.clear()
    _hold(bench, ours.name)


async def _turn(peer: Peer, turn: int) -> None:
    """Put a function in or take it out, everywhere; then wait until the server is quiet enough to answer at once."""
    for number in range(_DOCUMENTS):
        text = f"def edited(rate):\n    return {turn} / rate\n\n\n"
        if turn % 2:
            peer.change(_uri(number), deletion(0, text.count("\n")))
        else:
            peer.change(_uri(number), insertion(0, text))
        if not (turn + number) % 5:
            peer.save(_uri(number))
    closed = turn % _DOCUMENTS
    if turn % 2:  # the function is out again, so the text is as it was at first
        peer.close(_uri(closed))
        peer.open(_uri(closed), sources.small_module(closed, 10))
    await asyncio.sleep(0.4)
    await peer.echo()
    peer.forget()


def _sample(bench: Bench, ours: Subject, peer: Peer, minute: int) -> None:
    process = psutil.Process(peer.process.pid)
    state = Path(str(peer.environment["AIOPS_STATE_DIR"]))
    logs = sum(file.stat().st_size for file in state.rglob("logs/*") if file.is_file())
    values = {"memory": ("MB", peer.memory()), "open files": ("1", float(process.num_fds()))}
    values["threads"] = ("1", float(process.num_threads()))
    values["log size"] = ("KB", logs / 1000)
    for name, (unit, value) in values.items():
        bench.report.add(GROUP, name, ours.name, unit, value)


def _hold(bench: Bench, name: str) -> None:
    for measure_name in ("memory", "open files", "threads"):
        figure = bench.report.find(GROUP, measure_name, name)
        if figure is None or len(figure.samples) < 3 * _WARM_UP_MINUTES:
            continue
        early = sorted(figure.samples[_WARM_UP_MINUTES : 2 * _WARM_UP_MINUTES])[_WARM_UP_MINUTES // 2]
        late = sorted(figure.samples[-_WARM_UP_MINUTES:])[_WARM_UP_MINUTES // 2]
        growth = (late / early - 1) * 100
        bench.report.hold(f"{name}: growth of {measure_name} after the first minutes", growth, 5, "%")


def _uri(number: int) -> str:
    return f"file:///tmp/bench/soak{number}.py"
