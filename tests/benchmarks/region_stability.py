"""How many regions that an edit did not touch get another exact key by it, with and without the last good split.

    python -m tests.benchmarks.region_stability TRACE.json.gz [--language rust] [--windows 40] [--edits 50]

The edits of a trace (see sessions.py) are replayed one by one; windows of them, spread evenly, are measured: `split`
of every version on its own, and `resplit` from version to version.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.regions import region_keys
from aiops_lsp.core.splitting import Split, resplit, split
from aiops_lsp.core.syntax import plain_lines
from aiops_lsp.core.text import Snapshot
from tests.benchmarks.sessions import read_trace, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lsp.core.regions import Region


@dataclass
class Tally:
    """What was counted for one way of splitting."""

    edits: int = 0
    broken: int = 0
    untouched: int = 0
    rekeyed: int = 0
    sendable: int = 0
    rekeyed_sendable: int = 0
    edits_that_rekey: int = 0
    worst: int = 0
    seconds: float = 0.0

    def add(self, before: Split, after: Split, old: Snapshot, new: Snapshot) -> None:
        """Count one edit, that made `after` of `before`."""
        keys = {_key(region, new.language) for region in after.regions}
        lost = 0
        for region in _untouched(before, plain_lines(old.text), plain_lines(new.text)):
            is_lost = _key(region, old.language) not in keys
            sendable = not (region.parse_error or region.empty_body or region.trivial)
            self.untouched += 1
            self.sendable += sendable
            self.rekeyed_sendable += is_lost and sendable
            lost += is_lost
        self.edits += 1
        self.broken += after.errors > 0
        self.rekeyed += lost
        self.edits_that_rekey += lost > 0
        self.worst = max(self.worst, lost)

    def report(self, name: str) -> str:
        """One line of figures."""
        edits = max(1, self.edits)
        return (
            f"{name:8} re-keyed of the untouched regions: {self.rekeyed / edits:.4f} per edit"
            f" ({100 * self.rekeyed / max(1, self.untouched):.3f} %), by {100 * self.edits_that_rekey / edits:.2f} % of"
            f" the edits, at most {self.worst} at once; of those that could be sent:"
            f" {self.rekeyed_sendable / edits:.4f} per edit"
            f" ({100 * self.rekeyed_sendable / max(1, self.sendable):.3f} %);"
            f" {1000 * self.seconds / edits:.1f} ms per edit"
        )


def _key(region: Region, language: str) -> str:
    return region_keys(region, language, "").exact


def _untouched(before: Split, old: list[str], new: list[str]) -> Iterator[Region]:
    """The regions whose lines, and the line after them, are as they were."""
    head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = min(len(old), len(new)) - head
    tail = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
    for region in before.regions:
        if region.end_line <= head or region.start_line >= len(old) - tail:
            yield region


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--language", default="rust")
    parser.add_argument("--windows", type=int, default=40)
    parser.add_argument("--edits", type=int, default=50, help="edits in each window")
    parser.add_argument("--warm-up", type=int, default=100, help="edits followed before each window")
    options = parser.parse_args()
    texts = list(texts_of(read_trace(options.trace)))
    alone, chained = Tally(), Tally()
    for window in range(options.windows):
        first = (window + 1) * (len(texts) - options.edits - 1) // (options.windows + 1)
        shown = texts[max(0, first - options.warm_up) : first + options.edits + 1]
        snapshots = [Snapshot("file:///t", number, options.language, text) for number, text in enumerate(shown)]
        _measure(snapshots, options.edits, alone, chained)
    print(f"{alone.edits} of {len(texts)} edits, {100 * alone.broken / alone.edits:.1f} % of them leave parse errors")
    print(alone.report("split"))
    print(chained.report("resplit"))


def _measure(snapshots: list[Snapshot], edits: int, alone: Tally, chained: Tally) -> None:
    mended = split(snapshots[0])
    warm, measured = snapshots[: -edits - 1], snapshots[-edits - 1 :]
    for old, new in pairwise([*warm, measured[0]]):
        mended = resplit(new, mended, old)
    before = split(measured[0])
    for old, new in pairwise(measured):
        began = time.perf_counter()
        after = split(new)
        alone.seconds += time.perf_counter() - began
        began = time.perf_counter()
        mended_after = resplit(new, mended, old)
        chained.seconds += time.perf_counter() - began
        alone.add(before, after, old, new)
        chained.add(mended, mended_after, old, new)
        before, mended = after, mended_after


if __name__ == "__main__":
    main()
