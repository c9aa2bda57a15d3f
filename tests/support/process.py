"""Servers that tests start as processes of their own, and which say where they listen."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@asynccontextmanager
async def serving(command: Sequence[str], cwd: Path | None = None, seconds: float = 90.0) -> AsyncIterator[str]:
    """Run `command` until the end of the block; yields the address that it prints once it listens.

    Raises RuntimeError with what it printed when it ends without listening.
    """
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    draining: asyncio.Task[bytes] | None = None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            address = await _address(process.stdout)
        draining = asyncio.create_task(process.stdout.read())
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if draining is not None:
            await draining


async def _address(printed: asyncio.StreamReader) -> str:
    before = ""
    while line := (await printed.readline()).decode(errors="replace"):
        if found := _ADDRESS.search(line):
            return found[0]
        before += line
    raise RuntimeError(f"the server ended without listening:\n{before}")
