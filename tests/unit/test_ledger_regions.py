"""Leases and failures of regions, as all windows see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.ledger import DAY, NOON, WallClock, opened

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.store.ledger import Ledger


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def windows(tmp_path: Path, clock: WallClock) -> tuple[Ledger, Ledger]:
    return opened(tmp_path, clock), opened(tmp_path, clock)


def test_two_windows_never_hold_the_same_key(windows: tuple[Ledger, Ledger], clock: WallClock) -> None:
    one, two = windows
    assert one.lease(["a", "b", "a"], "one", 60) == {"a", "b"}
    assert two.lease(["b", "c"], "two", 60) == {"c"}
    assert one.lease(["a", "c"], "one", 90) == {"a"}
    two.release_lease(["a", "b"], "two")
    assert two.lease(["a", "b"], "two", 60) == set()
    one.release_lease(["b"], "one")
    assert two.lease(["a", "b"], "two", 60) == {"b"}
    assert one.lease([], "one", 60) == set()


@pytest.mark.parametrize(
    ("forward", "granted"),
    [(59.9, set()), (60.0, {"a"}), (-1.0, set()), (-3600.0, {"a"})],
    ids=["held", "expired", "clock set back a little", "clock set back beyond any lease"],
)
def test_a_lease_ends_by_itself(
    windows: tuple[Ledger, Ledger], clock: WallClock, forward: float, granted: set[str]
) -> None:
    windows[0].lease(["a"], "one", 60)
    clock.now += forward
    assert windows[1].lease(["a"], "two", 60) == granted


def test_no_lease_is_longer_than_an_hour(windows: tuple[Ledger, Ledger], clock: WallClock) -> None:
    windows[0].lease(["a"], "one", 10**9)
    clock.now += 3600
    assert windows[1].lease(["a"], "two", 60) == {"a"}


def test_failures_are_remembered_with_growing_waits(windows: tuple[Ledger, Ledger], clock: WallClock) -> None:
    one, two = windows
    waits = [one.note_failure("a", "no valid answer").next_try_at - NOON for _ in range(6)]
    assert waits == [30, 120, 480, 1920, 3600, 3600]
    one.note_failure("b", "x" * 1000)
    known = two.failures(["a", "b", "c"])
    assert set(known) == {"a", "b"}
    assert (known["a"].count, known["a"].reason) == (6, "no valid answer")
    assert len(known["b"].reason) == 300
    two.clear_failures(["a", "c"])
    assert set(one.failures(["a", "b"])) == {"b"}
    clock.now -= 30 * DAY
    assert two.failures(["b"])["b"].next_try_at == clock.now + 3600


def test_many_keys_at_once(windows: tuple[Ledger, Ledger]) -> None:
    keys = [f"k{number}" for number in range(3000)]
    assert windows[0].lease(keys, "one", 60) == set(keys)
    windows[0].note_failure("k2999", "r")
    assert set(windows[0].failures(keys)) == {"k2999"}
    windows[0].release_lease(keys, "one")
    assert windows[1].lease(keys, "two", 60) == set(keys)


def test_compaction_forgets_what_is_over(windows: tuple[Ledger, Ledger], clock: WallClock) -> None:
    windows[0].lease(["a", "b"], "one", 60)
    windows[0].note_failure("a", "r")
    clock.now += 8 * DAY
    windows[0].note_failure("b", "r")
    assert windows[1].compact() == 3
    assert set(windows[1].failures(["a", "b"])) == {"b"}
