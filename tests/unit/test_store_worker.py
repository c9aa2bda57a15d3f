"""The stores' thread: one call at a time, none lost to a cancelled task."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aiops_lsp.store.worker import StoreWorker


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
