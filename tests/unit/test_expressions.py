from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.languages import LANGUAGES
from aiops_lsp.rules.expressions import Expression
from aiops_lsp.rules.loading import rules_of

GRAMMARS = sorted({language.grammar for language in LANGUAGES.values()})
RULES = {rule.id: rule for grammar in GRAMMARS for rule in rules_of(grammar)}
EXPRESSIONS = [
    (f"{rule.id} {name}", expression)
    for rule in RULES.values()
    for name, expression in (("shape", rule.shape), ("has", rule.file_has), ("lacks", rule.file_lacks))
    if expression is not None
]
EXAMPLES = [text for rule in RULES.values() for text in (*(one.code for one in rule.bad), *rule.good)]
NASTY = [
    "a$", "a\\Z", "[[]", "[a[b]", "[a&&b]", "(?x) a b", "(?=a)b|c", "(a)\\1", "\\bä\\b", "(?i)straße", "a{,2}b",
    "(?a)\\w", "\\w\\s\\d", "[^\\w]", "\\.\\(", "(?m)^b", "[]a]", "\\#\\ \\-", "(?P<n>a)", "[--a]", "a.c", "(?s)a.c",
    "x{2}",
]  # fmt: skip


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_an_expression_of_a_pack_occurs_where_the_standard_library_finds_it(name: str, expression: Expression) -> None:
    for text in EXAMPLES:
        assert expression.occurs_in(text) == any(True for _ in expression.starts(text)), text


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # that is what they are for
@pytest.mark.parametrize("source", NASTY)
@given(text=st.text(alphabet=st.sampled_from("abcßäẞsStTrRaAeE[]&-$#. \n\\xn\u00e4\ud800 9_1"), max_size=12))
def test_both_engines_say_the_same_or_one_is_not_asked(source: str, text: str) -> None:
    assert Expression(source).occurs_in(text) == (re.search(source, text) is not None)


@given(words=st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4), text=st.text(max_size=20), at=st.data())
def test_words_are_taken_as_they_stand(words: list[str], text: str, at: st.DataObject) -> None:
    assert Expression.of_words(words).occurs_in(text) == any(word in text for word in words)
    place = at.draw(st.integers(0, len(text)))
    assert Expression.of_words(words).occurs_in(text[:place] + words[-1] + text[place:])


def test_a_lone_surrogate_hides_nothing() -> None:
    assert Expression("eval").occurs_in("\ud800 eval")
    assert not Expression("eval").occurs_in("\ud800 x")


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(re.error):
        Expression("(")
