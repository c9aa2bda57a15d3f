"""How it grows: open documents, files in a workspace review, rows in the stores."""

from __future__ import annotations

import asyncio
import json
import math
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks import sources
from tests.benchmarks.models import configuration
from tests.benchmarks.stdio import insertion, ready, running
from tests.benchmarks.subjects import PYTHON
from tests.support.provider import Exchange, Provider, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.stdio import Message, Peer
    from tests.benchmarks.subjects import Subject

GROUP = "Scale"

_LATENCY_SECONDS = 0.3
_CONCURRENCY = 8
_TURNS = 3
_UNTIL_PREPARED_SECONDS = 2.0


async def measure(bench: Bench) -> None:
    """Documents, workspace, stores."""
    bench.report.settings[GROUP] = (
        f"Documents of 300 lines without a model. Workspace: files of one region each, a provider that takes "
        f"{_LATENCY_SECONDS * 1000:.0f} ms, {_CONCURRENCY} requests at the same time, rates lifted, a server that has "
        f"come to rest after its start where nothing else is said; the ideal is {_LATENCY_SECONDS} s for each "
        f"{_CONCURRENCY} files. Stores: one call, on a thread of its own in the server."
    )
    for ours in bench.ours:
        await _documents(bench, ours, (10, 100, 1000) if bench.full else (10, 100))
    for files in (200, 2000) if bench.full else (200,):
        for turn in range(bench.turns(_TURNS)):
            for ours in bench.rotated(bench.ours, turn):
                await _workspace(bench, ours, files, rested=True)
                if files == 200:  # of 2,000 it is as good as nothing
                    await _workspace(bench, ours, files, rested=False)
                await _command_line(bench, ours, files)
    _hold_workspace(bench)
    for ours in bench.ours:
        await _stores(bench, ours)


async def _documents(bench: Bench, ours: Subject, counts: tuple[int, ...]) -> None:
    """Open more and more documents in one server."""
    report, opened, memory = bench.report, 0, 0.0
    text_size = len(sources.of_300_lines(0))
    async with running(bench.at_home(ours, "[review]\ndebounce_ms = 1\n[rules]\nruff = 'off'\n")) as peer:
        await ready(peer, ours)
        for count in counts:
            since = time.monotonic()
            for number in range(opened, count):
                peer.open(_uri(number), sources.of_300_lines(number))
            await peer.until(partial(_all_looked_at, count), since, seconds=300)
            report.add(GROUP, f"{count:,} documents opened", ours.name, "ms", (time.monotonic() - since) * 1000)
            await asyncio.sleep(1)
            before, memory = memory, peer.memory()
            if opened:
                beyond = (memory - before) * 1e6 / (count - opened) - text_size
                report.add(GROUP, "memory per document beyond its text", ours.name, "KB", beyond / 1000)
            opened = count
            for turn in range(bench.turns(12)):
                uri, name = _uri(turn % count), f"change to findings, {count:,} documents open"
                report.add(GROUP, name, ours.name, "ms", await _edited(peer, uri) * 1000)
    if (figure := report.find(GROUP, "memory per document beyond its text", ours.name)) is not None:
        report.hold(f"{ours.name}: memory per document of 300 lines beyond its text", figure.samples[-1], 100, "KB")


async def _edited(peer: Peer, uri: str) -> float:
    peer.forget()
    since, _ = peer.change(uri, insertion(0, "def culprit():\n    return eval(input())\n\n\n"))
    return (await peer.published(uri, since, bool)).at - since


def _all_looked_at(count: int, message: Message) -> bool:
    if message["method"] != "aiops/status":
        return False
    regions: list[int] = [one["regions"] for one in message["params"]["documents"]]
    return sum(number > 0 for number in regions) == count


def _uri(number: int) -> str:
    return f"file:///tmp/bench/document{number}.py"


def _project(bench: Bench, files: int) -> Path:
    folder = bench.temporary("project")
    folder.mkdir()
    for number in range(files):
        (folder / f"module{number}.py").write_text(sources.small_module(number), "utf-8")
    return folder


async def _slowly(exchange: Exchange) -> Reply:
    """Answer so long after the request has arrived, whatever the provider itself took to read it."""
    await asyncio.sleep(exchange.arrived + _LATENCY_SECONDS - time.monotonic())
    return Reply()


def _ideal(requests: int) -> float:
    return math.ceil(requests / _CONCURRENCY) * _LATENCY_SECONDS


async def _workspace(bench: Bench, ours: Subject, files: int, *, rested: bool) -> None:
    """The editor's command, right after the server's start or in one that has come to rest since."""
    folder = _project(bench, files)
    async with Provider(_slowly) as provider:
        async with running(bench.at_home(ours, configuration(provider))) as peer:
            await ready(peer, ours, folder)
            if rested:
                await asyncio.sleep(_UNTIL_PREPARED_SECONDS)
                await peer.idle()
            begun = time.monotonic()
            command = {"command": "aiops.reviewWorkspace", "arguments": []}
            answer = (await peer.request("workspace/executeCommand", command, seconds=900)).message
            seconds = time.monotonic() - begun
        assert "result" in answer, answer
        assert len(provider.journal) == files, (len(provider.journal), files, str(answer)[:500])
    when = "" if rested else ", right after the start"
    _note(bench, ours, f"{files:,} files by the editor's command{when}", files, seconds)


async def _command_line(bench: Bench, ours: Subject, files: int) -> None:
    """`aiops-lsp review`, the start of the process and the estimate included."""
    folder = _project(bench, files)
    async with Provider(_slowly) as provider:
        subject = bench.at_home(ours, configuration(provider))
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *subject.command, "review", str(folder), stdout=DEVNULL, stderr=DEVNULL, env=subject.environment()
        )
        await process.wait()
        seconds = time.monotonic() - begun
        assert len(provider.journal) == files, (len(provider.journal), files, process.returncode)
    _note(bench, ours, f"{files:,} files by the command line", files, seconds)


def _note(bench: Bench, ours: Subject, name: str, files: int, seconds: float) -> None:
    bench.report.add(GROUP, name, ours.name, "ms", seconds * 1000)
    bench.report.add(GROUP, f"{name}, of the ideal throughput", ours.name, "%", _ideal(files) / seconds * 100)


def _hold_workspace(bench: Bench) -> None:
    for figure in [one for one in bench.report.figures.values() if one.measure.endswith("of the ideal throughput")]:
        bench.report.hold(f"{figure.subject}: {figure.measure}", figure.median, 95, "%", least=True)


async def _stores(bench: Bench, ours: Subject) -> None:
    """The stores' own process prints what it measured."""
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-m", "tests.benchmarks.stores", str(bench.temporary("stores")), stdout=PIPE, env=ours.environment()
    )
    with suppress(ProcessLookupError):
        printed, _ = await process.communicate()
    for name, samples in json.loads(printed).items():
        bench.report.add(GROUP, name, ours.name, "ms", *(seconds * 1000 for seconds in samples))
