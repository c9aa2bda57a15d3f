from __future__ import annotations

from aiops_lsp.engine.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(time: Time) -> Breaker:
    breaker = Breaker(time)
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.retry_in() == 0
        breaker.start()
        breaker.failed()
    return breaker


def test_opens_after_several_failures_in_a_row() -> None:
    assert opened(Time()).retry_in() == FIRST_PAUSE_SECONDS


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(Time())
    for _ in range(3 * FAILURES_TO_OPEN):
        breaker.failed()
        breaker.succeeded()
    assert breaker.retry_in() == 0


def test_lets_one_probe_through_and_closes_when_it_succeeds() -> None:
    time = Time()
    breaker = opened(time)
    time.now += FIRST_PAUSE_SECONDS
    assert breaker.retry_in() == 0
    breaker.start()
    assert breaker.retry_in() > 0
    breaker.succeeded()
    assert breaker.retry_in() == 0
    breaker.start()
    assert breaker.retry_in() == 0


def test_a_failed_probe_doubles_the_pause_up_to_a_bound() -> None:
    time = Time()
    breaker = opened(time)
    pauses = []
    for _ in range(8):
        time.now += breaker.retry_in()
        breaker.start()
        breaker.failed()
        pauses.append(breaker.retry_in())
    assert pauses[:3] == [2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS, 8 * FIRST_PAUSE_SECONDS]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    time = Time()
    breaker = opened(time)
    time.now += FIRST_PAUSE_SECONDS
    breaker.start()
    breaker.neutral()
    assert breaker.retry_in() == 0
