"""The real editors that tests drive: where they are, or a skip that says how to get them.

`tests/editors/install` installs them into `~/.cache/aiops-lsp-tests` or `$AIOPS_TEST_EDITORS`. With
AIOPS_REQUIRE_EDITORS set, as on the verification machine, a missing one fails the test instead of skipping it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from tests.support.provider import Provider


def editors_folder() -> Path:
    """Where the installers put things."""
    override = os.environ.get("AIOPS_TEST_EDITORS", "")
    return Path(override) if override else Path.home() / ".cache" / "aiops-lsp-tests"


def asking(provider: Provider | None) -> dict[str, str]:
    """A server's environment to ask `provider`; without one, a vendor on another machine, which needs consent."""
    models = (
        {
            "AIOPS_PROVIDERS__TEST__BASE_URL": provider.base_url,
            "AIOPS_MODELS__SIMPLE": "test:small",
            "AIOPS_MODELS__MEDIUM": "test:middle",
            "AIOPS_MODELS__COMPLEX": "test:large",
        }
        if provider
        else {"OPENAI_API_KEY": "sk-test-0123456789abcdef", "OPENAI_BASE_URL": "https://models.invalid/v1"}
    )
    quick = {"AIOPS_REVIEW__DEBOUNCE_MS": "50", "AIOPS_REVIEW__SETTLE_MS": "100", "AIOPS_REVIEW__LANGUAGE": "en"}
    return models | quick


def find_nvim(version: str) -> Path:
    """The Neovim of this version, "0.12" or "0.10": the installed one, else the system's if it is of that version."""
    return _find(
        f"Neovim {version}", editors_folder() / f"nvim-{version}" / "bin" / "nvim", "nvim", f"NVIM v{version}."
    )


def find_emacs() -> Path:
    """Emacs 30, which has eglot built in: the installed one, else the system's."""
    return _find("Emacs 30", editors_folder() / "emacs-30" / "bin" / "emacs", "emacs", "GNU Emacs 30.")


@dataclass(frozen=True)
class VSCode:
    """VS Code's server, the Node.js that runs it, and the browser that its window is a page of."""

    program: Path
    node: Path
    browser: Path

    @property
    def environment(self) -> dict[str, str]:
        """The test's own, with that Node.js first on the path."""
        return {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def find_vscode() -> VSCode:
    """The installed VS Code, with the npm packages of the extension and of its tests."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    code = VSCode(
        editors_folder() / "vscode" / "out" / "server-main.js",
        editors_folder() / "node-24" / "bin" / "node",
        Path(browser or "chromium"),
    )
    packages = [Path(folder, "node_modules") for folder in ("editors/vscode", "tests/e2e/vscode")]
    there = browser and all(path.exists() for path in (code.program, code.node, *packages))
    return code if there else _missing("VS Code, a browser for it or an npm package")


def find_meta_model() -> Path:
    """The file of LSP's meta model."""
    path = editors_folder() / "lsp-meta-model.json"
    return path if path.is_file() else _missing("LSP's meta model")


def _find(what: str, installed: Path, name: str, wanted: str) -> Path:
    found = [installed, Path(shutil.which(name) or installed)]
    return next((path for path in found if _version(path).startswith(wanted)), None) or _missing(what)


def _version(program: Path) -> str:
    """The first line that it says of itself; empty when it cannot be started."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0]


def _missing(what: str) -> NoReturn:
    words = f"{what} is not installed; run tests/editors/install"
    if os.environ.get("AIOPS_REQUIRE_EDITORS"):
        pytest.fail(words)
    pytest.skip(words)
