"""Regions made by hand, for tests of what is done with regions rather than of how they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.core.regions import Region, RegionKind, Substitution
from aiops_lsp.core.text import Snapshot, line_content

if TYPE_CHECKING:
    from collections.abc import Mapping


def snapshot_of(text: str, *, language: str = "python", version: int = 1) -> Snapshot:
    """A snapshot of a document with this text."""
    return Snapshot("file:///project/x", version, language, text)


def region_of(
    snapshot: Snapshot,
    start: int = 0,
    end: int | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    context: str = "",
) -> Region:
    """The lines from `start` up to and not including `end` as a region: dedented, each secret under its placeholder."""
    contents = [line_content(line) for line in snapshot.lines[start:end]]
    indents = [line[: len(line) - len(line.lstrip())] for line in contents if line.strip()]
    common = min(indents, key=len, default="")
    while not all(indent.startswith(common) for indent in indents):
        common = common[:-1]
    dedents = tuple(min(len(common), len(line)) if line.strip() else len(line) for line in contents)
    lines, substitutions = [], []
    for number, (line, cut) in enumerate(zip(contents, dedents, strict=True)):
        sent = line[cut:]
        for secret, placeholder in (secrets or {}).items():
            at = sent.find(secret)
            while at >= 0:
                sent = sent[:at] + placeholder + sent[at + len(secret) :]
                substitutions.append(Substitution(number, at, at + len(placeholder), placeholder, secret))
                at = sent.find(secret, at + len(placeholder))
        lines.append(sent)
    substitutions.sort(key=lambda swap: (swap.line, swap.start))
    return Region(
        kind=RegionKind.FUNCTION,
        symbol="f",
        start_line=start,
        end_line=start + len(lines),
        lines=tuple(lines),
        dedents=dedents,
        context=context,
        loose="",
        substitutions=tuple(substitutions),
    )
