"""One rule: an ast-grep rule with what a reviewer needs to know about it, read from YAML and checked.

A pack's entry is hand-written data, and a team's is foreign data: both are checked here, so that the rest of the
engine can rely on every field. Errors name the field and what it should be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from aiops_lsp.core.findings import Category, Severity
from aiops_lsp.core.language_table import kinds
from aiops_lsp.rules.expressions import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import Config

GRAMMARS = kinds(
    "bash c cpp csharp css elixir go haskell html java javascript json kotlin lua php python ruby rust scala swift tsx"
    " typescript yaml"
)
"""The grammars that ast-grep is known to have; any other name would make it panic."""

SHOWN_BY_DEFAULT = 80
"""The confidence from which findings are shown unless `review.min_confidence` says otherwise.

A rule has less if not nearly all of its findings are true in code that it was not tuned on."""

_E = TypeVar("_E", Category, Severity)
_ID = re.compile(r"[a-z]+/[a-z0-9]+(?:-[a-z0-9]+)*")
_FIELDS = kinds(
    "id languages rule constraints utils category severity confidence cwe title why trigger mark needs shape file_has"
    " file_lacks whole_file in_tests fix examples references"
)
_ROOTS = frozenset({"module", "program", "source_file"})
"""What the whole of a document is in the trees of the packs' languages."""
_REQUIRED = ("id", "rule", "category", "severity", "confidence", "title", "why", "trigger", "examples")


class InvalidRuleError(ValueError):
    """A rule that cannot be used; the words say which field and why."""


@dataclass(frozen=True, slots=True)
class FixTemplate:
    """How a rule repairs what it found. `$NAME` and `$$$NAME` stand for what the rule captured.

    `safe` says that the fix never changes what correct code does, so that it may be applied unseen.
    """

    title: str
    template: str
    safe: bool


@dataclass(frozen=True, slots=True)
class BadExample:
    """Code in which the rule must match exactly the text between the marks `«` and `»`; `fixed` is the fix's result."""

    code: str
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to run.

    `languages` are ast-grep's grammars. `needs` are texts of which one is in every match (empty: unknown). `shape` is
    an expression that is found in the function around every match. A document without them is not searched. `file_has`
    and `file_lacks` are conditions on the document's whole text. `mark` is the capture whose place is reported instead
    of the whole match. `whole_file` says that the rule looks at more than the region that it matches in, so that what
    it finds there changes with the rest; `sees_document` that it looks at the document's tree as a whole. `in_tests`
    false keeps it from test code. `examples` are the rule's own tests.
    `globs` restrict a team's rule to files, as `.gitignore` writes them.
    """

    id: str
    languages: tuple[str, ...]
    config: Config
    category: Category
    severity: Severity
    confidence: int
    title: str
    why: str
    trigger: str
    cwe: int | None = None
    mark: str | None = None
    needs: tuple[str, ...] = ()
    shape: Expression | None = None
    file_has: Expression | None = None
    file_lacks: Expression | None = None
    whole_file: bool = False
    sees_document: bool = False
    in_tests: bool = True
    fix: FixTemplate | None = None
    bad: tuple[BadExample, ...] = ()
    good: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    url: str | None = None
    globs: tuple[str, ...] = ()

    @property
    def has_conditions(self) -> bool:
        """Whether the rule asks something of the document's whole text."""
        return self.file_has is not None or self.file_lacks is not None

    @property
    def other_codes(self) -> frozenset[str]:
        """Codes of other tools' rules that report the same, from references such as `ruff B006`."""
        return frozenset(reference.split()[1] for reference in self.references if reference.startswith("ruff "))


