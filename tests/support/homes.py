"""A home of its own for a test: configuration, state and cache in a temporary folder, no keys, no colours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def private_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `folder/work` the current folder and everything of the user's private to `folder`. Returns the former."""
    for name in list(os.environ):
        if name.startswith(("AIOPS_", "OPENAI_", "ANTHROPIC_", "GIT_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    for name, value in {
        "HOME": folder / "home",
        "XDG_CONFIG_HOME": folder / "config",
        "AIOPS_STATE_DIR": folder / "state",
        "AIOPS_CACHE_DIR": folder / "cache",
    }.items():
        monkeypatch.setenv(name, str(value))
    work = folder / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work
