"""What one keystroke costs the server, and how late its event loop is while reviews stream.

The cost is the time until a burst of changes has been handled, told by the answer to a request that nobody knows and
that was sent in the same piece, less the time for that request alone, divided by the number of changes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.benchmarks import sources
from tests.benchmarks.models import configuration
from tests.benchmarks.stdio import insertion, ready, running
from tests.benchmarks.watched import delays
from tests.support.provider import Exchange, Provider, Reply, answer, finding

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.stdio import Message, Peer
    from tests.benchmarks.subjects import Subject

GROUP = "Keystroke"
SIZES = (100, 1_000, 10_000, 100_000)

_BURST = 20
_ROUNDS = 10
_STREAMS = 20
_TYPING_SECONDS = 8.0
_KEYS_PER_SECOND = 12


async def measure(bench: Bench) -> None:
    """Bursts in files of several sizes, then typing while reviews stream."""
    bench.report.settings[GROUP] = (
        f"Bursts of {_BURST} changes (a letter in the middle of the file, and back), debounce 60 s, rules off; while "
        f"reviews stream: {_STREAMS} documents, four characters of each answer every 50 ms, "
        f"{_KEYS_PER_SECOND} keys a second in a file of 1,000 lines."
    )
    for lines in SIZES:
        await _bursts(bench, lines)
    for ours in bench.ours:
        _hold_bursts(bench, ours.name)
    await _streaming(bench)


def _change(lines: int) -> str:
    return f"change in {lines:,} lines"


def _hold_bursts(bench: Bench, name: str) -> None:
    report = bench.report
    for more in ("", ", processor time"):
        small, large, huge = (report.find(GROUP, _change(lines) + more, name) for lines in (100, 10_000, 100_000))
        floor = report.find(GROUP, _change(10_000) + more, bench.bare.name)
        report.hold_ratio(f"{name}: {_change(100_000)}{more}, to 100 lines", huge, small, 3)
        report.hold_ratio(f"{name}: {_change(10_000)}{more}, to bare pygls", large, floor, 1.5)


async def _bursts(bench: Bench, lines: int) -> None:
    text = sources.of_lines(lines)
    servers = [bench.bare, *bench.ours]
    if lines <= 10_000:
        servers.append(bench.ruff)
    if lines <= 1_000:  # longer ones keep the others busy for minutes
        servers += bench.others
    async with AsyncExitStack() as stack:
        peers = []
        for server in servers:
            slow = bench.at_home(server, "[review]\ndebounce_ms = 60000\n[rules]\nenabled = false\n")
            peer = await stack.enter_async_context(running(slow))
            await ready(peer, server)
            peer.open(_URI, text)
            if server.ours:
                await peer.until(_looked_at, seconds=120)
            await peer.echo()
            peers.append((server, peer))
        for turn in range(bench.turns(_ROUNDS) + 2):
            for server, peer in bench.rotated(peers, turn):
                await _settle(peer)
                alone = min([await peer.echo() for _ in range(3)])
                used = peer.cpu_seconds()
                together = await peer.echo(*_letters(peer, lines // 2))
                used = peer.cpu_seconds() - used
                if turn >= 2:
                    cost = max(0.0, together - alone) / _BURST
                    bench.report.add(GROUP, _change(lines), server.name, "ms", cost * 1000)
                    bench.report.add(
                        GROUP, f"{_change(lines)}, processor time", server.name, "ms", used / _BURST * 1000
                    )
                peer.forget()


def _looked_at(message: Message) -> bool:
    return message["method"] == "aiops/status" and any(one["regions"] for one in message["params"]["documents"])


async def _settle(peer: Peer) -> None:
    """Wait until the server has done with the turn before: two echoes in a row that are quick."""
    for _ in range(50):
        if await peer.echo() < 0.01:
            return
        await asyncio.sleep(0.02)


def _letters(peer: Peer, line: int) -> list[Message]:
    place, after = {"line": line, "character": 0}, {"line": line, "character": 1}
    typed = {"range": {"start": place, "end": place}, "text": "x"}
    back = {"range": {"start": place, "end": after}, "text": ""}
    return [peer.changing(_URI, back if number % 2 else typed) for number in range(_BURST)]


async def _streaming(bench: Bench) -> None:
    """Type for some seconds: alone, and while reviews stream."""
    for turn in range(bench.turns(2)):
        for server in bench.rotated([bench.bare, *bench.ours], turn):
            await _typed(bench, server, streams=0)
            if server.ours:
                await _typed(bench, server, streams=_STREAMS)
    for ours in bench.ours:
        figure = bench.report.find(GROUP, f"loop delay, {_STREAMS} reviews streaming", ours.name)
        if figure is not None:
            claim = f"{ours.name}: loop delay p99 while {_STREAMS} reviews stream"
            bench.report.hold(claim, figure.percentile(99), 20, "ms")


async def _typed(bench: Bench, server: Subject, streams: int) -> None:
    async def script(exchange: Exchange) -> Reply:
        found = {name: [finding(lines[0], 1)] for name, lines in exchange.regions.items()}
        return Reply(answer(found), piece=4, gate=lambda _piece: asyncio.sleep(0.05))

    log = bench.temporary("delays.txt")
    async with Provider(script) as provider:
        subject = bench.at_home(server, configuration(provider, concurrent_requests=64, tokens_per_request=4000))
        async with running(subject.watched(log)) as peer:
            await ready(peer, server)
            peer.open(_URI, sources.of_lines(1000))
            for number in range(streams):
                peer.open(f"file:///tmp/bench/stream{number}.py", sources.small_module(number, 10))
            if streams:
                await provider.until(lambda: _under_way(provider) >= streams)
            begun = time.monotonic()
            under_way = []
            while time.monotonic() < begun + _TYPING_SECONDS:
                peer.change(_URI, insertion(500, "x"))
                under_way.append(_under_way(provider))
                await asyncio.sleep(1 / _KEYS_PER_SECOND)
            ended = time.monotonic()
    name = f"loop delay, {_STREAMS} reviews streaming" if streams else "loop delay, typing alone"
    bench.report.add(GROUP, name, server.name, "ms", *delays(log, begun, ended))
    if streams:
        bench.report.add(GROUP, "requests under way meanwhile", server.name, "1", *under_way)


def _under_way(provider: Provider) -> int:
    return sum(one.state == "open" for one in provider.journal)


_URI = "file:///tmp/bench/typed.py"
