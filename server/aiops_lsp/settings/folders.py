"""The folders that survive the process. Light: the server's start imports it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs import PlatformDirs


def state_dir() -> Path:
    """Ledger, logs, consent and dismissals: AIOPS_STATE_DIR, else the platform's folder. It need not exist yet."""
    return _overridden("AIOPS_STATE_DIR") or _platform().user_state_path


def cache_dir() -> Path:
    """Results, which may be deleted at any time: AIOPS_CACHE_DIR, else the platform's folder."""
    return _overridden("AIOPS_CACHE_DIR") or _platform().user_cache_path


def config_file() -> Path:
    """The user's own configuration, which need not exist."""
    return _platform().user_config_path / "config.toml"


def _platform() -> PlatformDirs:
    from platformdirs import PlatformDirs  # noqa: PLC0415  # it brings tempfile, shutil and what they need

    return PlatformDirs("aiops-lsp", appauthor=False)


def _overridden(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(os.path.abspath(os.path.expanduser(value))) if value else None  # noqa: PTH100, PTH111 - never raises
