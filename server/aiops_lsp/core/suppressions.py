"""Ignore comments: `aiops: ignore[category-or-rule, ...] reason`, or `aiops: ignore` for everything.

One at the end of a line stands for the findings that begin in that line. One that has its lines to itself stands for
those in the first line of code below it, with nothing but comments in between. It must be a comment to the parser,
where there is a grammar, and open that comment: a sentence or a string that mentions it does nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.comments import comment_syntax
from aiops_lsp.core.findings import Edit
from aiops_lsp.core.syntax import inside, parse
from aiops_lsp.core.text import Position, Range, Snapshot, line_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lsp.core.comments import CommentSyntax
    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.syntax import Syntax

_MARKER = re.compile(
    r"aiops:[ \t]*ignore(?:[ \t]*\[(?P<codes>[^\[\]\r\n]*)\])?(?![ \t]*\[|[\w-])[ \t:]*(?P<reason>[^\r\n]*)",
    re.IGNORECASE,
)
_FIRST_OF_FILE = re.compile(r"\ufeff?(?:#!|<\?|<!doctype)|.*coding[:=]", re.IGNORECASE)
_LITERAL_TEXT = re.compile(r"<<[-~]?[ \t]*[\"']?\w|:[ \t]*[|>][+-]?\d*[ \t]*$|\"\"\"|'''|```", re.MULTILINE)
"""What may open a text of several lines in a language without a grammar here."""

_JSX = frozenset({"javascriptreact", "typescriptreact", "javascript"})


@dataclass(frozen=True, slots=True)
class Ignore:
    """One ignore comment: the line it begins in, the line whose findings it stands for, and which of them.

    `codes` are categories and rule ids in small letters with `_` for `-`; None stands for all. `code_range` is the
    text between the brackets.
    """

    line: int
    target: int
    codes: frozenset[str] | None
    code_range: Range | None
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether `finding` is one that is not to be shown."""
        if finding.range.start.line not in (self.line, self.target):
            return False
        return self.codes is None or not self.codes.isdisjoint((_plain(finding.code), _plain(finding.category)))


