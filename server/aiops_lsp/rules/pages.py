"""A rule's page in Markdown, for the hover and the command line. All of it is our own or the user's own text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.rules.builtin import BUILTIN_RULES, PASSWORD, PASSWORD_ELSEWHERE
from aiops_lsp.rules.loading import load_pack, pack_names
from aiops_lsp.rules.rule import SHOWN_BY_DEFAULT

if TYPE_CHECKING:
    from aiops_lsp.rules.rule import Rule

_FENCES = {"tsx": "tsx", "javascript": "javascript", "typescript": "typescript"}


def all_rules() -> tuple[Rule, ...]:
    """Every rule that comes with the program, sorted by id."""
    packs = [rule for name in pack_names() for rule in load_pack(name)]
    return tuple(sorted([*packs, *BUILTIN_RULES], key=lambda rule: rule.id))


def find_rule(rule_id: str) -> Rule | None:
    """The rule of that id, in any case, or None."""
    return next((rule for rule in all_rules() if rule.id == rule_id.lower()), None)


def page(rule: Rule) -> str:
    """What is known about `rule`, as Markdown that ends with a newline."""
    facts = [f"Severity {rule.severity}", rule.category.replace("_", " "), f"confidence {rule.confidence} %"]
    if rule.cwe:
        facts.append(f"[CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)")
    parts = [f"# {rule.id}: {rule.title}", ", ".join(facts) + ".", rule.why, f"**When it fails:** {rule.trigger}"]
    if rule.fix:
        safe = "It never changes what correct code does." if rule.fix.safe else "Look at the result before you keep it."
        parts.append(f"**Fix:** {rule.fix.title}. {safe}")
    language = rule.languages[0] if rule.languages else ""
    if rule.bad:
        parts += ["## Reported", *(_fenced(language, _unmarked(example.code)) for example in rule.bad)]
    if rule.good:
        parts += ["## Not reported", *(_fenced(language, code) for code in rule.good)]
    if rule is PASSWORD:
        less = PASSWORD_ELSEWHERE
        parts.append(f"Outside Python and `.env` files confidence is {less.confidence} %. {_hidden(less)}")
    elif rule.confidence < SHOWN_BY_DEFAULT:
        parts.append(_hidden(rule))
    if not rule.in_tests:
        parts.append("Test code is left alone.")
    if rule.references:
        parts.append("See also: " + ", ".join(rule.references) + ".")
    parts.append(f'Switch it off with `"{rule.id}" = "off"` under `[rules.severity]`.')
    return "\n\n".join(parts) + "\n"


def _hidden(rule: Rule) -> str:
    return f"Not shown unless `review.min_confidence` is at most {rule.confidence}."


def _unmarked(code: str) -> str:
    return code.replace("«", "").replace("»", "")


def _fenced(language: str, code: str) -> str:
    fence = "````" if "```" in code else "```"
    return f"{fence}{_FENCES.get(language, language)}\n{code.rstrip()}\n{fence}"
