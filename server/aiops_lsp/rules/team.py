"""A team's own rules: a folder of ast-grep rule files, which work here as they are.

The folder may come with a repository, so its files are bounded in number, size and depth before ast-grep sees them,
and one that is wrong is reported by file, line and reason while the rest still runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Category, Severity
from aiops_lsp.rules.matching import compile_problem
from aiops_lsp.rules.rule import GRAMMARS, FixTemplate, InvalidRuleError, Rule, choice, config_of, text_field

if TYPE_CHECKING:
    from pathlib import Path

    import yaml

_MOST_FILES, _MOST_BYTES, _MOST_RULES = 500, 1_000_000, 300
_MOST_NODES, _MOST_DEPTH = 20_000, 60

_ALIASES = {
    "py": "python", "js": "javascript", "jsx": "javascript", "ts": "typescript", "golang": "go", "rs": "rust",
    "c++": "cpp", "cc": "cpp", "cs": "csharp", "c#": "csharp", "kt": "kotlin", "rb": "ruby", "sh": "bash",
    "ex": "elixir", "hs": "haskell", "yml": "yaml",
}  # fmt: skip
_SEVERITIES = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "hint": Severity.LOW,
    **{severity.value: severity for severity in Severity},
}


@dataclass(frozen=True, slots=True)
class TeamRules:
    """The rules of a folder that can run, and in words what is wrong with the others."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[str, ...] = ()


def load_team_rules(folder: Path) -> TeamRules:
    """Read every `*.yml` and `*.yaml` under `folder`. Blocking; meant for a worker thread."""
    if not folder.is_dir():
        return TeamRules(problems=(f"rules_dir {folder}: there is no such folder",))
    rules: list[Rule] = []
    problems: list[str] = []
    for path in _rule_files(folder, problems):
        for rule in _rules_in(path, path.relative_to(folder).as_posix(), problems):
            if len(rules) == _MOST_RULES:
                problems.append(f"rules_dir {folder}: only the first {_MOST_RULES} rules are used")
                return TeamRules(tuple(rules), tuple(problems))
            rules.append(rule)
    return TeamRules(tuple(rules), tuple(problems))


def _rule_files(folder: Path, problems: list[str]) -> Iterator[Path]:
    """The files in order of their names; symbolic links are not followed, since they may lead anywhere."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = folder / parent / name
            if not name.endswith((".yml", ".yaml")) or path.is_symlink():
                continue
            count += 1
            if count > _MOST_FILES:
                problems.append(f"rules_dir {folder}: only the first {_MOST_FILES} files are read")
                return
            yield path


def _rules_in(path: Path, name: str, problems: list[str]) -> Iterator[Rule]:
    """The rules of one file. What is wrong goes to `problems`, with file and line."""
    import yaml  # noqa: PLC0415  # not needed for the server's start

    try:
        if path.stat().st_size > _MOST_BYTES:
            problems.append(f"{name}: the file is larger than {_MOST_BYTES} bytes")
            return
        text = path.read_text(encoding="utf-8")
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        problems.append(f"{name}: cannot be read ({error})")
        return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        problems.append(f"{place}: not YAML: {getattr(error, 'problem', None) or error}")
        return
    for node in documents:
        place = f"{name}:{node.start_mark.line + 1}"
        try:
            _check_size(node)
            loader = yaml.SafeLoader("")
            entry = loader.construct_document(node)
            rule = _team_rule(entry)
        except (InvalidRuleError, yaml.YAMLError) as error:
            problems.append(f"{place}: {error}")
            continue
        if rule is not None:
            yield rule


def _check_size(node: yaml.Node) -> None:
    """Refuse what is nested too deep for a parser's stack, or grows huge by aliases. Raises `InvalidRuleError`."""
    sizes: dict[int, int] = {}

    def size(part: object, depth: int) -> int:
        if depth > _MOST_DEPTH:
            raise InvalidRuleError(f"the rule is nested more than {_MOST_DEPTH} levels deep")
        if id(part) in sizes:
            return sizes[id(part)]
        value = getattr(part, "value", None)
        if isinstance(part, tuple):
            value = list(part)
        total = 1 + (sum(size(child, depth + 1) for child in value) if isinstance(value, list) else 0)
        if total > _MOST_NODES:
            raise InvalidRuleError(f"the rule has more than {_MOST_NODES} parts")
        sizes[id(part)] = total
        return total

    size(node, 0)


def _team_rule(entry: object) -> Rule | None:
    """The rule of one YAML document; None if it is switched off. Raises `InvalidRuleError`."""
    if not isinstance(entry, Mapping):
        raise InvalidRuleError("a rule is a mapping with id, language and rule")
    rule_id = text_field(entry, "id")
    severity = entry.get("severity", "hint")
    if severity in {"off", False}:  # YAML reads a bare `off` as false
        return None
    if not isinstance(severity, str) or severity not in _SEVERITIES:
        raise InvalidRuleError(f"severity {severity!r} is none of {', '.join(_SEVERITIES)}, off")
    if "rule" not in entry:
        raise InvalidRuleError(f"rule {rule_id}: field 'rule' is missing")
    grammar = _grammar(text_field(entry, "language"))
    config = config_of(entry)
    problem = compile_problem(config, grammar)
    if problem:
        raise InvalidRuleError(f"rule {rule_id}: {problem}")
    title = _optional(entry, "title") or _optional(entry, "message") or rule_id
    return Rule(
        id=rule_id,
        languages=(grammar,),
        config=config,
        category=choice(Category, str(entry.get("category", "bug")), "category"),
        severity=_SEVERITIES[severity],
        confidence=_confidence(entry),
        title=title,
        why=_optional(entry, "why") or _optional(entry, "note") or title,
        trigger=_optional(entry, "trigger"),
        fix=_fix(entry, rule_id),
        url=_optional(entry, "url") or None,
        globs=_globs(entry),
    )


def _grammar(language: str) -> str:
    name = language.lower()
    grammar = _ALIASES.get(name, name)
    if grammar not in GRAMMARS:
        raise InvalidRuleError(f"language {language!r} is none of {', '.join(sorted(GRAMMARS))}")
    return grammar


def _optional(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _confidence(entry: Mapping[str, object]) -> int:
    value = entry.get("confidence", 90)
    if not isinstance(value, int) or not 0 <= value <= 100:
        raise InvalidRuleError("field 'confidence' must be a whole number from 0 to 100")
    return value


def _fix(entry: Mapping[str, object], rule_id: str) -> FixTemplate | None:
    """ast-grep's fix. One that takes in more text than the match is not offered: its extent is not known here."""
    fix = entry.get("fix")
    if isinstance(fix, Mapping) and set(fix) <= {"template", "title"}:
        fix = fix.get("template")
    return FixTemplate(f"Apply the fix of {rule_id}", fix.rstrip("\n"), safe=False) if isinstance(fix, str) else None


def _globs(entry: Mapping[str, object]) -> tuple[str, ...]:
    """`files` and `ignores` as the lines of one `.gitignore`: later lines win, and `!` takes back."""
    lists = []
    for name in ("files", "ignores"):
        value = entry.get(name) or []
        globs = (
            [item.get("glob") if isinstance(item, Mapping) else item for item in value]
            if isinstance(value, list)
            else [None]
        )
        if not all(isinstance(glob, str) and glob for glob in globs):
            raise InvalidRuleError(f"field {name!r} must be a list of globs")
        lists.append([str(glob).removeprefix("./") for glob in globs])
    files, ignores = lists
    if not files and not ignores:
        return ()
    return (*(files or ["**"]), *(f"!{glob}" for glob in ignores))
