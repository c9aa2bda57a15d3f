"""Logging of the command line: to the files that the server also writes, never to the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.observability.logs import KnownSecrets, configure, redact_with
from aiops_lsp.settings.folders import state_dir

if TYPE_CHECKING:
    from aiops_lsp.settings import Settings


def keep_logs(settings: Settings) -> None:
    """Log to the state folder from now on."""
    configure(state_dir() / "logs", redact_with(KnownSecrets(), settings.privacy.redact_patterns))
