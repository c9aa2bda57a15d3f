"""The ways to a client: standard input and output, TCP, WebSocket.

A server serves one client. On a port, whoever does not speak the protocol is turned away and the next one is waited
for: browsers can be made to connect to any port of this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import queue
import re
import select
import signal
import stat
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from aiops_lsp.lsp.framing import MAX_BODY_BYTES, BadFrame, FrameReader
from aiops_lsp.lsp.protocol import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.server import ServerConnection

    from aiops_lsp.lsp.server import ReviewServer

logger = logging.getLogger(__name__)

_CHUNK = 65_536
_FLUSH_SECONDS = 5.0

_LOCAL_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
"""Web pages that may connect: editors in a browser that are served from this machine."""


class Writer(Protocol):
    """Takes bytes for the client; returns at once."""

    def write(self, data: bytes) -> None:
        """Send `data`, after everything before it."""
        ...


async def stdio(server: ReviewServer) -> int:
    """Serve over standard input and output, which belong to the protocol from here on. Returns the exit code."""
    incoming, outgoing = _take_stdio()
    writer = _PipeWriter(outgoing)
    try:
        await serve_stream(server, _PipeReader(incoming).read, writer)
    finally:
        await asyncio.to_thread(writer.finish)
    return exit_code(server)


async def tcp(server: ReviewServer, host: str = "127.0.0.1", port: int = 0) -> int:
    """Serve the first client that connects and speaks the protocol. Raises OSError where it cannot listen."""
    gate = _Gate(server)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            async with gate as entered:
                if entered:
                    await serve_stream(server, lambda: reader.read(_CHUNK), writer)
                    await writer.drain()
            writer.close()
            await writer.wait_closed()

    listener = await asyncio.start_server(connected, host, port)
    _tell_port(host, listener.sockets[0].getsockname()[1], "tcp")
    await gate.left.wait()
    listener.close()
    return exit_code(server)


async def websocket(server: ReviewServer, host: str = "127.0.0.1", port: int = 0) -> int:
    """The same over WebSocket: one message per frame, without headers."""
    from websockets.asyncio.server import serve  # noqa: PLC0415 - only for this way

    gate = _Gate(server)

    async def connected(connection: ServerConnection) -> None:
        async with gate as entered:
            if entered:
                await _serve_websocket(server, connection)

    listener = await serve(
        connected, host, port, origins=[None, _LOCAL_PAGES], max_size=MAX_BODY_BYTES, server_header=None
    )
    _tell_port(host, next(iter(listener.sockets)).getsockname()[1], "ws")
    await gate.left.wait()
    listener.close()
    await listener.wait_closed()
    return exit_code(server)


def exit_code(server: ReviewServer) -> int:
    """The exit code that the specification asks for: 0 after `shutdown` and `exit`, else 1."""
    return 1 if server.exit_code is None else server.exit_code


async def serve_stream(server: ReviewServer, read: Callable[[], Awaitable[bytes]], writer: Writer) -> None:
    """Handle messages until the client leaves, then stop what runs. `read` gives empty bytes at the end."""

    async def receive() -> None:
        frames = FrameReader()
        while server.exit_code is None and (data := await read()):
            for body in frames.feed(data):
                server.protocol.receive(body)
                await asyncio.sleep(0)  # a burst of messages lets the tasks between them run

    server.protocol.set_writer(writer)  # type: ignore[arg-type] # pygls wants a close() that it calls only on exit
    await _until_left(server, receive())


async def _serve_websocket(server: ReviewServer, connection: ServerConnection) -> None:
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

    outgoing: asyncio.Queue[str | None] = asyncio.Queue()

    class QueueWriter:
        def write(self, data: bytes) -> None:
            outgoing.put_nowait(data.decode())

    async def receive() -> None:
        with suppress(ConnectionClosed):
            while server.exit_code is None:
                server.protocol.receive(await connection.recv(decode=False))

    async def send() -> None:
        with suppress(ConnectionClosed):
            while (text := await outgoing.get()) is not None:
                await connection.send(text)

    server.protocol.set_writer(QueueWriter(), include_headers=False)  # type: ignore[arg-type] # as above
    sending = asyncio.create_task(send())
    await _until_left(server, receive())
    outgoing.put_nowait(None)
    await sending


async def _until_left(server: ReviewServer, receiving: Awaitable[None]) -> None:
    """Run `receiving` until it ends, the client sends `exit` or a signal asks us to stop; then close the session."""
    left = asyncio.Event()
    server.on_exit = left.set
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            loop.add_signal_handler(number, left.set)
    tasks = [asyncio.ensure_future(receiving), asyncio.ensure_future(left.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BadFrame | ConnectionError):
                logger.warning("the connection was closed: %s", result)
            elif isinstance(result, Exception):
                logger.error("the connection failed", exc_info=result)
        if server.protocol.stage is not Stage.NEW:
            await server.session.aclose()


class _Gate:
    """Lets one connection in at a time, and none after one that had begun a session. `left` is set after that one."""

    def __init__(self, server: ReviewServer) -> None:
        self._server = server
        self._taken = False
        self._inside: set[asyncio.Task[object] | None] = set()
        self.left = asyncio.Event()

    async def __aenter__(self) -> bool:
        if self._taken:
            logger.warning("a second connection was refused")
            return False
        self._taken = True
        self._inside.add(asyncio.current_task())
        return True

    async def __aexit__(self, *_: object) -> None:
        if asyncio.current_task() not in self._inside:
            return
        self._inside.clear()
        if self._server.protocol.stage is Stage.NEW and self._server.exit_code is None:
            self._taken = False
        else:
            self.left.set()


class _PipeReader:
    """Reads a descriptor. What tells when it is ready is read on the event loop; else a thread of its own waits for it.

    That thread may be left reading when the program ends.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        if _tells_when_ready(descriptor, stat.S_ISFIFO, stat.S_ISSOCK):
            self._loop.add_reader(descriptor, self._read_ready)
        else:
            threading.Thread(target=self._read_all, name="stdin", daemon=True).start()

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        return await self._chunks.get()

    def _read_ready(self) -> None:
        data = self._read()
        self._chunks.put_nowait(data)
        if not data:
            self._loop.remove_reader(self._descriptor)

    def _read_all(self) -> None:
        data = b"-"
        while data:
            data = self._read()
            with suppress(RuntimeError):  # the loop is closed: nobody reads any more
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, data)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:
            return b""


