"""The stores' thread: one call at a time, none lost to a cancelled task."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.store.worker import StoreWorker

if TYPE_CHECKING:
    from pathlib import Path


async def test_calls_run_in_order_on_one_other_thread() -> None:
    worker = StoreWorker()
    seen: list[tuple[int, int]] = []

    def note(number: int, *, add: int = 0) -> int:
        seen.append((number, threading.get_ident()))
        return number + add

    assert await asyncio.gather(*(worker.run(note, number, add=1) for number in range(20))) == list(range(1, 21))
    assert [number for number, _ in seen] == list(range(20))
    assert {thread for _, thread in seen} != {threading.get_ident()}
    assert len({thread for _, thread in seen}) == 1
    await worker.aclose()


async def test_errors_reach_the_caller() -> None:
    worker = StoreWorker()
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    await worker.aclose()


async def test_a_cancelled_call_still_runs_and_can_be_undone(caplog: pytest.LogCaptureFixture) -> None:
    worker = StoreWorker()
    gate = threading.Event()
    done: list[str] = []

    def failing() -> None:
        raise ValueError("no room")

    blocked = asyncio.ensure_future(worker.run_or_undo(done.append, lambda: str(gate.wait())))
    queued = asyncio.ensure_future(worker.run(done.append, "booked"))
    reserving = asyncio.ensure_future(worker.run_or_undo(lambda held: done.append(f"undone {held}"), lambda: "held"))
    broken = asyncio.ensure_future(worker.run(failing))
    undoing = asyncio.ensure_future(worker.run_or_undo(lambda _held: failing(), lambda: "held"))
    kept = asyncio.ensure_future(worker.run_or_undo(done.append, lambda: "kept"))
    tasks = [blocked, queued, reserving, broken, undoing]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    gate.set()
    assert await kept == "kept"
    await worker.aclose()
    assert done == ["True", "booked", "undone held"]
    assert caplog.text.count("no room") == 2


async def test_closing_waits_for_what_was_handed_over_and_takes_no_more() -> None:
    worker = StoreWorker()
    gate = threading.Event()
    done: list[int] = []
    tasks = [asyncio.ensure_future(worker.run(gate.wait)), asyncio.ensure_future(worker.run(done.append, 1))]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(worker.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.set()
    await closing
    await asyncio.gather(*tasks)
    assert done == [1]
    with pytest.raises(RuntimeError, match="after shutdown"):
        await worker.run(done.append, 2)


async def test_an_answer_that_its_task_did_not_see_any_more_is_undone_too() -> None:
    worker, loop = StoreWorker(), asyncio.get_running_loop()
    done: list[str] = []
    told = threading.Event()
    reserving = asyncio.ensure_future(worker.run_or_undo(done.append, lambda: "held"))
    cancelling = asyncio.ensure_future(worker.run(lambda: loop.call_soon_threadsafe(reserving.cancel)))
    telling = asyncio.ensure_future(worker.run(told.set))
    await asyncio.sleep(0)
    told.wait()  # the loop stands still meanwhile: the answer and the cancelling reach it in the same turn
    await asyncio.gather(reserving, cancelling, telling, return_exceptions=True)
    await worker.aclose()
    assert reserving.cancelled()
    assert done == ["held"]


async def test_what_is_abandoned_while_the_worker_closes_is_undone_too() -> None:
    worker = StoreWorker()
    gate = threading.Event()
    done: list[str] = []
    reserving = asyncio.ensure_future(worker.run_or_undo(done.append, lambda: str(gate.wait())))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(worker.aclose())
    await asyncio.sleep(0)
    reserving.cancel()
    await asyncio.sleep(0)
    gate.set()
    await closing
    assert done == ["True"]


async def test_a_call_that_is_not_waited_for_is_let_go() -> None:
    class Held:
        pass

    worker = StoreWorker()
    held = Held()
    kept = weakref.ref(held)
    await worker.run(lambda _held: None, held)
    del held
    await worker.run(lambda: None)
    gc.collect()
    assert kept() is None
    await worker.aclose()


def test_what_was_handed_over_is_done_even_when_the_process_ends(tmp_path: Path) -> None:
    script = f"""
import asyncio, threading, time
from aiops_lsp.store.worker import StoreWorker

def book():
    begun.set()
    while loop.is_running():  # the loop, and soon the process, end meanwhile
        time.sleep(0.001)
    open({str(tmp_path / "booked")!r}, "w").close()

begun = threading.Event()
async def main():
    worker = StoreWorker()
    asyncio.ensure_future(worker.run(book))
    await asyncio.to_thread(begun.wait)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, capture_output=True)
    assert (tmp_path / "booked").exists()
