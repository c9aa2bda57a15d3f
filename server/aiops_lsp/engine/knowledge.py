"""What the stores know of a document's regions, as standings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from aiops_lsp.core.routing import Tier, lowered, tier_of
from aiops_lsp.engine.dispatch import failure_standing
from aiops_lsp.engine.placement import place_of
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW, Progress, Reason, Standing
from aiops_lsp.store.cache import stale_age
from aiops_lsp.store.ledger import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiops_lsp.core.regions import Region, RegionKeys, Shape
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.models import ModelPool
    from aiops_lsp.engine.services import Services
    from aiops_lsp.settings import Settings
    from aiops_lsp.store.cache import CachedReview, Hit
    from aiops_lsp.store.ledger_regions import Failure

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def known_standings(
    examined: Examined,
    services: Services,
    settings: Settings,
    clock: Clock,
    before: Mapping[str, Standing],
    beside: Callable[[], T],
) -> tuple[list[Standing | None], T]:
    """For each region its standing by what it holds, by cache and failures, None where nothing is known; and the answer
    of `beside`.

    `before` are the standings so far, by exact key: only where they have no result of just this code the stores are
    asked. `beside` is called on the stores' thread in the same trip: each trip costs the event loop two turns.
    """
    now, pool = clock.wall(), services.pool
    ttl, security_ttl = settings.cache.ttl_seconds, settings.cache.security_ttl_seconds
    served: dict[tuple[str, str, bool, Shape], bool] = {}

    def age(record: CachedReview, region: Region) -> float | None:
        """The age in seconds of a result that is to be made anew; None for one that is good."""
        made = (record.model, record.tier, record.under_pressure, region.shape)
        good = served.get(made)
        if good is None:  # most regions of a document are of a few kinds
            good = served[made] = serves(record, region, pool)
        if good:
            return stale_age(record, now, ttl, security_ttl)
        return max(0.0, now - record.made_at)

    standings: list[Standing | None] = []
    asked: list[int] = []
    for index, (region, keys) in enumerate(zip(examined.split.regions, examined.keys, strict=True)):
        held = before.get(keys.exact)
        if region.trivial and not (region.parse_error and region.loose):  # nothing, and not only until it parses
            standings.append(NOTHING_TO_REVIEW)
        elif held is not None and held.record is not None and held.is_of_the_code:
            old = age(held.record, region)
            kept = old is held.age_seconds is None
            standings.append(held if kept else Standing.reviewed(held.record, exact=True, age_seconds=old))
        else:
            standings.append(None)
            asked.append(index)
    wanted = [examined.keys[index] for index in asked]
    (hits, failures), answer = await services.worker.run(lambda: (_recall(services, wanted), beside()))
    for index in asked:
        region, exact = examined.split.regions[index], examined.keys[index].exact
        if (hit := hits.get(exact)) is not None:
            standings[index] = _standing(hit, region, examined.snapshot, age(hit.record, region))
        elif exact in failures:
            standings[index] = failure_standing(failures[exact], clock)
    return standings, answer


def _recall(services: Services, wanted: Sequence[RegionKeys]) -> tuple[dict[str, Hit], Mapping[str, Failure]]:
    """What cache and ledger know of regions, by exact key. Blocks: for the stores' thread."""
    if not wanted:
        return {}, {}
    found = zip(wanted, services.cache.get_many(wanted), strict=True)
    hits = {keys.exact: hit for keys, hit in found if hit is not None}
    try:
        return hits, services.ledger.failures([keys.exact for keys in wanted])
    except LedgerUnavailable as problem:
        logger.warning("failures could not be read: %s", problem)
        return hits, {}


def _standing(hit: Hit, region: Region, snapshot: Snapshot, age_seconds: float | None) -> Standing:
    record = hit.record
    if not hit.exact and not _all_anchor(record, region, snapshot):
        standing = Standing.not_reviewed(Reason.OUTDATED)
        return Standing(Progress.NOT_REVIEWED, standing.reason, standing.words, record=record, exact=False)
    return Standing.reviewed(record, exact=hit.exact, age_seconds=age_seconds)


def serves(record: CachedReview, region: Region, pool: ModelPool) -> bool:
    """Whether a result is by a model good enough: one of today's settings, at the region's tier or above.

    One that was made lower because the budget was short stands until the code changes.
    """
    if not pool.usable:
        return True
    wished = tier_of(region.shape)
    if record.under_pressure:
        wished = lowered(lowered(wished))
    today = pool.tier_of(record.model)
    return today is not None and Tier(record.tier).rank >= wished.rank


def _all_anchor(record: CachedReview, region: Region, snapshot: Snapshot) -> bool:
    return all(place_of(cached, region, snapshot, exact=False) is not None for cached in record.claims)
