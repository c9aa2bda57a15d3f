"""An event loop of which a test knows whether nothing but time can bring it on.

What the program would do on threads is watched, or, on a loop that is driven turn by turn, done at once, at the place
where it is handed over. Together with `FakeClock` the same steps then always give the same run, however they are
interleaved, and thousands of them take seconds.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tests.support.clock import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiops_lsp.engine.review import Reviewer

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(ThreadPoolExecutor):
    """Calls in `submit` what others would call on a thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is handed on to whoever waits
            future.set_exception(error)
        return future


class WatchedExecutor(ThreadPoolExecutor):
    """Knows whether one of its calls is waited for, until the loop that it was made on has heard of the call's end."""

    def __init__(self, threads: int | None = None) -> None:
        super().__init__(threads)
        self._loop = asyncio.get_running_loop()
        self._under_way = 0

    @property
    def is_working(self) -> bool:
        return self._under_way > 0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        told: Future[T] = Future()

        def call() -> None:
            if told.set_running_or_notify_cancel():
                try:
                    result = fn(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001 - it is handed on to whoever waits
                    told.set_exception(error)
                else:
                    told.set_result(result)
            self._loop.call_soon_threadsafe(self._heard)  # after those who wait, whom the future has just woken

        self._under_way += 1
        super().submit(call)
        return told

    def _heard(self) -> None:
        self._under_way -= 1


class Lockstep:
    """Owns a loop that stands still between calls. What fails on it unseen, in a task, fails the next call of `run`."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(InlineExecutor(1))
        self._errors = _Errors(logging.ERROR)
        logging.getLogger("aiops_lsp").addHandler(self._errors)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run until `coroutine` has ended."""
        result = self.loop.run_until_complete(coroutine)
        self._errors.check()
        return result

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain function on the loop."""

        async def called() -> T:
            return function(*args, **kwargs)

        return self.run(called())

    def turns(self, count: int) -> None:
        """Let everything that is ready take `count` steps."""
        self.run(settle(count))

    def close(self) -> None:
        """Give up the loop."""
        logging.getLogger("aiops_lsp").removeHandler(self._errors)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def anything_ready() -> bool:
    """Whether the running loop has something to do beside the task that asks."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.BaseEventLoop)
    return bool(loop._ready)  # type: ignore[attr-defined]  # asyncio has no other way to ask


async def until_idle() -> None:
    """Let everything that is ready run, until nothing but time can bring the loop of a `Lockstep` on."""
    while True:
        await asyncio.sleep(0)
        if not anything_ready():
            return


class _Errors(logging.Handler):
    """Keeps the first error that is logged."""

    first: logging.LogRecord | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record

    def check(self) -> None:
        record, self.first = self.first, None
        if record is not None:
            raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


def stores_inline(reviewer: Reviewer) -> None:
    """Have a started reviewer call its stores on the loop as well."""
    stores_on(InlineExecutor(1), reviewer)


def stores_on(executor: ThreadPoolExecutor, reviewer: Reviewer) -> None:
    """Have a started reviewer call its stores by `executor`, which has one thread at most."""
    assert reviewer._assembly is not None
    worker = reviewer._assembly.services.worker
    worker._executor.shutdown()
    worker._executor = executor
