"""A real model, streamed and held to the schema, through the adapter: whatever it says, we stay right."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.prompts import REVIEW_SCHEMA, Prompt, review_prompt
from aiops_lsp.core.regions import Region, RegionKind
from aiops_lsp.llm.answers import AnswerReader, FindingClosed, RegionClosed
from aiops_lsp.llm.client import (
    Effort,
    ModelClient,
    ModelError,
    ModelRequest,
    ModelTimeout,
    TextDelta,
    Truncated,
    UsageReport,
)
from aiops_lsp.llm.openai import OpenAIClient
from aiops_lsp.llm.prompt_texts import load_prompt_texts
from tests.support.process import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiops_lsp.llm.answers import AnswerEvent

CODE = (
    "def mean(values):",
    "    total = 0",
    "    for value in values:",
    "        total += value",
    "    return total / 0",
)


def prompt() -> Prompt:
    region = Region(RegionKind.FUNCTION, "mean", 0, len(CODE), CODE, (0,) * len(CODE), "", "".join(CODE))
    return review_prompt(load_prompt_texts(), "python", (), "English", [region], "0123456789abcdef")


def asked(max_output_tokens: int, seconds: float = 60.0) -> ModelRequest:
    made = prompt()
    return ModelRequest(
        "smollm2", made.system, made.user, "review", REVIEW_SCHEMA, max_output_tokens, Effort.MINIMAL, "t", seconds
    )


@pytest.fixture
async def client() -> AsyncIterator[OpenAIClient]:
    async with serving([sys.executable, "-m", "tests.support.smollm_server"]) as origin:
        made = OpenAIClient(provider="local", base_url=f"{origin}/v1", key=None)
        yield made
        await made.aclose()


async def read(client: ModelClient, request: ModelRequest) -> tuple[AnswerReader, list[AnswerEvent], str, UsageReport]:
    """Read an answer to its end, or to its bound on output tokens."""
    reader = AnswerReader(["r1"])
    found: list[AnswerEvent] = []
    text = ""
    bill: UsageReport | None = None
    with suppress(Truncated):
        async for event in client.stream(request):
            if isinstance(event, TextDelta):
                text += event.text
                found += reader.feed(event.text)
            else:
                bill = event
    found += reader.finish()
    assert bill is not None
    return reader, found, text, bill


async def test_what_a_real_model_says_is_read_or_left_out(client: OpenAIClient) -> None:
    reader, found, text, bill = await read(client, asked(160))
    assert text.lstrip().startswith("{"), "the schema was not held to"
    assert 0 < bill.usage.output_tokens <= 160
    assert 100 < bill.usage.input_tokens < 2000
    early = [event.claim for event in found if isinstance(event, FindingClosed)]
    closed = [event for event in found if isinstance(event, RegionClosed)]
    assert [claim for event in closed for claim in event.claims] in (early, [])
    assert len(closed) + len(reader.missing) + reader.ignored >= 1
    for claim in early:
        assert claim.quote.strip()
        assert claim.title
        assert 0 <= claim.confidence <= 100
        assert 1 <= claim.start_line <= claim.end_line


async def test_a_slow_model_is_cancelled_and_serves_the_next_request(client: OpenAIClient) -> None:
    got_text = asyncio.Event()

    async def first() -> None:
        async with aclosing(client.stream(asked(2000))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    got_text.set()

    task = asyncio.create_task(first())
    await got_text.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, _, text, bill = await read(client, asked(20))
    assert text
    assert bill.usage.output_tokens <= 20


async def test_a_model_that_is_too_slow_times_out(client: OpenAIClient) -> None:
    await read(client, asked(1))
    with pytest.raises(ModelError) as caught:
        async for _ in client.stream(asked(400, seconds=0.001)):
            pass
    assert isinstance(caught.value, ModelTimeout) or not caught.value.sent
