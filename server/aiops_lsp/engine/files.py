"""Files on disk as documents: what language they are in, and their text."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.languages import identifier_of
from aiops_lsp.core.text import PositionEncoding, TextDocument
from aiops_lsp.engine.uris import uri_of
from aiops_lsp.engine.workspace import IgnoreRules, collect, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.engine.workspace import Skipped

PLAIN_TEXT = "plaintext"

_FIRST_LINE_BYTES = 200
_SECRET_SUFFIXES = frozenset((".cfg", ".conf", ".env", ".ini", ".properties", ".key", ".pem"))
"""Of files without a language of their own that often hold secrets, which the rules find."""


def files_for_review(named: Path, root: Path, patterns: Sequence[str]) -> tuple[list[Path], list[Skipped]]:
    """The files that a path stands for: itself, or those in the folder that have a language and are not ignored.

    A folder that is itself ignored was named on purpose: then the ignore files do not count inside it. Reads from
    disk.
    """
    real = named.resolve()
    if real.is_dir() and IgnoreRules(root, patterns).why(real, is_folder=True) is not None:
        return list(_all_below(named)), []
    return collect([named], root, patterns, _is_wanted)


def language_of_file(path: Path) -> str | None:
    """LSP's language identifier of a file, by its name or its `#!` line; None where nothing tells. Reads from disk."""
    known = identifier_of(path.name)
    if known is not None:
        return known
    if path.suffix in _SECRET_SUFFIXES or path.name.startswith(".env"):
        return PLAIN_TEXT
    if path.suffix:
        return None
    return identifier_of(path.name, _first_line(path))


def read_document(path: Path, language: str) -> TextDocument:
    """The file as a document of version 0, its columns counted in code points. Raises UnreadableFile, in words."""
    return TextDocument(uri_of(path), 0, language, read_text(path), PositionEncoding.UTF32)


def _is_wanted(path: Path) -> bool:
    return language_of_file(path) is not None


def _first_line(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block
            return ""
        with path.open("rb") as file:
            return file.readline(_FIRST_LINE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _all_below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "node_modules", ".git"))
        for path in (Path(where) / name for name in sorted(names)):
            if path.is_file() and not path.is_symlink() and _is_wanted(path):
                yield path
