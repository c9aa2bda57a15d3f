"""Logging of the command line: to the files that the server also writes, never to the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.observability.logs import PROCESS_KEYS, configure, redact_with
from aiops_lsp.settings.folders import state_dir

if TYPE_CHECKING:
    from aiops_lsp.settings import Settings


def keep_logs(settings: Settings) -> None:
    """Log to the state folder from now on; not at all where it cannot be written, which the stores tell in words."""
    folder = state_dir() / "logs"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return
    PROCESS_KEYS.add_patterns(settings.privacy.redact_patterns)
    configure(folder, redact_with(PROCESS_KEYS))
