"""What a review was said to cost at most is what it costs at most, whatever the provider does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import FakeClock
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, Stop, findings_where
from tests.support.time_passing import Time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.provider import Exchange

FUNCTIONS = "\n\n".join(
    f"def price_{number}(order, rate):\n    total = order.total_{number} * rate\n    return total / order.count\n"
    for number in range(12)
)
DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "severity": "high", "confidence": 95}})
PRICES = {f"test:{name}": {"input": price, "output": 5 * price} for name, price in (("small", 1), ("middle", 3))}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


async def reviewed(
    script: Callable[[Exchange], Reply], part: float = 1.0
) -> tuple[tuple[int, int], tuple[int, int], set[str]]:
    """What was said, what was booked, and why regions were not reviewed. `part` of what was said is allowed."""
    clock = FakeClock()
    async with Provider(script) as provider:
        settings = settings_for(
            provider.base_url,
            prices=PRICES,
            models={"complex": "test:middle"},
            review={"trigger": "manual", "second_opinion": "all"},
        )
        async with desk(settings, clock=clock) as at:
            document = at.open(FUNCTIONS)
            await Time(at, clock).rest(document)
            said = await at.reviewer.estimate(document.uri)
            assert provider.journal == []
            reports = []

            async def review() -> None:
                allowed = (int(said[0] * part), int(said[1] * part))
                reports.append(await at.reviewer.review(document.uri, at_most=allowed))

            task = asyncio.create_task(review())
            await Time(at, clock).until(task.done, 3000)
            await task
            (report,) = reports
            day = at.reviewer.status().spend
            assert (report.tokens, report.micro_usd) == (day.today_tokens, round(day.today_usd * 1e6))
            return said, (report.tokens, report.micro_usd), {one.reason for one in report.regions if one.reason}


@pytest.mark.parametrize(
    "script",
    [
        DIVIDES,
        lambda _exchange: Reply('{"regions": [', stop=Stop.TRUNCATED),
        lambda exchange: Reply(DIVIDES(exchange).text, piece=40, disconnect_after=2),
    ],
    ids=["answers with second opinions", "cut short each time", "breaks off each time, and nobody knows the bill"],
)
async def test_retries_and_second_opinions_are_within_what_was_said(script: Callable[[Exchange], Reply]) -> None:
    said, booked, _ = await reviewed(script)
    assert 0 < booked[0] <= said[0]
    assert 0 < booked[1] <= said[1]


async def test_a_review_whose_answers_come_has_all_that_it_needs() -> None:
    said, booked, reasons = await reviewed(DIVIDES)
    assert reasons == set()
    assert booked[1] <= said[1]


async def test_what_is_not_allowed_is_not_sent_and_says_so() -> None:
    said, booked, reasons = await reviewed(DIVIDES, part=0.15)
    assert booked[0] <= 0.15 * said[0]
    assert booked[1] <= 0.15 * said[1]
    assert any("said to cost at most" in reason for reason in reasons)


async def test_there_is_nothing_to_agree_on_only_where_no_model_has_a_price() -> None:
    for prices, free in (({}, True), (PRICES, False)):
        async with Provider() as provider, desk(settings_for(provider.base_url, prices=prices)) as at:
            assert await at.reviewer.costs_nothing() is free
    async with desk(settings_for(None)) as at:
        assert await at.reviewer.costs_nothing()
