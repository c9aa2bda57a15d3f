"""Where results go: into the cache first, then to whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.standing import Standing
    from aiops_lsp.store.cache import CachedReview, ResultCache
    from aiops_lsp.store.worker import StoreWorker


class Sink(Protocol):
    """Who is told how regions fare."""

    def region_stands(self, key: str, standing: Standing) -> None:
        """The regions with this exact key stand like this now."""
        ...


@dataclass(frozen=True, slots=True)
class Results:
    """The way of a result. What was paid for is in the cache before anybody sees it, so it cannot get lost."""

    cache: ResultCache
    worker: StoreWorker
    clock: Clock
    sink: Sink

    async def keep(self, record: CachedReview, standing: Standing, *, cached: bool = True) -> None:
        """Cache `record`, then let its region stand like `standing`. Not `cached`: what its key does not tell of."""
        if cached:
            await self.worker.run(self.cache.put, record)
        self.show(record.exact, standing)

    def show(self, key: str, standing: Standing) -> None:
        """Let the region with this exact key stand like `standing`."""
        self.sink.region_stands(key, standing)
