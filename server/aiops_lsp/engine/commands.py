"""What users ask for outright: a review now, an estimate, a dismissal, an empty cache, the books."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from aiops_lsp.core.prompts import review_prompt
from aiops_lsp.core.routing import Tier, raised
from aiops_lsp.engine import opinion, plan
from aiops_lsp.engine.changes import changes_since_commit
from aiops_lsp.engine.host import DocumentClosed, RegionReport, ReviewReport
from aiops_lsp.engine.selection import Trigger
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW, Progress, Reason, Standing
from aiops_lsp.llm.client import ModelName
from aiops_lsp.llm.prices import NoPrice
from aiops_lsp.llm.tokens import most_tokens
from aiops_lsp.store.database import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

    from aiops_lsp.engine.allowance import Allowance
    from aiops_lsp.engine.assembly import Assembly
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.document import ReviewedDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.look import Look
    from aiops_lsp.engine.packing import Pack

LONGEST_WAIT_SECONDS = 70.0
"""A rate limit or another window's request is waited for this long at a time."""

MOST_ROUNDS = 40

MOST_SENDINGS = 2
"""How often each request may be sent for what a review is said to cost at most."""


class Commands:
    """Carries out commands on a started engine."""

    def __init__(self, assembly: Assembly, look: Look, clock: Clock) -> None:
        self._assembly = assembly
        self._look = look
        self._clock = clock

    async def review(
        self,
        document: ReviewedDocument,
        folder_of: Callable[[], Folder],
        *,
        deep: bool,
        lines: tuple[int, int] | None,
        changes_only: bool,
        allowance: Allowance | None = None,
    ) -> ReviewReport:
        """See `Reviewer.review`."""
        started = self._clock.wall()
        tokens = micro_usd = 0
        examined = await self._current(document, folder_of())
        async with _beside(self._rules(document, folder_of())):
            for _ in range(MOST_ROUNDS):
                folder = folder_of()  # settings may change while a rate limit is waited for
                order = replace(self._assembly.sending.order(document, examined, folder), allowance=allowance)
                if changes_only:
                    changes = await changes_since_commit(examined.snapshot, examined.redact_patterns)
                    order = replace(order, changes=changes)
                packs = await self._assembly.sending.plan(
                    document, examined, folder, Trigger.COMMAND, whole_file=not changes_only, deep=deep, lines=lines
                )
                spent = await self._assembly.sending.send_now(order, packs)
                tokens += spent.tokens
                micro_usd += spent.micro_usd
                await self._assembly.dispatcher.landed([keys.exact for keys in examined.keys])
                # Where text or settings went on, what was planned may have been nothing.
                moved_on = document.examined is not examined or not order.current()
                wait = self._worth_waiting(document, examined, lines)
                if wait is None and not moved_on:
                    break
                await self._clock.sleep(wait or 0.0)
                examined = await self._current(document, folder_of())
        return _report(document, examined, started, tokens, micro_usd)

    async def _rules(self, document: ReviewedDocument, folder: Folder) -> None:
        """What needs no model: while the models answer there is time for it."""
        await self._look.refresh_rules(document, folder)
        await self._look.refresh_ruff(document, folder)

    async def estimate(self, document: ReviewedDocument, folder: Folder, *, deep: bool) -> tuple[int, int]:
        """See `Reviewer.estimate`."""
        examined = await self._current(document, folder)
        held = set(document.held)
        packs = await self._assembly.sending.plan(
            document, examined, folder, Trigger.COMMAND, whole_file=True, deep=deep
        )
        document.held |= held  # nobody has agreed yet
        opinions = folder.settings.review.second_opinion != "off"
        parts = [self._most(pack, examined, opinions=opinions) for pack in packs]
        return sum(tokens for tokens, _ in parts), sum(micro_usd for _, micro_usd in parts)

    def cost_nothing(self) -> bool:
        """See `Reviewer.costs_nothing`."""
        pool = self._assembly.services.pool
        return not self._highest_price({model for tier in Tier for model in pool.chain(tier)}, 10**6, 10**6)

    def _most(self, pack: Pack, examined: Examined, *, opinions: bool) -> tuple[int, int]:
        """What a request, its repetition and a second opinion on it are billed at most: tokens and micro-dollars."""
        services, recipe = self._assembly.services, examined.recipe
        regions = [job.region for job in pack.jobs]
        prompt = review_prompt(
            services.texts, examined.snapshot.language, recipe.instructions, recipe.language, regions, "0" * 16
        )
        given, taken = most_tokens(prompt.system + prompt.user), pack.max_output_tokens
        tokens = MOST_SENDINGS * (given + taken)
        micro_usd = MOST_SENDINGS * self._highest_price(pack.jobs[0].models, given, taken)
        stronger = services.pool.chain(raised(max((job.tier for job in pack.jobs), key=lambda tier: tier.rank)))
        if opinions and stronger:
            given, taken = given + taken, opinion.answer_bound(len(regions))
            tokens += given + taken
            micro_usd += self._highest_price(stronger, given, taken)
        return tokens, micro_usd

    def _highest_price(self, models: Iterable[str], given: int, taken: int) -> int:
        """What so many tokens cost with the most expensive of `models`, in micro-dollars."""
        services = self._assembly.services
        costs = [0]
        for model in map(ModelName.parse, models):
            with suppress(NoPrice):  # a model without a price is never asked
                loopback = services.pool.routes[model.provider].loopback
                costs.append(services.prices.cost(model, given, taken, loopback=loopback))
        return max(costs)

    async def dismiss(self, folder: Folder, finding_id: str) -> None:
        """See `Reviewer.dismiss`."""
        services = self._assembly.services
        if services.decisions is None:
            raise StoreUnavailable("your decisions cannot be recorded, so the finding was not dismissed")
        await services.worker.run(services.decisions.dismiss, str(folder.root or ""), finding_id)

    async def clear_cache(self) -> int:
        """See `Reviewer.clear_cache`."""
        services = self._assembly.services
        return await services.worker.run(services.cache.clear)

    async def usage(self, days: int) -> dict[str, object]:
        """See `Reviewer.usage`."""
        services = self._assembly.services
        await self._assembly.overview.refresh()
        if problem := self._assembly.overview.ledger_problem:
            return {"days": days, "usage": [], "saved": [], "problem": problem}
        return {
            "days": days,
            "spend": self._assembly.overview.spend._asdict(),
            "usage": [asdict(row) for row in await services.worker.run(services.ledger.usage, days)],
            "saved": [asdict(row) for row in await services.worker.run(services.ledger.saved, days)],
        }

    async def _current(self, document: ReviewedDocument, folder: Folder) -> Examined:
        while not await self._look.refresh_to_send(document, folder):  # the text went on meanwhile
            if document.closed:
                raise DocumentClosed(document.uri)
        assert document.examined is not None
        return document.examined

    def _worth_waiting(
        self, document: ReviewedDocument, examined: Examined, lines: tuple[int, int] | None
    ) -> float | None:
        """Seconds until a region that was asked for and waits its turn may go; None when none does."""
        if document.examined is not examined:
            return None
        now = self._clock.monotonic()
        waits = [
            standing.retry_at - now
            for region, standing in zip(examined.split.regions, document.standings, strict=True)
            if standing.reason in (Reason.RATE, Reason.OTHER_WINDOW)
            and standing.retry_at is not None
            and (lines is None or plan.meets(region, lines))
        ]
        wait = min(waits, default=None)
        return None if wait is None or wait > LONGEST_WAIT_SECONDS else max(0.05, wait)


@asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do `work` while the block runs, which ends when both have. When the block fails it is cancelled."""
    task = asyncio.create_task(work)
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _report(
    document: ReviewedDocument, examined: Examined, started: float, tokens: int, micro_usd: int
) -> ReviewReport:
    regions = tuple(
        RegionReport(region.symbol, region.start_line, region.end_line, _outcome(standing, started), standing.words)
        for region, standing in zip(examined.split.regions, document.standings, strict=True)
        if standing is not NOTHING_TO_REVIEW
    )
    return ReviewReport(
        uri=document.uri,
        snapshot=examined.snapshot,
        findings=tuple(document.findings()),
        regions=regions,
        not_reviewed=document.note,
        tokens=tokens,
        micro_usd=micro_usd,
    )


def _outcome(standing: Standing, started: float) -> str:
    if standing.progress not in (Progress.REVIEWED, Progress.STALE) or standing.record is None:
        return "not_reviewed"
    return "reviewed" if standing.record.made_at >= started else "cached"
