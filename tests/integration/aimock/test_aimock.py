"""Both SDKs' adapters against aimock: an idea of the providers' APIs that is not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.llm.anthropic import AnthropicClient
from aiops_lsp.llm.client import Misconfigured, Overloaded, RateLimited, Truncated
from aiops_lsp.llm.openai import OpenAIClient, Style
from tests.support.aimock import aimock
from tests.support.model_calls import KEY, call, request
from tests.support.provider import answer, finding

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = answer({"r1": [finding("launch_codes = compute()", 1)]})
USAGE = {"prompt_tokens": 120, "completion_tokens": 15, "input_tokens": 120, "output_tokens": 15, "total_tokens": 135}


def fixture(model: str, **response: Any) -> dict[str, Any]:
    return {"match": {"model": model}, "response": response}


FIXTURES = [
    fixture("answers", content=ANSWER, usage=USAGE),
    fixture("is-cut", content=ANSWER[:40], finishReason="length", usage=USAGE),
    fixture("is-limited", error={"message": "slow down", "type": "rate_limit_error"}, status=429),
    fixture("is-down", error={"message": "down", "type": "server_error"}, status=503),
    fixture("is-locked", error={"message": "no", "type": "authentication_error"}, status=401),
]


def client_of(api: str, origin: str) -> OpenAIClient | AnthropicClient:
    if api == "messages":
        return AnthropicClient(provider="anthropic", base_url=origin, key=KEY)
    return OpenAIClient(provider="openai", base_url=f"{origin}/v1", key=KEY, style=Style(api))


@pytest.mark.parametrize("api", ["responses", "chat/completions", "messages"])
async def test_an_api_as_others_understand_it(api: str, tmp_path: Path) -> None:
    async with aimock(tmp_path, FIXTURES) as mock:
        client = client_of(api, mock.origin)
        for stream in (True, False):
            made = await call(client, request(model="answers", stream=stream))
            assert (made.error, made.text) == (None, ANSWER)
            assert made.usage is not None
            assert (made.usage.input_tokens, made.usage.output_tokens) == (120, 15)
            errors = [
                type((await call(client, request(model=model, stream=stream))).error)
                for model in ("is-cut", "is-limited", "is-down", "is-locked")
            ]
            assert errors == [Truncated, RateLimited, Overloaded, Misconfigured]
        await client.aclose()
        assert [entry["path"] for entry in await mock.journal()] == [f"/v1/{api}"] * 10
