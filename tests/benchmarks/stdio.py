"""A client of a server in a process of its own, which notes the moment at which each message came.

It announces little, and no pull diagnostics, so that every server pushes its findings. It answers the requests of the
server, as editors do: configuration with `configuration`, everything else with null.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from aiops_lsp.lsp.framing import FrameReader, frame

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Mapping

    from tests.benchmarks.subjects import Subject

Message = dict[str, Any]

CAPABILITIES: Message = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceFolders": True, "configuration": True},
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"versionSupport": True, "dataSupport": True},
    },
    "window": {"workDoneProgress": True},
}

_UNKNOWN_METHOD = "benchmark/echo"
"""A request that no server knows: it is refused at once, after everything that was sent before it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the server and when it was read, by the monotonic clock in seconds."""

    at: float
    message: Message


class Peer:
    """The client's end of one server. `received` holds the server's notifications."""

    def __init__(self, process: Process, environment: Mapping[str, str], configuration: Message | None) -> None:
        self.process = process
        self.environment = environment
        self.received: list[Received] = []
        self._configuration = configuration
        self._waiting: dict[int, asyncio.Future[Received]] = {}
        self._next = 0
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self._versions: dict[str, int] = {}

    async def _read(self) -> None:
        assert self.process.stdout is not None
        frames = FrameReader()
        while data := await self.process.stdout.read(65_536):
            now = time.monotonic()
            for body in frames.feed(data):
                self._take(Received(now, json.loads(body)))
            async with self._news:
                self._news.notify_all()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the server ended"))

    def _take(self, received: Received) -> None:
        message = received.message
        if "method" not in message:
            future = self._waiting.pop(message["id"], None)
            if future is not None and not future.done():
                future.set_result(received)
        elif "id" in message:
            self.send({"id": message["id"], "result": self._answer(message)})
        else:
            self.received.append(received)

    def _answer(self, message: Message) -> object:
        if message["method"] == "workspace/configuration":
            return [self._configuration for _ in message["params"]["items"]]
        if message["method"] == "window/showMessageRequest":
            return (message["params"].get("actions") or [None])[0]
        return None

    def send(self, *messages: Message) -> float:
        """Send messages in one piece. Returns the moment before."""
        assert self.process.stdin is not None
        data = b"".join(frame(json.dumps({"jsonrpc": "2.0", **one}).encode()) for one in messages)
        now = time.monotonic()
        self.process.stdin.write(data)
        return now

    def notify(self, method: str, params: object) -> float:
        """Send a notification. Returns the moment before."""
        return self.send({"method": method, "params": params})

    async def request(self, method: str, params: object = None, *before: Message, seconds: float = 60) -> Received:
        """Send `before` and a request in one piece, and wait for the answer, which may be an error."""
        self._next += 1
        self._waiting[self._next] = asyncio.get_running_loop().create_future()
        self.send(*before, {"id": self._next, "method": method, "params": params})
        return await asyncio.wait_for(self._waiting[self._next], seconds)

    async def initialize(self, folder: Path | None = None) -> Message:
        """`initialize` and `initialized`. Returns the server's answer."""
        uri = folder.as_uri() if folder is not None else None
        folders = [{"uri": uri, "name": folder.name}] if folder is not None else None
        params = {"processId": None, "rootUri": uri, "workspaceFolders": folders, "capabilities": CAPABILITIES}
        answer = await self.request("initialize", params)
        self.notify("initialized", {})
        return answer.message

    async def echo(self, *before: Message) -> float:
        """The seconds until the server has answered for `before` and the request that nobody knows."""
        begun = time.monotonic()
        received = await self.request(_UNKNOWN_METHOD, {}, *before)
        return received.at - begun

    def open(self, uri: str, text: str, language: str = "python") -> float:
        """`textDocument/didOpen`. Returns the moment before."""
        self._versions[uri] = 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        return self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, *changes: Message) -> tuple[float, int]:
        """`textDocument/didChange`. Returns the moment before and the version."""
        return self.send(self.changing(uri, *changes)), self._versions[uri]

    def changing(self, uri: str, *changes: Message) -> Message:
        """The notification of a change, to be sent next."""
        self._versions[uri] += 1
        identifier = {"uri": uri, "version": self._versions[uri]}
        params = {"textDocument": identifier, "contentChanges": list(changes)}
        return {"method": "textDocument/didChange", "params": params}

    def save(self, uri: str) -> float:
        """`textDocument/didSave`. Returns the moment before."""
        return self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, uri: str) -> float:
        """`textDocument/didClose`. Returns the moment before."""
        return self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def until(self, wanted: Callable[[Message], bool], since: float = 0.0, seconds: float = 60) -> Received:
        """Wait for a notification that came after `since`."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                for one in self.received:
                    if one.at >= since and wanted(one.message):
                        return one
                await self._news.wait()

    async def published(
        self, uri: str, since: float, wanted: Callable[[list[Message]], bool] = lambda _found: True
    ) -> Received:
        """Wait for diagnostics of a document that are as `wanted`."""

        def fits(message: Message) -> bool:
            if message["method"] != "textDocument/publishDiagnostics" or message["params"]["uri"] != uri:
                return False
            return wanted(message["params"]["diagnostics"])

        return await self.until(fits, since)

    def forget(self) -> None:
        """Drop what was received, so that long runs stay quick."""
        self.received.clear()

    def memory(self) -> float:
        """The resident memory of the server and of what it started, in megabytes."""
        server = psutil.Process(self.process.pid)
        total: int = server.memory_info().rss
        for child in server.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                total += child.memory_info().rss
        return total / 1e6

    def cpu_seconds(self) -> float:
        """The processor time that the server has used so far: what a busy machine does not blur."""
        try:
            # Nanoseconds; what psutil reads counts in hundredths of a second.
            tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
        except OSError:
            times = psutil.Process(self.process.pid).cpu_times()
            return float(times.user + times.system)

    async def idle(self) -> None:
        """Wait until the server has done with everything: it uses no processor time to speak of."""
        quiet = 0
        while quiet < 2:
            used = self.cpu_seconds()
            await asyncio.sleep(0.05)
            quiet = quiet + 1 if self.cpu_seconds() - used < 0.002 else 0

    async def leave(self) -> None:
        """`shutdown` and `exit`; killed when it takes too long."""
        if self.process.returncode is not None:
            await self._reading
            return
        try:
            async with asyncio.timeout(10):
                await self.request("shutdown")
                self.notify("exit", None)
                await self.process.wait()
        except (TimeoutError, ConnectionError):
            await self.kill()
        await self._reading

    async def kill(self) -> None:
        """End the process without a word."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def running(subject: Subject, configuration: Message | None = None) -> AsyncIterator[Peer]:
    """Start a server and stop it at the end."""
    environment = subject.environment()
    process = await asyncio.create_subprocess_exec(
        *subject.command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, limit=2**24
    )
    peer = Peer(process, environment, configuration)
    try:
        yield peer
    finally:
        await peer.leave()


async def ready(peer: Peer, subject: Subject, folder: Path | None = None) -> None:
    """Initialize, and wait for the engine where there is one."""
    await peer.initialize(folder)
    if subject.ours:
        await peer.until(lambda message: message["method"] == "aiops/status")
    else:
        await peer.echo()


def insertion(line: int, text: str) -> Message:
    """A change that puts `text` before a line."""
    place = {"line": line, "character": 0}
    return {"range": {"start": place, "end": place}, "text": text}


def deletion(line: int, lines: int = 1) -> Message:
    """A change that takes out whole lines."""
    start, end = {"line": line, "character": 0}, {"line": line + lines, "character": 0}
    return {"range": {"start": start, "end": end}, "text": ""}
