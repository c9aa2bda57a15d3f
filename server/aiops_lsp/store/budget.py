"""What a limit allows: the data of reservations, and the one inequality that lets a request pass. Pure.

Money is counted in whole micro-dollars (1 USD = 1,000,000), tokens in whole tokens, so that nothing is lost in
rounding.

For one limit L (the lowest that was in force) in one period let U be what is booked as used, and H the sum of the
hard caps of the requests in flight: reserved, and neither booked nor released yet. A request with hard cap h passes
only if

    U + H + h <= L.                                                                                       (1)

Then what is billed never exceeds L, as long as no provider bills more for a request than its hard cap: (1) makes
U + H <= L hold when a request passes; booking moves at most its hard cap from H to U, releasing takes away from H,
and so does a crashed process' reservation, which is booked at its hard cap. Nothing else changes either. So U <= L
always. Weaker will not do: were (1) broken, the requests in flight could be billed up to their hard caps and cross L.

Estimates therefore never decide what passes. They say what is *probably* spent: while as much is left as all the
requests in flight may cost at most, a reservation counts as its estimate where spending is shown or compared with
the warning threshold, and otherwise as its hard cap (`reserved`).

A provider that does not honour its output cap may exceed L by what it bills above the hard caps of two kinds of
requests, and of no others: those in flight when the limit was reached (once U > L nothing passes (1) any more), and
those whose usage it never told (booked at their hard caps, since nothing better is known).

A limit is per amount that a request can cost: one that costs nothing (a local model) passes a spent money limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WARNING_LEVEL = 0.8
MAX_AMOUNT = 2**53  # far above any true amount, far below where sqlite's integers end


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits: tokens a local day, micro-dollars a local month, requests in any 60 seconds. None: no limit."""

    daily_tokens: int | None = None
    monthly_micro_usd: int | None = None
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class ReservationRequest:
    """What a request is expected to cost (`tokens`, `micro_usd`) and what it can cost at most (`hard_...`).

    The hard cap of tokens is the input's UTF-8 bytes plus the maximal output. An estimate above its hard cap counts
    as the hard cap. `expires_in` is in seconds: how long the request can be under way; a reservation that is older
    counts as spent. `project` is the workspace folder or empty. Raises ValueError for a negative amount.
    """

    tokens: int
    micro_usd: int
    hard_tokens: int
    hard_micro_usd: int
    model: str
    tier: str
    project: str = ""
    language: str = ""
    purpose: str = "review"
    expires_in: float = 300.0

    def __post_init__(self) -> None:
        amounts = (self.tokens, self.micro_usd, self.hard_tokens, self.hard_micro_usd)
        if not all(0 <= amount <= MAX_AMOUNT for amount in amounts) or not self.expires_in > 0:
            raise ValueError(f"a reservation of {amounts} for {self.expires_in} s is none: amounts are 0 or more")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A share of the budget that is held for one request. Times are wall clock seconds."""

    id: str
    request: ReservationRequest
    made_at: float
    expires_at: float

    @property
    def tokens(self) -> int:
        """The tokens that the request is expected to take."""
        return min(self.request.tokens, self.request.hard_tokens)

    @property
    def micro_usd(self) -> int:
        """The micro-dollars that the request is expected to cost."""
        return min(self.request.micro_usd, self.request.hard_micro_usd)


class DeniedReason(StrEnum):
    """Which limit is in the way."""

    DAILY_TOKENS = "daily_tokens"
    MONTHLY_COST = "monthly_cost"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Denied:
    """A request that must not be sent. `words` is a sentence for people.

    `retry_at` (wall clock seconds) is when the limit starts anew. With `in_flight` the requests under way are what
    is in the way: what they turn out not to need may let it pass sooner. `share` says that it is the lower limit of
    the request's `project`, not the user's own.
    """

    reason: DeniedReason
    retry_at: float
    words: str
    in_flight: bool = False
    share: bool = False
    project: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """What is booked, and what the requests in flight are expected to cost and may cost at most."""

    used_tokens: int = 0
    used_micro_usd: int = 0
    expected_tokens: int = 0
    expected_micro_usd: int = 0
    hard_tokens: int = 0
    hard_micro_usd: int = 0

    @property
    def tokens(self) -> tuple[int, int, int]:
        """Used, expected and hard, in tokens."""
        return self.used_tokens, self.expected_tokens, self.hard_tokens

    @property
    def micro_usd(self) -> tuple[int, int, int]:
        """Used, expected and hard, in micro-dollars."""
        return self.used_micro_usd, self.expected_micro_usd, self.hard_micro_usd


class Fit(StrEnum):
    """How a request stands to one limit."""

    FITS = "fits"
    AFTER_IN_FLIGHT = "after_in_flight"
    NO = "no"


def fit(limit: int | None, used: int, in_flight: int, hard: int) -> Fit:
    """Whether a request that may cost `hard` passes (1); AFTER_IN_FLIGHT: it might, were nothing under way."""
    if limit is None or hard == 0 or used + in_flight + hard <= limit:
        return Fit.FITS
    return Fit.AFTER_IN_FLIGHT if used + hard <= limit else Fit.NO


def reserved(limit: int | None, used: int, expected: int, hard: int) -> int:
    """What the requests in flight count as: their estimates, near the limit their hard caps."""
    if limit is None or limit - used - expected >= hard:
        return expected
    return hard


def fraction(limit: int | None, spent: int) -> float:
    """The fraction of `limit` that is spent or reserved, 0.0 up to 1.0 and above.

    Without a limit 0.0; so too for a limit of 0 of which nothing is spent: then nothing that costs passes, and
    what costs nothing is not in the way.
    """
    if limit is None:
        return 0.0
    if limit == 0:
        return 1.0 if spent else 0.0
    return spent / limit


@dataclass(frozen=True, slots=True)
class Pressure:
    """The fraction of each limit that is spent or reserved: from 0.8 a warning, from 1.0 nothing is left."""

    tokens: float
    cost: float

    @property
    def worst(self) -> float:
        """The higher of both."""
        return max(self.tokens, self.cost)

    @property
    def warning(self) -> bool:
        """Whether a limit is near: cheaper models are due."""
        return self.worst >= WARNING_LEVEL

    @property
    def exhausted(self) -> bool:
        """Whether a limit is reached. Requests are refused a little earlier: when none fits any more."""
        return self.worst >= 1.0


@dataclass(frozen=True, slots=True)
class PeriodSpend:
    """Spending in the running day or month. `reserved_...` is what the requests in flight are expected to cost."""

    label: str
    resets_at: float
    tokens: int
    micro_usd: int
    reserved_tokens: int
    reserved_micro_usd: int


@dataclass(frozen=True, slots=True)
class Spend:
    """What is spent today and this month."""

    day: PeriodSpend
    month: PeriodSpend

    def pressure(self, limits: Limits) -> Pressure:
        """How much of each of the limits that this was read with is spent or reserved."""
        return Pressure(
            fraction(limits.daily_tokens, self.day.tokens + self.day.reserved_tokens),
            fraction(limits.monthly_micro_usd, self.month.micro_usd + self.month.reserved_micro_usd),
        )
