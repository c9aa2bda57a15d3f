"""From a snapshot to its regions.

`split` is a pure function of the text, the language and the secrets in it. `resplit` mends what a parser makes of
half-written code: where the text did not change, it takes over the regions of the split before.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aiops_lsp.core.building import RegionBuilder
from aiops_lsp.core.frames import frames_of
from aiops_lsp.core.regions import moved
from aiops_lsp.core.splicing import splice
from aiops_lsp.core.syntax import count_errors, parse, plain_lines
from aiops_lsp.core.text import common_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiops_lsp.core.frames import Frame
    from aiops_lsp.core.placeholders import Secret
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

__all__ = ["Split", "count_errors", "respliced", "resplit", "split"]


@dataclass(frozen=True)
class Split:
    """The regions of a snapshot, which partition its lines. `parsed` is false for a language without a grammar.

    `errors` counts the parse errors of the whole document, `settled_errors` those of the last split that stood on its
    own text alone. `frames` are what an edit's look at a few regions needs of the others, if such a look can do. `kept`
    are how many regions at the start and at the end are those of the split that this one was made of, if moved.
    """

    regions: tuple[Region, ...]
    parsed: bool
    errors: int = 0
    settled_errors: int = 0
    frames: tuple[Frame, ...] = field(default=(), repr=False, compare=False)
    kept: tuple[int, int] = field(default=(0, 0), repr=False, compare=False)

    @property
    def fresh(self) -> tuple[Region, ...]:
        """The regions that were not `kept`."""
        return self.regions[self.kept[0] : len(self.regions) - self.kept[1]]

    @cached_property
    def _starts(self) -> list[int]:
        return [region.start_line for region in self.regions]

    def region_at(self, line: int) -> Region:
        """The region that document line `line`, from 0, is in; past the end, the last one."""
        return self.regions[max(0, bisect_right(self._starts, line) - 1)]


def split(snapshot: Snapshot, secrets: Sequence[Secret] = (), fits: Callable[[Region], bool] | None = None) -> Split:
    """Split a snapshot into regions.

    `secrets` are (start, end, kind) in code points of `snapshot.text`, in order and not overlapping; they are replaced
    by placeholders in everything that a region sends. `fits` says whether a region is small enough to be reviewed:
    one that is not is cut between its statements, as far as it has any. Without it, none is.
    """
    syntax = parse(snapshot.text, snapshot.language)
    return _split(RegionBuilder(syntax, _in_plain_text(secrets, snapshot.text, syntax.text), fits))


def respliced(
    snapshot: Snapshot,
    previous: Split,
    previous_snapshot: Snapshot,
    has_secrets: Callable[[str], bool],
    fits: Callable[[Region], bool] | None = None,
) -> Split | None:
    """The same as `split`, at the cost of the functions that were edited; None where that takes the whole document.

    `previous` is the split of `previous_snapshot`, made with the same `fits`. `has_secrets` says whether a piece of
    text holds any.
    """
    found = splice(previous.regions, previous.frames, previous_snapshot, snapshot, fits, has_secrets)
    if found is None:
        return None
    below = previous.regions[found.last :]
    kept = (found.first, len(below))
    if found.moved:
        below = moved(below, found.moved)
    regions = (*previous.regions[: found.first], *found.regions, *below)
    frames = (*previous.frames[: found.first], *found.frames, *previous.frames[found.last :])
    return Split(regions, parsed=True, frames=frames, kept=kept)


def resplit(
    snapshot: Snapshot,
    previous: Split,
    previous_snapshot: Snapshot,
    secrets: Sequence[Secret] = (),
    fits: Callable[[Region], bool] | None = None,
) -> Split:
    """Split a snapshot that came of editing `previous_snapshot`, whose split is `previous`.

    The same as `split` unless the edits brought parse errors. Then the regions of `previous` stand where their lines
    did not change, so that an open bracket does not make new regions of everything after it; only what lies between
    them is split anew. That ends with the errors: what a split took over is never older than they are. `secrets`
    must have been found by the same patterns as those of `previous`, and `fits` be what it was then.
    """
    syntax = parse(snapshot.text, snapshot.language)
    builder = RegionBuilder(syntax, _in_plain_text(secrets, snapshot.text, syntax.text), fits)
    errors = len(syntax.errors)
    if errors <= previous.settled_errors or snapshot.language != previous_snapshot.language:
        return _split(builder)
    kept = list(_unchanged(previous, plain_lines(previous_snapshot.text), syntax.lines))
    regions: list[Region] = []
    reached = 0
    for region in [*filter(builder.still_redacts, kept), None]:
        end = len(syntax.lines) if region is None else region.start_line
        regions.extend(builder.region(part) for part in builder.parts_between(reached, end))
        if region is not None:
            regions.append(region)
            reached = region.end_line
    return Split(tuple(regions), parsed=True, errors=errors, settled_errors=previous.settled_errors)


def _unchanged(previous: Split, before: Sequence[str], now: Sequence[str]) -> Iterator[Region]:
    """The regions of `previous` whose lines are all before or all after what was edited, at their new place."""
    head, tail = common_lines(before, now)
    further = len(now) - len(before)
    for region in previous.regions:
        if region.parse_error:
            continue
        if region.end_line <= head:
            yield region
        elif region.start_line >= len(before) - tail:
            yield from moved((region,), further)


def _split(builder: RegionBuilder) -> Split:
    errors = len(builder.syntax.errors)
    regions = tuple(map(builder.region, builder.parts))
    return Split(regions, builder.syntax.root is not None, errors, errors, frames_of(builder))


def _in_plain_text(secrets: Sequence[Secret], text: str, plain: str) -> list[Secret]:
    """The secrets' places once every line end is a single newline."""
    if not secrets or len(text) == len(plain):
        return list(secrets)
    pairs = [match.start() for match in re.finditer("\r\n", text)]
    return [(start - bisect_left(pairs, start), end - bisect_left(pairs, end), kind) for start, end, kind in secrets]
