"""Leaves a failing model alone for a while, and lets one probe find out whether it is back.

One breaker stands before each model of each provider. Only outages count (`Overloaded`, `ModelTimeout`,
`Unreachable`): a refusal, a bad answer or a 400 says nothing about whether the next call will work, and neither does
a call that was cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_TO_OPEN = 3
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(slots=True)
class Breaker:
    """Closed until several calls in a row failed; then open, for longer each time a probe fails too."""

    now: Callable[[], float]
    _failures: int = 0
    _pause: float = FIRST_PAUSE_SECONDS
    _open_until: float | None = None
    _probing: bool = False

    def retry_in(self) -> float:
        """Seconds until a call may be tried; 0 when one may go now."""
        if self._open_until is None:
            return 0.0
        wait = self._open_until - self.now()
        if wait > 0:
            return wait
        return FIRST_PAUSE_SECONDS if self._probing else 0.0

    def start(self) -> None:
        """A call goes out. While open, it is the probe, and no other goes until it has ended."""
        if self._open_until is not None:
            self._probing = True

    def succeeded(self) -> None:
        """A call got through: close."""
        self._failures, self._pause = 0, FIRST_PAUSE_SECONDS
        self._open_until, self._probing = None, False

    def failed(self) -> None:
        """A call met an outage."""
        self._failures += 1
        if self._probing:
            self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)
        if self._probing or self._failures >= FAILURES_TO_OPEN:
            self._open_until = self.now() + self._pause
        self._probing = False

    def neutral(self) -> None:
        """A call ended in a way that says nothing about the provider, as when it was cancelled."""
        self._probing = False
