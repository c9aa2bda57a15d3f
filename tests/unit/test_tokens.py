"""Estimates of tokens: their bounds, their growth, and what they learn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.llm.tokens import RESERVE_MARGIN, estimate_tokens, most_tokens, prompt_tokens, reserve_tokens

TEXTS = st.text(max_size=400)
SURROGATES = st.text(st.characters(), max_size=50)


MODELS = st.sampled_from(["", "openai:gpt-6-luna", "anthropic:claude-haiku-5-5"])


@given(st.one_of(TEXTS, SURROGATES), MODELS)
def test_never_more_than_bytes_and_never_none_for_a_text(text: str, model: str) -> None:
    estimate = estimate_tokens(text, model)
    assert 0 <= estimate <= most_tokens(text)
    assert (estimate == 0) == (text == "")


@given(st.one_of(TEXTS, SURROGATES), st.one_of(TEXTS, SURROGATES), MODELS)
def test_a_request_s_two_parts_count_together(system: str, user: str, model: str) -> None:
    estimate = prompt_tokens(system, user, model)
    assert estimate == estimate_tokens(system, model) + estimate_tokens(user, model)
    assert estimate <= reserve_tokens(system, user, model, 2.5) <= most_tokens(system) + most_tokens(user)


def test_the_formula() -> None:
    text = "def f(Ab):\n    return 12 + größe\n" * 40
    line = 0.075 * 35 + 1.675 * 2 + 0.674 * 6 + 0.261 * 4 + 0.124 * 1 + 0.835 * 2 + 0.149 * 2
    assert abs(estimate_tokens(text) - (40 * line - 5)) <= 1


def test_anthropic_counts_more() -> None:
    text = "for item in items:\n    total += item.price\n" * 50
    assert estimate_tokens(text, "anthropic:x") == pytest.approx(1.35 * estimate_tokens(text, "openai:x"), rel=0.01)
    assert estimate_tokens(text, "openai:x") == estimate_tokens(text)


@given(TEXTS, TEXTS)
def test_more_text_is_never_fewer_tokens(one: str, other: str) -> None:
    assert estimate_tokens(one + other) >= estimate_tokens(one) - 1


def test_a_reservation_has_a_margin_and_follows_what_was_learned() -> None:
    text = "total += item.price\n" * 100
    plain = prompt_tokens("Review.", text)
    assert reserve_tokens("Review.", text) == math.ceil(plain * RESERVE_MARGIN)
    assert reserve_tokens("Review.", text, factor=0.5) == math.ceil(plain * RESERVE_MARGIN * 0.5)
