"""A process that writes and reads results as fast as it can, to be killed: `python -m tests.support.cache_process`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from aiops_lsp.core.regions import RegionKeys
from aiops_lsp.store.cache import CachedReview, ResultCache


def review(number: int) -> CachedReview:
    """A clean result whose fields all follow from `number`."""
    return CachedReview(
        f"exact{number}", f"loose{number}", (), "p", "p:m", "simple", float(number), False, False, number, number
    )


def churn(folder: Path, seed: int, rounds: int) -> int:
    """Write and read back; returns how many results were read that nobody wrote."""
    chance = random.Random(seed)
    cache = ResultCache.open(folder, busy_seconds=60)
    wrong = 0
    for _ in range(rounds):
        number = chance.randrange(50)
        if chance.random() < 0.5:
            cache.put(review(number))
        else:
            hit = cache.get(RegionKeys(f"exact{number}", f"loose{number}"))
            wrong += hit is not None and hit.record != review(number)
    wrong += cache.stats().rejected
    cache.close()
    return wrong


if __name__ == "__main__":
    sys.exit(churn(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
