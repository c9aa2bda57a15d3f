from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.models import ModelPool
from aiops_lsp.observability.logs import PROCESS_KEYS, RedactingFilter, redact_with
from aiops_lsp.settings import Settings, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "a-key-of-no-known-shape-42"


def pool(values: Mapping[str, object], environ: Mapping[str, str]) -> ModelPool:
    settings, problems = resolve(values, environ, None, None)
    assert not problems
    return ModelPool.find(settings, environ)


def test_without_any_key_no_model_can_be_asked_and_the_words_say_why() -> None:
    found = ModelPool.find(Settings(), {})
    assert not found.usable
    assert "no API key" in found.problem


@pytest.mark.parametrize(
    ("environ", "provider"),
    [
        ({"OPENAI_API_KEY": KEY}, "openai"),
        ({"ANTHROPIC_API_KEY": KEY}, "anthropic"),
        ({"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}, "anthropic"),
    ],
)
def test_the_key_that_is_present_decides_on_the_models(environ: dict[str, str], provider: str) -> None:
    found = pool({}, environ)
    assert found.usable
    assert {model.partition(":")[0] for tier in Tier for model in found.chain(tier)} == {provider}
    assert found.routes[provider].key == KEY


def test_a_loopback_server_needs_no_key_and_never_gets_the_vendors() -> None:
    values = {"providers": {"local": {"base_url": "http://127.0.0.1:11434/v1"}}, "models": {"simple": "local:small"}}
    found = pool(values, {"OPENAI_API_KEY": KEY})
    route = found.routes["local"]
    assert (route.loopback, route.key, route.problem) == (True, None, "")


def test_a_host_of_the_users_file_gets_no_key_that_is_not_bound_to_it() -> None:
    values = {
        "providers": {"openai": {"base_url": "https://proxy.example.com/v1"}},
        "models": {"simple": "openai:gpt-6-luna"},
    }
    route = pool(values, {"OPENAI_API_KEY": KEY}).routes["openai"]
    assert route.key is None
    assert route.problem


def test_the_tier_of_a_model_is_the_highest_that_names_it() -> None:
    values = {
        "providers": {"local": {"base_url": "http://127.0.0.1:1/v1"}},
        "models": {"simple": "local:a", "medium": ["local:b", "local:a"], "complex": "local:c"},
    }
    found = pool(values, {})
    assert found.tier_of("local:a") is Tier.MEDIUM
    assert found.tier_of("local:c") is Tier.COMPLEX
    assert found.tier_of("local:gone") is None


def test_a_key_that_was_found_never_reaches_a_log_line() -> None:
    pool({}, {"OPENAI_API_KEY": KEY})
    record = logging.LogRecord("aiops_lsp", logging.INFO, "", 0, "the header was %s", (f"Bearer {KEY}",), None)
    RedactingFilter(redact_with(PROCESS_KEYS)).filter(record)
    assert KEY not in record.getMessage()
    assert KEY not in repr(pool({}, {"OPENAI_API_KEY": KEY}).routes["openai"])


async def test_what_can_be_asked_is_prepared_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []

    class Prepared:
        def __init__(self, provider: str, _base_url: str | None, _key: str | None) -> None:
            self.provider = provider

        async def prepare(self) -> None:
            prepared.append(self.provider)

    monkeypatch.setattr("aiops_lsp.engine.models.open_client", Prepared)
    values = {
        "providers": {"local": {"base_url": "http://127.0.0.1:11434/v1"}},
        "models": {"simple": "local:small", "medium": "openai:gpt-6-luna"},
    }
    found = pool(values, {})
    assert found.routes["openai"].problem
    await found.prepare()
    assert prepared == ["local"]
