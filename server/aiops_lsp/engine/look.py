"""The local look at a document: regions, rules and what the cache knows, published at once. Nothing leaves here."""

from __future__ import annotations

import asyncio
import locale
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.core.eligibility import eligibility
from aiops_lsp.core.findings import Severity
from aiops_lsp.core.routing import Tier
from aiops_lsp.core.suppressions import parse_ignores
from aiops_lsp.core.syntax import parse
from aiops_lsp.engine import workspace
from aiops_lsp.engine.document import Glance
from aiops_lsp.engine.examine import Recipe, examine, instructions_for
from aiops_lsp.engine.knowledge import known_standings
from aiops_lsp.engine.rulebook import RuffFindings, Rulebook, RuleMemory, rule_findings
from aiops_lsp.engine.sizes import RequestBound
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW, Progress, Standing
from aiops_lsp.engine.uris import path_of, relative_path
from aiops_lsp.observability.logs import PROCESS_KEYS
from aiops_lsp.store.database import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.suppressions import Ignores
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.dispatch import Dispatcher
    from aiops_lsp.engine.document import ReviewedDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.overview import Overview, Reading
    from aiops_lsp.engine.services import Services
    from aiops_lsp.rules.options import RuleOptions
    from aiops_lsp.store.cache import CachedReview
    from aiops_lsp.store.ledger import LedgerUnavailable

logger = logging.getLogger(__name__)

_CLOSED_KEPT = 2_000_000
"""Characters of the documents that were closed last, whose regions are still known when they are opened again."""
_IN_TURN = 2
"""Looks at a time where many documents are to be reviewed: one computes while the other waits for the stores."""
_RUFF_SECONDS = 0.05
"""What ruff usually takes on a long document at most, its start included."""


