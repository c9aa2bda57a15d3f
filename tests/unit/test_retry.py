from __future__ import annotations

import asyncio

import pytest

from aiops_lsp.engine.deadline import DEADLINE_SECONDS, deadline
from aiops_lsp.engine.governor import UNNAMED_PAUSE_SECONDS
from aiops_lsp.engine.retry import LONGEST_WAIT_SECONDS, MOST_ATTEMPTS, retry_wait
from aiops_lsp.llm.client import (
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    ModelName,
    ModelTimeout,
    Overloaded,
    RateLimited,
    Refused,
    Truncated,
    Unreachable,
)
from tests.support.clock import FakeClock

KEY = Misconfigured("the key is not valid", kind=MisconfiguredKind.KEY)
REQUEST = Misconfigured("the request is not accepted", kind=MisconfiguredKind.REQUEST)


@pytest.mark.parametrize(
    ("error", "attempt", "elapsed", "least"),
    [
        (Overloaded("failing"), 0, 0, 0.5),
        (Overloaded("failing"), 1, 1, 1.0),
        (Overloaded("failing", retry_after=7), 0, 0, 7.0),
        (Overloaded("failing"), MOST_ATTEMPTS - 1, 2, None),
        (Overloaded("failing"), 0, DEADLINE_SECONDS, None),
        (ModelTimeout("silent"), 0, 30, 0.5),
        (Unreachable("no way"), 0, 0, 0.5),
        (RateLimited("slow", retry_after=0), 0, 0, 0.5),
        (RateLimited("slow", retry_after=7), 0, 0, 7.0),
        (RateLimited("slow", retry_after=None), 0, 0, UNNAMED_PAUSE_SECONDS),
        (RateLimited("slow", retry_after=LONGEST_WAIT_SECONDS + 1), 0, 0, None),
        (RateLimited("slow", retry_after=10), 0, DEADLINE_SECONDS - 5, None),
        (Truncated("cut"), 0, 0, 0.0),
        (Truncated("cut"), 1, 0, None),
        (InvalidAnswer("nonsense"), 0, 0, 0.0),
        (InvalidAnswer("nonsense"), 1, 0, None),
        (Refused("no"), 0, 0, None),
        (KEY, 0, 0, None),
        (REQUEST, 0, 0, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ModelError) else str(value),
)
def test_another_attempt_with_the_same_model(
    error: ModelError, attempt: int, elapsed: float, least: float | None
) -> None:
    wait = retry_wait(error, attempt, elapsed, other_model=False)
    if least is None:
        assert wait is None
    else:
        assert wait is not None
        assert least <= wait <= least * 1.25 + 0.01


@pytest.mark.parametrize(
    ("error", "elapsed", "wait"),
    [
        (Overloaded("failing", retry_after=500), 0, 0.0),
        (RateLimited("slow", retry_after=500), 0, 0.0),
        (KEY, 0, 0.0),
        (Unreachable("no way"), DEADLINE_SECONDS + 1, None),
        (Refused("no"), 0, None),
        (REQUEST, 0, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ModelError) else str(value),
)
def test_a_model_that_has_not_failed_is_asked_at_once(error: ModelError, elapsed: float, wait: float | None) -> None:
    assert retry_wait(error, 0, elapsed, other_model=True) == wait


async def test_an_answer_that_never_ends_is_given_up() -> None:
    clock = FakeClock()
    model = ModelName("test", "slow")

    async def drip() -> None:
        async with deadline(clock, model, 60):
            while True:
                await clock.sleep(10)

    dripping = asyncio.create_task(drip())
    await clock.advance(59)
    assert not dripping.done()
    await clock.advance(1)
    with pytest.raises(ModelTimeout, match="test:slow did not finish its answer within 60 s"):
        await dripping


async def test_a_call_that_ends_in_time_is_left_alone() -> None:
    clock = FakeClock()
    async with deadline(clock, ModelName("test", "quick"), 60):
        await clock.advance(59)
    await clock.advance(60)
    assert clock.waiting == 0
