"""What a review of changes is told of them: the differences from the last commit, as far as a request has room.

The differences are made of what may be sent: both texts have their secrets replaced and are rid of comments that
address the reviewer before they are compared. A result that they helped to find is never cached: they are in no key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.injection import neutralise
from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.engine import git
from aiops_lsp.engine.uris import path_of
from aiops_lsp.llm.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

_HUNK = re.compile(r"@@ -(?P<old>\d+)(?:,(?P<old_length>\d+))? \+(?P<start>\d+)(?:,(?P<length>\d+))? @@")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Differences that stand close together. The new lines go from `start` up to `end`, from 0."""

    start: int
    end: int
    lines: tuple[str, ...]


async def changes_since_commit(snapshot: Snapshot, redact_patterns: Sequence[str]) -> tuple[Hunk, ...]:
    """How `snapshot` differs from HEAD. Nothing without git, and for a file that HEAD does not hold: it is all new."""
    path = path_of(snapshot.uri)
    if path is None:
        return ()

    def sendable(lines: Sequence[str]) -> tuple[str, ...]:
        return neutralise(_redacted(lines, redact_patterns), snapshot.language)

    diff = await git.diff_against_head(path, snapshot.lines, sendable)
    return tuple(_hunks(diff or ""))


def fitting(hunks: Iterable[Hunk], regions: Iterable[Region], tokens: int, model: str) -> tuple[str, ...]:
    """The lines of the hunks that `tokens` have room for: those of the `regions` first, then those around them."""
    own = [(region.start_line, region.end_line) for region in regions]
    chosen: list[Hunk] = []
    for hunk in sorted(hunks, key=lambda hunk: (not _meets(hunk, own), hunk.start)):
        size = estimate_tokens("\n".join(hunk.lines), model)
        if size <= tokens:
            chosen.append(hunk)
            tokens -= size
    return tuple(line for hunk in sorted(chosen, key=lambda hunk: hunk.start) for line in hunk.lines)


def _meets(hunk: Hunk, spans: Iterable[tuple[int, int]]) -> bool:
    return any(hunk.start < end and start < hunk.end for start, end in spans)


def _redacted(lines: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The lines with a word for each secret. It has the number 0, which no placeholder has that a fix can restore."""
    text = "\n".join(lines)
    parts, end = [], 0
    for secret in find_secrets(text, patterns):
        parts += [text[end : secret.start], f"REDACTED_{secret.kind}_0"]
        parts.append("\n" * text.count("\n", secret.start, secret.end))
        end = secret.end
    return "".join((*parts, text[end:])).split("\n") if lines else []


def _hunks(diff: str) -> Iterable[Hunk]:
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in diff.split("\n")[2:-1]:  # without the names of the files, and the empty end
        if (head := _HUNK.fullmatch(line)) is not None:
            found.append((head, [line]))
        else:
            found[-1][1].append(line)
    for head, lines in found:
        if (head["old"], head["old_length"]) == ("0", "0"):
            continue  # all of it is new: there is nothing to compare with
        length = int(head["length"] or 1)
        start = int(head["start"]) - (length > 0)
        yield Hunk(start, start + length, tuple(lines))
