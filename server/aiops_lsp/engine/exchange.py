"""One request under way: the answer is read as it comes, and each region is kept the moment it is complete."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.core.anchors import Anchor, anchor
from aiops_lsp.core.findings import Confirmation
from aiops_lsp.engine.standing import Standing
from aiops_lsp.llm.answers import AnswerReader, FindingClosed, RegionClosed
from aiops_lsp.llm.client import InvalidAnswer, Overloaded, TextDelta, UsageReport
from aiops_lsp.llm.tokens import estimate_tokens
from aiops_lsp.store.cache import CachedClaim, CachedReview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops_lsp.core.findings import Claim
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.governor import Permit
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.engine.results import Results
    from aiops_lsp.llm.answers import AnswerEvent
    from aiops_lsp.llm.client import ModelRequest

logger = logging.getLogger(__name__)


class Exchange:
    """One request and its answer.

    What a region's entry claims is anchored in the very text that was sent; what finds no place there is dropped and
    counted. A complete entry is cached before it is handed on, so that nothing that was paid for can get lost. Claims
    for which `due` holds are not shown yet: their regions, in `questioned`, await a second opinion. `fixed_tokens` is
    what the request takes beside its regions; it counts towards each region's share of the cost. An exchange that is
    not `cacheable` told the model more than the regions' keys do.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        jobs: Sequence[Job],
        permit: Permit,
        results: Results,
        *,
        due: Callable[[Claim], bool],
        fixed_tokens: int,
        cacheable: bool = True,
    ) -> None:
        self._snapshot = snapshot
        self._jobs = {f"r{number}": job for number, job in enumerate(jobs, start=1)}
        self._permit = permit
        self._results = results
        self._due = due
        self._fixed_share = fixed_tokens // len(jobs)
        self.cacheable = cacheable
        self._partial: dict[str, list[CachedClaim]] = {}
        self._answered: set[str] = set()
        self._keeping: list[asyncio.Task[None]] = []
        self.rejected = 0
        self.questioned: list[tuple[Job, CachedReview]] = []

    @property
    def jobs(self) -> list[Job]:
        """The regions that are asked for."""
        return list(self._jobs.values())

    @property
    def answered(self) -> list[Job]:
        """The regions for which a complete entry has come."""
        return [job for region_id, job in self._jobs.items() if region_id in self._answered]

    @property
    def unanswered(self) -> list[Job]:
        """The regions for which no complete entry has come."""
        return [job for region_id, job in self._jobs.items() if region_id not in self._answered]

    async def run(self, request: ModelRequest) -> None:
        """Send and read. Raises `ModelError`. What was complete by then is on its way to where it is `kept`."""
        reader = AnswerReader(list(self._jobs))
        heard = False
        try:
            async with aclosing(self._permit.client.stream(request)) as events:
                async for event in events:
                    heard = True
                    if isinstance(event, UsageReport):
                        self._permit.usage = event.usage
                    elif isinstance(event, TextDelta):
                        self._take(reader.feed(event.text))
        except InvalidAnswer as error:
            if heard:
                raise
            raise Overloaded(str(error)) from error  # no model spoke (a proxy's page): not the regions' fault
        self._take(reader.finish())
        if not reader.started:
            raise InvalidAnswer(f"{self._permit.model} answered with something else than a review")

    async def kept(self) -> None:
        """Wait until all that was complete is cached and handed on."""
        await asyncio.gather(*self._keeping)

    def _take(self, events: Iterable[AnswerEvent]) -> None:
        for event in events:
            if isinstance(event, RegionClosed):
                self._close(event.region_id, event.claims)
            elif isinstance(event, FindingClosed):
                self._show_early(event.region_id, event.claim)

    def _show_early(self, region_id: str, claim: Claim) -> None:
        job = self._jobs[region_id]
        cached = [one for one in self._anchored(job, [claim]) if not self._due(one.claim)]
        if cached:
            claims = self._partial.setdefault(region_id, [])
            claims += cached
            self._results.show(job.keys.exact, Standing.reviewing(self._record(job, claims)))

    def _close(self, region_id: str, claims: Sequence[Claim]) -> None:
        job = self._jobs[region_id]
        anchored = self._anchored(job, claims)
        self.rejected += len(claims) - len(anchored)
        record = self._record(job, anchored)
        self._answered.add(region_id)
        sure = [one for one in anchored if one.confirmation is Confirmation.NOT_DUE]
        if len(sure) == len(anchored):
            standing = Standing.reviewed(record, exact=True, age_seconds=None)
        else:
            self.questioned.append((job, record))
            standing = Standing.reviewing(replace(record, claims=tuple(sure)))
        # In a task of its own: the model's answer, and the next request, do not wait for the disk.
        self._keeping.append(asyncio.create_task(self._results.keep(record, standing, cached=self.cacheable)))

    def _anchored(self, job: Job, claims: Iterable[Claim]) -> list[CachedClaim]:
        kept = []
        for claim in claims:
            place = anchor(claim, job.region, self._snapshot)
            if isinstance(place, Anchor):
                stands = Confirmation.UNCONFIRMED if self._due(claim) else Confirmation.NOT_DUE
                kept.append(CachedClaim(claim, place.hint, stands))
            else:
                logger.info("a finding was dropped: its quote has no place in the region (%s)", place.reason)
        return kept

    def _record(self, job: Job, claims: Sequence[CachedClaim]) -> CachedReview:
        answer = (
            sum(estimate_tokens(f"{one.claim.quote}{one.claim.trigger}{one.claim.why}") + 80 for one in claims) + 12
        )
        return CachedReview(
            exact=job.keys.exact,
            loose=job.keys.loose,
            claims=tuple(claims),
            provider=self._permit.model.provider,
            model=str(self._permit.model),
            tier=job.tier.value,
            made_at=self._results.clock.wall(),
            security_sensitive=job.region.shape.sensitive_calls > 0,
            under_pressure=job.lowered,
            tokens=job.input_tokens + self._fixed_share + answer,
            micro_usd=self._permit.cost(job.input_tokens + self._fixed_share, answer),
        )
