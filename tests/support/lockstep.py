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
    from queue import SimpleQueue

    from aiops_lsp.engine.review import Reviewer
    from aiops_lsp.store.worker import StoreWorker

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


class UnderWay:
    """Counts the calls made on threads, each until the loop that this was made on has heard of its end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def begin(self) -> None:
        self._count += 1

    def end(self) -> None:
        """For the call's thread, after it has woken those who wait: they are woken first."""
        self._loop.call_soon_threadsafe(self._heard)

    def _heard(self) -> None:
        self._count -= 1


class WatchedExecutor(ThreadPoolExecutor):
    """Has what it does counted."""

    def __init__(self, under_way: UnderWay) -> None:
        super().__init__()
        self._under_way = under_way

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
            self._under_way.end()

        self._under_way.begin()
        super().submit(call)
        return told


class InlineCalls:
    """The calls that wait for the stores' thread, made at once instead."""

    def put(self, call: Callable[[], None] | None) -> None:
        if call is not None:
            call()


class WatchedCalls:
    """The calls that wait for the stores' thread, counted."""

    def __init__(self, calls: SimpleQueue[Callable[[], None] | None], under_way: UnderWay) -> None:
        self._under_way = under_way
        self._calls = calls
        self.get = calls.get
        self.empty = calls.empty

    def put(self, call: Callable[[], None] | None) -> None:
        if call is None:
            self._calls.put(None)
            return

        def counted() -> None:
            call()
            self._under_way.end()

        self._under_way.begin()
        self._calls.put(counted)


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
    worker = _stores_worker(reviewer)
    worker._end()
    worker._calls = InlineCalls()  # type: ignore[assignment]


def stores_watched(reviewer: Reviewer, under_way: UnderWay) -> None:
    """Have the calls of a started reviewer's stores counted."""
    worker = _stores_worker(reviewer)
    worker._calls = WatchedCalls(worker._calls, under_way)  # type: ignore[assignment]


def _stores_worker(reviewer: Reviewer) -> StoreWorker:
    assert reviewer._assembly is not None
    return reviewer._assembly.services.worker
