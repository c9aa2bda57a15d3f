"""A document's text as the grammar sees it: lines without their ends, the tree, and the spans that matter.

All offsets here count code points of the *plain text*: the lines joined by newlines, so that a file with other line
ends parses the same. ast-grep is imported on first use, and asked as few questions as possible: a query that names
many kinds costs no more than one that names a single kind, while walking a tree node by node is slow.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from aiops_lsp.core.languages import language_of

if TYPE_CHECKING:
    from ast_grep_py import Config, Rule, SgNode

    from aiops_lsp.core.language_table import Language

Span = tuple[int, int]

_LINE_END = re.compile(r"\r\n|\n|\r")
_SIGN = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Syntax:
    """A parsed text. Spans are in order; strings are the outermost ones, and no comment lies in a string.

    `branches` are starts. `nests` may lie in each other. `errors` are what the parser could not make sense of and the
    places, empty spans, where it assumed a missing token. `root` is None, and every span list empty, when the
    language has no grammar.
    """

    text: str
    lines: list[str]
    line_starts: list[int]
    language: Language | None
    root: SgNode | None = None
    comments: list[Span] = field(default_factory=list)
    strings: list[Span] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    nests: list[Span] = field(default_factory=list)
    errors: list[Span] = field(default_factory=list)

    def line_of(self, offset: int) -> int:
        """The line, from 0, that the offset is in."""
        return bisect_right(self.line_starts, offset) - 1

    def last_line_of(self, span: Span) -> int:
        """The line of a span's last character; newlines at its end do not count."""
        start, end = span
        while end > start and self.text[end - 1] == "\n":
            end -= 1
        return self.line_of(max(start, end - 1))

    def end_of_signs(self, start: int, end: int, most: int) -> int:
        """Where the text from `start` to `end` has shown `most` signs of code, or its end.

        Neither comments nor blanks count: what is looked at of long code does not change with them.
        """
        if end - start <= most:
            return end
        index, reached = bisect_right(self.comments, (start, 1 << 62)), start
        if index and self.comments[index - 1][1] > start:
            reached = self.comments[index - 1][1]
        while reached < end:
            comment = self.comments[index] if index < len(self.comments) else (end, end)
            for sign in _SIGN.finditer(self.text, reached, min(comment[0], end)):
                most -= 1
                if most == 0:
                    return sign.end()
            index, reached = index + 1, comment[1]
        return end


def plain_lines(text: str) -> list[str]:
    """The lines of `text` without their ends, as LSP counts lines; at least one."""
    return _LINE_END.split(text)


def parse(text: str, identifier: str) -> Syntax:
    """Parse a document of the LSP language `identifier`. Every text can be parsed, if only with errors."""
    lines = plain_lines(text)
    plain = "\n".join(lines)
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line) + 1
    language = language_of(identifier)
    if language is None:
        return Syntax(plain, lines, starts, None)
    root = tree(plain, language.grammar)
    nodes = _spans(root.find_all(_everything(language)))
    strings = outermost([span for kind, span in nodes if kind in language.strings])
    comments = outermost([_trimmed(span, plain) for kind, span in nodes if kind in language.comments])
    return Syntax(
        plain,
        lines,
        starts,
        language,
        root,
        comments=[span for span in comments if not inside(strings, span[0])],
        strings=[span for span in strings if not inside(comments, span[0])],
        branches=[span[0] for kind, span in nodes if kind in language.branches],
        nests=[span for kind, span in nodes if kind in language.nests and not _is_else_if(plain, span[0])],
        errors=sorted(span for kind, span in nodes if _is_error(kind, span, language, len(plain))),
    )


def count_errors(text: str, identifier: str) -> int:
    """How many parse errors `text` has in the LSP language `identifier`; 0 for a language without a grammar.

    Of each text this is found out once: fixes are weighed anew at each publication, mostly those of code as it was.
    """
    language = language_of(identifier)
    if language is None:
        return 0
    key = (identifier, sha256(text.encode("utf-8", "surrogatepass")).digest())
    counted = _counted.get(key)
    if counted is None:
        plain = "\n".join(plain_lines(text))
        nodes = tree(plain, language.grammar).find_all(_errors())
        counted = sum(_is_error(kind, span, language, len(plain)) for kind, span in _spans(nodes))
        if len(_counted) >= _MOST_COUNTED:
            _counted.clear()
        _counted[key] = counted
    return counted


