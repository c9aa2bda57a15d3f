"""The one thread that the stores are called on, so that no disk ever holds up the event loop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)


class StoreWorker:
    """Runs calls one after the other on a thread of its own.

    A call that was handed over always runs, even when the task that waits for it is cancelled: a booking must not
    get lost half-way. What such a call returned can be given back by `abandoned`.
    """

    def __init__(self, name: str = "aiops-store") -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `call(*args, **kwargs)` on the worker's thread and return what it returns or raise what it raises.

        Raises RuntimeError once the worker is closed.
        """
        return await self._await(self._executor.submit(call, *args, **kwargs), None)

    async def run_or_undo(
        self, undo: Callable[[T], object], call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `run`, but when the waiting task is cancelled, `undo(result)` is called on the worker's thread.

        For a reservation: whoever asked for it is gone and will neither use nor release it.
        """
        return await self._await(self._executor.submit(call, *args, **kwargs), undo)

    async def aclose(self) -> None:
        """Take no more calls and wait for those already handed over, without blocking the loop."""
        await asyncio.to_thread(self._executor.shutdown)

    async def _await(self, future: Future[T], undo: Callable[[T], object] | None) -> T:
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            future.add_done_callback(partial(_finish_abandoned, undo))
            raise


def _finish_abandoned(undo: Callable[[T], object] | None, future: Future[T]) -> None:
    """Runs on the worker's thread as the call ends, or at once where it has ended already."""
    error = future.exception()
    if error is not None:
        _log.warning("a call to a store failed after its caller was cancelled: %s", error)
        return
    if undo is None:
        return
    try:
        undo(future.result())
    except Exception as problem:  # noqa: BLE001 - nobody waits for it any more: say it here or nowhere
        _log.warning("the result of a cancelled call could not be undone: %s", problem)
