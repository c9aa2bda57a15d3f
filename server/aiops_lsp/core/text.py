"""Text of documents: positions, ranges, immutable snapshots, and the open document that edits change.

Lines end at \\n, \\r\\n or \\r only, as LSP says, and never where `str.splitlines` also sees an end (form feed,
U+2028, ...). Inside the program a column counts code points; clients count in the encoding that was negotiated.
Positions outside the text are clamped as the npm package vscode-languageserver-textdocument does: beyond a line's
end to its end, before its line break; beyond the last line to the end of the text.

A string here never holds the two halves of a surrogate pair side by side as two code points; a half that is alone
is kept as it is. So a column means the same to us and to a client that counts in UTF-16.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from aiops_lsp.core.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LINE_END = re.compile(r"\r\n?|\n")
_SURROGATE_PAIR = re.compile(r"[\uD800-\uDBFF][\uDC00-\uDFFF]")


class PositionEncoding(StrEnum):
    """The unit in which a client counts columns."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Position(NamedTuple):
    """A place between two code points; `line` and `column` count from 0."""

    line: int
    column: int


class Range(NamedTuple):
    """The text from `start` up to and not including `end`."""

    start: Position
    end: Position

    def moved(self, lines: int, first_columns: int = 0, last_columns: int = 0) -> Range:
        """The range so many lines further down, its ends so many columns further right."""
        start, end = self
        return Range(
            Position(start.line + lines, start.column + first_columns),
            Position(end.line + lines, end.column + last_columns),
        )


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
    def line_starts(self) -> Sequence[int]:
        """The offset in code points of each line's start."""
        return array("I", accumulate(map(len, self.lines[:-1]), initial=0))

    def offset_at(self, position: Position) -> int:
        """The offset in code points of `position`, which must lie in the text."""
        return self.line_starts[position.line] + position.column

    def position_at(self, offset: int) -> Position:
        """The position of an offset between 0 and the text's length."""
        line = bisect_right(self.line_starts, offset) - 1
        return Position(line, offset - self.line_starts[line])

    def slice(self, span: Range) -> str:
        """The text that `span` covers."""
        start, end = span.start, span.end
        if start.line == end.line:
            return self.lines[start.line][start.column : end.column]
        whole = "".join(self.lines[start.line : end.line + 1])
        return whole[start.column : len(whole) - len(self.lines[end.line]) + end.column]

    def span_of(self, first: int, last: int) -> tuple[int, int]:
        """The offsets of the lines from `first` up to and not including `last`; past the end of the text, its end.

        For a few places that takes a tenth of the time of `line_starts`, which knows all.
        """
        start = len("".join(self.lines[:first]))
        return start, start + len("".join(self.lines[first:last]))


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their ends; \\n, \\r\\n and \\r end a line, nothing else does."""
    if "\r" not in text:
        lines = [line + "\n" for line in text.split("\n")]  # of empty lines there is one object, unlike with f""
        lines[-1] = lines[-1][:-1]
        return lines
    lines, start = [], 0
    for match in _LINE_END.finditer(text):
        lines.append(text[start : match.end()])
        start = match.end()
    lines.append(text[start:])
    return lines


def common_lines(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines at the start, and then at the end, are the same."""
    old, new = tuple(old), tuple(new)  # no copy of what is one
    before, now = len(old), len(new)
    shorter = min(before, now)
    head = _most_alike(shorter, lambda first, last: old[first:last] == new[first:last])
    tail = _most_alike(
        shorter - head, lambda first, last: old[before - last : before - first] == new[now - last : now - first]
    )
    return head, tail


def _most_alike(most: int, alike: Callable[[int, int], bool]) -> int:
    """How many lines are the same until the first that differs, `most` of them at most.

    `alike` tells whether those from one up to and not including another are: it compares many at a time.
    """
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if alike(least, middle):
            least = middle
        else:
            most = middle - 1
    return least


def line_content(line: str) -> str:
    """`line` without its end."""
    return line.rstrip("\r\n")


def column_of(line: str, character: int, encoding: PositionEncoding) -> int:
    """The column in code points of a client's `character` in `line`, which may come with its end.

    Below 0 is 0, and beyond the end is the end, before the line break. A place inside a character that takes several
    units counts as the place before that character.
    """
    return _locate(line, character, encoding)[0]


