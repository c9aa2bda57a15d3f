"""Sends regions to models and hands on what comes back, region by region.

What was sent is never cancelled by an edit: it completes and is cached under the keys it was sent with. What was not
sent yet is dropped as soon as nobody wants it any more. No region is asked for twice at a time, neither in this
process nor, by leases in the ledger, in another.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiops_lsp.core.prompts import REVIEW_SCHEMA, review_prompt
from aiops_lsp.engine.changes import fitting
from aiops_lsp.engine.deadline import deadline
from aiops_lsp.engine.exchange import Exchange
from aiops_lsp.engine.governor import Ask
from aiops_lsp.engine.opinion import SecondOpinion, is_due
from aiops_lsp.engine.order import Spent
from aiops_lsp.engine.packing import answer_tokens
from aiops_lsp.engine.results import Results
from aiops_lsp.engine.retry import MOST_ATTEMPTS, is_about_the_request, retry_wait
from aiops_lsp.engine.standing import Progress, Reason, Standing
from aiops_lsp.llm.client import (
    Effort,
    InvalidAnswer,
    Misconfigured,
    ModelError,
    ModelRequest,
    Refused,
    Truncated,
)
from aiops_lsp.llm.tokens import most_tokens, prompt_tokens, reserve_tokens
from aiops_lsp.observability.logs import log_context, new_id
from aiops_lsp.store.ledger import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Sequence

    from aiops_lsp.core.prompts import Prompt, PromptTexts
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.governor import Governor, Permit
    from aiops_lsp.engine.order import Order
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.engine.results import Sink
    from aiops_lsp.store.cache import Hit, ResultCache
    from aiops_lsp.store.ledger import Ledger
    from aiops_lsp.store.ledger_regions import Failure
    from aiops_lsp.store.worker import StoreWorker

logger = logging.getLogger(__name__)

PIECE_SECONDS = 30.0
"""The longest wait for the next piece of an answer."""

OUTAGE_SECONDS = 20.0
"""How soon regions are taken up again that no model could be asked about."""

CHANGES_FRAME_TOKENS = 60
"""What a request has around the changes that it tells of."""

LEASE_SECONDS = 180.0
LEASE_RENEWAL_SECONDS = 45.0
"""A lease older than this is prolonged before a request goes out: it must outlast the request."""

MOST_FAILURES = 3
"""A region that failed this often is left alone until it is edited or asked for."""


class Dispatcher:
    """Sends the requests of all documents. One per process."""

    def __init__(
        self,
        *,
        clock: Clock,
        governor: Governor,
        cache: ResultCache,
        ledger: Ledger,
        worker: StoreWorker,
        texts: PromptTexts,
        sink: Sink,
    ) -> None:
        self._clock = clock
        self._governor = governor
        self._cache = cache
        self._ledger = ledger
        self._worker = worker
        self._texts = texts
        self._sink = sink
        self._results = Results(cache, worker, clock, self)
        self._opinions = SecondOpinion(governor, self._results, texts)
        self._holder = secrets.token_hex(8)
        # By model and language, as the ledger knew them when we learned last: written on the stores' thread.
        self._ratios: dict[tuple[str, str], float] = {}
        self._in_flight: dict[str, asyncio.Future[None]] = {}
        self._requests: dict[asyncio.Task[None], tuple[str, Sequence[Job]]] = {}  # each with its URI

    @property
    def in_flight(self) -> Collection[str]:
        """The exact keys of the regions that are being asked for in this process, as they are at any time."""
        return self._in_flight.keys()

    async def landed(self, keys: Collection[str]) -> None:
        """Wait until none of the regions with these exact keys is being asked for any more."""
        for key in keys:
            if key in self._in_flight:
                await asyncio.shield(self._in_flight[key])

    async def all_ended(self) -> None:
        """Wait until every request that is under way now has ended."""
        if self._requests:
            await asyncio.wait(list(self._requests))

    async def aclose(self) -> None:
        """Cancel what is under way, and wait until it is booked."""
        for request in self._requests:
            request.cancel()
        await self.all_ended()

    def cancel_unwanted(self, open_uris: Container[str], wanted: Callable[[Job], bool]) -> None:
        """Cancel the requests for documents that are not open any more, where nobody else wants a region of theirs."""
        for task, (uri, jobs) in self._requests.items():
            if uri not in open_uris and not any(wanted(job) for job in jobs):
                task.cancel()

    async def send(self, order: Order, jobs: Sequence[Job]) -> Spent:
        """Have `jobs` reviewed in one request, retried as far as that makes sense. Each region gets its standing."""
        spent = Spent()
        mine = [job for job in jobs if job.keys.exact not in self._in_flight]
        for job in mine:
            self._in_flight[job.keys.exact] = asyncio.get_running_loop().create_future()
        self._stand(mine, Standing.reviewing())
        request = asyncio.create_task(self._leased(order, mine, spent))
        self._requests[request] = order.uri, mine
        try:
            await request
        except asyncio.CancelledError:
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            # Nobody wanted it any more; whoever has opened the document again since then takes it up.
            self._stand(self._under_way(mine), Standing.not_reviewed(Reason.NEW, retry_at=self._clock.monotonic()))
        finally:
            del self._requests[request]
            self._stand(self._under_way(mine), Standing.not_reviewed(Reason.CANCELLED))
        return spent

    def _under_way(self, jobs: Sequence[Job]) -> list[Job]:
        return [job for job in jobs if job.keys.exact in self._in_flight]

    def region_stands(self, key: str, standing: Standing) -> None:
        """Hand on how a region fares. With anything but "being reviewed" it has landed."""
        try:
            self._sink.region_stands(key, standing)
        finally:
            landed = standing.progress is not Progress.REVIEWING
            if landed and (flight := self._in_flight.pop(key, None)) is not None:
                flight.set_result(None)

    async def _leased(self, order: Order, jobs: list[Job], spent: Spent) -> None:
        leased, hits = await self._take_leases(jobs, order)
        try:
            with log_context(review_id=new_id()):
                await self._attempts(order, self._not_delivered(leased, hits), spent)
        finally:
            await asyncio.shield(self._release_leases(leased))

    async def _attempts(self, order: Order, jobs: list[Job], spent: Spent) -> None:
        started = self._clock.monotonic()
        failed: set[str] = set()
        for attempt in range(MOST_ATTEMPTS):
            turn = await self._turn(order, jobs, started, failed)
            if turn is None:
                return
            exchange, permit, prompt = turn
            try:
                error = await self._exchange(exchange, permit, self._request(order, exchange.jobs, prompt, permit))
            finally:
                spent.add(permit)
            if error is None:
                await self._learn(permit, prompt, order.snapshot.language)
            await self._forget_failures([job for job in exchange.answered if job.failures])
            await self._opinions.ask(order, exchange.questioned, spent, cacheable=exchange.cacheable)
            jobs = exchange.unanswered
            if error is None or not jobs:
                await self._give_up(jobs, None)
                return
            failed.add(str(permit.model))
            elapsed = self._clock.monotonic() - started
            wait = retry_wait(error, attempt, elapsed, other_model=not failed.issuperset(jobs[0].models))
            if wait is None:
                await self._give_up(jobs, error)
                return
            await self._clock.sleep(wait)

    async def _turn(
        self, order: Order, jobs: list[Job], leased_at: float, failed: Collection[str]
    ) -> tuple[Exchange, Permit, Prompt] | None:
        """Wait until `jobs` may be sent. None when there are none; those that are not sent have their standing then.

        Models in `failed` are asked only when all of the tier have failed.
        """
        while jobs := self._still_wanted(order, jobs):
            prompt, with_changes = self._prompt(order, jobs)
            models = sorted(jobs[0].models, key=lambda model: model in failed)
            ask = self._ask(order, jobs, prompt, tuple(models))
            permit = await self._governor.admit(ask, order.pool)
            if isinstance(permit, Standing):
                self._stand(jobs, permit)
                return None
            try:
                held = await self._still_leased(order, self._still_wanted(order, jobs), leased_at)
                if len(held) == len(jobs):
                    exchange = self._new_exchange(order, jobs, permit, ask, cacheable=not with_changes)
                    return exchange, permit, prompt
            except BaseException:
                await asyncio.shield(permit.give_back())
                raise
            await permit.give_back()
            jobs = held
        return None

    def _still_wanted(self, order: Order, jobs: list[Job]) -> list[Job]:
        """The jobs that still make sense. Those that the text has left behind are not reviewed."""
        if not order.current():  # settings have changed: the regions are taken up with those of today
            self._stand(jobs, Standing.not_reviewed(Reason.NEW, retry_at=self._clock.monotonic()))
            return []
        unwanted = [job for job in jobs if not order.wanted(job)]
        self._stand(unwanted, Standing.not_reviewed(Reason.NEW))
        return [job for job in jobs if job not in unwanted]

    def _new_exchange(self, order: Order, jobs: list[Job], permit: Permit, ask: Ask, *, cacheable: bool) -> Exchange:
        return Exchange(
            order.snapshot,
            jobs,
            permit,
            self._results,
            due=partial(is_due, order.folder.settings.review),
            fixed_tokens=max(0, ask.input_tokens - sum(job.input_tokens for job in jobs)),
            cacheable=cacheable,
        )

    async def _exchange(self, exchange: Exchange, permit: Permit, request: ModelRequest) -> ModelError | None:
        """Send and read. Returns how that failed, None when it did not."""
        with log_context(request_id=new_id()):
            try:
                async with permit, deadline(self._clock, permit.model):
                    await exchange.run(request)
            except ModelError as error:
                logger.info("a request failed: %s", error)
                return error
            finally:
                await asyncio.shield(exchange.kept())
            dropped = f"; {exchange.rejected} findings had no place in them" if exchange.rejected else ""
            logger.info("%d regions were reviewed by %s%s", len(exchange.jobs), permit.model, dropped)
            return None

    def _prompt(self, order: Order, jobs: Sequence[Job]) -> tuple[Prompt, bool]:
        """The request about `jobs`, and whether it tells of changes."""
        regions, model = [job.region for job in jobs], jobs[0].models[0]
        recipe = (self._texts, order.snapshot.language, order.instructions, order.answer_language, regions)
        delimiter = secrets.token_hex(8)
        prompt = review_prompt(*recipe, delimiter)
        if not order.changes:
            return prompt, False
        taken = prompt_tokens(prompt.system, prompt.user, model) + answer_tokens(jobs)
        room = order.folder.settings.budget.max_tokens_per_request - taken - CHANGES_FRAME_TOKENS
        changes = fitting(order.changes, regions, room, model)
        if not changes:
            return prompt, False
        return review_prompt(*recipe, delimiter, changes), True

    def _request(self, order: Order, jobs: Sequence[Job], prompt: Prompt, permit: Permit) -> ModelRequest:
        return ModelRequest(
            model=permit.model.model,
            system=prompt.system,
            user=prompt.user,
            schema_name="review",
            schema=REVIEW_SCHEMA,
            max_output_tokens=answer_tokens(jobs),
            effort=Effort.MEDIUM if any(job.reasoning for job in jobs) else Effort.MINIMAL,
            cache_key=f"aiops-review-{self._texts.version}-{order.snapshot.language}",
            timeout_seconds=PIECE_SECONDS,
        )

    def _ask(self, order: Order, jobs: Sequence[Job], prompt: Prompt, models: tuple[str, ...]) -> Ask:
        ratio = self._ratios.get((models[0], order.snapshot.language), 1.0)
        return Ask(
            folder=order.folder,
            language=order.snapshot.language,
            tier=max((job.tier for job in jobs), key=lambda tier: tier.rank),
            models=models,
            purpose="review",
            input_tokens=reserve_tokens(prompt.system, prompt.user, models[0], ratio),
            input_bytes=most_tokens(prompt.system + prompt.user),
            max_output_tokens=answer_tokens(jobs),
            allowance=order.allowance,
        )

    def _ratio(self, model: str, language: str) -> float:
        """What estimates for `model` are to be multiplied with, by what was billed before."""
        try:
            return self._ledger.ratio(model, language) or 1.0
        except LedgerUnavailable:
            return 1.0  # the reservation that follows will say so

    async def _learn(self, permit: Permit, prompt: Prompt, language: str) -> None:
        if permit.usage is None:
            return
        model = str(permit.model)
        estimated, billed = prompt_tokens(prompt.system, prompt.user, model), permit.usage.input_tokens

        def learn() -> None:
            self._ledger.learn(model, language, estimated, billed)
            self._ratios[model, language] = self._ratio(model, language)

        try:
            await self._worker.run(learn)
        except LedgerUnavailable as problem:
            logger.warning("the token ratio was not updated: %s", problem)

    async def _give_up(self, jobs: Sequence[Job], error: ModelError | None) -> None:
        """Leave `jobs` not reviewed. What the model could not answer is remembered; what never reached it is not."""
        if error is None:
            words = "the answer left it out"
        elif isinstance(error, Truncated | Refused | InvalidAnswer) or is_about_the_request(error):
            words = str(error)
        else:
            reason = Reason.MISCONFIGURED if isinstance(error, Misconfigured) else Reason.PROVIDER
            retry_at = self._clock.monotonic() + OUTAGE_SECONDS
            self._stand(jobs, Standing.not_reviewed(reason, str(error), retry_at=retry_at))
            return
        for job in jobs:
            self.region_stands(job.keys.exact, await self._failed(job.keys.exact, words))

    async def _failed(self, key: str, words: str) -> Standing:
        try:
            failure = await self._worker.run(self._ledger.note_failure, key, words)
        except LedgerUnavailable:
            return Standing.not_reviewed(Reason.FAILED, words)
        return failure_standing(failure, self._clock)

    async def _take_leases(self, jobs: list[Job], order: Order) -> tuple[list[Job], list[Hit | None]]:
        """The jobs that no other process is asking for, and what the cache holds for each of these since."""
        if not jobs:
            return [], []
        try:
            granted, hits = await self._worker.run_or_undo(
                lambda taken: self._ledger.release_lease(taken[0], self._holder),
                self._lease,
                jobs,
                order.snapshot.language,
            )
        except LedgerUnavailable as problem:
            self._stand(jobs, self._governor.without_ledger(problem))
            return [], []
        retry_at = self._clock.monotonic() + 2.0
        self._stand(
            [job for job in jobs if job.keys.exact not in granted],
            Standing.not_reviewed(Reason.OTHER_WINDOW, retry_at=retry_at),
        )
        return [job for job in jobs if job.keys.exact in granted], hits

    def _lease(self, jobs: Sequence[Job], language: str) -> tuple[Collection[str], list[Hit | None]]:
        """Blocks: one trip to the stores' thread for all that is asked before a request."""
        for model in {model for job in jobs for model in job.models}:
            if (model, language) not in self._ratios:
                self._ratios[model, language] = self._ratio(model, language)
        granted = self._ledger.lease([job.keys.exact for job in jobs], self._holder, LEASE_SECONDS)
        return granted, self._cache.get_many([job.keys for job in jobs if job.keys.exact in granted])

    async def _still_leased(self, order: Order, jobs: list[Job], leased_at: float) -> list[Job]:
        """The jobs whose leases hold for as long as a request may take: old ones are prolonged."""
        if self._clock.monotonic() - leased_at < LEASE_RENEWAL_SECONDS:
            return jobs
        held, _ = await self._take_leases(jobs, order)
        return held

    def _not_delivered(self, jobs: list[Job], hits: Sequence[Hit | None]) -> list[Job]:
        """Those whose result another window did not put into the cache between our look and our lease."""
        missing = []
        for job, hit in zip(jobs, hits, strict=True):
            if hit is None or not hit.exact or hit.record.made_at == job.known_at:
                missing.append(job)
            else:
                standing = Standing.reviewed(hit.record, exact=True, age_seconds=None)
                self.region_stands(job.keys.exact, standing)
        return missing

    async def _release_leases(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        try:
            await self._worker.run(self._ledger.release_lease, [job.keys.exact for job in jobs], self._holder)
        except LedgerUnavailable as problem:
            logger.warning("leases were not released and will expire: %s", problem)

    async def _forget_failures(self, jobs: Sequence[Job]) -> None:
        """A region that could be reviewed at last starts with a clean slate."""
        if not jobs:
            return
        try:
            await self._worker.run(self._ledger.clear_failures, [job.keys.exact for job in jobs])
        except LedgerUnavailable as problem:
            logger.warning("failures were not cleared: %s", problem)

    def _stand(self, jobs: Sequence[Job], standing: Standing) -> None:
        for job in jobs:
            self.region_stands(job.keys.exact, standing)


def failure_standing(failure: Failure, clock: Clock) -> Standing:
    """How a region stands that models could not answer: tried again after a while, or not before it is edited."""
    words = f"could not be reviewed: {failure.reason}"
    retry_at = None
    if failure.count < MOST_FAILURES:
        retry_at = clock.monotonic() + max(0.0, failure.next_try_at - clock.wall())
    return replace(Standing.not_reviewed(Reason.FAILED, words, retry_at=retry_at), failures=failure.count)
