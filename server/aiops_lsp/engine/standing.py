"""Where a region stands: reviewed, on its way, or not reviewed and why.

"Not reviewed" is never shown as "clean", so each region of a document always has a standing, and one that has no
result has a reason in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.store.cache import CachedReview


class Reason(StrEnum):
    """Why a region has no current result."""

    NEW = "new"
    OUT_OF_SCOPE = "out_of_scope"
    HALF_WRITTEN = "half_written"
    SETTLING = "settling"
    WAITS_FOR_SAVE = "waits_for_save"
    WAITS_FOR_COMMAND = "waits_for_command"
    BURST = "burst"
    OUTDATED = "outdated"
    OTHER_WINDOW = "other_window"
    INELIGIBLE = "ineligible"
    SWITCHED_OFF = "switched_off"
    NO_MODEL = "no_model"
    NO_CONSENT = "no_consent"
    NO_LEDGER = "no_ledger"
    OVER_BUDGET = "over_budget"
    RATE = "rate"
    ALLOWANCE = "allowance"
    TOO_LARGE = "too_large"
    PROVIDER = "provider"
    MISCONFIGURED = "misconfigured"
    FAILED = "failed"
    CANCELLED = "cancelled"


_WORDS = {
    Reason.NEW: "not looked at yet",
    Reason.OUT_OF_SCOPE: "unchanged since the last commit; review the whole file to include it",
    Reason.HALF_WRITTEN: "the code does not parse yet",
    Reason.SETTLING: "still being written",
    Reason.WAITS_FOR_SAVE: "waits until the file is saved",
    Reason.WAITS_FOR_COMMAND: "reviewed only when asked for",
    Reason.BURST: "many regions changed at once; the rest waits until the file is saved",
    Reason.OUTDATED: "the earlier result no longer fits; reviewed again when the file is saved",
    Reason.OTHER_WINDOW: "another window is having it reviewed",
    Reason.SWITCHED_OFF: "reviews are switched off",
    Reason.NO_MODEL: "no language model is set up",
    Reason.NO_CONSENT: "sending code to the provider was not allowed",
    Reason.NO_LEDGER: "spending cannot be recorded, so nothing paid is sent",
    Reason.OVER_BUDGET: "the budget is used up",
    Reason.RATE: "waiting for a rate limit",
    Reason.ALLOWANCE: "the review has cost what it was said to cost at most; ask for it again to go on",
    Reason.TOO_LARGE: "too large for one request",
    Reason.PROVIDER: "the provider did not answer",
    Reason.MISCONFIGURED: "the provider rejects the set-up",
    Reason.FAILED: "could not be reviewed",
    Reason.CANCELLED: "the review was cancelled",
}


class Progress(StrEnum):
    """How far a region's review has come."""

    REVIEWED = "reviewed"
    STALE = "stale"
    REVIEWING = "reviewing"
    NOT_REVIEWED = "not_reviewed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one region stands.

    `record` is its result where there is one; `exact` is false when that was found for the same code with other
    comments or blanks. `age_seconds` is set for a stale result. `retry_at` is the moment, in monotonic seconds, before
    which another attempt is pointless. `failures` counts the answers that were of no use.
    """

    progress: Progress
    reason: Reason | None = None
    words: str = ""
    record: CachedReview | None = None
    exact: bool = True
    age_seconds: float | None = None
    retry_at: float | None = None
    failures: int = 0

    @property
    def is_of_the_code(self) -> bool:
        """Whether its result is of the region exactly as it is, and complete."""
        complete = self.progress in (Progress.REVIEWED, Progress.STALE)
        return complete and self.exact and self.record is not None

    @classmethod
    def not_reviewed(cls, reason: Reason, words: str = "", *, retry_at: float | None = None) -> Standing:
        """A region without a result; `words` replace the reason's own sentence."""
        return cls(Progress.NOT_REVIEWED, reason, words or _WORDS.get(reason, ""), retry_at=retry_at)

    @classmethod
    def reviewed(cls, record: CachedReview, *, exact: bool, age_seconds: float | None) -> Standing:
        """A region whose result is known; one with an age is past its freshness."""
        progress = Progress.REVIEWED if age_seconds is None else Progress.STALE
        return cls(progress, record=record, exact=exact, age_seconds=age_seconds)

    @classmethod
    def reviewing(cls, record: CachedReview | None = None) -> Standing:
        """A region whose request is under way; `record` holds the findings that have come so far."""
        return cls(Progress.REVIEWING, words="being reviewed", record=record)


NOTHING_TO_REVIEW = Standing(Progress.REVIEWED, words="nothing to review")
"""A region of comments, imports or a bare header."""
