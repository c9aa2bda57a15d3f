from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.engine.rates import WINDOW_SECONDS, Pause, RateWindow


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 5), st.lists(st.floats(0, 40), max_size=40))
def test_never_more_than_the_limit_in_any_window(limit: int, gaps: list[float]) -> None:
    time = Time()
    window = RateWindow(time)
    starts: list[float] = []
    for gap in gaps:
        time.now += gap
        if window.retry_in(limit) == 0:
            window.start()
            starts.append(time.now)
    for first in starts:
        assert sum(first <= start < first + WINDOW_SECONDS for start in starts) <= limit


def test_says_when_the_next_may_start() -> None:
    time = Time()
    window = RateWindow(time)
    window.start()
    time.now = 20.0
    window.start()
    assert window.retry_in(2) == 40.0
    time.now = 60.0
    assert window.retry_in(2) == 0.0


def test_a_longer_pause_that_was_asked_for_stands() -> None:
    time = Time()
    pause = Pause(time)
    pause.ask(30)
    pause.ask(5)
    assert pause.retry_in() == 30
    time.now = 31
    assert pause.retry_in() == 0