def pack_rule(entry: Mapping[str, object], languages: tuple[str, ...]) -> Rule:
    """The rule that a pack's entry describes; `languages` are the pack's. Raises `InvalidRuleError`."""
    unknown = set(entry) - _FIELDS
    if unknown:
        raise InvalidRuleError(f"unknown field {min(unknown)!r}")
    missing = [name for name in _REQUIRED if not entry.get(name)]
    if missing:
        raise InvalidRuleError(f"field {missing[0]!r} is missing")
    rule_id = text_field(entry, "id")
    if not _ID.fullmatch(rule_id):
        raise InvalidRuleError(f"id {rule_id!r} is not of the form py/some-words")
    bad, good = _examples(entry["examples"])
    config, whole_file = config_of(entry), _flag(entry, "whole_file", default=False)
    return Rule(
        id=rule_id,
        languages=_texts(entry, "languages") or languages,
        config=config,
        category=choice(Category, text_field(entry, "category"), "category"),
        severity=choice(Severity, text_field(entry, "severity"), "severity"),
        confidence=_number(entry, "confidence", 0, 100) or 0,
        title=text_field(entry, "title"),
        why=text_field(entry, "why"),
        trigger=text_field(entry, "trigger"),
        cwe=_number(entry, "cwe", 1, 9999),
        mark=text_field(entry, "mark") if "mark" in entry else None,
        needs=_texts(entry, "needs"),
        shape=_expression(entry, "shape"),
        file_has=_expression(entry, "file_has"),
        file_lacks=_expression(entry, "file_lacks"),
        whole_file=whole_file,
        sees_document=whole_file or not _ROOTS.isdisjoint(_values(config)),
        in_tests=_flag(entry, "in_tests", default=True),
        fix=_fix(entry.get("fix")),
        bad=bad,
        good=good,
        references=_texts(entry, "references"),
    )


def config_of(entry: Mapping[str, object]) -> Config:
    """ast-grep's own part of an entry."""
    parts = {}
    for name in ("rule", "constraints", "utils", "transform"):
        if name in entry:
            if not isinstance(entry[name], Mapping) or not entry[name]:
                raise InvalidRuleError(f"field {name!r} must be a mapping in ast-grep's rule language")
            parts[name] = entry[name]
    return cast("Config", parts)


def _values(config: object) -> Iterator[str]:
    """All texts in a part of an entry but those that say where a search ends."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, Mapping):
        for key, value in config.items():
            yield from _values(value) if key != "stopBy" else ()
    elif isinstance(config, list):
        for value in config:
            yield from _values(value)


def text_field(entry: Mapping[str, object], name: str) -> str:
    """The text of a field, without blanks around it and with line breaks folded. Raises `InvalidRuleError`."""
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidRuleError(f"field {name!r} must be text")
    return " ".join(value.split())


def choice(kind: type[_E], value: str, name: str) -> _E:
    """The member of an enumeration that `value` names. Raises `InvalidRuleError` with the members there are."""
    try:
        return kind(value)
    except ValueError:
        raise InvalidRuleError(f"{name} {value!r} is none of {', '.join(kind)}") from None


def _texts(entry: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = entry.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InvalidRuleError(f"field {name!r} must be a list of texts")
    return tuple(value)


def _number(entry: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or not low <= value <= high:
        raise InvalidRuleError(f"field {name!r} must be a whole number from {low} to {high}")
    return value


def _flag(entry: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = entry.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRuleError(f"field {name!r} must be true or false")
    return value


def _expression(entry: Mapping[str, object], name: str) -> Expression | None:
    if name not in entry:
        return None
    value = entry[name]
    if not isinstance(value, str):
        raise InvalidRuleError(f"field {name!r} must be a regular expression")
    try:
        return Expression(value)
    except re.error as error:
        raise InvalidRuleError(f"field {name!r} is not a regular expression: {error}") from None


def _fix(value: object) -> FixTemplate | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"title", "template", "safe"}:
        raise InvalidRuleError("field 'fix' must have title, template and safe, and nothing else")
    template = value["template"]
    if not isinstance(template, str):
        raise InvalidRuleError("field 'fix' must have a text as template")
    return FixTemplate(text_field(value, "title"), template.rstrip("\n"), _flag(value, "safe", default=False))


def _examples(value: object) -> tuple[tuple[BadExample, ...], tuple[str, ...]]:
    if not isinstance(value, Mapping) or not value.get("bad") or not value.get("good"):
        raise InvalidRuleError("field 'examples' must have bad and good examples")
    bad = [
        BadExample(item) if isinstance(item, str) else BadExample(item["code"], item["fixed"]) for item in value["bad"]
    ]
    if any("«" not in example.code for example in bad):
        raise InvalidRuleError("a bad example marks what the rule must match with « and »")
    return tuple(bad), tuple(map(str, value["good"]))
