"""What a document still lacks goes to models from here: blocked, waiting, or packed and sent.

Per document one batch of requests is under way and one waits. A newer look replaces what waits; what was sent
completes.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiops_lsp.engine import git, plan
from aiops_lsp.engine.governor import LEDGER_RETRY_SECONDS, until_reset
from aiops_lsp.engine.order import Order, Spent
from aiops_lsp.engine.pace import Pace
from aiops_lsp.engine.rates import RateWindow
from aiops_lsp.engine.selection import Trigger, select
from aiops_lsp.engine.standing import Progress, Reason, Standing
from aiops_lsp.engine.tasks import TaskGroup
from aiops_lsp.engine.uris import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.consent import Consents
    from aiops_lsp.engine.dispatch import Dispatcher
    from aiops_lsp.engine.document import ReviewedDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.overview import Overview
    from aiops_lsp.engine.packing import Job, Pack
    from aiops_lsp.engine.services import Services

logger = logging.getLogger(__name__)

_WAITS_FOR_SETTINGS = frozenset((Reason.MISCONFIGURED, Reason.PROVIDER, Reason.OVER_BUDGET, Reason.RATE))


class Sending:
    """Plans and sends for all documents. One per process."""

    def __init__(
        self,
        *,
        clock: Clock,
        services: Services,
        overview: Overview,
        consents: Consents,
        dispatcher: Dispatcher,
        wanted: Callable[[Job], bool],
        look_again: Callable[[str, float], None],
    ) -> None:
        self._clock = clock
        self._services = services
        self._overview = overview
        self._consents = consents
        self._dispatcher = dispatcher
        self._wanted = wanted
        self._look_again = look_again
        self._waiting: dict[str, tuple[ReviewedDocument, Order, Sequence[Pack]]] = {}
        self._running: set[str] = set()
        self._rates: dict[str, RateWindow] = {}
        self._pace = Pace()
        self._tasks = TaskGroup()

    def is_busy(self, uri: str) -> bool:
        """Whether requests of a document are under way or wait."""
        return uri in self._running

    async def send_missing(self, document: ReviewedDocument, folder: Folder, trigger: Trigger) -> None:
        """Start what `trigger` allows to be sent for the document; returns as soon as that is decided."""
        examined = document.examined
        if examined is None:
            return
        pool, whole_file = self._services.pool, folder.settings.review.scope == "file"
        planned = await self.plan(document, examined, folder, trigger, whole_file=whole_file)
        if document.examined is not examined or pool is not self._services.pool:
            # A command has looked meanwhile, or settings have changed: the next look takes this reason over.
            document.ask(trigger)
            self._look_again(document.uri, 0.0)
            return
        if not planned or document.closed:
            return
        rate = self._rates.setdefault(document.uri, RateWindow(self._clock.monotonic))
        wait = rate.retry_in(folder.settings.limits.reviews_per_document_per_minute)
        if wait > 0:
            self._wait_for_rate(document, planned, wait)
            return
        rate.start()
        order = replace(self.order(document, examined, folder), wanted=partial(self._is_settled, document))
        self._waiting[document.uri] = (document, order, planned)
        if document.uri not in self._running:
            self._running.add(document.uri)
            self._tasks.start(self._run(document.uri), f"send {document.uri}")

    async def plan(
        self,
        document: ReviewedDocument,
        examined: Examined,
        folder: Folder,
        trigger: Trigger,
        *,
        whole_file: bool,
        deep: bool = False,
        lines: tuple[int, int] | None = None,
    ) -> tuple[Pack, ...]:
        """Give each region that lacks a result its standing, and return the requests to send."""
        if trigger is Trigger.SAVED:
            document.saved = {keys.exact for keys in examined.keys}
        if (blocked := self._blocked(document, folder, trigger)) is not None:
            self._stand_all(document, blocked)
            self._look_again_when_due(document, self._clock.monotonic())
            return ()
        if document.planned_for is not self._services.pool:
            document.planned_for = self._services.pool
            _forget_waits(document)
        pool = self._services.pool
        changed = None if whole_file else await self._changed_lines(document, examined)
        if document.examined is not examined or self._services.pool is not pool:
            return ()
        now = self._clock.monotonic()
        in_scope = plan.scope(document, examined, changed, whole_file=whole_file, lines=lines)
        found = plan.candidates(document, examined, in_scope, now, deep=deep)
        if trigger >= Trigger.SAVED:
            document.held.clear()
        review = folder.settings.review
        selection = select(
            found,
            trigger,
            now=now,
            review_trigger=review.trigger,
            settle_seconds=self._pace.settle_seconds(review.settle_ms / 1000),
            held=document.held,
        )
        document.held |= selection.held
        for index, standing in selection.waiting.items():
            document.standings[index] = standing
        self._look_again_when_due(document, now)
        chosen = [found[index] for index in selection.send]
        made = plan.jobs(chosen, examined, pool, pressed=self._overview.pressed and not deep)
        for key, standing in plan.without_model(chosen, made).items():
            document.stand(key, standing)
        packing = plan.packed(made, examined, self._services.texts, folder.settings.budget.max_tokens_per_request)
        for job in packing.too_large:
            document.stand(job.keys.exact, Standing.not_reviewed(Reason.TOO_LARGE))
        return packing.packs

    def order(self, document: ReviewedDocument, examined: Examined, folder: Folder) -> Order:
        """What the document's requests need beside their regions."""
        pool = self._services.pool
        return Order(
            uri=document.uri,
            folder=folder,
            snapshot=examined.snapshot,
            pool=pool,
            instructions=examined.recipe.instructions,
            answer_language=examined.recipe.language,
            wanted=self._wanted,
            current=lambda: self._services.pool is pool,
            stands=self._wanted,
        )

    async def send_now(self, order: Order, packs: Sequence[Pack]) -> Spent:
        """Send `packs` at the same time and wait until all have ended."""
        total = Spent()
        parts = await asyncio.gather(
            *(self._dispatcher.send(order, pack.jobs) for pack in packs), return_exceptions=True
        )
        for part in parts:
            if isinstance(part, BaseException):
                raise part  # when all have ended, so that none goes on unseen
            total.tokens += part.tokens
            total.micro_usd += part.micro_usd
        await self._overview.refresh()
        return total

    def forget(self, uri: str) -> None:
        """Drop what waits for a document that was closed."""
        self._waiting.pop(uri, None)
        self._rates.pop(uri, None)

    async def join(self) -> None:
        """Wait until nothing is under way."""
        await self._tasks.join()

    async def aclose(self) -> None:
        """Cancel what is under way."""
        self._waiting.clear()
        await self._tasks.cancel()

    async def _run(self, uri: str) -> None:
        try:
            while uri in self._waiting:
                document, order, packs = self._waiting.pop(uri)
                await self.send_now(order, packs)
                self._learn_pace(document, order, packs)
        finally:
            self._running.discard(uri)

    def _is_settled(self, document: ReviewedDocument, job: Job) -> bool:
        """Whether `job`, not sent yet, is still to be: once the text goes on, the next look decides anew."""
        examined = document.examined
        return self._wanted(job) and examined is not None and document.is_current(examined.snapshot)

    def _learn_pace(self, document: ReviewedDocument, order: Order, packs: Sequence[Pack]) -> None:
        """Learn from which answers came while their code still stood."""
        setting = order.folder.settings.review.settle_ms / 1000
        for job in (job for pack in packs for job in pack.jobs):
            standing = document.standing_of(job.keys.exact)
            if standing is None or standing.progress is Progress.REVIEWED:
                in_time = standing is not None and not document.is_being_written(job.region)
                self._pace.answered(setting, in_time=in_time)

    def _blocked(self, document: ReviewedDocument, folder: Folder, trigger: Trigger) -> Standing | None:
        """Why nothing of the document goes to any model now; None when something may."""
        review, pool = folder.settings.review, self._services.pool
        if document.note and not (document.on_command and trigger is Trigger.COMMAND):
            return Standing.not_reviewed(Reason.INELIGIBLE, document.note)
        if not review.enabled:
            return Standing.not_reviewed(Reason.SWITCHED_OFF)
        if not folder.trusted:
            return Standing.not_reviewed(Reason.SWITCHED_OFF, "the folder is not trusted")
        if not pool.usable:
            return Standing.not_reviewed(Reason.NO_MODEL, pool.problem)
        now = self._clock.monotonic()
        if words := self._overview.ledger_problem:
            return Standing.not_reviewed(Reason.NO_LEDGER, words, retry_at=now + LEDGER_RETRY_SECONDS)
        if self._overview.exhausted:
            return Standing.not_reviewed(
                Reason.OVER_BUDGET, retry_at=now + until_reset(self._overview.resets_at, self._clock)
            )
        routes = [route for route in pool.routes.values() if not route.problem]
        if all(self._consents.is_withheld(folder, route) for route in routes):
            return Standing.not_reviewed(Reason.NO_CONSENT, f"sending code to {routes[0].host} was not allowed")
        return None

    @staticmethod
    def _stand_all(document: ReviewedDocument, blocked: Standing) -> None:
        for index, standing in enumerate(document.standings):
            if standing.progress is Progress.NOT_REVIEWED and standing.record is None:
                document.standings[index] = blocked

    async def _changed_lines(self, document: ReviewedDocument, examined: Examined) -> git.ChangedLines | None:
        path = path_of(document.uri)
        return None if path is None else await git.changed_lines(path, examined.snapshot.lines)

    def _wait_for_rate(self, document: ReviewedDocument, packs: Sequence[Pack], wait: float) -> None:
        standing = Standing.not_reviewed(Reason.RATE, retry_at=self._clock.monotonic() + wait)
        for one in packs:
            for job in one.jobs:
                document.stand(job.keys.exact, standing)
        self._look_again(document.uri, wait)

    def _look_again_when_due(self, document: ReviewedDocument, now: float) -> None:
        due = [
            standing.retry_at
            for standing in document.standings
            if standing.progress is Progress.NOT_REVIEWED and standing.retry_at is not None and standing.retry_at > now
        ]
        if due:
            self._look_again(document.uri, min(due) - now)


def _forget_waits(document: ReviewedDocument) -> None:
    """Settings, and with them models, keys and limits, are new: what waited for the earlier ones waits no more."""
    for index, standing in enumerate(document.standings):
        if standing.reason in _WAITS_FOR_SETTINGS:
            document.standings[index] = replace(standing, retry_at=None)
