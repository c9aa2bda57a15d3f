"""What the workspace's own ruff already reports, read from its configuration without running anything.

Only the selection counts: a code that it ignores was ignored on purpose, and is left alone as well.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_FILE = 1_000_000
_DEFAULT = ("E4", "E7", "E9", "F")


def selected_by_workspace(path: Path, root: Path | None) -> tuple[str, ...]:
    """The codes, or beginnings of codes, that the ruff configuration nearest to `path` decides on.

    Looks from the file's folder up to `root` (without one, only in the file's folder). Empty where there is no
    configuration, or none that can be read. Blocks: reads files.
    """
    for folder in path.parents:
        for name in (".ruff.toml", "ruff.toml", "pyproject.toml"):
            table = _ruff_table(folder / name)
            if table is not None:
                return _decided(table)
        if root is None or folder == root:
            break
    return ()


def _ruff_table(path: Path) -> dict[str, Any] | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
            return None
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None  # the user's own ruff will say so
    if path.name != "pyproject.toml":
        return content
    tool = content.get("tool")
    table = tool.get("ruff") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _decided(table: dict[str, Any]) -> tuple[str, ...]:
    lint = table.get("lint")
    sections = [section for section in (table, lint) if isinstance(section, dict)]
    codes: list[str] = []
    selects = False
    for section in sections:
        for option in ("select", "extend-select", "ignore", "extend-ignore"):
            values = section.get(option)
            if isinstance(values, list):
                selects |= option == "select"
                codes += [value for value in values if isinstance(value, str)]
    if not selects:
        codes += _DEFAULT
    if "ALL" in codes:
        return ("",)
    return tuple(sorted(set(codes)))
