"""Finding and parsing the configuration files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.settings.folders import config_file
from aiops_lsp.settings.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPOSITORY_FILES = ("aiops.toml", "pyproject.toml")

_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that was looked for. `values` is None where there is none, or none that can be read."""

    path: Path
    values: Mapping[str, object] | None
    problems: tuple[Problem, ...] = ()


def read_user_file(path: Path | None = None) -> ConfigFile:
    """The user's own file: `path`, or the one in the platform's folder. Reads from disk."""
    return _parse(path or config_file())


def read_repository_file(root: Path) -> ConfigFile:
    """The file of the repository at `root`: aiops.toml, else the table [tool.aiops] of pyproject.toml."""
    own, project = (_parse(root / name, within=root) for name in REPOSITORY_FILES)
    table = _tool_table(project)
    if own.values is None and not own.problems:
        return table
    if table.values is None:
        return own
    what = "[tool.aiops] is not read, because aiops.toml stands beside it"
    return ConfigFile(own.path, own.values, (*own.problems, Problem(str(project.path), what, "Keep one of the two")))


def _tool_table(project: ConfigFile) -> ConfigFile:
    """The part of a pyproject.toml that is about us. One that cannot be parsed matters only if it names us."""
    if project.problems and not _mentions_us(project.path):
        return ConfigFile(project.path, None)
    tool = (project.values or {}).get("tool")
    table = tool.get("aiops") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        return ConfigFile(project.path, None, (Problem(str(project.path), "tool.aiops must be a table"),))
    return ConfigFile(project.path, table, project.problems)


def _mentions_us(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"aiops" in file.read(_MAX_BYTES)
    except OSError:
        return True


def _parse(path: Path, within: Path | None = None) -> ConfigFile:
    try:
        if within is not None and not path.resolve().is_relative_to(within.resolve()):
            return _failed(path, "it is a link to outside the repository, so it is not read")
        if not path.is_file():
            return ConfigFile(path, None)
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return _failed(path, f"cannot be read ({error.strerror or error})")
    if len(data) > _MAX_BYTES:
        return _failed(path, f"is larger than {_MAX_BYTES:,} bytes")
    try:
        return ConfigFile(path, tomllib.loads(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _failed(path, f"is not UTF-8 (line {line})", "Save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        return _failed(path, f"is not valid TOML: {error}", "Nothing of it is applied until that is mended")
    except RecursionError:
        return _failed(path, "is nested too deeply")


def _failed(path: Path, what: str, hint: str = "") -> ConfigFile:
    return ConfigFile(path, None, (Problem(str(path), what, hint),))
