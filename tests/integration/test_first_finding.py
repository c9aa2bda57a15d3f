"""Findings show while the model still writes: the first one long before half of the answer has come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, answer, finding

if TYPE_CHECKING:
    from aiops_lsp.settings import Settings
    from tests.support.provider import Exchange

FUNCTIONS = 6
TEXT = "\n\n".join(f"def part_{n}(order):\n    return order.total / order.count + {n}" for n in range(FUNCTIONS)) + "\n"
WHY = "The count is zero for an order without lines, and nothing in the function keeps such an order out. " * 3


def at_api(api: str, provider: Provider) -> Settings:
    """Settings by which the provider is asked by this API."""
    if api == "chat/completions":
        return settings_for(provider.base_url)
    models = dict.fromkeys(("simple", "medium", "complex"), "anthropic:claude-haiku-5-5")
    return settings_for(provider.base_url, providers={"anthropic": {"base_url": provider.origin}}, models=models)


def full_answer(exchange: Exchange) -> str:
    """One long finding for each region."""
    return answer(
        {
            name: [finding(line, number, why=WHY) for number, line in enumerate(lines, 1) if "/ order" in line]
            for name, lines in exchange.regions.items()
        }
    )


@pytest.mark.parametrize("api", ["chat/completions", "messages"])
@pytest.mark.parametrize("piece", [7, 60])
async def test_the_first_finding_shows_before_half_of_the_answer_has_come(api: str, piece: int) -> None:
    shown = asyncio.Event()
    sent: list[int] = []

    def script(exchange: Exchange) -> Reply:
        text = full_answer(exchange)
        half = len(text) // piece // 2

        async def gate(number: int) -> None:
            if number == half:
                await asyncio.wait_for(shown.wait(), 30)  # fails where nothing shows on what has come so far
            sent.append(number)

        return Reply(text, piece=piece, gate=gate)

    async with Provider(script) as provider, desk(at_api(api, provider)) as at:
        document = at.open(TEXT)
        await at.until_shown(document, lambda found: any(one.origin is Origin.MODEL for one in found))
        (exchange,) = provider.journal
        assert exchange.path.endswith(api)
        assert exchange.state == "open"
        assert len(sent) * piece <= len(full_answer(exchange)) / 2 + piece
        shown.set()
        await at.until_shown(document, lambda found: len(found) == FUNCTIONS)
