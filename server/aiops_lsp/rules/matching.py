"""Rules against one text: one search for all of them, then the question which of them each hit is.

Compiling a rule is cheap (about 20 us); walking a document is not. So all rules that may match are
searched as one `any`, without their constraints, and only the few nodes that it finds are put to each rule in full.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from aiops_lsp.core.syntax import for_grammar
from aiops_lsp.rules.excerpt import EXCERPTED, excerpt
from aiops_lsp.rules.expressions import Expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ast_grep_py import Config, SgNode

    from aiops_lsp.rules.rule import Rule

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_ASCII_ONLY = frozenset({"bash"})
"""Grammars whose scanner crashes the process on some signs beyond ASCII. Rules for the others may name such signs."""


@dataclass(frozen=True, slots=True)
class Match:
    """One match of one rule: the node, and the node that is reported."""

    rule: Rule
    node: SgNode
    marked: SgNode


def parse(text: str, grammar: str) -> SgNode:
    """The tree of `text`, whose offsets are those of the text in code points.

    What the parser cannot take (a lone surrogate; for some grammars, all beyond ASCII) or would not see as a line's
    end (a lone carriage return) is replaced by one character that it can.
    """
    from ast_grep_py import SgRoot  # noqa: PLC0415  # 30 ms that the server's start must not pay

    if not text.isascii():
        text = for_grammar(text) if grammar in _ASCII_ONLY else _SURROGATE.sub("\ufffd", text)
    if "\r" in text:
        text = _LONE_RETURN.sub("\n", text)
    return SgRoot(text, grammar).root()


def matches(root: SgNode, rules: Sequence[Rule]) -> list[Match]:
    """The matches of `rules` under `root`, in document order.

    A node is reported once, for the first of the rules that it matches: a pack lists the graver one first. What the
    parser made no sense of does not count.
    """
    if not rules:
        return []
    found: list[Match] = []
    alone = rules[0] if len(rules) == 1 else None
    for node in root.find_all(_any_of(rules) if alone is None else alone.config):
        match = _attributed(node, rules) if alone is None else _match(node, alone)
        if match and not _is_broken(node):
            found.append(match)
    return found


def _is_broken(node: SgNode) -> bool:
    """Whether the parser could not make sense of the node or of what it is directly part of."""
    parent = node.parent()
    return (parent is not None and parent.kind() == "ERROR") or node.find(kind="ERROR") is not None


def matches_each(root: SgNode, rules: Iterable[Rule]) -> list[Match]:
    """The matches of every rule for itself: for rules of a team, which may well overlap."""
    return [Match(rule, node, _marked(rule, node)) for rule in rules for node in root.find_all(rule.config)]


def matches_in_excerpt(text: str, grammar: str, rules: Sequence[Rule]) -> list[tuple[Match, int]] | None:
    """The matches of rules that may match in a long text, each with what to add to its offsets to get the text's.

    None where an excerpt is of no use, or may not show all that matters to a rule.
    """
    if grammar not in EXCERPTED or any(rule.sees_document or not (rule.needs or rule.shape) for rule in rules):
        return None
    short = excerpt(text, chain.from_iterable(places(rule, text) for rule in rules))
    if short is None:
        return None
    root = parse(short.text, grammar)
    if root.find(kind="ERROR") is not None:
        return None
    found: list[tuple[Match, int]] = []
    for match in matches(root, rules):
        shift = short.shift(*_place(match.node))
        if shift is None:
            return None
        found.append((match, shift))
    return found


def compile_problem(config: Config, grammar: str) -> str | None:
    """Why ast-grep refuses `config` for a grammar that it has, in one line, or None if it takes it."""
    try:
        parse("", grammar).find_all(config)
    except Exception as error:  # noqa: BLE001  # ast-grep raises RuntimeError, Exception or TypeError; all say why
        lines = str(error).partition("Stack backtrace")[0].splitlines()
        causes = [line.strip().lstrip("0123456789: ") for line in lines]
        return "; ".join(cause for cause in causes if cause and cause not in {"Caused by:", "cannot get matcher"})
    return None


def _any_of(rules: Sequence[Rule]) -> Config:
    utils = {name: util for rule in rules for name, util in rule.config.get("utils", {}).items()}
    config: Config = {"rule": {"any": [rule.config["rule"] for rule in rules]}}
    if utils:
        config["utils"] = utils
    return config


def _attributed(node: SgNode, rules: Iterable[Rule]) -> Match | None:
    text = node.text()
    place = _place(node)
    for rule in rules:
        if not _has_word(rule, text):
            continue
        found = node.find(rule.config)
        if found is not None and _place(found) == place and found.kind() == node.kind():
            return Match(rule, found, _marked(rule, found))
    return None


def _match(node: SgNode, rule: Rule) -> Match | None:
    """What a rule that was searched alone has found."""
    return Match(rule, node, _marked(rule, node)) if _has_word(rule, node.text()) else None


def _marked(rule: Rule, node: SgNode) -> SgNode:
    return (node.get_match(rule.mark) if rule.mark else None) or node


def may_match(rule: Rule, text: str) -> bool:
    """Whether `text` holds what a rule needs to match in it."""
    words = _any_word(rule.needs)
    return (words is None or words.occurs_in(text)) and (rule.shape is None or rule.shape.occurs_in(text))


def places(rule: Rule, text: str) -> Iterator[int]:
    """Where a text of which `may_match` is true holds what the rule needs to match about there.

    Of a rule that says what that is, else of none.
    """
    if rule.shape is not None:
        yield from rule.shape.starts(text)
        return
    for word in rule.needs:
        place = text.find(word)
        while place >= 0:
            yield place
            place = text.find(word, place + 1)


@cache
def _any_word(words: tuple[str, ...]) -> Expression | None:
    return Expression.of_words(words) if words else None


def _has_word(rule: Rule, text: str) -> bool:
    """The same as to ask `_any_word`, and quicker of a text as short as a match."""
    return not rule.needs or any(word in text for word in rule.needs)


def _place(node: SgNode) -> tuple[int, int]:
    place = node.range()
    return place.start.index, place.end.index
