from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.rules.excerpt import excerpt
from aiops_lsp.rules.loading import rules_of
from aiops_lsp.rules.matching import matches, matches_in_excerpt, may_match, parse

if TYPE_CHECKING:
    from aiops_lsp.rules.rule import Rule

RULES = [rule for rule in rules_of("python") if not rule.sees_document and (rule.needs or rule.shape)]
EVAL = 'eval(request.args["x"])'
FILLER = "".join(f"def filler_{n}(a, b):\n    total = a * {n}\n    return total + b\n\n\n" for n in range(60))

MODULE = '''\
"""A module.

def not_a_function():
"""

import os

LIMITS = [
    1,
]


class First(Base):
    """Says what it is for."""

    size = 3

    @property
    @cached
    def one(self):
        """
    def in_a_text(self):
        """
        return eval(self.x)  # HERE

    async def two(self):
        def inner():
            return 2
        return inner


@decorated
class Second:
    def three(self):
        return 3


if LIMITS:
    def four():
        return 4
else:
    four = None


def five(
    a,
):
    return a
'''


def kept(text: str, *marks: str) -> str:
    found = excerpt(text + FILLER, [text.index(mark) for mark in marks])
    assert found is not None
    return found.text


def test_a_method_comes_with_its_decorators_and_the_head_of_its_class() -> None:
    text = kept(MODULE, "HERE")
    assert text.startswith('class First(Base):\n    """Says')
    assert "@property\n    @cached\n    def one" in text
    assert "in_a_text" in text
    assert not any(name in text for name in ("import", "two", "Second", "five"))


def test_what_is_deeper_stays_with_what_it_is_in() -> None:
    assert "async def two" in kept(MODULE, "return 2")
    assert kept(MODULE, "return 4") == MODULE[MODULE.index("if LIMITS") : MODULE.index("def five")]


def test_a_decorated_class_is_the_head_of_its_methods() -> None:
    assert kept(MODULE, "return 3").startswith("@decorated\nclass Second:\n    def three")


def test_a_signature_over_several_lines_stays_whole() -> None:
    assert kept(MODULE, "return a\n").startswith("def five(\n    a,\n):\n    return a\n")


def test_statements_of_the_module_stay_together() -> None:
    assert kept(MODULE, "LIMITS = [").startswith('"""A module.')


def test_offsets_are_carried_back_and_not_over_what_was_left_out() -> None:
    text = MODULE + FILLER
    found = excerpt(text, [text.index("HERE"), text.index("return 3")])
    assert found is not None
    for mark in ("HERE", "return 3", "class First", "@decorated"):
        start = found.text.index(mark)
        shift = found.shift(start, start + len(mark))
        assert shift is not None
        assert text[start + shift :].startswith(mark)
    assert found.shift(found.text.index("class First"), found.text.index("HERE")) is None


def test_no_excerpt_of_most_of_a_text() -> None:
    assert excerpt(MODULE, [0, *(MODULE.index(mark) for mark in ("HERE", "return 2", "return 4"))]) is None


def same(text: str) -> int:
    """Checks that an excerpt shows what the whole text does. How many matches it shows; -1 where there is none."""
    rules = [rule for rule in RULES if may_match(rule, text)]
    rules = [rule for rule in rules if rule.file_has is None or rule.file_has.occurs_in(text)]
    found = matches_in_excerpt(text, "python", rules)
    if found is None:
        return -1
    short = [(one.rule.id, one.node.range().start.index + shift, one.node.text()) for one, shift in found]
    whole = [
        (one.rule.id, one.node.range().start.index, one.node.text()) for one in matches(parse(text, "python"), rules)
    ]
    assert short == whole
    return len(short)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_rule_matches_in_an_excerpt_what_it_matches_in_the_whole(rule: Rule) -> None:
    for example in rule.bad:
        code = example.code.replace("«", "").replace("»", "").rstrip("\n") + "\n"
        method = f"class A:\n    def around(self):\n{indent(code, ' ' * 8)}"
        for text in (code, f"def around():\n{indent(code, '    ')}", method):
            rules = [one for one in (rule,) if rule.file_has is None or rule.file_has.occurs_in(text)]
            whole = [one.rule for one in matches(parse(text, "python"), rules)]
            found = same(f"{FILLER}{text}\n\n{FILLER}")
            assert found >= len(whole)
            assert whole or text is not code


def test_what_looks_like_a_match_hides_no_match_that_begins_in_it() -> None:
    tried = "    try:\n        go()\n    except Exception:\n        stop()\n"
    both = f"def both():\n{tried}    except ValueError:\n        stop()\n"
    assert same(f"{FILLER}def lone():\n{tried}\n\n{both}\n\n{FILLER}") == 1


LINES = st.sampled_from(
    ["x = 1", EVAL, "'''", '"""', '"""text"""', "# it's", "y = '\\''", "@deco", "def f(self):", "class C:", "if a:",
     "else:", "return 1", "s = '''a", "def g(a,", "      b):", ")", "", "try:", "except ValueError:", "    pass"]
)  # fmt: skip


@given(lines=st.lists(st.tuples(st.sampled_from(["", "  ", "    ", "        ", "\t"]), LINES), max_size=30))
def test_an_excerpt_of_any_text_shows_what_the_whole_does(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"{blank}{line}\n" for blank, line in lines)
    whole = parse(FILLER + text + FILLER, "python")
    if whole.find(kind="ERROR") is None:
        same(FILLER + text + FILLER)
