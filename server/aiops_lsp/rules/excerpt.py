"""The parts of a long text in which rules may match, as a shorter text that parses like the whole.

Parsing is most of what rules cost. Nearly all functions hold no word that a rule looks for, and what stands in them
changes nothing about the others: they can be left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXCERPTED = frozenset({"python"})
"""The grammars whose texts are taken apart."""

_WORTH_IT = 0.6
"""Up to this part of a text an excerpt is worth making."""

_STARTS = re.compile(
    r"\n(?:(?P<indent> {2,4}|\t)(?=[@acd])|(?=[^\s#)\]}]))(?P<opening>@(?=\w)|class\b|async[ \t]+def\b|def\b|)"
)
"""Where a part may begin: at decorators and definitions that are not deep in the text, and at statements of the module.

It begins with a text and no condition, which is much quicker to search."""
_GOES_ON = ("else:", "else ", "elif ", "except ", "except:", "finally:", "finally ")

_QUOTES = ('"""', "'''")
_TOKEN = re.compile(r"#|\"\"\"|'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text made of parts of another one. `starts` are the parts' offsets, `shifts` what to add to get the other's."""

    text: str
    starts: tuple[int, ...]
    shifts: tuple[int, ...]

    def shift(self, start: int, end: int) -> int | None:
        """What to add to these offsets to get those in the whole text; None if text was left out between them."""
        part = bisect_right(self.starts, start) - 1
        return self.shifts[part] if part == bisect_right(self.starts, max(start, end - 1)) - 1 else None


@dataclass(slots=True)
class _Part:
    """A definition with its decorators, or a run of statements of the module, from `start` up to the next part.

    `indent` is None for statements, and `opening` then empty. `header` is the part of the class that it is a member of.
    """

    start: int
    indent: str | None
    opening: str
    header: int | None = None


def excerpt(text: str, places: Iterable[int]) -> Excerpt | None:
    """The parts of `text` that hold `places`, and the heads of the classes that these are in.

    None where it would not be much shorter. The grammar is one of `EXCERPTED`.
    """
    parts = list(_parts(text))
    starts = [part.start for part in parts]
    kept = {bisect_right(starts, place) - 1 for place in places}
    kept |= {header for index in kept if (header := parts[index].header) is not None}
    ends = [*starts[1:], len(text)]
    spans = [(starts[index], ends[index]) for index in sorted(kept)]
    pieces = [text[slice(*span)] for span in spans]
    if sum(map(len, pieces)) > _WORTH_IT * len(text):
        return None
    offsets = tuple(accumulate(map(len, pieces[:-1]), initial=0))
    shifts = tuple(start - offset for (start, _), offset in zip(spans, offsets, strict=False))
    return Excerpt("".join(pieces), offsets, shifts)


def _parts(text: str) -> Iterator[_Part]:
    """The parts of a text in Python, in order. Members of a class are parts of their own, what is deeper is not."""
    part = _Part(0, None, "")
    index, header, members = 0, None, None
    strings = _long_strings(text)
    string = next(strings, None)
    for found in _STARTS.finditer(text):
        start, indent, opening = found.start() + 1, found["indent"], found["opening"]
        while string is not None and string[1] <= start:
            string = next(strings, None)
        if string is not None and string[0] < start:
            continue
        if indent is not None and (header is None or not opening or (members or indent) != indent):
            continue
        if indent is None and not opening and (part.indent is None or text.startswith(_GOES_ON, start)):
            continue  # the statements go on
        if part.opening == "@" and opening and (indent or "") == part.indent:
            part.opening = opening  # what is decorated
        else:
            yield part
            index += 1
            part = _Part(start, (indent or "") if opening else None, opening, None if indent is None else header)
        if indent is None:
            header, members = index if part.opening == "class" else None, None
        else:
            members = indent
    yield part


def _long_strings(text: str) -> Iterator[tuple[int, int]]:
    """Where strings stand that may go over several lines."""
    end = 0
    ahead = {quote: text.find(quote) for quote in _QUOTES}
    while ahead := {quote: at for quote, at in ahead.items() if at >= 0}:
        start, quote = min((at, quote) for quote, at in ahead.items())
        line = max(end, text.rfind("\n", 0, start) + 1)
        if _is_code(text, line, start):
            end = text.find(quote, start + 3)
            while end > 0 and text[end - 1] == "\\":
                end = text.find(quote, end + 1)
            end = end + 3 if end >= 0 else len(text)
            yield start, end
        else:  # part of a comment or of another string
            end = start + 1
        ahead = {quote: at if at >= end else text.find(quote, end) for quote, at in ahead.items()}


def _is_code(text: str, line: int, place: int) -> bool:
    """Whether a place in the line that begins at `line` is in no comment and no string of that line."""
    if text[line:place].isspace() or line == place:
        return True
    token = _TOKEN.search(text, line)
    while token is not None and token[0] != "#" and token.end() <= place:
        token = _TOKEN.search(text, token.end())
    return token is not None and token.start() == place
