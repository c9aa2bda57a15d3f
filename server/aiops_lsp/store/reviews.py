"""What the cache keeps of a reviewed region, as a record and as the text of a row.

A row is JSON. When it is read back it is validated like any input from outside: its types, its bounds, and that it is
the record of the region that was asked for.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

# Imported at run time although only annotations name them: pydantic resolves the annotations.
from aiops_lsp.core.anchors import AnchorHint  # noqa: TC001
from aiops_lsp.core.findings import Claim, Confirmation  # noqa: TC001

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = 1
LONGEST_ROW = 1_000_000  # characters
_LONGEST_STRING = 20_000
_MOST_CLAIMS = 200
_MOST_FIX_LINES = 200
_CLOCK_SLACK = 300.0


@dataclass(frozen=True, slots=True)
class CachedVerdict:
    """What a second opinion said of a claim. `confidence` is 0-100."""

    refuted: bool
    fix_correct: bool
    confidence: int
    reason: str


@dataclass(frozen=True, slots=True)
class CachedClaim:
    """A claim, where it stood in its region, and where it stands with its second opinion."""

    claim: Claim
    hint: AnchorHint | None
    confirmation: Confirmation
    fix_verified: bool = False
    verdict: CachedVerdict | None = None


@dataclass(frozen=True, slots=True)
class CachedReview:
    """The result of one region's review; without claims the region is clean.

    `exact` and `loose` are the region's keys. `made_at` is in wall clock seconds. `under_pressure` says that a lower
    model was used because the budget ran low. `tokens` and `micro_usd` are what the region cost: its share of the
    request.
    """

    exact: str
    loose: str
    claims: tuple[CachedClaim, ...]
    provider: str
    model: str
    tier: str
    made_at: float
    security_sensitive: bool
    under_pressure: bool
    tokens: int
    micro_usd: int


def stale_age(review: CachedReview, now: float, ttl_seconds: float, security_ttl_seconds: float) -> float | None:
    """How old in seconds `review` is at `now` when that is too old to count as fresh; None for one that is fresh.

    A security-sensitive region's result ages by its own, shorter measure. One from the future, made before the clock
    was set back, is stale: nobody knows its age.
    """
    ttl = min(ttl_seconds, security_ttl_seconds) if review.security_sensitive else ttl_seconds
    age = now - review.made_at
    return max(0.0, age) if age > ttl or age < -_CLOCK_SLACK else None


def encode(review: CachedReview) -> str | None:
    """The row for `review`; None for one that could not be read back (half a surrogate pair, a bound exceeded)."""
    if not _sound(review):
        return None
    text = json.dumps({"format": FORMAT, "review": asdict(review)}, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return text if len(text) <= LONGEST_ROW else None


def decode(text: str) -> CachedReview | None:
    """The review that a row holds; None when it is not one in every respect."""
    from pydantic import ValidationError  # noqa: PLC0415 - heavy, and the server's start imports none of it

    if len(text) > LONGEST_ROW:
        return None
    try:
        row = _adapter().validate_json(text, strict=True)
    except ValidationError:
        return None
    return row.review if row.format == FORMAT and _sound(row.review) else None


@dataclass(frozen=True, slots=True)
class _Row:
    format: int
    review: CachedReview


@cache
def _adapter() -> TypeAdapter[_Row]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    return TypeAdapter(_Row)


def _sound(review: CachedReview) -> bool:
    """Whether everything is within its bounds, types being right."""
    return (
        math.isfinite(review.made_at)
        and review.made_at >= 0
        and min(review.tokens, review.micro_usd) >= 0
        and max(review.tokens, review.micro_usd) <= 2**53
        and len(review.claims) <= _MOST_CLAIMS
        and all(map(_sound_claim, review.claims))
    )


def _sound_claim(cached: CachedClaim) -> bool:
    claim, fix = cached.claim, cached.claim.fix
    confidences = [claim.confidence] + ([cached.verdict.confidence] if cached.verdict is not None else [])
    strings = [claim.quote, claim.focus, claim.trigger, claim.why, claim.title]
    if cached.verdict is not None:
        strings.append(cached.verdict.reason)
    if fix is not None:
        if not 1 <= fix.start_line <= fix.end_line or len(fix.old_lines) + len(fix.new_lines) > _MOST_FIX_LINES:
            return False
        strings += [*fix.old_lines, *fix.new_lines]
    return (
        1 <= claim.start_line <= claim.end_line
        and all(0 <= confidence <= 100 for confidence in confidences)
        and all(len(string) <= _LONGEST_STRING for string in strings)
    )
