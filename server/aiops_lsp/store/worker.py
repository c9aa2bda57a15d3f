"""The one thread that the stores are called on, so that no disk ever holds up the event loop."""

from __future__ import annotations

import asyncio
import atexit
import logging
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)


class StoreWorker:
    """Runs calls one after the other on a thread of its own.

    A call that was handed over always runs, even when the task that waits for it is cancelled or the process ends: a
    booking must not get lost half-way. What such a call returned can be given back by `run_or_undo`.

    An executor would do the same, but a trip to it takes twice as long, and each request makes several.
    """

    def __init__(self, name: str = "aiops-store") -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()  # None: end as soon as nothing is left
        self._closed = False
        self._ended = False
        self._ending = Lock()
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()
        atexit.register(self._end)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `call(*args, **kwargs)` on the worker's thread and return what it returns or raise what it raises.

        Raises RuntimeError once the worker is closed.
        """
        return await self._answer(_Call(partial(call, *args, **kwargs), None))

    async def run_or_undo(
        self, undo: Callable[[T], object], call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `run`, but when the waiting task is cancelled, `undo(result)` is called on the worker's thread.

        For a reservation: whoever asked for it is gone and will neither use nor release it.
        """
        return await self._answer(_Call(partial(call, *args, **kwargs), undo))

    async def aclose(self) -> None:
        """Take no more calls and wait for those already handed over, without blocking the loop."""
        self._closed = True
        await asyncio.to_thread(self._end)
        atexit.unregister(self._end)

    async def _answer(self, call: _Call[T]) -> T:
        if self._closed:
            raise RuntimeError("the stores cannot be called after shutdown")
        self._calls.put(call.run)
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._abandon(call)
            raise

    def _abandon(self, call: _Call[T]) -> None:
        with self._ending:
            if not self._ended:
                self._calls.put(call.abandon)  # behind the call itself
                return
        call.abandon()

    def _serve(self) -> None:
        while True:
            call = self._calls.get()
            if call is not None:
                call()
                del call  # what it holds is not kept until the next one comes
                continue
            with self._ending:
                if self._calls.empty():
                    self._ended = True
                    return
                self._calls.put(None)

    def _end(self) -> None:
        self._calls.put(None)
        self._thread.join()


class _Call(Generic[T]):
    """One call, made on the worker's thread and answered on the loop of the task that waits for it."""

    def __init__(self, call: Callable[[], T], undo: Callable[[T], object] | None) -> None:
        self._call = call
        self._undo = undo
        self._loop = asyncio.get_running_loop()
        self._outcome: tuple[T] | BaseException
        self._abandoned = False
        self.answer: asyncio.Future[T] = self._loop.create_future()

    def run(self) -> None:
        """Make the call."""
        try:
            self._outcome = (self._call(),)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the one who waits
            self._outcome = error
        if self.answer.cancelled():
            self.abandon()  # before the calls that wait: they may need what it gives back
            return
        with suppress(RuntimeError):  # the loop is closed, so that nobody waits any more
            self._loop.call_soon_threadsafe(self._deliver)

    def abandon(self) -> None:
        """Undo what the call did, once: its task is gone. To be called when it has been made."""
        if self._abandoned:
            return
        self._abandoned = True
        if isinstance(self._outcome, BaseException):
            _log.warning("a call to a store failed after its caller was cancelled: %s", self._outcome)
        elif self._undo is not None:
            try:
                self._undo(self._outcome[0])
            except Exception as problem:  # noqa: BLE001 - nobody waits for it any more: say it here or nowhere
                _log.warning("the result of a cancelled call could not be undone: %s", problem)

    def _deliver(self) -> None:
        if self.answer.cancelled():
            return
        if isinstance(self._outcome, BaseException):
            self.answer.set_exception(self._outcome)
        else:
            self.answer.set_result(self._outcome[0])
