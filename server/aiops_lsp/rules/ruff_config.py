"""What the workspace's own ruff reports, read from its configuration and never by running anything.

A user who already sees a rule's finding from their own ruff must not see it twice. The question is only which codes
their configuration selects: the nearest `.ruff.toml`, `ruff.toml` or `pyproject.toml` with a `[tool.ruff]` table at or
above the file, as ruff looks for it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = (".ruff.toml", "ruff.toml", "pyproject.toml")
_DEFAULT_SELECT = ("E4", "E7", "E9", "F")
_MOST_BYTES, _MOST_LEVELS, _MOST_EXTENDS = 1_000_000, 64, 5


def codes_of_workspace(path: Path, root: Path, codes: Iterable[str]) -> frozenset[str]:
    """Those of `codes` that the ruff configuration of the file `path`, at most as far up as `root`, selects.

    None when there is no such configuration, or it cannot be read: better a finding twice than not at all. Blocking
    reads of a few small files.
    """
    table = _nearest_table(path, root)
    return frozenset(code for code in codes if _selects(table, code)) if table is not None else frozenset()


def _nearest_table(path: Path, root: Path) -> Mapping[str, Any] | None:
    folder = path.parent
    for _ in range(_MOST_LEVELS):
        for name in _NAMES:
            table = _ruff_table(folder / name)
            if table is not None:
                return _extended(table, folder, root)
        if folder in {root, folder.parent}:
            return None
        folder = folder.parent
    return None


def _ruff_table(path: Path) -> Mapping[str, Any] | None:
    """The file's ruff settings; None if there is no such file or it has none."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if path.name == "pyproject.toml":
        tool = content.get("tool")
        table = tool.get("ruff") if isinstance(tool, Mapping) else None
        return table if isinstance(table, Mapping) else None
    return content


def _extended(table: Mapping[str, Any], folder: Path, root: Path) -> Mapping[str, Any]:
    """The table with what it extends beneath it, as far as that lies in the workspace."""
    merged = dict(_selection(table))
    for _ in range(_MOST_EXTENDS):
        target = table.get("extend")
        if not isinstance(target, str):
            break
        path = (folder / target).resolve()
        below = _ruff_table(path) if path.is_relative_to(root.resolve()) else None
        if below is None:
            break
        inherited = _selection(below)
        merged = {
            "select": merged["select"] if merged["select"] is not None else inherited["select"],
            "extend-select": [*inherited["extend-select"], *merged["extend-select"]],
            "ignore": [*inherited["ignore"], *merged["ignore"]],
        }
        table, folder = below, path.parent
    return merged


def _selection(table: Mapping[str, Any]) -> dict[str, Any]:
    """The selectors of a table, whether they stand in `lint` or, as in older files, at its top."""
    lint = table.get("lint")
    sources = [source for source in (lint, table) if isinstance(source, Mapping)]

    def texts(name: str) -> list[str] | None:
        for source in sources:
            value = source.get(name)
            if isinstance(value, list):
                return [item for item in value if isinstance(item, str)]
        return None

    return {
        "select": texts("select"),
        "extend-select": texts("extend-select") or [],
        "ignore": [*(texts("ignore") or []), *(texts("extend-ignore") or [])],
    }


def _selects(selection: Mapping[str, Any], code: str) -> bool:
    """Whether the longest selector that fits the code selects it, as in ruff."""
    select = selection["select"] if selection["select"] is not None else _DEFAULT_SELECT
    wanted = _longest([*select, *selection["extend-select"]], code)
    return wanted > _longest(selection["ignore"], code)


def _longest(selectors: Iterable[str], code: str) -> int:
    """The length of the longest selector that fits `code`; 0 for `ALL`, -1 for none."""
    lengths = {selector: 0 if selector == "ALL" else len(selector) for selector in selectors}
    return max((length for selector, length in lengths.items() if length == 0 or code.startswith(selector)), default=-1)
