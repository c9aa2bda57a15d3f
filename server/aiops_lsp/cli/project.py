"""The settings that hold in each project, read once."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import neutral
from aiops_lsp.settings.files import read_repository_file, read_user_file
from aiops_lsp.settings.layers import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiops_lsp.settings import Problem, Settings


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
