"""The ways to a client, as processes: exit codes, ports, and who is turned away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from aiops_lsp.lsp.framing import FrameReader, frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

INITIALIZE = {"id": 1, "method": "initialize", "params": {"capabilities": {}}}
SHUTDOWN = {"id": 2, "method": "shutdown"}
EXIT = {"method": "exit"}

SERVE = "import sys; from aiops_lsp.lsp import server; sys.exit(server.{})"


def packed(*messages: dict[str, Any]) -> bytes:
    return b"".join(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()) for message in messages)


def environment(folder: Path) -> dict[str, str]:
    names = {"AIOPS_STATE_DIR": "state", "AIOPS_CACHE_DIR": "cache", "XDG_CONFIG_HOME": "config"}
    return {**os.environ, **{name: str(folder / place) for name, place in names.items()}}


def over_stdio(folder: Path, data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", SERVE.format("serve_stdio()")]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=False, env=environment(folder))


@pytest.mark.parametrize(
    ("messages", "code", "answers"),
    [
        ([INITIALIZE, SHUTDOWN, EXIT], 0, 2),
        ([INITIALIZE, EXIT], 1, 1),
        ([INITIALIZE, SHUTDOWN], 1, 2),
        ([INITIALIZE], 1, 1),
        ([EXIT], 1, 0),
        ([], 1, 0),
    ],
)
def test_exit_codes_over_stdio(tmp_path: Path, messages: list[dict[str, Any]], code: int, answers: int) -> None:
    result = over_stdio(tmp_path, packed(*messages))
    assert result.returncode == code, result.stderr.decode()
    received = [json.loads(body) for body in FrameReader().feed(result.stdout)]
    assert [message["id"] for message in received if "id" in message] == list(range(1, answers + 1))


def test_a_broken_frame_ends_the_connection(tmp_path: Path) -> None:
    result = over_stdio(tmp_path, packed(INITIALIZE) + b"POST / HTTP/1.1\r\n\r\n" + packed(SHUTDOWN, EXIT))
    assert result.returncode == 1
    assert len(list(FrameReader().feed(result.stdout))) == 1


def test_what_is_printed_does_not_get_between_the_messages(tmp_path: Path) -> None:
    script = (
        "import os, subprocess, sys\n"
        "from aiops_lsp.lsp import server, serving\n"
        "taken = serving._take_stdio\n"
        "def take():\n"
        "    found = taken()\n"
        "    print('from python', flush=True)\n"
        "    subprocess.run([sys.executable, '-c', 'import sys; print(\"from a program\", sys.stdin.read())'])\n"
        "    return found\n"
        "serving._take_stdio = take\n"
        "sys.exit(server.serve_stdio())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        input=packed(INITIALIZE, SHUTDOWN, EXIT),
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(tmp_path),
    )
    assert result.returncode == 0, result.stderr.decode()
    assert len(list(FrameReader().feed(result.stdout))) == 2
    assert b"from python" in result.stderr
    assert b"from a program" in result.stderr


@asynccontextmanager
async def listening(folder: Path, call: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A server on a free port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE.format(call), stderr=asyncio.subprocess.PIPE, env=environment(folder)
    )
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert "listening on" in line, line
        yield process, int(line.rpartition(":")[2])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answered(reader: asyncio.StreamReader) -> list[dict[str, Any]]:
    received = FrameReader().feed(await asyncio.wait_for(reader.read(), 60))
    return [message for message in map(json.loads, received) if "id" in message]


TCP = "serve_tcp('127.0.0.1', 0)"
WS = "serve_ws('127.0.0.1', 0)"


@pytest.mark.parametrize(("messages", "code"), [([INITIALIZE, SHUTDOWN, EXIT], 0), ([INITIALIZE, EXIT], 1)])
async def test_exit_codes_over_tcp(tmp_path: Path, messages: list[dict[str, Any]], code: int) -> None:
    async with listening(tmp_path, TCP) as (process, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(packed(*messages))
        assert [message["id"] for message in await answered(reader)] == [one["id"] for one in messages if "id" in one]
        assert await asyncio.wait_for(process.wait(), 60) == code
        writer.close()


async def test_over_tcp_strangers_are_turned_away_and_the_client_is_not(tmp_path: Path) -> None:
    async with listening(tmp_path, TCP) as (process, port):
        for data in (b"", b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", packed({"id": 1, "method": "shutdown"})):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                assert len(await answered(reader)) == data.startswith(b"Content")
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(packed(INITIALIZE))
        await reader.readuntil(b"aiops-lsp")
        second, other = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(second.read(), 60) == b""
        other.close()
        writer.write(packed(SHUTDOWN, EXIT))
        assert await asyncio.wait_for(process.wait(), 60) == 0
        writer.close()


@pytest.mark.parametrize("call", ["serve_tcp('127.0.0.1', {})", "serve_ws('127.0.0.1', {})"])
async def test_a_port_in_use_is_an_error_with_a_reason(tmp_path: Path, call: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SERVE.format(call.format(taken.getsockname()[1])),
            stderr=asyncio.subprocess.PIPE,
            env=environment(tmp_path),
        )
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 1
        assert b"OSError" in errors
        assert b"in use" in errors


async def test_a_whole_session_over_websocket(tmp_path: Path) -> None:
    async with listening(tmp_path, WS) as (process, port):
        async with connect(f"ws://127.0.0.1:{port}") as connection:
            for message in (INITIALIZE, SHUTDOWN):
                await connection.send(json.dumps({"jsonrpc": "2.0", **message}))
            received: list[dict[str, Any]] = []
            while not any(message.get("id") == 2 for message in received):
                text = await asyncio.wait_for(connection.recv(), 60)
                assert isinstance(text, str)
                received.append(json.loads(text))
            await connection.send(json.dumps({"jsonrpc": "2.0", **EXIT}))
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(connection.recv(), 60)
        assert await asyncio.wait_for(process.wait(), 60) == 0


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("https://evil.example", False), ("http://localhost.evil.example", False), ("http://localhost:3000", True)],
)
async def test_a_web_page_from_elsewhere_cannot_connect(tmp_path: Path, origin: str, allowed: bool) -> None:
    async with listening(tmp_path, WS) as (_, port):
        if allowed:
            async with connect(f"ws://127.0.0.1:{port}", additional_headers={"Origin": origin}) as connection:
                await connection.send(json.dumps({"jsonrpc": "2.0", **INITIALIZE}))
                assert "capabilities" in str(await asyncio.wait_for(connection.recv(), 60))
        else:
            with pytest.raises(InvalidStatus):
                await connect(f"ws://127.0.0.1:{port}", additional_headers={"Origin": origin})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
async def test_a_signal_ends_the_server_in_order(tmp_path: Path) -> None:
    async with listening(tmp_path, TCP) as (process, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(packed(INITIALIZE))
        await reader.readuntil(b"aiops-lsp")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 1
        writer.close()
