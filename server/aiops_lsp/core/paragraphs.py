"""Parts of a text in a language without a grammar: paragraphs, with what is indented below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.core.partition import Part, Unit, cut_run
from aiops_lsp.core.regions import RegionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLOSERS = ("}", ")", "]", "end", "fi", "done", "esac")


def paragraphs(lines: Sequence[str]) -> list[Part]:
    """Cut where a blank line is followed by one that is not indented and does not close something; then long parts."""
    starts = [0]
    for number in range(1, len(lines)):
        line = lines[number]
        opens = line.strip() and not line[0].isspace() and not line.startswith(_CLOSERS)
        if opens and not lines[number - 1].strip() and any(text.strip() for text in lines[starts[-1] : number]):
            starts.append(number)
    parts = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        units = [Unit(number, number) for number in range(start, end) if lines[number].strip()]
        parts.append(Part(RegionKind.PARAGRAPH, "", start, end, units=units))
    return [piece for part in parts for piece in cut_run(part, lines)]
