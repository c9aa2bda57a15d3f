"""The notification `aiops/status`: what the engine does, what was spent, and how much of each document is reviewed.

It goes out at most a few times a second, and only when something in it changed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.engine.host import DocumentStatus, Status

METHOD = "aiops/status"

_SECONDS_BETWEEN = 0.25


class StatusNotifier:
    """Sends the status when it may have changed. `current` is None while there is nothing to say."""

    def __init__(self, current: Callable[[], Status | None], notify: Callable[[str, object], None]) -> None:
        self._current = current
        self._notify = notify
        self._timer: asyncio.TimerHandle | None = None
        self._last: dict[str, object] | None = None

    def changed(self) -> None:
        """The status may be another. Returns at once; what happens within a moment goes out together."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS_BETWEEN, self._send)

    def close(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._notify = lambda _method, _params: None

    def _send(self) -> None:
        self._timer = None
        status = self._current()
        if status is None:
            return
        described = describe(status)
        if described != self._last:
            self._last = described
            self._notify(METHOD, described)


def describe(status: Status) -> dict[str, object]:
    """The params of the notification. Times are seconds since the epoch, money is in US dollars."""
    spend = status.spend
    return {
        "state": status.state.value,
        "reason": status.reason,
        "spend": {
            "todayTokens": spend.today_tokens,
            "todayUsd": spend.today_usd,
            "monthUsd": spend.month_usd,
            "savedTokens": spend.saved_tokens,
            "savedUsd": spend.saved_usd,
        },
        "limits": {
            "dailyTokenBudget": spend.daily_token_budget,
            "monthlyCostLimit": spend.monthly_cost_limit,
            "dayResetsAt": spend.day_resets_at,
            "monthResetsAt": spend.month_resets_at,
        },
        "documents": [_document(document) for document in status.documents],
        "restrictedBy": list(status.restricted_by),
    }


def _document(document: DocumentStatus) -> dict[str, object]:
    return {
        "uri": document.uri,
        "regions": document.regions,
        "reviewed": document.reviewed,
        "reviewing": document.reviewing,
        "notReviewed": dict(document.not_reviewed),
        "words": document.words,
        "note": document.note,
    }
