"""The built-in packs, read when a document of their language is first reviewed."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING, Any

from aiops_lsp.rules.rule import InvalidRuleError, Rule, pack_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKS: Mapping[str, str] = {
    "python": "python",
    "javascript": "javascript",
    "typescript": "javascript",
    "tsx": "javascript",
    "go": "go",
    "java": "java",
    "rust": "rust",
}
"""Grammar to pack. JavaScript's rules hold for TypeScript too, so these share a file."""


_LOADING = Lock()


def load_pack(name: str) -> tuple[Rule, ...]:
    """All rules of `packs/<name>.yml`. Raises `InvalidRuleError`, naming file and rule, if one is wrong.

    The first documents are looked at on several threads at once; one of them reads the pack, and the others wait.
    """
    with _LOADING:
        return _load_pack(name)


@cache
def _load_pack(name: str) -> tuple[Rule, ...]:
    text = resources.files("aiops_lsp.rules").joinpath("packs", f"{name}.yml").read_text(encoding="utf-8")
    pack = _quick(read_pack(text))
    rules: list[Rule] = []
    for entry in pack["rules"]:
        try:
            shared = _used(pack.get("utils", {}), entry)
            utils = shared | entry.get("utils", {})
            rules.append(pack_rule(entry | ({"utils": utils} if utils else {}), tuple(pack["languages"])))
        except InvalidRuleError as error:
            raise InvalidRuleError(f"packs/{name}.yml, rule {entry.get('id', len(rules) + 1)}: {error}") from None
    return tuple(rules)


def read_pack(text: str) -> dict[str, Any]:
    """What a pack holds, read rule by rule: the parser keeps all threads waiting for as long as it reads in one go."""
    import yaml  # noqa: PLC0415  # not needed for the server's start

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    head, *rules = _RULE.split(text)
    pack: dict[str, Any] = yaml.load(head, Loader=loader)  # noqa: S506  # one of the two safe loaders
    return pack | {"rules": [rule for part in rules for rule in yaml.load(part, Loader=loader)]}  # noqa: S506  # as above


_RULE = re.compile(r"^(?=  - id: )", re.MULTILINE)
_CLASSES = {"w": "A-Za-z0-9_", "d": "0-9", "s": r" \t\r\n"}


def _quick(part: Any) -> Any:
    """The part of a pack with ast-grep's expressions written so that they are quickly compiled, as at each review.

    `\\w`, `\\d`, `\\s` and `\\b` mean ASCII only: they mean all of Unicode there, which takes up to a hundred times as
    long. And what ignores case is sought from the start on, for else all ways to write its words are prepared.
    """
    if isinstance(part, list):
        return [_quick(item) for item in part]
    if isinstance(part, dict):
        return {key: _quick_expression(item) if key == "regex" else _quick(item) for key, item in part.items()}
    return part


def _quick_expression(expression: str) -> str:
    written = _ascii_expression(expression)
    return f"^(?s:.*?)(?:{written})" if "(?i" in written and not written.startswith("^") else written


def _ascii_expression(expression: str) -> str:
    written, in_class, at = "", False, 0
    while at < len(expression):
        letter = expression[at]
        if letter == "\\":
            following = expression[at + 1]
            members = _CLASSES.get(following)
            if members:
                written += members if in_class else f"[{members}]"
            else:
                written += r"(?-u:\b)" if following == "b" else letter + following
            at += 2
            continue
        in_class = letter == "[" or (in_class and letter != "]")
        written += letter
        at += 1
    return written


def _used(utils: Mapping[str, object], part: object) -> dict[str, object]:
    """Those of a pack's shared `utils` that a rule, or another of them that it uses, refers to by `matches`."""
    if isinstance(part, list):
        return {name: util for item in part for name, util in _used(utils, item).items()}
    if not isinstance(part, dict):
        return {}
    found = {name: util for item in part.values() for name, util in _used(utils, item).items()}
    name = part.get("matches")
    if isinstance(name, str) and name in utils:
        found |= {name: utils[name]} | _used({key: util for key, util in utils.items() if key != name}, utils[name])
    return found


@cache
def rules_of(grammar: str) -> tuple[Rule, ...]:
    """The built-in rules for an ast-grep grammar; none for a grammar without a pack."""
    if grammar not in _PACKS:
        return ()
    return tuple(rule for rule in load_pack(_PACKS[grammar]) if grammar in rule.languages)


def codes_of_other_tools(grammar: str) -> frozenset[str]:
    """Codes of other tools' rules, such as ruff's `B006`, that built-in rules for `grammar` report too."""
    return frozenset(code for rule in rules_of(grammar) for code in rule.other_codes)


def pack_names() -> tuple[str, ...]:
    """The packs there are, sorted."""
    return tuple(sorted(set(_PACKS.values())))
