"""How many false alarms it saves to leave half-written code alone, on a recorded session.

    python -m tests.benchmarks.half_written TRACE.json.gz [--keys TRACE.json.gz] [--language rust] [--pauses N]

A trace (see sessions.py) is replayed. At each pause of at least the debounce, regions that no model has seen are sent:
all of them, or only those that the gates let pass. What is sent counts as half-written when the code of the region
never came to stand as it was: neither in a pause of at least --stands seconds, nor at the end of the session. Whatever
a model finds in such a state is at best moot and at worst a false alarm.

The first 1,500 pauses of rustcode, with the gaps between keys of json-crdt-patch (both of josephg/editing-traces):

| gates | sent | half-written | of those saved |
|---|---|---|---|
| no gate | 860 | 705 | 0.0 % |
| parse errors | 550 | 398 | 43.5 % |
| settling | 451 | 297 | 57.9 % |
| both | 373 | 222 | 68.5 % |
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.regions import region_keys
from aiops_lsp.core.splitting import resplit, split
from aiops_lsp.core.text import Snapshot
from tests.benchmarks.sessions import gaps_of, read_trace, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.splitting import Split

DEBOUNCE, SETTLE = 0.6, 2.0


@dataclass
class Gates:
    """Which gates are shut, and what they have let pass."""

    name: str
    parsing: bool
    settling: bool
    sent: set[str] = field(default_factory=set)

    def look(self, regions: list[tuple[str, Region]], line: int, pause: float) -> None:
        """Send what passes, after a pause behind an edit on `line`."""
        for key, region in regions:
            if self.parsing and (region.parse_error or region.empty_body):
                continue
            if self.settling and region.start_line <= line < region.end_line and pause < SETTLE:
                continue
            self.sent.add(key)


def pauses(trace: dict[str, object], keys: list[float]) -> Iterator[tuple[str, int, float]]:
    """The text, the line that was edited last and the seconds until the next edit, for each pause that is a rest."""
    text, line = str(trace["startContent"]), 0
    for gap, patches in typed(trace, keys):
        if gap >= DEBOUNCE:
            yield text, line, gap
        for position, gone, inserted in patches:
            text = text[:position] + inserted + text[position + gone :]
            line = text.count("\n", 0, position + len(inserted))
    yield text, line, float("inf")


def main() -> None:
    """Replay and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--keys", type=Path, help="a trace with a finer clock, for the gaps between keys")
    parser.add_argument("--language", default="rust")
    parser.add_argument("--stands", type=float, default=30.0)
    parser.add_argument("--pauses", type=int, help="replay no more of the session than this")
    options = parser.parse_args()
    ways = [Gates("no gate", False, False), Gates("parse errors", True, False), Gates("settling", False, True)]
    ways.append(Gates("both", True, True))
    stood: set[str] = set()
    last: tuple[Snapshot, Split] | None = None
    rests, regions = 0, list[tuple[str, "Region"]]()
    keys = gaps_of(read_trace(options.keys)) if options.keys else []
    for text, line, pause in islice(pauses(read_trace(options.trace), keys), options.pauses):
        snapshot = Snapshot("file:///t", rests, options.language, text)
        made = split(snapshot) if last is None else resplit(snapshot, last[1], last[0])
        last, rests = (snapshot, made), rests + 1
        regions = [(region_keys(one, options.language, "").loose, one) for one in made.regions if not one.trivial]
        for way in ways:
            way.look(regions, line, pause)
        if pause >= options.stands:
            stood.update(key for key, _ in regions)
    stood.update(key for key, _ in regions)
    print(f"{rests} pauses of {DEBOUNCE} s or more; a state stands when it rests for {options.stands:g} s")
    print("| gates | sent | half-written | of those saved |\n|---|---|---|---|")
    worst = len(ways[0].sent - stood)
    for way in ways:
        moot = len(way.sent - stood)
        print(f"| {way.name} | {len(way.sent)} | {moot} | {100 * (worst - moot) / max(1, worst):.1f} % |")


if __name__ == "__main__":
    main()
