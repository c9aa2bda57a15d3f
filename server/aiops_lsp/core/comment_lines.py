"""The comments of a piece of code, line by line: where their words are, without the marks around them.

Where there is a grammar, it tells what a comment is. Elsewhere the language's marks do, outside quotes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from aiops_lsp.core.comments import comment_syntax
from aiops_lsp.core.languages import language_of
from aiops_lsp.core.syntax import outermost, span_of, tree

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from ast_grep_py import Rule, SgNode

    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.syntax import Span

_CLOSERS = {"/*": "*/", "<!--": "-->", "<#": "#>", "--[[": "]]", "{-": "-}", "(*": "*)"}
_ANY_LANGUAGE = ("#", "//", "/*", "<!--", "--")
# Both bounded, so that a line of open quotes takes no time to speak of.
_LONGEST_LINE = 5_000
_QUOTED = r"""(?P<string>"(?:\\.|[^"\\]){0,500}"|'(?:\\.|[^'\\]){0,500}'|`(?:\\.|[^`\\]){0,500}`)"""
_TRIPLE = re.compile(r"\s*[rRuUbBfF]{0,2}(\"\"\"|''')")

_BEFORE = re.compile(r"#+!?|//+!?|/\*+!?|<!--|<#|--\[\[|--|\{-|\(\*|;+|%+|=begin\b|[rRuUbBfF]{0,2}(?:\"\"\"|'''|\"|')")
_AFTER = ("*/", "-->", "#>", "]]", "-}", "*)", '"""', "'''", '"', "'")
_LONGEST_RUN = 40


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment, or the part of one that stands on `line` (from 0). `start` to `end` are its words, without marks.

    With its marks it goes from `outer_start` to `outer_end`, which are None where it begins or ends on another line
    and for a docstring, which cannot be left out.
    """

    line: int
    start: int
    end: int
    outer_start: int | None = None
    outer_end: int | None = None


def comment_runs(lines: Sequence[str], language: str, root: SgNode | None = None) -> Iterator[list[CommentLine]]:
    """The comments of `lines` in the LSP language `language`, those on lines that follow each other together.

    Docstrings count as comments, other strings do not. With an empty `language` the marks of the common ones count.
    `root` is the tree of the lines joined by newlines, for whoever has it.
    """
    run: list[CommentLine] = []
    known = language_of(language)
    for comment in _by_grammar(lines, known, root) if known else _by_marks(lines, _opener_of(language)):
        if run and (comment.line > run[-1].line + 1 or len(run) >= _LONGEST_RUN):
            yield run
            run = []
        run.append(comment)
    if run:
        yield run


def _by_grammar(lines: Sequence[str], language: Language, root: SgNode | None) -> Iterator[CommentLine]:
    texts = [line.replace("\r", " ") for line in lines]
    starts = [0, *accumulate(len(line) + 1 for line in texts)]
    plain = "\n".join(texts)
    root = root or tree(plain, language.grammar)
    kinds: list[Rule] = [{"kind": kind} for kind in sorted(language.comments)]
    comments = [span_of(node) for node in root.find_all(any=kinds)]
    docstrings: set[Span] = set()
    if language.grammar == "python":
        docstrings = {span_of(node) for node in root.find_all(kind="string", inside={"kind": "expression_statement"})}
    for span in outermost([*comments, *docstrings]):
        start, end = span[0], span[0] + len(plain[slice(*span)].rstrip("\n"))
        first, last = _words(plain, start, end)
        top = bisect_right(starts, start) - 1
        at = starts[top]
        if end <= at + len(texts[top]) and span not in docstrings:
            yield CommentLine(top, first - at, max(first, last) - at, start - at, end - at)
            continue
        for line in range(top, bisect_right(starts, max(start, end - 1))):
            at, length = starts[line], len(texts[line])
            yield CommentLine(line, min(max(first - at, 0), length), max(0, min(last - at, length)))


def _words(plain: str, start: int, end: int) -> tuple[int, int]:
    """What is left of a comment without its marks."""
    opening = _BEFORE.match(plain, start, end)
    first = opening.end() if opening else start
    mark = next((mark for mark in _AFTER if plain.endswith(mark, first, end)), "")
    last = end - len(mark)
    if mark == "*/":
        last = first + len(plain[first:last].rstrip("*"))
    return first, last


def _by_marks(lines: Sequence[str], opener: re.Pattern[str]) -> Iterator[CommentLine]:
    until = ""
    for number, line in enumerate(one[:_LONGEST_LINE] for one in lines):
        at = 0
        if not until and (opening := _TRIPLE.match(line)):
            until, at = opening[1], opening.end()
        if until:
            closed = line.find(until, at)
            yield CommentLine(number, at, closed if closed >= 0 else len(line))
            if closed < 0:
                continue
            at, until = closed + len(until), ""
        until = yield from _rest_of(number, line, at, opener)


def _rest_of(number: int, line: str, at: int, opener: re.Pattern[str]) -> Generator[CommentLine, None, str]:
    """The comments of a line from column `at`. Returns what will close one that stays open, or nothing."""
    while (match := _next_opening(line, at, opener)) is not None:
        closer = _CLOSERS.get(match["opener"], "")
        end = line.find(closer, match.end()) if closer else len(line)
        if end < 0:
            yield CommentLine(number, match.end(), len(line))
            return closer
        at = end + len(closer)
        yield CommentLine(number, match.end(), end, match.start(), at)
    return ""


def _next_opening(line: str, at: int, opener: re.Pattern[str]) -> re.Match[str] | None:
    return next((match for match in opener.finditer(line, at) if match["opener"]), None)


@cache
def _opener_of(language: str) -> re.Pattern[str]:
    """What finds the beginnings of comments, and passes over what is quoted."""
    syntax = comment_syntax(language)
    openings = sorted(syntax.openings if syntax else _ANY_LANGUAGE, key=len, reverse=True)
    marks = [rf"(?:^|(?<=\s)){re.escape(mark)}" + r"(?=\s)" * (mark == "--") for mark in openings if _is_wordlike(mark)]
    marks += [re.escape(mark) for mark in openings if not _is_wordlike(mark)]
    return re.compile(rf"{_QUOTED}|(?P<opener>{'|'.join(marks)})")


def _is_wordlike(mark: str) -> bool:
    """Whether the mark is also an operator or part of a word, and opens a comment only after a blank."""
    return mark in {"--", ";", "%"}
