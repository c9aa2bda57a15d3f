"""The way to a model and back: a change to its request on the wire, a region in the stream to its publication."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.benchmarks import sources
from tests.benchmarks.fired import first_after
from tests.benchmarks.models import configuration
from tests.benchmarks.stdio import insertion, ready, running
from tests.benchmarks.watched import delays
from tests.support.provider import Exchange, Provider, Reply, answer, finding

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.stdio import Message, Peer
    from tests.benchmarks.subjects import Subject

GROUP = "Pipeline"

_EDITS = 20
_URI = "file:///tmp/bench/long.py"
_FOUND = "Fails on purpose"

_FIRED, _TO_WIRE = "debounce fired to request on the wire", "change to request on the wire"
_TO_SCREEN = "region closed in the stream to publication"
_CACHED, _ECHO = "cached open to publication", "change to publication"


async def measure(bench: Bench) -> None:
    """Warm figures in turns, then what a cold SDK does to the event loop."""
    text = sources.long_file()
    bench.report.settings[GROUP] = (
        f"{text.count(chr(10)):,} lines (sha256 {sources.digest(text)}), debounce_ms = 1 (contained in what is counted "
        "from a change), settle_ms = 0, scope = file, ruff off, provider on loopback; warm."
    )
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(running(bench.echo))
        await ready(echo, bench.bare)
        echo.open(_URI, text)
        pipes = []
        for ours in bench.ours:
            pipe = Pipe(bench.temporary("fired.txt"))
            provider = await stack.enter_async_context(Provider(pipe.script))
            user_file = configuration(provider, debounce_ms=1, settle_ms=0)
            peer = await stack.enter_async_context(running(bench.at_home(ours, user_file).fired(pipe.log)))
            await ready(peer, ours)
            await pipe.begin(peer, text)
            pipes.append((ours, pipe))
        for turn in range(bench.turns(_EDITS) + 3):
            for ours, pipe in bench.rotated(pipes, turn):
                figures = await pipe.edit(turn) | await pipe.reopen()
                if turn >= 3:
                    for name, seconds in figures.items():
                        bench.report.add(GROUP, name, ours.name, "ms", seconds * 1000)
            since, _ = echo.change(_URI, insertion(1300, "\n"))
            published = await echo.published(_URI, since)
            if turn >= 3:
                bench.report.add(GROUP, _ECHO, bench.echo.name, "ms", (published.at - since) * 1000)
            echo.forget()
    for ours, pipe in pipes:  # their logs were written as the servers ended
        waited = [arrived - first_after(pipe.log, since) for since, arrived in pipe.requests[3:]]
        bench.report.add(GROUP, _FIRED, ours.name, "ms", *(seconds * 1000 for seconds in waited))
    for ours in bench.ours:
        _hold(bench, ours.name)
        await _cold(bench, ours)


def _hold(bench: Bench, name: str) -> None:
    report = bench.report
    floor = report.find(GROUP, _ECHO, bench.echo.name)
    for measure_name, limit in ((_FIRED, 15), (_TO_WIRE, None), (_TO_SCREEN, 5), (_CACHED, 30)):
        if (figure := report.find(GROUP, measure_name, name)) is not None:
            if limit is not None:
                report.hold(f"{name}: {measure_name}", figure.median, limit, "ms")
            if floor is not None:
                ratio = figure.median / floor.median
                report.add(GROUP, f"{measure_name}, to bare pygls' echo", name, "x", ratio)


class Pipe:
    """One server with its scripted provider. The provider finds one bug in each region that has the word `marked`.

    `requests` are the moments of each change and of the arrival of its request. `log` is where the server writes down
    when it began to look.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.peer: Peer
        self.text = ""
        self.requests: list[tuple[float, float]] = []
        self._asked: list[float] = []
        self._sent: list[float] = []
        self._release = asyncio.Event()
        self._hold = False
        self._news = asyncio.Event()

    async def begin(self, peer: Peer, text: str) -> None:
        """Open the file, and wait until the provider has reviewed all of it."""
        self.peer, self.text = peer, text
        peer.open(_URI, text)
        await peer.request(
            "workspace/executeCommand", {"command": "aiops.reviewDocument", "arguments": [{"uri": _URI}]}
        )
        await peer.until(_reviewed)

    async def script(self, exchange: Exchange) -> Reply:
        """Answer; while `_hold` is set, stop after the first region's object."""
        self._asked.append(exchange.arrived)
        self._news.set()
        found: dict[str, list[dict[str, object]]] = {}
        for name, lines in exchange.regions.items():
            marked = [(number, line) for number, line in enumerate(lines, 1) if "marked = " in line]
            found[name] = [finding(line, number, title=_FOUND) for number, line in marked]
        text = answer(found)
        if not self._hold:
            return Reply(text)
        closed = json.dumps({"regions": []})[-2:]
        return Reply(text, piece=len(text) - len(closed), gate=self._gate)

    async def _gate(self, piece: int) -> None:
        if piece == 0:
            self._sent.append(time.monotonic())
        elif piece == 1:
            await self._release.wait()

    async def edit(self, turn: int) -> dict[str, float]:
        """Put a new function in and watch its way to the provider and back."""
        peer = self.peer
        peer.forget()
        self._asked.clear()
        self._sent.clear()
        self._news.clear()
        self._release.clear()
        self._hold = True
        function = f"def _added_{turn}(value):\n    marked = value / {turn}\n    return marked\n\n\n"
        line = next(number for number, one in enumerate(self.text.splitlines()) if one.startswith("class "))
        since, _ = peer.change(_URI, insertion(line, function))
        lines = self.text.splitlines(keepends=True)
        self.text = "".join([*lines[:line], function, *lines[line:]])
        await asyncio.wait_for(self._news.wait(), 30)
        shown = await peer.published(_URI, since, lambda found: _marked(found) == turn + 1)
        self._hold = False
        self._release.set()
        await peer.until(_reviewed, since)
        await peer.idle()
        self.requests.append((since, self._asked[0]))
        return {_TO_WIRE: self._asked[0] - since, _TO_SCREEN: shown.at - self._sent[0]}

    async def reopen(self) -> dict[str, float]:
        """Close the document and open it again."""
        peer = self.peer
        expected = self.text.count("marked = ")
        peer.close(_URI)
        await peer.echo()
        peer.forget()
        since = peer.open(_URI, self.text)
        shown = await peer.published(_URI, since, lambda found: _marked(found) == expected)
        await peer.until(_reviewed, since)
        await peer.idle()
        return {_CACHED: shown.at - since}


