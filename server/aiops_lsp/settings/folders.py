"""The folders that survive the process. Light: the server's start imports it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "aiops-lsp"


def state_dir() -> Path:
    """Ledger, logs, consent and dismissals: AIOPS_STATE_DIR, else the platform's folder. It need not exist yet."""
    return _overridden("AIOPS_STATE_DIR") or platformdirs.user_state_path(_APP, appauthor=False)


def cache_dir() -> Path:
    """Results, which may be deleted at any time: AIOPS_CACHE_DIR, else the platform's folder."""
    return _overridden("AIOPS_CACHE_DIR") or platformdirs.user_cache_path(_APP, appauthor=False)


def config_file() -> Path:
    """The user's own configuration, which need not exist."""
    return platformdirs.user_config_path(_APP, appauthor=False) / "config.toml"


def _overridden(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(os.path.abspath(os.path.expanduser(value))) if value else None  # noqa: PTH100, PTH111 - never raises
