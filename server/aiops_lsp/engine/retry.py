"""Whether and when a request that failed is worth another attempt."""

from __future__ import annotations

import secrets

from aiops_lsp.engine.deadline import DEADLINE_SECONDS
from aiops_lsp.engine.governor import UNNAMED_PAUSE_SECONDS
from aiops_lsp.llm.client import (
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    Overloaded,
    RateLimited,
    Refused,
    Truncated,
)

MOST_ATTEMPTS = 3

LONGEST_WAIT_SECONDS = 20.0
"""A longer pause than this is not waited for in place: the regions are taken up again by a later look."""


def retry_wait(error: ModelError, attempt: int, elapsed: float, *, other_model: bool) -> float | None:
    """Seconds to wait before the next attempt; None when there is none.

    `attempt` counts from 0, `elapsed` is in seconds since the first began. With `other_model` the next attempt goes to
    a model that has not failed yet. An answer that was cut short is asked for again at once, for what is missing.
    Jitter keeps windows apart.
    """
    if attempt + 1 >= MOST_ATTEMPTS or isinstance(error, Refused) or is_about_the_request(error):
        return None
    if isinstance(error, Truncated | InvalidAnswer):
        return 0.0 if attempt == 0 else None
    if other_model:
        return 0.0 if elapsed <= DEADLINE_SECONDS else None
    if isinstance(error, Misconfigured):
        return None
    wait = 0.5 * 2.0**attempt
    if isinstance(error, RateLimited):
        wait = max(wait, UNNAMED_PAUSE_SECONDS if error.retry_after is None else error.retry_after)
    elif isinstance(error, Overloaded):
        wait = max(wait, error.retry_after or 0.0)
    if wait > LONGEST_WAIT_SECONDS or elapsed + wait > DEADLINE_SECONDS:
        return None
    return wait * (1 + secrets.randbelow(250) / 1000) + 0.001  # rounding must not bring it before a pause's end


def is_about_the_request(error: ModelError) -> bool:
    """Whether the provider does not accept what was sent, which may be for the code in it."""
    return isinstance(error, Misconfigured) and error.kind is MisconfiguredKind.REQUEST
