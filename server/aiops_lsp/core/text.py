"""Text of documents: positions, ranges, immutable snapshots.

Lines end at \\n, \\r\\n or \\r only, as LSP says, and never where `str.splitlines` also sees an end (form feed,
U+2028, ...). Inside the program a column counts code points; clients count in the encoding that was negotiated.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class PositionEncoding(StrEnum):
    """The unit in which a client counts columns."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two code points; `line` and `column` count from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The text from `start` up to and not including `end`."""

    start: Position
    end: Position


@dataclass(frozen=True)
class Snapshot:
    """One version of one document, which never changes.

    `language` is LSP's language identifier (`python`, `typescriptreact`). `version` is the client's; the command
    line uses 0.
    """

    uri: str
    version: int
    language: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines with their ends; the last one has none. At least one, perhaps empty."""
        return tuple(split_lines(self.text))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset in code points of each line's start."""
        starts, offset = [], 0
        for line in self.lines:
            starts.append(offset)
            offset += len(line)
        return tuple(starts)

    def offset_at(self, position: Position) -> int:
        """The offset in code points of `position`, which must lie in the text."""
        return self.line_starts[position.line] + position.column

    def position_at(self, offset: int) -> Position:
        """The position of an offset between 0 and the text's length."""
        line = bisect_right(self.line_starts, offset) - 1
        return Position(line, offset - self.line_starts[line])

    def slice(self, span: Range) -> str:
        """The text that `span` covers."""
        return self.text[self.offset_at(span.start) : self.offset_at(span.end)]


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their ends; \\n, \\r\\n and \\r end a line, nothing else does."""
    raise NotImplementedError