@dataclass(frozen=True, slots=True)
class Ignores:
    """The ignore comments of one snapshot, in document order."""

    entries: tuple[Ignore, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Whether one of them stands for `finding`, which is one of the same snapshot."""
        return any(entry.covers(finding) for entry in self.entries)


def parse_ignores(snapshot: Snapshot) -> Ignores:
    """The ignore comments of `snapshot`. A text that does not mention us costs one search and no parse."""
    if not mentions_us(snapshot.text):
        return Ignores()
    reader = _Reader.of(snapshot)
    return Ignores(tuple(reader.ignores())) if reader is not None else Ignores()


def mentions_us(text: str) -> bool:
    """Whether there may be an ignore comment. A search that ignores case would take ten times as long."""
    return "aiops:" in text.casefold()


def ignore_edit(snapshot: Snapshot, finding: Finding) -> Edit | None:
    """The edit that makes `finding`, one of `snapshot`, ignored by its code; None where no comment can do that safely.

    It joins an ignore comment that stands for the line already, or puts one in the line above, or, where that is in
    the middle of a text of several lines, at the end of the line. Each is tried: the comment must be one to the
    parser, stand for the finding, and add no parse error. An edit that puts in a line of its own has no old text.
    """
    reader = _Reader.of(snapshot)
    if reader is None or reader.comments.mixed:
        return None
    line = finding.range.start.line
    for candidate, moved in reader.candidates(line, finding.code):
        after = _Reader.of(_edited(snapshot, candidate))
        if after is not None and after.is_ignored(line + moved, finding.code) and after.errors <= reader.errors:
            return candidate
    return None


def _plain(code: str) -> str:
    return code.strip().casefold().replace("-", "_")


def _edited(snapshot: Snapshot, edit: Edit) -> Snapshot:
    start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
    text = snapshot.text[:start] + edit.new_text + snapshot.text[end:]
    return Snapshot(snapshot.uri, snapshot.version, snapshot.language, text)


class _Reader:
    """One snapshot with its comments."""

    def __init__(self, snapshot: Snapshot, comments: CommentSyntax, syntax: Syntax) -> None:
        self.snapshot = snapshot
        self.comments = comments
        self.syntax = syntax
        marks = "|".join(re.escape(mark) for mark in comments.openings)
        self.opening = re.compile(rf"(?:{marks})[!*/#;%-]*[ \t]*$")

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Reader | None:
        """None for a language without comments."""
        comments = comment_syntax(snapshot.language)
        return cls(snapshot, comments, parse(snapshot.text, snapshot.language)) if comments else None

    @property
    def errors(self) -> int:
        return len(self.syntax.errors)

    @property
    def parsed(self) -> bool:
        return self.syntax.root is not None

    def ignores(self) -> Iterator[Ignore]:
        for number, line in enumerate(self.syntax.lines):
            if not mentions_us(line):
                continue
            for match in _MARKER.finditer(line):
                if self.opens_comment(number, match.start()):
                    yield self.ignore(number, match)

    def is_ignored(self, line: int, code: str) -> bool:
        return any(
            entry.target == line and (entry.codes is None or _plain(code) in entry.codes) for entry in self.ignores()
        )

    def opens_comment(self, line: int, column: int) -> bool:
        """Whether what stands there is the first thing that a comment, or a line of one, says."""
        before = self.syntax.lines[line][:column]
        opened = self.opening.search(before)
        if not self.parsed:
            if opened is None:
                return False
            code = before[: opened.start()]
            return (not code or code[-1] in " \t") and code.count('"') % 2 == 0
        start = self.syntax.line_starts[line]
        if not inside(self.syntax.comments, start + column):
            return False
        if opened is not None and inside(self.syntax.comments, start + opened.start()):
            return True
        return inside(self.syntax.comments, start) and not before.strip(" \t*")

    def ignore(self, line: int, match: re.Match[str]) -> Ignore:
        codes = match["codes"]
        reason = match["reason"]
        if self.comments.block is not None:
            reason = reason.partition(self.comments.block[1])[0]
        return Ignore(
            line,
            self.target(line, match.start()),
            None if codes is None else frozenset(filter(None, map(_plain, codes.split(",")))),
            None if codes is None else Range(Position(line, match.start("codes")), Position(line, match.end("codes"))),
            reason.strip(),
        )

    def target(self, line: int, column: int) -> int:
        """The line for which a comment stands that holds the marker at `line` and `column`."""
        first, last, before, after = self.around(line, column)
        if before.strip(" \t{") or after.strip(" \t}"):
            return first
        lines = self.syntax.lines
        below = last + 1
        while below < len(lines) and self.is_comment(lines[below]):
            below += 1
        return below if below < len(lines) and lines[below].strip() else first

    def around(self, line: int, column: int) -> tuple[int, int, str, str]:
        """The first and the last line of a comment, and the text before and after it in them."""
        lines, starts = self.syntax.lines, self.syntax.line_starts
        if self.parsed:
            offset = starts[line] + column
            start, end = next(span for span in self.syntax.comments if span[0] <= offset < span[1])
            first, last = self.syntax.line_of(start), self.syntax.last_line_of((start, end))
            return first, last, lines[first][: start - starts[first]], lines[last][max(0, end - starts[last]) :]
        opened = self.opening.search(lines[line][:column])
        before = lines[line][: opened.start()] if opened else ""
        block = self.comments.block
        if opened is None or block is None or not opened[0].startswith(block[0]):
            return line, line, before, ""
        for last in range(line, len(lines)):
            _, closed, after = lines[last][column if last == line else 0 :].partition(block[1])
            if closed:
                return line, last, before, after
        return line, line, before, ""

    def is_comment(self, text: str) -> bool:
        """Whether a line is nothing but one comment."""
        bare = text.strip()
        block = self.comments.block
        if block is not None and bare.startswith(block[0]):
            return bare.find(block[1]) == len(bare) - len(block[1])
        return bare.startswith(self.comments.openings)

    def candidates(self, line: int, code: str) -> Iterator[tuple[Edit, int]]:
        """The edits that may do, best first, and by how many lines each moves the finding."""
        there = [entry for entry in self.ignores() if entry.target == line]
        if any(entry.codes is None or _plain(code) in entry.codes for entry in there):
            return
        for entry in reversed(there):
            if entry.code_range is not None:
                old = self.snapshot.slice(entry.code_range)
                yield Edit(entry.code_range, old, f"{old.rstrip()}, {code}" if old.strip() else code), 0
        if not self.parsed and _LITERAL_TEXT.search("\n".join(self.syntax.lines[: line + 1])):
            return
        comment = self.comments.comment(f"aiops: ignore[{code}]")
        if self.may_stand_above(line):
            yield self.above(line, comment), 1
        if not self.syntax.lines[line].endswith("\\"):
            yield self.behind(line, comment), 0
        if self.snapshot.language in _JSX and self.may_stand_above(line):
            yield self.above(line, f"{{/* aiops: ignore[{code}] */}}"), 1

    def may_stand_above(self, line: int) -> bool:
        """Whether a line can be put in there without breaking what goes on over a line end, or a file's first line."""
        if line > 0 and self.syntax.lines[line - 1].endswith("\\"):
            return False
        if line <= 1 and _FIRST_OF_FILE.match(self.syntax.lines[line]):
            return False
        start = self.syntax.line_starts[line]
        return not any(span[0] < start < span[1] for span in (*self.syntax.strings, *self.syntax.comments))

    def above(self, line: int, comment: str) -> Edit:
        content = self.syntax.lines[line]
        indent = content[: len(content) - len(content.lstrip(" \t"))]
        place = Position(line, 0)
        return Edit(Range(place, place), "", f"{indent}{comment}{self.line_end(line)}")

    def behind(self, line: int, comment: str) -> Edit:
        place = Position(line, len(self.syntax.lines[line].rstrip()))
        return Edit(Range(place, place), "", f"  {comment}")

    def line_end(self, line: int) -> str:
        for index in range(line, -1, -1):
            whole = self.snapshot.lines[index]
            end = whole[len(line_content(whole)) :]
            if end:
                return end
        return "\n"
