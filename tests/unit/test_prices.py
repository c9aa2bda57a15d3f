"""Prices: the user's first, then the published ones; never nothing for a remote model that is not known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.llm.client import ModelName, Usage
from aiops_lsp.llm.prices import NoPrice, PriceTable
from aiops_lsp.settings import default_models

LUNA = ModelName.parse("openai:gpt-6-luna")
HAIKU = ModelName.parse("anthropic:claude-haiku-5-5")
OWN = ModelName.parse("ollama:qwen3")
UNKNOWN = ModelName.parse("openai:no-such-model")


@dataclass(frozen=True)
class Row:
    input: float
    output: float


@cache
def table() -> PriceTable:
    return PriceTable({"ollama:qwen3": Row(0.1, 0.4), "openai:gpt-6-sol-own": Row(0, 0)})


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_every_default_model_has_a_price(provider: str) -> None:
    models = default_models({provider})
    for tier in ("simple", "medium", "complex"):
        for name in models.chain(tier):
            assert table().cost(ModelName.parse(name), 1000, 1000, loopback=False) > 0


def test_the_users_price_counts_and_every_part_is_rounded_up() -> None:
    assert table().cost(OWN, 1_000_000, 0, loopback=False) == 100_000
    assert table().cost(OWN, 0, 1_000_000, loopback=False) == 400_000
    assert table().cost(OWN, 1, 0, loopback=False) == 1
    assert table().cost(OWN, 1, 1, loopback=True) == 1
    assert table().billed(OWN, Usage(1000, 0, cache_read_tokens=900), loopback=False) == 100


def test_a_model_without_a_price_is_free_on_loopback_only() -> None:
    assert table().cost(UNKNOWN, 10**6, 10**6, loopback=True) == 0
    says = r'\[prices\."openai:no-such-model"\]'
    with pytest.raises(NoPrice, match=says):
        table().cost(UNKNOWN, 1, 1, loopback=False)
    with pytest.raises(NoPrice, match=says):
        table().billed(UNKNOWN, Usage(1, 1), loopback=False)


def test_a_known_model_behind_a_loopback_proxy_has_its_price() -> None:
    assert table().cost(LUNA, 10**6, 0, loopback=True) == table().cost(LUNA, 10**6, 0, loopback=False) > 0


def test_what_was_cached_is_cheaper_and_what_is_written_to_the_cache_dearer() -> None:
    plain = table().billed(HAIKU, Usage(10_000, 100), loopback=False)
    read = table().billed(HAIKU, Usage(10_000, 100, cache_read_tokens=9_000), loopback=False)
    written = table().billed(HAIKU, Usage(10_000, 100, cache_write_tokens=9_000), loopback=False)
    assert read < plain < written


def test_long_contexts_have_their_own_price() -> None:
    short, long = (table().billed(LUNA, Usage(size, 0), loopback=False) for size in (100_000, 1_000_000))
    assert long > 10 * short


counts = st.integers(0, 400_000)


@given(given=counts, taken=counts, read=counts, written=counts, model=st.sampled_from([LUNA, HAIKU, OWN]))
def test_a_bill_is_never_above_what_was_reserved_for_it(
    given: int, taken: int, read: int, written: int, model: ModelName
) -> None:
    bill = table().billed(model, Usage(given, taken, read, written), loopback=False)
    assert 0 <= bill <= table().cost(model, given, taken, loopback=False)
