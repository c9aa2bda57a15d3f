"""Asks the client to fetch inlay hints again, once for many changes that come together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 0.15


class HintRefresher:
    """Calls `refresh` a moment after the last of a run of changes."""

    def __init__(self, refresh: Callable[[], None]) -> None:
        self._refresh = refresh
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def changed(self) -> None:
        """Findings changed."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._refresh)

    def close(self) -> None:
        """Refresh no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
