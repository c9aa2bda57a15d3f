"""The choice of a tier and of a model: tables, since both are pure."""

from __future__ import annotations

import pytest

from aiops_lsp.core.regions import Shape
from aiops_lsp.core.routing import Choice, Pressure, Tier, choose, lowered, pressure_of, reason_of, tier_of

MODELS = {Tier.SIMPLE: ["a:small"], Tier.MEDIUM: ["a:middle", "b:middle"], Tier.COMPLEX: ["a:large"]}


@pytest.mark.parametrize(
    ("shape", "tier", "reason"),
    [
        (Shape(), Tier.SIMPLE, "short and plain (0 lines)"),
        (Shape(lines=1), Tier.SIMPLE, "short and plain (1 line)"),
        (Shape(lines=19, branches=3, nesting=2), Tier.SIMPLE, "short and plain (19 lines)"),
        (Shape(lines=20), Tier.MEDIUM, "20 lines"),
        (Shape(branches=4), Tier.MEDIUM, "4 branches"),
        (Shape(nesting=3), Tier.MEDIUM, "nested 3 deep"),
        (Shape(lines=3, sensitive_calls=1), Tier.MEDIUM, "1 sensitive call"),
        (Shape(lines=79, branches=14, nesting=4, sensitive_calls=2), Tier.MEDIUM, None),
        (Shape(lines=80), Tier.COMPLEX, "80 lines"),
        (Shape(branches=15), Tier.COMPLEX, "15 branches"),
        (Shape(nesting=5, lines=30), Tier.COMPLEX, "nested 5 deep"),
        (Shape(sensitive_calls=3), Tier.COMPLEX, "3 sensitive calls"),
    ],
)
def test_tier_by_shape(shape: Shape, tier: Tier, reason: str | None) -> None:
    assert tier_of(shape) is tier
    assert reason_of(shape) == (reason or "79 lines, 14 branches, nested 4 deep, 2 sensitive calls")


def test_a_deep_review_is_complex() -> None:
    assert tier_of(Shape(lines=1), deep=True) is Tier.COMPLEX
    assert reason_of(Shape(lines=1), deep=True) == "deep review"


def test_lowering_ends_at_simple() -> None:
    assert [lowered(tier) for tier in Tier] == [Tier.SIMPLE, Tier.SIMPLE, Tier.MEDIUM]


@pytest.mark.parametrize(
    ("spent", "limit", "pressure"),
    [
        (0, 100, Pressure.NONE),
        (79.99, 100, Pressure.NONE),
        (80, 100, Pressure.HIGH),
        (99.99, 100, Pressure.HIGH),
        (100, 100, Pressure.EXHAUSTED),
        (101, 100, Pressure.EXHAUSTED),
        (0, 0, Pressure.EXHAUSTED),
    ],
)
def test_pressure(spent: float, limit: float, pressure: Pressure) -> None:
    assert pressure_of(spent, limit) is pressure


@pytest.mark.parametrize(
    ("tier", "pressure", "unavailable", "choice"),
    [
        (Tier.SIMPLE, Pressure.NONE, (), Choice("a:small", Tier.SIMPLE, "simple")),
        (Tier.MEDIUM, Pressure.NONE, (), Choice("a:middle", Tier.MEDIUM, "medium")),
        (Tier.COMPLEX, Pressure.NONE, (), Choice("a:large", Tier.COMPLEX, "complex")),
        (Tier.SIMPLE, Pressure.HIGH, (), Choice("a:small", Tier.SIMPLE, "simple")),
        (Tier.MEDIUM, Pressure.HIGH, (), Choice("a:small", Tier.SIMPLE, "medium, lowered to simple to save budget")),
        (Tier.COMPLEX, Pressure.HIGH, (), Choice("a:middle", Tier.MEDIUM, "complex, lowered to medium to save budget")),
        (Tier.SIMPLE, Pressure.EXHAUSTED, (), Choice(None, Tier.SIMPLE, "the budget is used up")),
        (Tier.COMPLEX, Pressure.EXHAUSTED, (), Choice(None, Tier.COMPLEX, "the budget is used up")),
        (
            Tier.MEDIUM,
            Pressure.NONE,
            ("a:middle",),
            Choice("b:middle", Tier.MEDIUM, "medium, a:middle is unavailable"),
        ),
        (
            Tier.MEDIUM,
            Pressure.NONE,
            ("a:middle", "b:middle"),
            Choice(None, Tier.MEDIUM, "medium, no model is available"),
        ),
    ],
)
def test_choice(tier: Tier, pressure: Pressure, unavailable: tuple[str, ...], choice: Choice) -> None:
    assert choose(tier, MODELS, pressure, unavailable) == choice


def test_a_tier_without_models_has_none() -> None:
    assert choose(Tier.MEDIUM, {}, Pressure.NONE) == Choice(None, Tier.MEDIUM, "medium, no model is set")