_MOST_COUNTED = 4096
_counted: dict[tuple[str, bytes], int] = {}
"""Parse errors by language and digest of the text, so that no text is kept."""


def inside(spans: list[Span], offset: int) -> bool:
    """Whether `offset` lies in one of `spans`, which are in order and do not overlap."""
    index = bisect_right(spans, (offset, 1 << 62)) - 1
    return index >= 0 and spans[index][0] <= offset < spans[index][1]


def within(spans: list[Span], start: int, end: int) -> list[Span]:
    """Those of `spans`, which are in order and do not overlap, that touch the text from `start` to `end`, cut to it."""
    first = bisect_right(spans, (start, 1 << 62)) - 1
    if first < 0 or spans[first][1] <= start:
        first += 1
    return [(max(s, start), min(e, end)) for s, e in spans[first : bisect_left(spans, (end, 0))]]


def outermost(spans: list[Span]) -> list[Span]:
    """Those of `spans` that lie in no other, in order."""
    kept: list[Span] = []
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reached and end > start:
            kept.append((start, end))
            reached = end
    return kept


def span_of(node: SgNode) -> Span:
    """Where a node begins and ends."""
    place = node.range()
    return place.start.index, place.end.index


def text_of(node: SgNode, plain: str) -> str:
    """What a node covers of the text that was parsed. `node.text()` would tell what the grammar was given."""
    return plain[slice(*span_of(node))]


def tree(plain: str, grammar: str) -> SgNode:
    """The tree of `plain`, whose line ends are newlines. Its nodes' own text is what the grammar was given."""
    from ast_grep_py import SgRoot  # noqa: PLC0415  # 30 ms that a start of the server must not pay

    return SgRoot(for_grammar(plain), grammar).root()


def for_grammar(plain: str) -> str:
    """The text in ASCII, with a sign of the same kind for each other one, so that all offsets hold.

    Scanners of some grammars (bash's is one) ask C's `isalnum` about any character, which crashes the process for some
    beyond ASCII; and a lone surrogate cannot be encoded at all. No keyword holds the letter that stands in.
    """
    return plain if plain.isascii() else plain.translate(_STAND_INS)


class _StandIns(dict[int, str]):
    """Code point to its stand-in, worked out on first sight."""

    def __missing__(self, code: int) -> str:
        made = self[code] = _stand_in(chr(code))
        return made


_STAND_INS = _StandIns()


def _stand_in(sign: str) -> str:
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category == "Sm":
        return "+"
    if category[0] in "LNMS":
        return "Z"
    return " " if category[0] == "Z" or sign == "\ufeff" else "\x7f"


def _spans(nodes: list[SgNode]) -> list[tuple[str, Span]]:
    return [(node.kind(), span_of(node)) for node in nodes]


def _is_error(kind: str, span: Span, language: Language, length: int) -> bool:
    """An empty node is a token that the parser assumed, but for a body still to be written and an empty string's."""
    if kind == "ERROR":
        return True
    return span[0] == span[1] and length > 0 and kind not in language.blocks and not kind.endswith(("content", "_body"))


def _is_else_if(plain: str, start: int) -> bool:
    return plain.startswith("if", start) and plain[max(0, start - 40) : start].rstrip().endswith("else")


def _trimmed(span: Span, plain: str) -> Span:
    """Without the line break that some grammars count as part of a comment."""
    start, end = span
    while end > start and plain[end - 1] == "\n":
        end -= 1
    return start, end


@cache
def _everything(language: Language) -> Config:
    kinds = language.comments | language.strings | language.branches | language.nests
    wanted: list[Rule] = [{"kind": kind} for kind in sorted(kinds)]
    return {"rule": {"any": [*wanted, *_ERRORS]}}


def _errors() -> Config:
    return {"rule": {"any": _ERRORS}}


_ERRORS: list[Rule] = [{"kind": "ERROR"}, {"regex": "^$"}]
