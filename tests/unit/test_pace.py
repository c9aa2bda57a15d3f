from __future__ import annotations

import pytest

from aiops_lsp.engine.pace import LONGEST_SECONDS, Pace


def test_an_answer_that_came_too_late_makes_the_wait_longer_and_others_slowly_shorter() -> None:
    pace = Pace()
    assert pace.settle_seconds(2) == 2
    pace.answered(2, in_time=False)
    late = pace.settle_seconds(2)
    assert late == 3
    pace.answered(2, in_time=True)
    assert 0.8 * late < pace.settle_seconds(2) < late
    for _ in range(20):
        pace.answered(2, in_time=True)
    assert pace.settle_seconds(2) == 2


def test_the_wait_has_a_bound_but_is_never_shorter_than_the_setting() -> None:
    pace = Pace()
    for _ in range(20):
        pace.answered(2, in_time=False)
    assert pace.settle_seconds(2) == LONGEST_SECONDS
    for setting in (0, 2, 59, 60, 300):
        assert pace.settle_seconds(setting) >= setting


def test_without_a_wait_there_is_none() -> None:
    pace = Pace()
    pace.answered(0, in_time=False)
    assert pace.settle_seconds(0) == 0


@pytest.mark.parametrize("patience", [5.0, 15.0, 25.0])
def test_it_comes_to_rest_where_about_one_answer_in_a_dozen_is_for_nothing(patience: float) -> None:
    """An author with whom every answer is late that was asked for after less than `patience` seconds."""
    pace, late = Pace(), 0
    for _ in range(1000):
        in_time = pace.settle_seconds(2) >= patience
        late += not in_time
        pace.answered(2, in_time=in_time)
    assert 1 / 20 < late / 1000 < 1 / 9