class _PipeWriter:
    """Writes to a descriptor without ever waiting for the client, which may read slowly.

    What the pipe takes at once is written at once; everything else by a thread of its own, in order.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._broken = False
        self._waiting = 0
        self._counting = threading.Lock()
        self._poll = select.poll() if _tells_when_ready(descriptor, stat.S_ISFIFO) else None
        if self._poll is not None:
            self._poll.register(descriptor, select.POLLOUT)
        self._thread = threading.Thread(target=self._write_all, name="stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send `data`, after everything before it."""
        if self._waiting == 0 and self._takes(data):
            self._write(data)
            return
        with self._counting:
            self._waiting += 1
        self._chunks.put(data)

    def finish(self) -> None:
        """Wait until all is written, or for a while where the client does not read. Blocks."""
        self._chunks.put(None)
        self._thread.join(_FLUSH_SECONDS)

    def _takes(self, data: bytes) -> bool:
        """Whether writing `data` cannot wait: a pipe that is ready has room for what POSIX writes in one piece."""
        if self._poll is None or len(data) > select.PIPE_BUF:
            return False
        return any(events == select.POLLOUT for _, events in self._poll.poll(0))

    def _write_all(self) -> None:
        while (data := self._chunks.get()) is not None:
            self._write(data)
            with self._counting:
                self._waiting -= 1

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._broken:
            try:
                view = view[os.write(self._descriptor, view) :]
            except OSError as error:
                self._broken = True
                logger.warning("the client does not read any more: %s", error.strerror)


def _tells_when_ready(descriptor: int, *kinds: Callable[[int], bool]) -> bool:
    """Whether a descriptor is of one of these kinds and can be asked if it is ready, which Windows cannot tell."""
    return hasattr(select, "poll") and any(kind(os.fstat(descriptor).st_mode) for kind in kinds)


def _take_stdio() -> tuple[int, int]:
    """Descriptors of our own for the protocol.

    What this process or a program that it starts prints goes to stderr instead of between the messages, and a program
    that it starts cannot read them.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.dup2(null, 1)
    os.close(null)
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists only there

        for descriptor in (incoming, outgoing):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return incoming, outgoing


def _tell_port(host: str, port: int, way: str) -> None:
    sys.stderr.write(f"aiops-lsp: listening on {way}://{f'[{host}]' if ':' in host else host}:{port}\n")
    if not _is_loopback(host):
        sys.stderr.write("aiops-lsp: whoever can reach this address can spend your budget; 127.0.0.1 is safer\n")
    sys.stderr.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
