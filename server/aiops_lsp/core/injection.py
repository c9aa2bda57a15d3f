"""Comments that talk to the reviewer instead of about the code, and how they are kept from the model.

Only comments are touched: strings, names and code reach the model as they stand, because a finding must be able to
quote them. The number of lines never changes. What is taken out here is still in the document, where the rules see
it and, by the same patterns, report it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from aiops_lsp.core.comment_lines import comment_runs
from aiops_lsp.core.injection_patterns import ANY, REPORTED, SILENCING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ast_grep_py import SgNode

    from aiops_lsp.core.comment_lines import CommentLine
    from aiops_lsp.core.injection_patterns import Row

REMOVED = "(comment removed)"

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f]"
)
# Cyrillic and Greek letters that look like Latin ones, and marks that sit on letters.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0261\u03bf\u03b1\u03b5\u03b9\u03bd\u03c1\u0131",
    "aeopcyxijshdlwgoaeivpi",
)
_LEADING = re.compile(r"[\s#/*;!-]*")


def neutralise(lines: Sequence[str], language: str = "") -> tuple[str, ...]:
    """`lines` without the comments that address a reviewer or a model, or vouch for the code. Same number of lines.

    `language` is LSP's identifier; without one, what opens a comment in any common language does. A comment after
    code is cut off, so that the code still stands verbatim; of any other only a note remains that there was one.
    """
    return _neutralised(tuple(lines), language)


@lru_cache(maxsize=1024)
def _neutralised(lines: tuple[str, ...], language: str) -> tuple[str, ...]:
    """See `neutralise`. The same region is asked about for its request and for each of its findings."""
    changed = list(lines)
    hits = {comment for touched in _hits(lines, language, ANY) for comment in touched}
    for comment in sorted(hits, key=lambda hit: (hit.line, hit.start), reverse=True):
        line = changed[comment.line]
        if comment.outer_start is not None and line[: comment.outer_start].strip():
            changed[comment.line] = line[: comment.outer_start].rstrip() + line[comment.outer_end :]
            continue
        content = line[comment.start : comment.end]
        lead = _LEADING.match(content)
        kept = lead[0] if lead else ""
        blank = " " if content.endswith(" ") else ""
        changed[comment.line] = line[: comment.start] + kept + REMOVED + blank + line[comment.end :]
    return tuple(changed)


def addressing_comments(lines: Sequence[str], language: str = "", root: SgNode | None = None) -> list[CommentLine]:
    """The comments that talk to a reviewer or model, in order; of one that runs over several lines the first.

    `root` is the tree of the lines joined by newlines, for whoever has it.
    """
    firsts = {touched[0] for touched in _hits(lines, language, REPORTED, root)}
    return sorted(firsts, key=lambda comment: (comment.line, comment.start))


def asks_for_silence(instruction: str) -> bool:
    """Whether a project's instruction would have something left out of a review instead of looked for in addition."""
    return any(SILENCING.pattern.search(reading) for reading in _readings(instruction))


def _hits(
    lines: Sequence[str], language: str, rows: tuple[Row, ...], root: SgNode | None = None
) -> Iterator[list[CommentLine]]:
    """The comments that each match of a pattern touches: a sentence may run over several of them."""
    possible = list(_possible(rows, {*_readings("\n".join(lines))}))
    if not possible:
        return
    for run in comment_runs(lines, language, root):
        texts = [lines[comment.line][comment.start : comment.end] for comment in run]
        for readable in {*zip(*map(_readings, texts), strict=True)}:
            joined = " ".join(readable)
            for row in possible:
                if row.may_match(joined):
                    yield from _hits_of(row, run, readable)


def _possible(rows: tuple[Row, ...], readings: Collection[str]) -> Iterator[Row]:
    """The rows that may match in parts of a text, with the words that stand in it.

    Where a word has a blank, the marks of comments may stand between its parts.
    """
    words, parts = _words_of(rows)
    found = {part for reading in readings for part in parts if part in reading}
    standing = {word for word, needed in words.items() if needed <= found}
    plain = all(reading.isascii() for reading in readings)
    for row in rows:
        if not plain or not any(standing.isdisjoint(group) for group in row.hints):
            yield row._replace(hints=tuple(tuple(filter(standing.__contains__, group)) for group in row.hints))


@cache
def _words_of(rows: tuple[Row, ...]) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """The words that the rows look for, each with the parts that it has between blanks; and all those parts."""
    words = {word: frozenset(word.split()) for row in rows for group in row.hints for word in group}
    return words, frozenset().union(*words.values())


def _hits_of(row: Row, run: Sequence[CommentLine], texts: Sequence[str]) -> Iterator[list[CommentLine]]:
    """The comments of a run that each match of one pattern touches."""
    for comment, text in zip(run, texts, strict=True):
        if row.may_match(text) and row.pattern.search(text):
            yield [comment]
    yield from _hits_across(run, texts, row.pattern)


def _hits_across(
    run: Sequence[CommentLine], texts: Sequence[str], pattern: re.Pattern[str]
) -> Iterator[list[CommentLine]]:
    """The comments of a run that matches touch of which more than one comment has a part."""
    joined = " ".join(texts)
    if len(texts) == 1:
        return
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    for match in pattern.finditer(joined):
        touched = [
            comment
            for comment, start, text in zip(run, starts, texts, strict=False)
            if text and start < match.end() and match.start() < start + len(text)
        ]
        if len(touched) > 1:
            yield touched


def _readings(text: str) -> tuple[str, str]:
    """What a reader makes of a comment: no markers, no invisible characters, compatibility forms folded, lower case.

    Twice, the second time with letters and marks that only look like Latin letters read as these.
    """
    if text.isascii():
        plain = " ".join(_LEADING.sub("", text, count=1).lower().split())
        return plain, plain
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    plain = " ".join(_LEADING.sub("", folded, count=1).split())
    bare = "".join(char for char in unicodedata.normalize("NFD", plain) if not unicodedata.combining(char))
    return plain, bare.translate(_LOOKALIKES)
