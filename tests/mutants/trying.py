"""Tries a mutant: the named tests run against a copy of the package that has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "server" / "aiops_lsp"
_SECONDS = 900


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"


def mutated(file: str, old: str, new: str) -> str:
    """The text of `file`, under the package, with the one place that reads `old` changed. Raises ValueError."""
    text = (PACKAGE / file).read_text("utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file} has {text.count(old)} places that read {old!r}, not one")
    return text.replace(old, new)


def attempt(file: str, text: str, tests: Sequence[str]) -> Fate:
    """Run `tests` with `text` in place of the package's `file`. Raises RuntimeError when they cannot be run at all."""
    with tempfile.TemporaryDirectory(prefix="aiops-mutant-") as folder:
        copy = Path(folder) / "aiops_lsp"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / file).write_text(text, "utf-8")
        for test in tests:  # the quick ones come first: most mutants do not live to see the others
            done = _run(folder, test)
            if done.returncode == 1:
                return Fate.KILLED
            if done.returncode != 0:
                raise RuntimeError(f"the tests could not be run:\n{done.stdout}\n{done.stderr}")
    return Fate.SURVIVED


def _run(folder: str, test: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", test]
    path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    variables = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
