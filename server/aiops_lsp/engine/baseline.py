"""The baseline: findings that a repository has put up with, so that only new ones show.

It is a file in the repository, `aiops-baseline.json`, written by `aiops-lsp review --write-baseline` and honoured by
editors and command line alike. Findings are told apart by their ids, which survive moving and rewording; what else
the file says of them is for people who read its diff.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiops_lsp.engine.workspace import UnreadableFile, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BASELINE_FILE = "aiops-baseline.json"

_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class BaselineEntry:
    """One finding. `path` is relative to the root, with `/` between names."""

    path: str
    id: str
    rule: str
    title: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the file says. `problem` says in words why it could not be read; then nothing is hidden.

    `moved` are the ids in entries whose file is gone: it may have been renamed, so they count everywhere.
    """

    entries: frozenset[BaselineEntry] = frozenset()
    moved: frozenset[str] = frozenset()
    problem: str = ""

    def ids_in(self, path: str) -> frozenset[str]:
        """The ids of the findings that are not shown in the file `path`, relative to the root with `/`.

        Equal findings have equal ids in all files, so that one that was put up with in one file is still new in
        another.
        """
        return self.moved | {entry.id for entry in self.entries if entry.path == path}


def read_baseline(root: Path) -> Baseline:
    """The baseline of the repository at `root`; empty where there is none. Blocks; never fails."""
    path = root / BASELINE_FILE
    if not os.path.lexists(path):
        return Baseline()
    try:
        entries = _parsed(read_text(path))
    except UnreadableFile as problem:
        return Baseline(problem=f"{path} {problem}, so nothing is hidden by it")
    except (ValueError, RecursionError):
        return Baseline(problem=f"{path} is no baseline; write it anew with `aiops-lsp review --write-baseline`")
    gone = {name for name in {entry.path for entry in entries} if not _exists(root, name)}
    return Baseline(entries, frozenset(entry.id for entry in entries if entry.path in gone))


def write_baseline(root: Path, entries: Iterable[BaselineEntry]) -> Path:
    """Put `entries` into the baseline of the repository at `root`, in place of what it held. Raises OSError."""
    path = root / BASELINE_FILE
    content = {"version": _VERSION, "findings": [asdict(entry) for entry in sorted(set(entries))]}
    partial = path.with_name(f".{BASELINE_FILE}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _parsed(text: str) -> frozenset[BaselineEntry]:
    """Raises ValueError for what we did not write."""
    content = json.loads(text)
    found = content.get("findings") if isinstance(content, dict) and content.get("version") == _VERSION else None
    if not isinstance(found, list):
        raise ValueError("no list of findings in a version that is known")  # noqa: TRY004 - one error for all of it
    return frozenset(_entry(item) for item in found)


def _entry(item: object) -> BaselineEntry:
    values = [item.get(name) for name in ("path", "id", "rule", "title")] if isinstance(item, dict) else []
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(BaselineEntry.__slots__):
        raise ValueError("an entry without path, id, rule or title")
    return BaselineEntry(*texts)


def _exists(root: Path, name: str) -> bool:
    try:
        return os.path.lexists(root / name)
    except ValueError:  # a NUL in the name
        return False
