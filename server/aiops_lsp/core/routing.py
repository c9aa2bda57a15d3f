"""Which model a region goes to: its shape gives a tier, the tier and the budget's pressure give a model.

Everything here is a pure function of its arguments, so `doctor` can say for each region what would be chosen and
why, without asking anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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


class Pressure(StrEnum):
    """How near the spending is to a limit."""

    NONE = "none"
    HIGH = "high"
    EXHAUSTED = "exhausted"


HIGH_PRESSURE = 0.8
"""The share of a limit from which one tier lower is used."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A shape with this much or more of any one thing is in the tier. Lines without blanks, nesting from 1."""

    lines: int
    branches: int
    nesting: int
    sensitive_calls: int


MEDIUM_FROM = Thresholds(lines=20, branches=4, nesting=3, sensitive_calls=1)
COMPLEX_FROM = Thresholds(lines=80, branches=15, nesting=5, sensitive_calls=3)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that a region goes to, or none, the tier that the model stands for, and why in a few words."""

    model: str | None
    tier: Tier
    why: str


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


def pressure_of(spent: float, limit: float) -> Pressure:
    """The pressure when `spent` of `limit` is used, both in one unit. A limit of 0 or less is exhausted."""
    if limit <= 0 or spent >= limit:
        return Pressure.EXHAUSTED
    return Pressure.HIGH if spent >= HIGH_PRESSURE * limit else Pressure.NONE


def choose(
    tier: Tier, models: Mapping[Tier, Sequence[str]], pressure: Pressure, unavailable: Collection[str] = ()
) -> Choice:
    """The model for `tier` under `pressure`.

    `models` lists a tier's models, the preferred one first; the first that is not in `unavailable` is taken. From
    high pressure one tier lower serves, and none at all once a limit is exhausted. A tier is never raised, and it is
    lowered only by pressure: when none of its models is available, there is no model.
    """
    if pressure is Pressure.EXHAUSTED:
        return Choice(None, tier, "the budget is used up")
    serving = lowered(tier) if pressure is Pressure.HIGH else tier
    saving = f"{tier}, lowered to {serving} to save budget" if serving is not tier else str(tier)
    chain = models.get(serving, ())
    for model in chain:
        if model not in unavailable:
            first = model == chain[0]
            return Choice(model, serving, saving if first else f"{saving}, {chain[0]} is unavailable")
    return Choice(None, serving, f"{saving}, {'no model is available' if chain else 'no model is set'}")


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
