"""The scripted provider on a thread of its own, for tests of code that runs its own event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def served(script: object = None) -> Iterator[Provider]:
    """A provider that answers while the block runs. Its journal may be read at any time."""
    provider = Provider(script)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with provider:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
