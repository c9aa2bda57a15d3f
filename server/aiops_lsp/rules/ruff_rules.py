"""Which of ruff's rules a reviewer cares about, and what they are in our words.

Chosen: what is wrong whenever it is reported. Left out: style, what our own Python pack says (it knows more of the
surroundings), and rules that are right too rarely to interrupt somebody for.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RuffRule:
    """One of ruff's rules as a finding: a `Category` and a `Severity`, by their values."""

    code: str
    category: str
    severity: str


_TABLE = {
    # Fails when it runs.
    ("bug", "high"): """
        F502 F503 F505 F506 F507 F508 F509 F521 F524 F525 F633 F704 F706 F707 F821 F823
        B002 B016 B029 B030 B035 PLE0101 PLE0303 PLE0304 PLE0305 PLE0307 PLE0308 PLE0309 PLE0604 PLE0643 PLE1132
        PLE1142 PLE1300 PLE1307 PLE1507 PLE1519 PLE1520 PLE1700 PLW0133 PLW0177 PLW1501 RUF016
    """,
    # Does something else than it says.
    ("bug", "medium"): """
        F402 F601 F602 F631 F632 F634 F811 F822 B005 B012 B015 B020 B025 B031 B032 B039 PLE0237 PLE0241 PLE0302 PLE0704
        PLE1310 PLW0127 PLW0129 PLW0711 PLW1507 RUF018 RUF032 RUF034 RUF060 SIM107
    """,
    ("error_handling", "medium"): "LOG004 LOG007 PLE1205 PLE1206 PLW1508",
    ("concurrency", "high"): "ASYNC210 ASYNC212 ASYNC221 ASYNC222 ASYNC251 RUF006 PLW2101",
    ("concurrency", "medium"): "ASYNC220 ASYNC250 PLW1509",
    ("security", "high"): "PLE2502 PLE2510 PLE2512 PLE2513 PLE2514 PLE2515",
    ("api_misuse", "medium"): "S113",
}

_RULES: Mapping[str, RuffRule] = MappingProxyType(
    {
        code: RuffRule(code, category, severity)
        for (category, severity), codes in _TABLE.items()
        for code in codes.split()
    }
)

CHECKED: tuple[str, ...] = tuple(sorted(_RULES))
"""The codes that are asked for."""


def rule_of(code: str) -> RuffRule | None:
    """What a code is in our words; None for one that is not asked for."""
    return _RULES.get(code)
