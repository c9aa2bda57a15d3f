"""How often: a sliding window of starts, and a pause that somebody asked for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 60.0


class RateWindow:
    """At most `limit` starts in any 60 seconds. `now` is monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._starts: deque[float] = deque()

    def retry_in(self, limit: int) -> float:
        """Seconds until one more may start; 0 when it may now."""
        horizon = self._now() - WINDOW_SECONDS
        while self._starts and self._starts[0] <= horizon:
            self._starts.popleft()
        if len(self._starts) < limit:
            return 0.0
        return self._starts[len(self._starts) - limit] - horizon

    def start(self) -> None:
        """Count one start."""
        self._starts.append(self._now())


class Pause:
    """A provider's wish to be left alone until a moment. `now` is monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = 0.0

    def ask(self, seconds: float) -> None:
        """Pause for `seconds` from now; a longer pause that was asked for before stands."""
        self._until = max(self._until, self._now() + seconds)

    def retry_in(self) -> float:
        """Seconds that are left of the pause."""
        return max(0.0, self._until - self._now())
