"""Time to the first finding and to the last one, when a model writes as slowly as models do.

Run `python -m tests.benchmarks.first_finding [--tokens-per-second 60] [--turns 5]`: the real engine reviews six
functions in one request over HTTP; the answer has one finding for each and comes in pieces of one token.

Measured on two cores with 60 tokens per second (median of five turns): first finding after 2.45 s, last after 14.61 s,
that is, after 17 % of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Origin
from tests.integration.test_first_finding import FUNCTIONS, TEXT, full_answer
from tests.support.engine import RecordingHost, desk, settings_for
from tests.support.provider import Provider, Reply

if TYPE_CHECKING:
    from aiops_lsp.engine.host import Publication
    from tests.support.provider import Exchange

_TOKEN = 4
"""Characters to a token, about."""


class _TimedHost(RecordingHost):
    """Notes when each number of findings was first shown."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[int, float] = {}
        self.all_shown = asyncio.Event()

    def publish(self, publication: Publication) -> None:
        super().publish(publication)
        count = sum(one.origin is Origin.MODEL for one in publication.findings)
        self.at.setdefault(count, time.monotonic())
        if count == FUNCTIONS:
            self.all_shown.set()


async def _turn(tokens_per_second: float) -> tuple[float, float]:
    """Seconds from the request's arrival to the first and to the last finding on the screen."""
    asked: list[float] = []

    def script(exchange: Exchange) -> Reply:
        asked.append(time.monotonic())

        async def gate(piece: int) -> None:
            await asyncio.sleep(max(0.0, asked[0] + piece / tokens_per_second - time.monotonic()))

        return Reply(full_answer(exchange), piece=_TOKEN, gate=gate)

    host = _TimedHost()
    async with Provider(script) as provider, desk(settings_for(provider.base_url), host=host) as at:
        at.open(TEXT)
        await asyncio.wait_for(host.all_shown.wait(), 300)
    first = min(moment for count, moment in host.at.items() if count > 0)
    return first - asked[0], host.at[FUNCTIONS] - asked[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens-per-second", type=float, default=60.0)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    figures = []
    for _ in range(options.turns):
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"AIOPS_STATE_DIR": str(Path(folder) / "s"), "AIOPS_CACHE_DIR": str(Path(folder) / "c")}
            figures.append(asyncio.run(_turn(options.tokens_per_second)))
    first, last = median(one[0] for one in figures), median(one[1] for one in figures)
    print(f"first finding after {first:.2f} s, last after {last:.2f} s: {100 * first / last:.0f} %")


if __name__ == "__main__":
    main()
