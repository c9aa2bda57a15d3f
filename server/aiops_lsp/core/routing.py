"""How strong a model a region deserves: its shape gives a tier.

Everything here is a pure function of its arguments, so `doctor` can say of each region which tier it is in and why,
without asking anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.core.regions import Shape


class Tier(StrEnum):
    """How much of a model a piece of code deserves. Ordered by `rank`, complex highest."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"

    @property
    def rank(self) -> int:
        """0 for simple up to 2 for complex."""
        return _TIER_ORDER.index(self)


_TIER_ORDER = (Tier.SIMPLE, Tier.MEDIUM, Tier.COMPLEX)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A shape with this much or more of any one thing is in the tier. Lines without blanks, nesting from 1."""

    lines: int
    branches: int
    nesting: int
    sensitive_calls: int


MEDIUM_FROM = Thresholds(lines=20, branches=4, nesting=3, sensitive_calls=1)
COMPLEX_FROM = Thresholds(lines=80, branches=15, nesting=5, sensitive_calls=3)


@lru_cache(maxsize=4096)
def tier_of(shape: Shape, *, deep: bool = False) -> Tier:
    """The tier of a region by `MEDIUM_FROM` and `COMPLEX_FROM`. A deep review that someone asked for is complex."""
    if deep or _reached(shape, COMPLEX_FROM):
        return Tier.COMPLEX
    return Tier.MEDIUM if _reached(shape, MEDIUM_FROM) else Tier.SIMPLE


def reason_of(shape: Shape, *, deep: bool = False) -> str:
    """What puts a shape in its tier, in a few words: `23 lines, 1 sensitive call`."""
    if deep:
        return "deep review"
    tier = tier_of(shape)
    if tier is Tier.SIMPLE:
        return f"short and plain ({_count(shape.lines, 'line')})"
    return ", ".join(_reached(shape, COMPLEX_FROM if tier is Tier.COMPLEX else MEDIUM_FROM))


def raised(tier: Tier) -> Tier:
    """One tier up; complex stays complex."""
    return _TIER_ORDER[min(len(_TIER_ORDER) - 1, tier.rank + 1)]


def lowered(tier: Tier) -> Tier:
    """One tier down; simple stays simple."""
    return _TIER_ORDER[max(0, tier.rank - 1)]


def _reached(shape: Shape, thresholds: Thresholds) -> list[str]:
    counted = (
        (shape.lines, thresholds.lines, _count(shape.lines, "line")),
        (shape.branches, thresholds.branches, _count(shape.branches, "branch", "es")),
        (shape.nesting, thresholds.nesting, f"nested {shape.nesting} deep"),
        (shape.sensitive_calls, thresholds.sensitive_calls, _count(shape.sensitive_calls, "sensitive call")),
    )
    return [words for value, threshold, words in counted if value >= threshold]


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"