def character_of(line: str, column: int, encoding: PositionEncoding) -> int:
    """The client's character for a column of `line` in code points; the reverse of `column_of`, clamped alike."""
    content = line_content(line)
    column = max(0, min(column, len(content)))
    return column if content.isascii() else _units(content[:column], encoding)


def _locate(line: str, character: int, encoding: PositionEncoding) -> tuple[int, bool]:
    """The column for `character`, and whether `character` lies inside the code point at that column."""
    content = line_content(line)
    length = len(content)
    if character <= 0:
        return 0, False
    if content.isascii() or encoding is PositionEncoding.UTF32:
        return min(character, length), False
    column = bisect_right(range(length + 1), character, key=lambda end: _units(content[:end], encoding)) - 1
    return column, column < length and _units(content[:column], encoding) < character


def _units(text: str, encoding: PositionEncoding) -> int:
    match encoding:
        case PositionEncoding.UTF8:
            return len(text.encode("utf-8", "surrogatepass"))
        case PositionEncoding.UTF16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        case PositionEncoding.UTF32:
            return len(text)


class Change(NamedTuple):
    """What a client says has changed: `text` takes the place of `range`, or of everything where that is None.

    `range` is in the client's units, exactly as it was sent.
    """

    range: Range | None
    text: str


class AppliedEdit(NamedTuple):
    """What an edit did: `text` took the place of `range` in the text before, and ends at `new_end` in the text after.

    Columns count code points. An edit that makes or unmakes a \\r\\n, or a surrogate pair, covers all of it, so it can
    be a little wider than what the client sent.
    """

    range: Range
    new_end: Position
    text: str


def carry(span: Range, edit: AppliedEdit) -> Range | None:
    """Where the text in `span` stands after `edit`; None when the edit touched it.

    An edit that ends where the span starts, or starts where it ends, does not touch it: an insertion at its start
    moves it along, one at its end leaves it. Nothing is ever taken into a span.
    """
    if edit.range.start >= span.end and edit.range.end > span.start:
        return span
    if edit.range.end > span.start:
        return None
    return Range(_carried(span.start, edit), _carried(span.end, edit))


def _carried(position: Position, edit: AppliedEdit) -> Position:
    """Where a position at or after the end of `edit` stands after it."""
    end = edit.range.end
    line = position.line + edit.new_end.line - end.line
    if position.line > end.line:
        return Position(line, position.column)
    return Position(line, position.column + edit.new_end.column - end.column)


