"""Which regions go together into one request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.core.regions import Region, RegionKeys
    from aiops_lsp.core.routing import Tier

MOST_REGIONS = 8
"""More regions in one request make a model's answers shallow."""

MOST_AFTER_FAILURES = (MOST_REGIONS, 2, 1)
"""The same after none, one, two or more failures: the last attempt that a region gets, it gets alone."""

ANSWER_BASE_TOKENS = 500
ANSWER_TOKENS_PER_REGION = 250
REASONING_TOKENS = 1000
"""What a complex region's reasoning may take of the answer's bound."""


@dataclass(frozen=True, slots=True)
class Job:
    """One region that is to be reviewed.

    `input_tokens` is the estimate of what it adds to a request. `models` are the models of its tier, the first one
    preferred. `reasoning` lets the model reason before it answers. `failures` counts earlier attempts that yielded
    nothing for it. `lowered` says that a stronger tier was due and the budget forbade it. `known_at` is when the result
    that is to be replaced was made, None where there is none. `answer_room` is what a request about it alone leaves
    for an answer, in tokens; None before it was packed.
    """

    region: Region
    keys: RegionKeys
    tier: Tier
    models: tuple[str, ...]
    input_tokens: int
    reasoning: bool = False
    failures: int = 0
    lowered: bool = False
    known_at: float | None = None
    answer_room: int | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """Regions for one request, in value order, and the bound of its answer in tokens."""

    jobs: tuple[Job, ...]
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Packing:
    """Packs to send, and jobs that fit no request."""

    packs: tuple[Pack, ...]
    too_large: tuple[Job, ...]


def pack(jobs: Sequence[Job], *, fixed_tokens: int, max_tokens: int) -> Packing:
    """Put `jobs`, in value order, into as few requests as their bounds allow.

    `fixed_tokens` is the estimate of the part that each request repeats; `max_tokens` bounds input and answer
    together. Jobs share a request only with jobs for the same models. A job that failed before travels with fewer
    others and at last alone, so that one region that a model cannot answer does not take the rest with it.
    """
    jobs = [replace(job, answer_room=max_tokens - fixed_tokens - job.input_tokens) for job in jobs]
    open_packs: dict[tuple[str, ...], list[list[Job]]] = {}
    too_large: list[Job] = []
    for job in jobs:
        if not _fits([job], fixed_tokens, max_tokens):
            too_large.append(job)
            continue
        packs = open_packs.setdefault(job.models, [])
        for members in packs:
            joined = [*members, job]
            if len(joined) <= _most_regions(joined) and _fits(joined, fixed_tokens, max_tokens):
                members.append(job)
                break
        else:
            packs.append([job])
    closed = [members for packs in open_packs.values() for members in packs]
    closed.sort(key=lambda members: jobs.index(members[0]))
    return Packing(tuple(Pack(tuple(members), answer_tokens(members)) for members in closed), tuple(too_large))


def answer_tokens(jobs: Iterable[Job]) -> int:
    """The bound of the answer to `jobs`, hidden reasoning included.

    It is raised after failures, but no further than leaves room for the code: what fitted at first fits again.
    """
    listed = list(jobs)
    tokens = answer_bound(len(listed), reasoning=any(job.reasoning for job in listed))
    raised = tokens * (1 + min(2, max((job.failures for job in listed), default=0)))
    room = min((job.answer_room for job in listed if job.answer_room is not None), default=raised)
    return max(tokens, min(raised, room))


def answer_bound(regions: int, *, reasoning: bool) -> int:
    """The bound of the first answer to a request of so many regions."""
    return ANSWER_BASE_TOKENS + ANSWER_TOKENS_PER_REGION * regions + (REASONING_TOKENS if reasoning else 0)


def _most_regions(jobs: Sequence[Job]) -> int:
    failures = max(job.failures for job in jobs)
    return MOST_AFTER_FAILURES[min(failures, len(MOST_AFTER_FAILURES) - 1)]


def _fits(jobs: Sequence[Job], fixed_tokens: int, max_tokens: int) -> bool:
    return fixed_tokens + sum(job.input_tokens for job in jobs) + answer_tokens(jobs) <= max_tokens
