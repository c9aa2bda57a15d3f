"""The servers that are measured, each with the command that starts it.

`aiops` is this tree's server; with another commit to compare, its server is a second subject, started from its own
sources by the same interpreter with the same packages. A bare pygls server is the floor: what Python, pygls and
lsprotocol cost without us.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
BIN = Path(PYTHON).parent

_PRIVATE = ("AIOPS_", "OPENAI_", "ANTHROPIC_", "PYTHON")
_BYTECODE = ROOT / "build" / "bytecode"
"""Where the servers keep their bytecode, so that they start as an installed program does, whatever is set here."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One server. `ours` tells the servers of this project from the others; `server` is the folder of its sources."""

    name: str
    command: tuple[str, ...]
    ours: bool = False
    server: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The environment of its process: nothing of the user's own settings or keys."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        path = [str(self.server)] if self.server is not None else []
        python = {"PYTHONPATH": os.pathsep.join([*path, str(ROOT)]), "PYTHONPYCACHEPREFIX": str(_BYTECODE)}
        return {**kept, **python, **self.environ}

    def watched(self, log: Path) -> Subject:
        """The same, with the lateness of its event loop written to `log`."""
        return self._run_by("tests.benchmarks.watched", log)

    def fired(self, log: Path) -> Subject:
        """The same server of ours, with the moments when it begins to look at a document written to `log`."""
        return self._run_by("tests.benchmarks.fired", log)

    def _run_by(self, module: str, log: Path) -> Subject:
        assert self.command[0] == sys.executable, "only a Python server can be looked into"
        return replace(self, command=(sys.executable, "-m", module, str(log), *self.command[1:]))

    def at_home(self, home: Path, configuration: str = "") -> Subject:
        """The same, with a home of its own below `home` and this user configuration."""
        (home / "config" / "aiops-lsp").mkdir(parents=True, exist_ok=True)
        (home / "config" / "aiops-lsp" / "config.toml").write_text(configuration, "utf-8")
        folders = {
            "HOME": home / "home",
            "XDG_CONFIG_HOME": home / "config",
            "AIOPS_STATE_DIR": home / "state",
            "AIOPS_CACHE_DIR": home / "cache",
        }
        return replace(self, environ={**self.environ, **{name: str(folder) for name, folder in folders.items()}})


def aiops(name: str = "aiops", server: Path | None = None) -> Subject:
    """This project's server, from the sources in `server`."""
    return Subject(name, (sys.executable, "-m", "aiops_lsp"), ours=True, server=server or ROOT / "server")


def bare() -> Subject:
    """A pygls server that keeps documents and answers each change with one diagnostic."""
    return Subject("bare pygls", (sys.executable, "-m", "tests.benchmarks.bare_pygls"))


def ruff() -> Subject:
    """The server of ruff."""
    return Subject("ruff server", (str(BIN / "ruff"), "server"))


def others() -> list[Subject]:
    """The other servers in Python that are installed here."""
    found = [Subject("python-lsp-server", (str(BIN / "pylsp"),))]
    found.append(Subject("jedi-language-server", (str(BIN / "jedi-language-server"),)))
    return [one for one in found if Path(one.command[0]).exists()]
