"""Shares with their confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The normal distribution's quantile for 95 %, two-sided."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `of`."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval for 95 %; of nothing everything is possible.

        Unlike the normal approximation it stays within 0 and 1 and holds for few trials and for shares near the ends
        (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).
        """
        if not self.of:
            return 0.0, 1.0
        share, square = self.hits / self.of, Z_95**2
        middle = share + square / (2 * self.of)
        spread = Z_95 * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of**2))
        scale = 1 + square / self.of
        low = 0.0 if not self.hits else (middle - spread) / scale
        high = 1.0 if self.hits == self.of else (middle + spread) / scale
        return low, high

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.of + other.of)
