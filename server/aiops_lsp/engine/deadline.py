"""A bound on how long one call may take as a whole, whatever the pace at which its pieces come."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiops_lsp.llm.client import ModelName, ModelTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiops_lsp.engine.clock import Clock

DEADLINE_SECONDS = 120.0
"""After so long an answer is given up, complete or not."""


@asynccontextmanager
async def deadline(clock: Clock, model: ModelName, seconds: float = DEADLINE_SECONDS) -> AsyncGenerator[None]:
    """Raise `ModelTimeout` in the block when it has run for `seconds` of `clock`."""
    try:
        async with asyncio.timeout(None) as limit:
            timer = clock.call_later(seconds, lambda: limit.reschedule(0.0))
            try:
                yield
            finally:
                timer.cancel()
    except TimeoutError:
        raise ModelTimeout(f"{model} did not finish its answer within {seconds:.0f} s") from None
