"""What a reviewer works with: stores, rules, prices, prompt texts and models, opened once and off the event loop."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops_lsp.engine.models import ModelPool
from aiops_lsp.llm.prices import PriceTable
from aiops_lsp.llm.prompt_texts import load_prompt_texts
from aiops_lsp.observability.logs import prune
from aiops_lsp.rules.engine import RuleEngine
from aiops_lsp.settings import cache_dir, state_dir
from aiops_lsp.store.cache import ResultCache
from aiops_lsp.store.database import StoreUnavailable
from aiops_lsp.store.decisions import Decisions
from aiops_lsp.store.ledger import Ledger
from aiops_lsp.store.worker import StoreWorker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lsp.core.prompts import PromptTexts
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Services:
    """`decisions` are None when they cannot be used: then nothing counts as allowed. `problems` says why, in words.

    The ledger is opened by whoever asks it first, and anew each time that fails: without one nothing paid is sent.
    """

    worker: StoreWorker
    cache: ResultCache
    ledger: Ledger
    decisions: Decisions | None
    rules: RuleEngine
    texts: PromptTexts
    prices: PriceTable
    pool: ModelPool
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, settings: Settings, clock: Clock, environ: Mapping[str, str]) -> Services:
        """Open everything. Blocks: run it on a thread. Never fails; what cannot be opened is told in `problems`."""
        problems: list[str] = []
        folder = state_dir()
        decisions: Decisions | None = None
        try:
            decisions = Decisions(folder, clock.wall)
        except StoreUnavailable as problem:
            problems.append(str(problem))
        cache = ResultCache.open(cache_dir(), settings.cache.size_limit_mb * 1_000_000)
        if cache.problem:
            problems.append(cache.problem)
        return cls(
            worker=StoreWorker(),
            cache=cache,
            ledger=Ledger.at(folder, clock.wall),
            decisions=decisions,
            rules=RuleEngine(),
            texts=load_prompt_texts(),
            prices=PriceTable(settings.prices),
            pool=cls.find_models(settings, environ),
            problems=problems,
        )

    @staticmethod
    def find_models(settings: Settings, environ: Mapping[str, str]) -> ModelPool:
        """The models that `settings` name, and the prices made ready where one of them can be asked. Blocks."""
        pool = ModelPool.find(settings, environ)
        if pool.usable:
            PriceTable.load()
        return pool

    def reconfigure(self, settings: Settings, pool: ModelPool) -> None:
        """Take over settings that changed, with the models and keys that were found for them."""
        self.pool = pool
        self.prices = PriceTable(settings.prices)

    async def keep_house(self, now: float) -> None:
        """Settle what crashed processes left, drop what is too old at `now` (wall seconds). Safe in many processes."""
        try:
            await self.worker.run(self.ledger.compact)
        except StoreUnavailable as problem:
            logger.warning("housekeeping of the ledger failed: %s", problem)
        await asyncio.to_thread(prune, state_dir() / "logs", now)

    async def aclose(self) -> None:
        """Close clients and stores."""
        await self.pool.aclose()
        for store in (self.ledger, self.decisions, self.cache):
            if store is not None:
                await self.worker.run(store.close)
        await self.worker.aclose()
