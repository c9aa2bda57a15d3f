"""The reviewer: follows the open documents and keeps what is shown of them true.

A look at a document is local and quick: split, rules, cache, publish. What is missing then goes to models in tasks of
its own, which no later edit cancels. Each region that comes back is published by the same path.
"""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING

from aiops_lsp.engine.allowance import Allowance
from aiops_lsp.engine.assembly import Assembly, assemble
from aiops_lsp.engine.clock import SystemClock
from aiops_lsp.engine.commands import Commands
from aiops_lsp.engine.document import ReviewedDocument
from aiops_lsp.engine.host import Status, Urgency
from aiops_lsp.engine.look import Look
from aiops_lsp.engine.scheduler import Scheduler
from aiops_lsp.engine.selection import Trigger
from aiops_lsp.engine.services import Services
from aiops_lsp.engine.tasks import TaskGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import AppliedEdit, TextDocument
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.host import Folder, Host, ReviewReport
    from aiops_lsp.engine.models import ModelPool
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.engine.standing import Standing
    from aiops_lsp.settings import Settings

logger = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 900.0
LOOK_FAILED = (
    "something went wrong while looking at the text, which is not reviewed until it changes; the log says more"
)


class Reviewer:
    """Reviews open documents. One per process; every method is called on the event loop.

    `folder_of(uri)` gives a document's folder with its settings and is called often. Documents may be opened before
    `start` has ended: they are looked at as soon as it has.
    """

    def __init__(self, host: Host, folder_of: Callable[[str], Folder], clock: Clock | None = None) -> None:
        self._host = host
        self._folder_of = folder_of
        self._clock = clock or SystemClock()
        self._documents: dict[str, ReviewedDocument] = {}
        self._scheduler = Scheduler(self._clock, self._look)
        self._tasks = TaskGroup()
        self._started = asyncio.Event()
        self._assembly: Assembly | None = None
        self._looks: Look | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        """Open stores, rules and prompt texts, off the loop. What cannot be opened is told once, in words."""
        services = await asyncio.to_thread(Services.open, settings, self._clock, environ)
        self._assembly = assemble(
            services,
            settings,
            self._host,
            self._clock,
            self,
            wanted=self._is_wanted,
            look_again=self._look_by,
            consent_changed=self._look_at_all,
        )
        self._loop = asyncio.get_running_loop()
        self._looks = Look(services, self._clock, self._assembly.dispatcher, self._report)
        for problem in services.problems:
            self._host.show_message(Urgency.WARNING, problem)
        await self._assembly.overview.refresh()
        self._started.set()
        self._tasks.start(self._keep_house(self._assembly), "housekeeping")
        self._host.status_changed()

    async def prepare(self) -> None:
        """Load what the first request of the session would have to wait for. Sends nothing."""
        await self._started.wait()
        assert self._looks is not None
        pool = self._parts.services.pool
        if self._parts.overview.settings.review.enabled and pool.usable:
            await pool.prepare()
            await self._looks.prepare()

    async def settings_changed(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        """Take over settings that hold for the user as a whole; keys are looked up again."""
        await self._started.wait()
        assembly = self._parts
        old = assembly.services.pool
        assembly.services.reconfigure(settings, await asyncio.to_thread(Services.find_models, settings, environ))
        assembly.overview.settings = settings
        assembly.governor.settings_changed(assembly.services.prices)
        await assembly.overview.refresh()
        self._look_at_all()
        self._tasks.start(self._retire(old), "close the earlier connections")

    def open(self, document: TextDocument, *, look: bool = True) -> None:
        """Follow a document from now on. It is looked at at once, or, not to `look`, when a review is asked for."""
        if (earlier := self._documents.get(document.uri)) is not None:
            earlier.leave()
        opened = self._documents[document.uri] = ReviewedDocument(document, self._host.publish)
        if self._looks is not None:
            self._looks.opened(opened)
        if look:
            self._scheduler.now(document.uri)

    def edited(self, uri: str, edits: Sequence[AppliedEdit]) -> None:
        """The document's text has changed by `edits`, already applied. It is looked at once it rests."""
        document = self._documents.get(uri)
        if document is None:
            return
        document.ask(Trigger.CHANGED)
        if document.edited(edits, self._clock.monotonic()):
            self._scheduler.now(uri)  # a fix was applied: its finding goes without waiting
        else:
            self._scheduler.postpone(uri, self._folder_of(uri).settings.review.debounce_ms / 1000)

    def saved(self, uri: str) -> None:
        """The document was saved."""
        if (document := self._documents.get(uri)) is not None:
            document.ask(Trigger.SAVED)
            self._scheduler.now(uri)

    def close(self, uri: str) -> None:
        """The document was closed. Requests that nobody else waits for are cancelled."""
        document = self._documents.pop(uri, None)
        if document is None:
            return
        self._scheduler.forget(uri)
        document.close()
        if self._looks is not None:
            self._looks.closed(document)
        if self._assembly is not None:
            self._assembly.sending.forget(uri)
            self._assembly.dispatcher.cancel_unwanted(self._documents, self._is_wanted)
        self._host.status_changed()

    def visible(self, uri: str, start_line: int, end_line: int) -> None:
        """The client shows these lines: what is on the screen is reviewed before the rest."""
        if (document := self._documents.get(uri)) is not None:
            document.visible = (start_line, end_line)

    def findings(self, uri: str) -> list[Finding]:
        """The findings of a document as they stand in its current text, in order."""
        document = self._documents.get(uri)
        return document.findings() if document is not None else []

    def look_again(self, uri: str) -> None:
        """Something outside the text changed (settings, ignores, dismissals): look at the document again."""
        if uri in self._documents:
            self._scheduler.now(uri)

    async def review(
        self,
        uri: str,
        *,
        deep: bool = False,
        lines: tuple[int, int] | None = None,
        changes_only: bool = False,
        at_most: tuple[int, int] | None = None,
    ) -> ReviewReport:
        """Review an open document now and wait until it is done: all of it, some lines, or what has changed.

        `deep` asks the strongest models again, whatever is cached. `at_most` is what it may cost, in tokens and
        micro-dollars: regions for which that is not enough are not reviewed. Raises KeyError for a document that is
        not open, and DocumentClosed, which is one, when it is closed meanwhile.
        """
        return await (await self._commands()).review(
            self._documents[uri],
            partial(self._folder_of, uri),
            deep=deep,
            lines=lines,
            changes_only=changes_only,
            allowance=None if at_most is None else Allowance(*at_most),
        )

    async def estimate(self, uri: str, *, deep: bool = False) -> tuple[int, int]:
        """What `review(uri)` may have to cost at most: tokens and micro-dollars (millionths of a US dollar).

        It is enough for a second opinion on every region and for asking once more where an answer fails, at the most
        that a provider can bill for each; seldom is all of it needed.
        """
        return await (await self._commands()).estimate(self._documents[uri], self._folder_of(uri), deep=deep)

    async def costs_nothing(self) -> bool:
        """Whether no model that may be asked has a price, so that there is nothing to agree on before a review."""
        return (await self._commands()).cost_nothing()

    async def dismiss(self, uri: str, finding_id: str) -> None:
        """Never show this finding again in the document's workspace. Raises StoreUnavailable in words."""
        await (await self._commands()).dismiss(self._folder_of(uri), finding_id)
        self._look_at_all()

    async def clear_cache(self) -> int:
        """Forget all cached results. Returns how many there were."""
        return await (await self._commands()).clear_cache()

    async def usage(self, days: int = 30) -> dict[str, object]:
        """What was spent and saved, per day, model, tier, project and language."""
        return await (await self._commands()).usage(days)

    def status(self) -> Status:
        """What the engine is doing, and how much of each document has been reviewed."""
        documents = [document.status() for document in self._documents.values()]
        if self._assembly is None:
            return Status.starting(documents)
        followed = self._documents.values()
        return self._assembly.overview.status(
            documents,
            self._assembly.consents,
            over_budget=next(filter(None, (document.over_budget for document in followed)), ""),
            reviewing=any(document.reviewing for document in followed),
            unseen=next(filter(None, (document.unseen for document in followed)), ""),
        )

    def is_busy(self, uri: str) -> bool:
        """Whether a look at the document runs or is due within a second, or requests for it are under way."""
        if self._assembly is None or not self._scheduler.is_idle(uri, 1.0):
            return True
        document = self._documents.get(uri)
        return self._assembly.sending.is_busy(uri) or (document is not None and document.reviewing)

    async def aclose(self) -> None:
        """Stop: requests under way are cancelled and booked, stores and connections closed."""
        await self._scheduler.aclose()
        await self._tasks.cancel()
        if self._assembly is not None:
            await self._assembly.aclose()

    def region_stands(self, key: str, standing: Standing) -> None:
        """A region fared like this: every open document that has it shows it (called by the dispatcher)."""
        for document in self._documents.values():
            if document.stand(key, standing):
                if standing.record is not None:
                    document.publish()
                if standing.retry_at is not None:
                    self._scheduler.by(document.uri, max(0.0, standing.retry_at - self._clock.monotonic()))
        self._host.status_changed()

    def _report(self, problem: str) -> None:
        """Tell the user. May be called from any thread."""
        assert self._loop is not None, "used before start"
        self._loop.call_soon_threadsafe(self._host.show_message, Urgency.WARNING, problem)

    @property
    def _parts(self) -> Assembly:
        assert self._assembly is not None, "used before start"
        return self._assembly

    async def _commands(self) -> Commands:
        await self._started.wait()
        assert self._looks is not None
        return Commands(self._parts, self._looks, self._clock)

    def _is_wanted(self, job: Job) -> bool:
        return any(document.holds(job.keys.exact) for document in self._documents.values())

    def _look_by(self, uri: str, seconds: float) -> None:
        if uri in self._documents:
            self._scheduler.by(uri, seconds)

    def _look_at_all(self) -> None:
        for uri in self._documents:
            self._scheduler.now(uri)
        self._host.status_changed()

    async def _look(self, uri: str) -> None:
        await self._started.wait()
        document = self._documents.get(uri)
        if document is None or self._looks is None:
            return
        trigger = document.take_trigger()
        folder = self._folder_of(uri)
        ruff = self._tasks.start(self._looks.refresh_ruff(document, folder), f"ruff {uri}")
        try:
            current = await self._looks.refresh(document, folder, self._parts.overview, ruff)
        except Exception:
            document.unseen = LOOK_FAILED
            self._host.status_changed()
            raise  # the task's end logs it
        document.unseen = ""
        if not current:
            document.ask(trigger)  # the text went on meanwhile: the look that is due takes this reason over
            return
        await self._parts.sending.send_missing(document, self._folder_of(uri), trigger)
        self._host.status_changed()

    async def _keep_house(self, assembly: Assembly) -> None:
        while True:
            await assembly.services.keep_house(self._clock.wall())
            await self._clock.sleep(HOUSEKEEPING_SECONDS)

    async def _retire(self, pool: ModelPool) -> None:
        await self._parts.dispatcher.all_ended()
        await pool.aclose()
