"""What rules ask of a document as a whole, and what its parts answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiops_lsp.rules.matching import may_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiops_lsp.rules.rule import Rule


class Conditions:
    """The rules with conditions on the document, or an eye on all of it.

    A condition looks at single lines, so the document's parts can be asked one by one.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._questions = [question for rule in rules for question in _questions(rule)]
        self._known: dict[frozenset[str], frozenset[str]] = {}  # most parts hold the same, which is kept once

    def narrow(self, text: str) -> None:
        """Ask of parts only what the whole `text` holds: worth it where there are many of them.

        Of rules that have nothing to look for in `text` the rest is not asked, and the parts' hints say so.
        """
        self._questions = []
        for rule in self._rules:
            if may_match(rule, text):
                self._questions += [question for question in _questions(rule) if question[1](text)]
            else:
                self._questions.append((_unasked(rule), _always))

    def hints(self, text: str) -> frozenset[str]:
        """What of the conditions a part of the document holds."""
        found = frozenset(hint for hint, holds in self._questions if holds(text))
        return self._known.setdefault(found, found)

    def suffice(self, hints: frozenset[str]) -> bool:
        """Whether the hints of all parts tell what is asked of the document; else they have to be made anew."""
        return not any(_unasked(rule) in hints and f"{rule.id} needs" in hints for rule in self._rules)

    def premises(self, text: str, hints: frozenset[str]) -> frozenset[str]:
        """What the findings in a region rest on beside its own text: while it stays the same, so do they.

        Ids of the rules whose conditions hold; and for a document that a rule looks at as a whole, its text. `hints`
        are those of all parts of the document.
        """
        fitting = [
            rule
            for rule in self._rules
            if f"{rule.id} needs" in hints
            and (rule.file_has is None or f"{rule.id} has" in hints)
            and f"{rule.id} lacks" not in hints
        ]
        whole = {text} if any(rule.whole_file for rule in fitting) else set()
        return frozenset({rule.id for rule in fitting} | whole)


def _unasked(rule: Rule) -> str:
    return f"{rule.id} unasked"


def _always(_text: str) -> bool:
    return True


def _questions(rule: Rule) -> Iterator[tuple[str, Callable[[str], bool]]]:
    """What to ask of a text for a rule with conditions, each with the hint that it gives where the answer is yes."""
    yield f"{rule.id} needs", partial(may_match, rule)
    if rule.file_has is not None:
        yield f"{rule.id} has", rule.file_has.occurs_in
    if rule.file_lacks is not None:
        yield f"{rule.id} lacks", rule.file_lacks.occurs_in