async def _cold(bench: Bench, ours: Subject) -> None:
    """The delay of the loop during the first request of a process, which imports the SDK."""
    for _ in range(bench.turns(3)):
        log = bench.temporary("delays.txt")
        async with Provider() as provider:
            subject = bench.at_home(ours, configuration(provider, debounce_ms=1, settle_ms=0))
            async with running(subject.watched(log)) as peer:
                await ready(peer, ours)
                await asyncio.sleep(0.5)
                begun = peer.open(_URI, sources.small_module(0))
                await peer.until(_reviewed, seconds=90)
                ended = time.monotonic()
        late = delays(log, begun, ended)
        bench.report.add(GROUP, "first request, cold SDK", ours.name, "ms", (ended - begun) * 1000)
        bench.report.add(GROUP, "loop delay during the first request", ours.name, "ms", *late)
        bench.report.add(GROUP, "longest loop delay during the first request", ours.name, "ms", max(late))


def _marked(found: list[Message]) -> int:
    return sum(str(one["message"]).startswith(_FOUND) for one in found)


def _reviewed(message: Message) -> bool:
    """Whether a status says that all of the document is reviewed."""
    if message["method"] != "aiops/status":
        return False
    (document,) = [one for one in message["params"]["documents"] if one["uri"] == _URI] or [None]
    if document is None:
        return False
    return bool(document["regions"] > 0 and document["reviewed"] == document["regions"] and not document["reviewing"])
