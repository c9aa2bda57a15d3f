from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core import syntax
from aiops_lsp.core.syntax import count_errors

if TYPE_CHECKING:
    from ast_grep_py import SgNode

BROKEN = "def f(:\n    return 1\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed from here on, by a process that has parsed none before."""
    texts: list[str] = []
    tree = syntax.tree

    def noted(plain: str, grammar: str) -> SgNode:
        texts.append(plain)
        return tree(plain, grammar)

    monkeypatch.setattr(syntax, "tree", noted)
    monkeypatch.setattr(syntax, "_counted", {})
    return texts


def test_the_errors_of_a_text_are_counted_once(parsed: list[str]) -> None:
    assert [count_errors(text, "python") for text in (BROKEN, "x = 1\n", BROKEN, "x = 1\n")] == [1, 0, 1, 0]
    assert parsed == [BROKEN, "x = 1\n"]


def test_each_language_has_its_own_count(parsed: list[str]) -> None:
    assert count_errors("let x = 1;\n", "javascript") == 0
    assert count_errors("let x = 1;\n", "python") > 0
    assert len(parsed) == 2


def test_no_more_is_remembered_than_is_good(parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "_MOST_COUNTED", 2)
    assert [count_errors(f"x = {number}\n", "python") for number in (1, 2, 3, 3, 1)] == [0] * 5
    assert parsed == ["x = 1\n", "x = 2\n", "x = 3\n", "x = 1\n"]
    assert len(syntax._counted) <= 2
