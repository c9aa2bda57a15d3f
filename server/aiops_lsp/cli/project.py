"""Which project a path belongs to, and the settings that hold there."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import neutral
from aiops_lsp.settings.files import read_repository_file, read_user_file
from aiops_lsp.settings.layers import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lsp.settings import Problem, Settings

_MARKERS = (".git", "aiops.toml", "pyproject.toml")


def project_root(path: Path) -> Path:
    """The folder that `path` belongs to, as an editor would open it.

    The nearest folder at or above it with a git work tree; else the nearest with a configuration file of ours or of
    Python; else the current folder if it holds the path, else the path's own folder. Reads from disk.
    """
    start = path if path.is_dir() else path.parent
    above = (start, *start.parents)
    for markers in (_MARKERS[:1], _MARKERS[1:]):
        for folder in above:
            if any((folder / marker).exists() for marker in markers):
                return folder
    here = Path.cwd()
    return here if here in above else start


class ProjectSettings:
    """The settings of each project, read once. `problems` gathers what was not applied, each once."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._user = read_user_file()
        self.problems: dict[Problem, None] = dict.fromkeys(self._user.problems)
        self.of = cache(self._read)

    def _read(self, root: Path | None) -> Settings:
        """The settings that hold in the project at `root`; None for the user's own alone."""
        values = None
        if root is not None:
            repository = read_repository_file(root)
            values = repository.values
            self.problems |= dict.fromkeys(repository.problems)
        settings, problems = resolve(self._user.values, self._environ, None, values)
        self.problems |= dict.fromkeys(problems)
        return settings

    def tell_problems(self) -> None:
        """Write each problem to stderr, in words."""
        for problem in self.problems:
            sys.stderr.write(f"aiops-lsp: {neutral(str(problem))}\n")
