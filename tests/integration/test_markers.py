"""Runs the marker tests in tests/markers, one file a case; the README there says how to write one.

AIOPS_UPDATE_MARKERS=1 writes what really came into the files. Read the difference before you keep it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.homes import private_home
from tests.support.marker_case import run

if TYPE_CHECKING:
    from collections.abc import Iterator

_UPDATE = bool(os.environ.get("AIOPS_UPDATE_MARKERS"))
CASES = sorted((Path(__file__).parent.parent / "markers").glob("*.txt"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_home(tmp_path, monkeypatch)


def difference(expected: str, actual: str) -> Iterator[str]:
    return difflib.unified_diff(
        expected.splitlines(keepends=True), actual.splitlines(keepends=True), "expected", "what came", n=6
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_marker(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = case.read_text("utf-8")
    actual = run(expected, monkeypatch)
    if actual != expected and _UPDATE:
        case.write_text(actual, "utf-8")
    assert actual == expected, "\n" + "".join(difference(expected, actual))


def test_there_are_cases() -> None:
    assert len(CASES) >= 60