class Look:
    """Refreshes documents. One per process; `report` takes what the user should hear, from any thread."""

    def __init__(
        self, services: Services, clock: Clock, dispatcher: Dispatcher | None, report: Callable[[str], None]
    ) -> None:
        self._services = services
        self._clock = clock
        self._dispatcher = dispatcher
        self._rulebook = Rulebook(report)
        self._closed: dict[str, tuple[Examined, RuleMemory]] = {}  # the one closed first stands first
        self._closed_size = 0
        self._turns = asyncio.Semaphore(_IN_TURN)

    async def prepare(self) -> None:
        """Load what the first look would have to wait for."""
        await asyncio.to_thread(_load)
        if self._services.decisions is not None:
            await self._services.worker.run(self._services.decisions.dismissed, "")

    def closed(self, document: ReviewedDocument) -> None:
        """Keep what is known of a document for a while: editors close and open what one only looks at."""
        if document.examined is None:
            return
        self._take_closed(document.uri)
        self._closed[document.uri] = (document.examined, document.rule_memory)
        self._closed_size += len(document.examined.snapshot.text)
        while self._closed_size > _CLOSED_KEPT:
            self._take_closed(next(iter(self._closed)))

    def opened(self, document: ReviewedDocument) -> None:
        """Recall what is known of a document that was closed before."""
        if (earlier := self._take_closed(document.uri)) is not None:
            document.remembered, document.rule_memory = earlier

    def _take_closed(self, uri: str) -> tuple[Examined, RuleMemory] | None:
        """What is kept of a document that was closed; from now on it is not."""
        known = self._closed.pop(uri, None)
        if known is not None:
            self._closed_size -= len(known[0].snapshot.text)
        return known

    async def refresh(
        self,
        document: ReviewedDocument,
        folder: Folder,
        overview: Overview | None = None,
        ruff: asyncio.Task[object] | None = None,
    ) -> bool:
        """Bring the document up to its current text and publish. False when the text went on meanwhile.

        `overview` is brought up to date while the stores are asked anyway. `ruff` is the run of ruff that goes on
        beside this, if there is one.
        """
        async with document.looking:
            return await self._refresh(document, folder, overview, ruff, rules=True)

    async def refresh_to_send(self, document: ReviewedDocument, folder: Folder) -> bool:
        """As `refresh`, a few documents at a time: of many, the first goes to a model while others are looked at.

        The rules look at one that was not looked at before when `refresh_rules` is called: meanwhile it can be sent.
        """
        async with self._turns, document.looking:
            known = document.examined
            first = known is None or (document.awaits_rules and document.is_current(known.snapshot))
            return await self._refresh(document, folder, None, None, rules=not first)

    async def refresh_rules(self, document: ReviewedDocument, folder: Folder) -> None:
        """Have the rules look at what `refresh_to_send` looked at without them, and publish what they find.

        Documents that wait to be sent come first.
        """
        async with self._turns, document.looking:
            examined = document.examined
            if not document.awaits_rules or examined is None:
                return
            snapshot, regions = examined.snapshot, examined.split.regions
            options = await self._options(snapshot, folder)
            found, memory = await asyncio.to_thread(
                self._rule_findings, snapshot, regions, options, document.rule_memory
            )
            if document.is_current(snapshot):
                document.rule_findings, document.rule_memory, document.awaits_rules = found, memory, False
                document.publish()

    async def _options(self, snapshot: Snapshot, folder: Folder) -> RuleOptions | None:
        """What the rules go by; None where they are switched off."""
        return await self._rulebook.options(folder, snapshot) if folder.settings.rules.enabled else None

    def _rule_findings(
        self,
        snapshot: Snapshot,
        regions: Sequence[Region],
        options: RuleOptions | None,
        memory: RuleMemory,
        glanced: Sequence[Finding] | None = None,
    ) -> tuple[tuple[Finding, ...], RuleMemory]:
        if options is None:
            return (), RuleMemory()
        return rule_findings(self._services.rules, snapshot, regions, options, memory, glanced)

    async def _refresh(
        self,
        document: ReviewedDocument,
        folder: Folder,
        overview: Overview | None,
        ruff: asyncio.Task[object] | None,
        *,
        rules: bool,
    ) -> bool:
        snapshot = document.text.snapshot()
        previous = document.examined or document.remembered
        recipe = self._recipe(snapshot, folder)
        bound = self._bound(snapshot, recipe, folder)
        patterns = tuple(folder.settings.privacy.redact_patterns)
        PROCESS_KEYS.add_patterns(patterns)
        options = await self._options(snapshot, folder) if rules else None
        memory = document.rule_memory
        glanced = await self._glance(document, folder, snapshot, options, ruff)

        def look() -> tuple[Examined, tuple[Finding, ...], RuleMemory]:
            if previous is not None and previous.still_holds(snapshot, recipe, bound, patterns):
                examined = previous if previous.snapshot is snapshot else replace(previous, snapshot=snapshot)
            else:
                examined = examine(snapshot, recipe, bound, patterns, previous)
            if not rules:
                return examined, (), memory
            return examined, *self._rule_findings(snapshot, examined.split.regions, options, memory, glanced)

        examined, found, rule_memory = await asyncio.to_thread(look)
        dismissed, shown = document.dismissed, None
        if document.is_current(snapshot) and not document.awaits_cache(examined):
            document.adopt(examined)
            document.rule_findings, document.rule_memory, document.awaits_rules = found, rule_memory, not rules
            document.accepts = _accepts(folder, examined.ignores, dismissed)
            document.publish()  # what the rules find does not wait for the stores
            shown = (dismissed, list(document.standings))
        before = document.by_key()
        known, (note, on_command), dismissed = await self._asked(examined, folder, before, overview)
        if not document.is_current(snapshot):
            return False
        document.dismissed = dismissed
        if document.examined is not examined:
            document.adopt(examined)
        spared = self._take_over(document, examined, known, before)
        document.note, document.on_command = note, on_command
        document.rule_findings, document.rule_memory, document.awaits_rules = found, rule_memory, not rules
        document.accepts = _accepts(folder, examined.ignores, dismissed)
        if shown != (dismissed, document.standings):
            document.publish()
        if spared:
            await self._count_saved(spared, folder, snapshot.language)
            if overview is not None:
                await overview.refresh()
        return True

    async def _asked(
        self, examined: Examined, folder: Folder, before: Mapping[str, Standing], overview: Overview | None
    ) -> tuple[list[Standing | None], tuple[str, bool], frozenset[str]]:
        """What the stores and the ignore files say: known standings, why nothing is sent, and what was dismissed."""

        def beside() -> tuple[tuple[str, bool], frozenset[str], Reading | LedgerUnavailable | None]:
            why_not_sent, dismissed = self._why_not_sent(examined.snapshot, folder), self._dismissed(folder)
            return why_not_sent, dismissed, None if overview is None else overview.read()

        known, (why_not_sent, dismissed, spend) = await known_standings(
            examined, self._services, folder.settings, self._clock, before, beside
        )
        if overview is not None and spend is not None:
            await overview.take(spend)
        return known, why_not_sent, dismissed

    async def _glance(
        self,
        document: ReviewedDocument,
        folder: Folder,
        snapshot: Snapshot,
        options: RuleOptions | None,
        ruff: asyncio.Task[object] | None,
    ) -> list[Finding] | None:
        """Publish what the rules' patterns find, before the text is split. None where they cannot tell yet."""
        if options is None or not document.may_glance(snapshot):
            return None

        def glance() -> tuple[list[Finding] | None, Ignores]:
            return self._services.rules.glance(snapshot, options), parse_ignores(snapshot)

        found, ignores = await asyncio.to_thread(glance)
        if found is not None and document.is_current(snapshot):
            document.glance = Glance(snapshot, tuple(found), _accepts(folder, ignores, document.dismissed))
            document.publish()
            if ruff is not None:
                await self._await_ruff(ruff)
        return found

    async def _await_ruff(self, ruff: asyncio.Task[object]) -> None:
        """Let a run of ruff end, as far as that takes no longer than is usual.

        To split a text keeps the interpreter busy, so that ruff's answer would lie about until it is split.
        """
        enough = asyncio.ensure_future(self._clock.sleep(_RUFF_SECONDS))
        await asyncio.wait({ruff, enough}, return_when=asyncio.FIRST_COMPLETED)
        enough.cancel()

    async def refresh_ruff(self, document: ReviewedDocument, folder: Folder) -> None:
        """Run ruff on the document as it is now, and publish what it finds unless the text goes on meanwhile."""
        snapshot = document.text.snapshot()
        rules = folder.settings.rules
        if snapshot.language != "python" or not rules.enabled or rules.ruff == "off":
            if document.ruff_findings is not None:
                document.ruff_findings = None
                document.publish()
            return
        known = document.ruff_findings
        if known is not None and known.snapshot is snapshot and known.rules == rules:
            return
        findings = await self._rulebook.ruff(folder, snapshot)
        if document.is_current(snapshot):
            document.ruff_findings = RuffFindings(snapshot, rules, findings)
            document.publish()

    def _take_over(
        self,
        document: ReviewedDocument,
        examined: Examined,
        known: list[Standing | None],
        before: Mapping[str, Standing],
    ) -> list[CachedReview]:
        """Give the document's regions the standings that are known. Returns the results that it did not have before.

        Those that do not stand as they did `before` the stores were asked keep what they have: it is newer.
        """
        spared: list[CachedReview] = []
        in_flight = () if self._dispatcher is None else self._dispatcher.in_flight
        for index, (keys, standing, now) in enumerate(zip(examined.keys, known, document.standings, strict=True)):
            if standing is NOTHING_TO_REVIEW:
                document.standings[index] = standing
            elif keys.exact in in_flight:
                if now.progress is not Progress.REVIEWING:
                    document.standings[index] = _being_reviewed_again(standing)
            elif standing is not None and before.get(keys.exact, now) is now:
                if standing.record is not None and now.record is None:
                    spared.append(standing.record)
                document.standings[index] = standing
        return spared

    async def _count_saved(self, spared: list[CachedReview], folder: Folder, language: str) -> None:
        """Write down what the cache has made unnecessary to pay."""
        ledger = self._services.ledger
        tokens, micro_usd = sum(one.tokens for one in spared), sum(one.micro_usd for one in spared)
        try:
            await self._services.worker.run(
                ledger.add_saved, tokens, micro_usd, folder.project, language, regions=len(spared)
            )
        except StoreUnavailable as problem:
            logger.warning("what the cache saved was not counted: %s", problem)

    def _recipe(self, snapshot: Snapshot, folder: Folder) -> Recipe:
        relative = relative_path(snapshot.uri, folder.root)
        language = folder.settings.review.language or _locale_language()
        return Recipe(self._services.texts.version, instructions_for(folder.settings, relative), language)

    def _bound(self, snapshot: Snapshot, recipe: Recipe, folder: Folder) -> RequestBound | None:
        """What regions are cut to. All models count, so that it is the same whichever of them is asked."""
        pool = self._services.pool
        return RequestBound.of(
            dict.fromkeys(model for tier in Tier for model in pool.chain(tier)),
            folder.settings.budget.max_tokens_per_request,
            self._services.texts,
            snapshot.language,
            recipe.instructions,
            recipe.language,
        )

    @staticmethod
    def _why_not_sent(snapshot: Snapshot, folder: Folder) -> tuple[str, bool]:
        """Why the document is put to no model, in words, and whether a command may do it all the same. Blocks."""
        found = eligibility(snapshot.uri, snapshot.language, snapshot.text)
        if found is not None:
            return found.sentence, found.on_command
        path = path_of(snapshot.uri)
        if path is None:
            return "", False
        return workspace.ignored_by(path, folder.root, folder.settings.review.ignore) or "", False

    def _dismissed(self, folder: Folder) -> frozenset[str]:
        """What the user dismissed. Blocks: for the stores' thread."""
        if self._services.decisions is not None:
            try:
                return frozenset(self._services.decisions.dismissed(str(folder.root or "")))
            except StoreUnavailable as problem:
                logger.warning("dismissals could not be read: %s", problem)
        return frozenset()


def _load() -> None:
    """Import the parsers and what reads ignore files, and use them once: they load themselves in parts."""
    parse("pass", "python")
    workspace.matches_any("file", ("*.ignored",))


def _being_reviewed_again(known: Standing | None) -> Standing:
    """A region whose request is under way: what is known of it shows until the answer comes."""
    if known is None or known.record is None:
        return Standing.reviewing()
    return replace(Standing.reviewing(known.record), exact=known.exact)


def _accepts(folder: Folder, ignores: Ignores, dismissed: frozenset[str]) -> Callable[[Finding], bool]:
    review = folder.settings.review
    least = Severity(review.min_severity).rank
    hidden = dismissed | folder.dismissed | folder.baseline

    def accepts(finding: Finding) -> bool:
        return (
            finding.confidence >= review.min_confidence
            and finding.severity.rank >= least
            and finding.id not in hidden
            and not ignores.covers(finding)
        )

    return accepts


def _locale_language() -> str:
    """The language of the user's locale as a code such as `de`; `en` where there is none."""
    code = (locale.getlocale()[0] or "en").partition("_")[0].lower()
    return code if len(code) == 2 and code.isalpha() else "en"
