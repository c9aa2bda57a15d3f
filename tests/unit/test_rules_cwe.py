"""How many of the labelled security examples the rules show by default, and how many safe twins they flag."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from aiops_lsp.core.findings import Category
from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules.engine import RuleEngine
from aiops_lsp.rules.rule import SHOWN_BY_DEFAULT

_FOLDER = Path(__file__).parents[1] / "data" / "cwe"


class _Pair(NamedTuple):
    cwe: int
    language: str
    bad: str
    good: str


@cache
def _pairs() -> tuple[_Pair, ...]:
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.yml"))]
    return tuple(
        _Pair(file["cwe"], row["language"], row["bad"], row["good"]) for file in files for row in file["examples"]
    )


def _flagged(language: str, code: str) -> list[str]:
    """The security findings that are shown by default in a file of that language, under a path that is no test's."""
    snapshot = Snapshot("file:///app/service", 1, language, code)
    found = [item for item in RuleEngine().review(snapshot) if item.category is Category.SECURITY]
    return [item.code for item in found if item.confidence >= SHOWN_BY_DEFAULT]


def test_the_examples_are_enough() -> None:
    assert len(_pairs()) >= 60
    assert len({pair.cwe for pair in _pairs()}) >= 12
    assert {pair.language for pair in _pairs()} == {"python", "javascript", "go", "java"}


def test_detection_and_false_alarms() -> None:
    missed = [f"CWE-{pair.cwe} {pair.language}" for pair in _pairs() if not _flagged(pair.language, pair.bad)]
    alarms = [f"CWE-{pair.cwe} {pair.language}" for pair in _pairs() if _flagged(pair.language, pair.good)]
    print(f"found {len(_pairs()) - len(missed)} of {len(_pairs())}, missed {missed}; false alarms {alarms}")
    assert len(missed) <= 0.3 * len(_pairs()), missed
    assert len(alarms) <= 0.05 * len(_pairs()), alarms
