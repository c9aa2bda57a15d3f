from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.engine.allowance import Allowance
from aiops_lsp.store.budget import Fit


def test_what_does_not_fit_may_fit_once_what_is_under_way_has_left_something() -> None:
    allowance = Allowance(100, 10)
    assert allowance.take(80, 8) is Fit.FITS
    assert allowance.take(50, 1) is Fit.AFTER_IN_FLIGHT
    assert allowance.take(1, 11) is Fit.NO
    allowance.settle((80, 8), (30, 3))
    assert allowance.take(50, 7) is Fit.FITS
    allowance.settle((50, 7), (50, 7))
    assert allowance.take(30, 0) is Fit.NO
    assert allowance.take(20, 0) is Fit.FITS


@given(
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 100), st.integers(0, 3)), max_size=40),
)
def test_no_more_is_billed_than_allowed(most: int, requests: list[tuple[int, int, int]]) -> None:
    """Requests are asked for, and answered out of order, for a part of what they may cost at most."""
    allowance = Allowance(most, most)
    under_way: list[tuple[int, int]] = []
    billed = 0
    for hard, percent, oldest in requests:
        if allowance.take(hard, hard) is Fit.FITS:
            under_way.append((hard, hard * percent // 100))
        if oldest and under_way:
            taken, spent = under_way.pop(0)
            allowance.settle((taken, taken), (spent, spent))
            billed += spent
        assert billed + sum(hard for hard, _ in under_way) <= most
