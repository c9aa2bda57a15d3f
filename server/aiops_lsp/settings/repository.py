"""What a repository's own file may do: restrict, switch rules, and add what to look for. Anything else is refused.

The file belongs to whoever wrote the repository, who may be a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiops_lsp.settings.options import Instruction, RepositoryAdditions, Settings
from aiops_lsp.settings.reading import Layer, Path, Reading, dotted

MAX_INSTRUCTION_TOKENS = 500
"""Of all instructions of one repository together."""

_CHARACTERS_PER_TOKEN = 4

_NARROWING: dict[Path, tuple[Any, ...]] = {
    ("review", "enabled"): (True, False),
    ("review", "trigger"): ("change", "save", "manual"),
    ("review", "scope"): ("file", "changed"),
    ("rules", "enabled"): (True, False),
    ("rules", "ruff"): ("on", "auto", "off"),
}
"""Options whose values may only move to the right."""

_LOWERING = ("budget", "limits")
_SHARES: frozenset[Path] = frozenset({("budget", "daily_token_budget"), ("budget", "monthly_cost_limit")})
"""Limits of the user as a whole: a repository lowers only what may be spent for itself."""

_Limit = Callable[[Any], bool]


def restrict(
    reading: Reading, values: dict[Path, Any], origins: dict[Path, str]
) -> tuple[RepositoryAdditions, list[str]]:
    """Apply what the repository's file may say to `values`, and report the rest to `reading.problems`.

    Returns what it adds and, in words, what it restricts.
    """
    additions: dict[str, Any] = {}
    restrictions: list[str] = []
    for path, value in reading.values.items():
        if path in _SHARES:
            _share(reading, path, value, values, additions, restrictions)
        elif path in _NARROWING or path[0] in _LOWERING or path == ("review", "min_confidence"):
            _narrow(reading, path, value, values, origins, restrictions)
        elif path[:2] == ("rules", "severity"):
            values[path], origins[path] = value, Layer.REPOSITORY.value
            restrictions += [f"rule {path[2]} is off"] if value == "off" else []
        elif path == ("review", "ignore"):
            values[path] = (*values.get(path, ()), *value)
            origins[path] = Layer.REPOSITORY.value
            restrictions += [f"ignored: {', '.join(value)}"] if value else []
        elif path == ("rules", "rules_dir"):
            if _inside(value):
                additions["rules_dir"] = value
            else:
                reading.report(path, "must be a folder inside the repository")
        elif path == ("instructions",):
            additions["instructions"] = _bounded(reading, value)
        else:
            reading.report(path, "a repository cannot set this", "It belongs into the user's own config.toml")
    return RepositoryAdditions.model_validate(additions), restrictions


def _narrow(
    reading: Reading,
    path: Path,
    value: Any,
    values: dict[Path, Any],
    origins: dict[Path, str],
    restrictions: list[str],
) -> None:
    strictness = _strictness(path)
    default = getattr(getattr(Settings(), path[0]), path[1])
    current = values.get(path, default)
    if strictness(value) > strictness(current):
        values[path], origins[path] = value, Layer.REPOSITORY.value
        restrictions.append(f"{dotted(path)} = {_toml(value)}")
    elif strictness(value) < strictness(default):
        # Where the user alone is stricter than a file that restricts, there is nothing to say.
        reading.report(path, "a repository may only restrict, so this is not applied")


def _strictness(path: Path) -> Callable[[Any], float]:
    if path in _NARROWING:
        return _NARROWING[path].index
    return (lambda value: value) if path == ("review", "min_confidence") else (lambda value: -value)


def _share(
    reading: Reading,
    path: Path,
    value: Any,
    values: dict[Path, Any],
    additions: dict[str, Any],
    restrictions: list[str],
) -> None:
    default = getattr(Settings().budget, path[1])
    if value < values.get(path, default):
        additions[path[1]] = value
        restrictions.append(f"{dotted(path)} = {_toml(value)} for this repository")
    elif value > default:
        reading.report(path, "a repository may only restrict, so this is not applied")


def _inside(folder: str) -> bool:
    """Whether the path, by its words alone, stays in the repository. Symbolic links are for whoever opens it."""
    parts = re.split(r"[/\\]", folder)
    return bool(folder) and not folder.startswith(("/", "\\", "~")) and ".." not in parts and ":" not in parts[0]


def _bounded(reading: Reading, instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
    """The instructions that add something, in order, as long as they fit the bound together."""
    from aiops_lsp.core.injection import asks_for_silence  # noqa: PLC0415 - only for who has instructions

    kept: list[Instruction] = []
    room = MAX_INSTRUCTION_TOKENS * _CHARACTERS_PER_TOKEN
    for index, instruction in enumerate(instructions):
        if asks_for_silence(instruction.text):
            reading.report(
                ("instructions", f"[{index}]"),
                "the instructions of a repository say what else to look for and can silence nothing, so this one is "
                "left out",
            )
            continue
        if len(instruction.text) > room:
            reading.report(
                ("instructions", f"[{index}]"),
                f"the instructions of a repository may have {MAX_INSTRUCTION_TOKENS} tokens together, so this one and "
                "those after it are left out",
            )
            break
        room -= len(instruction.text)
        kept.append(instruction)
    return tuple(kept)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else f"{value}"
