"""What one run may spend."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.cli.allowance import Allowance
from tests.support.clock import settle


async def test_what_does_not_fit_waits_for_what_is_under_way() -> None:
    allowance = Allowance(100)
    assert await allowance.take(80)
    waiting = asyncio.create_task(allowance.take(50))
    await settle()
    assert not waiting.done()
    await allowance.settle(80, 30)
    assert await waiting


async def test_what_can_never_fit_is_refused_at_once() -> None:
    allowance = Allowance(100)
    assert not await allowance.take(101)
    assert await allowance.take(90)
    await allowance.settle(90, 90)
    assert not await allowance.take(11)
    assert await allowance.take(10)


async def test_what_costs_nothing_always_fits_and_without_a_bound_all_does() -> None:
    assert await Allowance(0).take(0)
    assert await Allowance(None).take(10**12)


@given(st.integers(0, 200), st.lists(st.tuples(st.integers(0, 120), st.integers(0, 100)), max_size=30))
def test_the_bound_holds_as_long_as_estimates_are_upper_bounds(most: int, files: list[tuple[int, int]]) -> None:
    async def review(allowance: Allowance, estimate: int, percent: int) -> int:
        if not await allowance.take(estimate):
            return 0
        await asyncio.sleep(0)
        spent = estimate * percent // 100
        await allowance.settle(estimate, spent)
        return spent

    async def run() -> int:
        allowance = Allowance(most)
        return sum(await asyncio.gather(*(review(allowance, *file) for file in files)))

    assert asyncio.run(asyncio.wait_for(run(), 20)) <= most