class TextDocument:
    """The text of one open document, changed by edits. Each edit costs what it changes, not what the document holds."""

    def __init__(self, uri: str, version: int, language: str, text: str, encoding: PositionEncoding) -> None:
        self.uri = uri
        self.version = version
        self.language = language
        self.encoding = encoding
        self._lines = LineList(split_lines(_pairs_joined(text)))
        self._snapshot: Snapshot | None = None

    @property
    def line_count(self) -> int:
        """The number of lines, at least 1."""
        return len(self._lines)

    def line(self, index: int) -> str:
        """Line `index` from 0, with its end. Raises IndexError where there is none."""
        return self._lines[index]

    def snapshot(self) -> Snapshot:
        """The text as it is now; the same object until the next call of `apply`."""
        if self._snapshot is None:
            lines = tuple(self._lines)
            self._snapshot = Snapshot(self.uri, self.version, self.language, "".join(lines))
            # The lines are known: no need to split the text again.
            self._snapshot.__dict__["lines"] = lines
        return self._snapshot

    def from_client(self, line: int, character: int) -> Position:
        """The position of a client's line and character, clamped to the text."""
        return self._locate(Position(line, character))[0]

    def to_client(self, position: Position) -> tuple[int, int]:
        """The client's line and character of a position, clamped to the text."""
        if position.line < 0:
            return 0, 0
        if position.line >= len(self._lines):
            position = self._end()
        return position.line, character_of(self._lines[position.line], position.column, self.encoding)

    def apply(self, changes: Iterable[Change], version: int) -> list[AppliedEdit]:
        """Make `changes` one after the other; each is in terms of the text that the one before left.

        Returns what they did, in that order; a change that leaves the text as it is does not appear. A range whose
        start lies after its end is turned round. A boundary inside a character splits it where the client counts in
        UTF-16 (each half is a code point there) and counts as the place before it where it counts in UTF-8.
        """
        applied = []
        for change in changes:
            edit = self._replace_all(change.text) if change.range is None else self._replace(change.range, change.text)
            if edit is not None:
                applied.append(edit)
        self.version = version
        self._snapshot = None
        return applied

    def _end(self) -> Position:
        last = len(self._lines) - 1
        return Position(last, len(self._lines[last]))

    def _locate(self, place: Position) -> tuple[Position, bool]:
        if place.line < 0:
            return Position(0, 0), False
        if place.line >= len(self._lines):
            return self._end(), False
        column, inside = _locate(self._lines[place.line], place.column, self.encoding)
        return Position(place.line, column), inside

    def _replace(self, span: Range, text: str) -> AppliedEdit | None:
        start, in_start = self._locate(min(span.start, span.end))
        end, in_end = self._locate(max(span.start, span.end))
        if self.encoding is PositionEncoding.UTF16:
            if in_start:
                text = _halves(self._lines[start.line][start.column])[0] + text
            if in_end:
                text += _halves(self._lines[end.line][end.column])[1]
                end = Position(end.line, end.column + 1)
        start, end, text = self._widened(start, end, text)
        if text == self._slice(start, end):
            return None
        inserted = split_lines(text)
        new_end = _end_of(start, inserted)
        inserted[0] = self._lines[start.line][: start.column] + inserted[0]
        inserted[-1] += self._lines[end.line][end.column :]
        self._lines.replace(start.line, end.line + 1, inserted)
        return AppliedEdit(Range(start, end), new_end, text)

    def _widened(self, start: Position, end: Position, text: str) -> tuple[Position, Position, str]:
        """The same edit, widened where its borders would join a surrogate pair or a \\r\\n."""
        before = self._lines[start.line][: start.column]
        after = self._lines[end.line][end.column :]
        if _is_high(before[-1:]) and _is_low((text or after)[:1]):
            start, text = Position(start.line, start.column - 1), before[-1] + text
        if _is_high(text[-1:]) and _is_low(after[:1]):
            end, text = Position(end.line, end.column + 1), text + after[0]
        if start.column == 0 and start.line > 0 and (text or after).startswith("\n"):
            previous = self._lines[start.line - 1]
            if previous.endswith("\r"):
                start, text = Position(start.line - 1, len(previous) - 1), "\r" + text
        if text.endswith("\r") and after.startswith("\n"):
            end, text = Position(end.line + 1, 0), text + "\n"
        return start, end, _pairs_joined(text)

    def _replace_all(self, text: str) -> AppliedEdit | None:
        """Take over `text`, as an edit of the lines that differ."""
        old, new = list(self._lines), split_lines(_pairs_joined(text))
        if old == new:
            return None
        head, tail = common_lines(old, new)
        if tail:
            end = Position(len(old) - tail, 0)
            inserted = [*new[head : len(new) - tail], ""]
        else:
            end = self._end()
            inserted = new[head:]
        start = Position(head, 0)
        self._lines = LineList(new)
        return AppliedEdit(Range(start, end), _end_of(start, inserted), "".join(inserted))

    def _slice(self, start: Position, end: Position) -> str:
        if start.line == end.line:
            return self._lines[start.line][start.column : end.column]
        between = (self._lines[index] for index in range(start.line + 1, end.line))
        return "".join(
            (self._lines[start.line][start.column :], *between, self._lines[end.line][: end.column]),
        )


def _end_of(start: Position, lines: Sequence[str]) -> Position:
    """Where `lines` end that are put in at `start`."""
    column = len(lines[-1]) + (start.column if len(lines) == 1 else 0)
    return Position(start.line + len(lines) - 1, column)


def _is_high(character: str) -> bool:
    return "\ud800" <= character <= "\udbff"


def _is_low(character: str) -> bool:
    return "\udc00" <= character <= "\udfff"


def _halves(character: str) -> tuple[str, str]:
    """The surrogate pair that stands for a character above U+FFFF."""
    offset = ord(character) - 0x10000
    return chr(0xD800 + (offset >> 10)), chr(0xDC00 + (offset & 0x3FF))


def _pairs_joined(text: str) -> str:
    """`text` with each surrogate pair as the one character that it stands for."""
    if text.isascii() or not _SURROGATE_PAIR.search(text):
        return text
    return _SURROGATE_PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
