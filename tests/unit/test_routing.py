"""The choice of a tier: a table, since it is pure."""

from __future__ import annotations

import pytest

from aiops_lsp.core.regions import Shape
from aiops_lsp.core.routing import Tier, lowered, reason_of, tier_of


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
