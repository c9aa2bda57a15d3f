"""Which regions of a document are worth sending now, in which order, and why the others wait.

A pure decision over what is known of each region: nothing here reads, waits or sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.standing import Progress, Reason, Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiops_lsp.core.regions import Region

BURST_REGIONS = 10
"""A single change that touches more (a checkout, a pull, a format, a paste) sends no more by itself."""


ROUNDING_SECONDS = 0.001
"""So little of a wait counts as none: it may be rounding, and no clock would tell when it is over."""


class Trigger(IntEnum):
    """What asks for a review; a higher one includes what a lower one sends."""

    OPENED = 0
    CHANGED = 1
    SAVED = 2
    COMMAND = 3


DECIDED = frozenset({Progress.REVIEWED, Progress.REVIEWING})
"""How regions stand of which there is nothing to decide."""


class Candidate(NamedTuple):
    """A region as the decision sees it. A command that asks for all of a file puts all of it in scope.

    `seconds_since_edit` is None for a region that was not edited in this session. `left` is true when another region
    was edited after it, `saved` when the file was saved with the region as it is now.
    """

    region: Region
    key: str
    tier: Tier
    standing: Standing
    in_scope: bool
    seconds_since_edit: float | None = None
    left: bool = False
    saved: bool = False
    visible: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What to send, in order, as numbers of candidates; what waits and why; and what was held back."""

    send: tuple[int, ...]
    waiting: dict[int, Standing]
    held: frozenset[str]


def select(
    candidates: Mapping[int, Candidate],
    trigger: Trigger,
    *,
    now: float,
    review_trigger: str,
    settle_seconds: float,
    held: Collection[str] = (),
) -> Selection:
    """Decide. The candidates have numbers of any kind. `now` is monotonic seconds.

    `review_trigger` is the setting `review.trigger`. `held` are the keys that an earlier burst held back: they wait
    for a save or a command.
    """
    send: list[int] = []
    waiting: dict[int, Standing] = {}
    for index, candidate in candidates.items():
        verdict = _decide(candidate, trigger, now, review_trigger, settle_seconds, held)
        if verdict is None:
            send.append(index)
        elif verdict is not candidate.standing:
            waiting[index] = verdict
    send.sort(key=lambda index: _value(candidates[index]))
    newly_held: set[str] = {candidates[i].key for i in waiting if waiting[i].reason is Reason.BURST}
    if trigger < Trigger.SAVED:
        for index in [index for index in send if not candidates[index].saved][BURST_REGIONS:]:
            waiting[index] = Standing.not_reviewed(Reason.BURST)
            newly_held.add(candidates[index].key)
        send = [index for index in send if index not in waiting]
    return Selection(tuple(send), waiting, frozenset(newly_held))


def _decide(
    candidate: Candidate,
    trigger: Trigger,
    now: float,
    review_trigger: str,
    settle_seconds: float,
    held: Collection[str],
) -> Standing | None:
    """None to send; the candidate's own standing to leave it; else the standing that it gets."""
    standing = candidate.standing
    if standing.progress in DECIDED:
        return standing
    asked = trigger is Trigger.COMMAND
    saved = trigger >= Trigger.SAVED
    if not candidate.in_scope:
        return standing if standing.progress is Progress.STALE else Standing.not_reviewed(Reason.OUT_OF_SCOPE)
    if candidate.region.parse_error or (candidate.region.empty_body and not asked):
        return standing if standing.progress is Progress.STALE else Standing.not_reviewed(Reason.HALF_WRITTEN)
    if standing.progress is Progress.STALE:
        return None if saved else standing
    if standing.reason is Reason.OUTDATED and not saved:
        return standing
    if standing.reason is Reason.FAILED and standing.retry_at is None and not asked:
        return standing
    waits = standing.retry_at is not None and standing.retry_at > now and standing.reason is not Reason.SETTLING
    if waits and not asked:
        return standing
    if review_trigger == "manual" and not asked:
        return Standing.not_reviewed(Reason.WAITS_FOR_COMMAND)
    if not (saved or candidate.saved):
        return _wait_while_writing(candidate, now, review_trigger, settle_seconds, held)
    return None


def _wait_while_writing(
    candidate: Candidate, now: float, review_trigger: str, settle_seconds: float, held: Collection[str]
) -> Standing | None:
    if review_trigger != "change":
        return Standing.not_reviewed(Reason.WAITS_FOR_SAVE)
    if candidate.key in held:
        return Standing.not_reviewed(Reason.BURST)
    if candidate.tier is Tier.COMPLEX and candidate.seconds_since_edit is not None:
        return Standing.not_reviewed(Reason.WAITS_FOR_SAVE)
    since = candidate.seconds_since_edit
    if since is not None and settle_seconds - since > ROUNDING_SECONDS and not candidate.left:
        return Standing.not_reviewed(Reason.SETTLING, retry_at=now + settle_seconds - since)
    return None


def _value(candidate: Candidate) -> tuple[int, float, int]:
    """Just edited first, then what is on the screen, then the rest from the top."""
    since = candidate.seconds_since_edit
    if since is not None:
        return (0, since, candidate.region.start_line)
    return (1 if candidate.visible else 2, 0.0, candidate.region.start_line)
