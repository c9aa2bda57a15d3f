"""Quotes of code as models write them, and what of their slips can be taken back without guessing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiops_lsp.core.text import line_content, split_lines

_NUMBER = re.compile(r"\s{0,8}(?:[Ll](?:ine )?)?(\d{1,6})(?: ?[|│:→)] ?|\t)")
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+#.-]*\s*")
_ELLIPSIS = re.compile(r"\s*(?:\.{3}|…)$")
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(r"\w")
_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u200b\u2060\ufeff", None),
        "\u2026": "...",
    }
)


@dataclass(frozen=True, slots=True)
class Quote:
    """One reading of what a model quoted.

    `lines` are without surrounding blanks, the first and the last not empty; `raw` is the first with its indentation.
    `number` is the line number that was copied along, counted from 1, None where there was none.
    """

    lines: tuple[str, ...]
    raw: str
    number: int | None = None

    @property
    def says_something(self) -> bool:
        """Whether a letter, a digit or an underscore is in it: brackets alone are found everywhere."""
        return any(_WORD.search(line) for line in self.lines)

    @property
    def folded(self) -> str:
        """All lines as one, with nothing in it that a model's typing may have changed."""
        return fold(" ".join(self.lines))


def readings(text: str) -> list[Quote]:
    """The ways to read a quote, the verbatim one first, then those without marks that a model added.

    Marks are fences, backticks around it, and line numbers as in `12| code`. Empty for a blank quote.
    """
    found: list[Quote] = []
    for lines in _unmarked([line_content(line) for line in split_lines(text)]):
        for reading in (_quote(lines, None), _without_numbers(lines)):
            if reading is not None and reading not in found:
                found.append(reading)
    return found


def fold(text: str) -> str:
    """`text` with runs of blanks as one, none around it, and typographic quotes and dashes as ASCII has them."""
    return _BLANKS.sub(" ", text.translate(_TYPOGRAPHIC)).strip()


def without_number(line: str) -> str | None:
    """`line` without the line number that was copied along with it, indentation kept; None where there is none."""
    match = _NUMBER.match(line)
    return line[match.end() :] if match else None


def without_ellipsis(text: str) -> tuple[str, bool]:
    """`text` without the dots that stand for what was left out at its end, and whether there were any."""
    cut = _ELLIPSIS.sub("", text)
    return cut, cut != text


def occurrences(needle: str, text: str, *, open_end: bool = False) -> list[int]:
    """Where `needle` stands in `text` without cutting a word in two; with `open_end` it may do so at its end."""
    found, at = [], text.find(needle)
    while needle and at >= 0:
        end = at + len(needle)
        if not _within_word(text, at) and (open_end or not _within_word(text, end)):
            found.append(at)
        at = text.find(needle, at + 1)
    return found


def _within_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and bool(_WORD.match(text[at - 1])) and bool(_WORD.match(text[at]))


def _unmarked(lines: list[str]) -> list[list[str]]:
    found = [lines]
    bare = _trimmed(lines)
    if len(bare) > 1 and _FENCE.fullmatch(bare[0]):
        found.append([line for line in bare[1:] if not _FENCE.fullmatch(line)])
    elif len(bare) == 1 and bare[0].strip()[0] == "`" == bare[0].strip()[-1]:
        found.append([bare[0].strip().strip("`")])
    return found


def _without_numbers(lines: list[str]) -> Quote | None:
    bare = _trimmed(lines)
    matches = [_NUMBER.match(line) for line in bare]
    if not bare or matches[0] is None:
        return None
    stripped = [line[match.end() :] if match else line for line, match in zip(bare, matches, strict=True)]
    return _quote(stripped, int(matches[0][1]))


def _quote(lines: list[str], number: int | None) -> Quote | None:
    bare = _trimmed(lines)
    if not bare:
        return None
    return Quote(tuple(line.strip() for line in bare), bare[0].rstrip(), number)


def _trimmed(lines: list[str]) -> list[str]:
    """`lines` without blank ones at either end."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []
