"""The lines of a region as they are sent: dedented, with secrets replaced, and how to find the way back."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from aiops_lsp.core.regions import Substitution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Secret = tuple[int, int, str]
"""Where a secret begins and ends, in code points, and its kind."""

_BLANK = " \t\f\v"
_TAKEN = re.compile(r"REDACTED_\w*?_(\d+)")


@dataclass(slots=True)
class Placeholders:
    """The placeholders of one region: `REDACTED_<KIND>_<n>`, the same secret always under the same one.

    `n` counts distinct secrets as they are met and leaves out every number that `seen_text` already uses in this
    form, so no text of the user's can be taken for a placeholder.
    """

    seen_text: str = ""
    by_secret: dict[str, str] = field(default_factory=dict)
    last: int = 0

    def placeholder(self, secret: str, kind: str) -> str:
        """The placeholder of `secret`, made on first sight. The indentation of its lines does not count."""
        secret = "\n".join(line.strip() for line in secret.split("\n"))
        known = self.by_secret.get(secret)
        if known is not None:
            return known
        taken = {int(number) for number in _TAKEN.findall(self.seen_text)}
        self.last += 1
        while self.last in taken:
            self.last += 1
        made = f"REDACTED_{re.sub(r'[^A-Z0-9]+', '_', kind.upper()).strip('_') or 'SECRET'}_{self.last}"
        self.by_secret[secret] = made
        return made


@dataclass(frozen=True, slots=True)
class Dedented:
    """Lines without their common indentation, and how many code points were taken from each."""

    lines: tuple[str, ...]
    dedents: tuple[int, ...]


class Moves:
    """From offsets in a part's text to offsets in its dedented text."""

    def __init__(self, dedented: Dedented, starts: list[int]) -> None:
        self.dedents = dedented.dedents
        self.starts = starts
        self.dedented_starts = []
        offset = 0
        for line in dedented.lines:
            self.dedented_starts.append(offset)
            offset += len(line) + 1

    def moved(self, start: int, end: int) -> tuple[int, int]:
        """Where a span is in the dedented text; taken indentation counts as the line's start."""
        return self._offset(start), self._offset(end)

    def _offset(self, offset: int) -> int:
        line = bisect_right(self.starts, offset) - 1
        return self.dedented_starts[line] + max(0, offset - self.starts[line] - self.dedents[line])


def dedent(lines: Sequence[str], in_strings: Iterable[range], in_comments: Iterable[int]) -> Dedented:
    """Take the indentation that the lines of code share from all lines.

    `in_strings` are, for each string of several lines, its lines after the first: they lose the indentation only when
    all of them have it, since there it is content. Lines that begin in a comment, `in_comments`, lose what they have
    of it. A blank line becomes empty.
    """
    strings = list(in_strings)
    of_strings = {line for string in strings for line in string}
    comments = set(in_comments)
    indent: str | None = None
    for number, line in enumerate(lines):
        if number in of_strings or number in comments:
            continue
        body = line.lstrip(_BLANK)
        if body:
            own = line[: len(line) - len(body)]
            indent = own if indent is None else _common(indent, own)
            if not indent:
                break
    indent = indent or ""
    taken = [_taken(line, indent) for line in lines]
    for string in strings:
        whole = all(lines[number].startswith(indent) or indent.startswith(lines[number]) for number in string)
        for number in string:
            taken[number] = min(len(indent), len(lines[number])) if whole else 0
    return Dedented(tuple(line[cut:] for line, cut in zip(lines, taken, strict=True)), _shared(tuple(taken)))


@lru_cache(maxsize=2048)
def _shared(dedents: tuple[int, ...]) -> tuple[int, ...]:
    """One object for all that are equal: of many functions nothing is taken, and every open document keeps them."""
    return dedents


@dataclass(frozen=True, slots=True)
class Redacted:
    """Lines with placeholders. `swaps` are the secrets' places in the dedented text, with what took their place."""

    lines: tuple[str, ...]
    substitutions: tuple[Substitution, ...] = ()
    swaps: tuple[tuple[int, int, str], ...] = ()

    def moved(self, span: tuple[int, int]) -> tuple[int, int]:
        """Where a span of the dedented text is now; one that begins or ends within a secret takes it in."""
        return self._offset(span[0], is_end=False), self._offset(span[1], is_end=True)

    def _offset(self, offset: int, *, is_end: bool) -> int:
        shift = 0
        for left, right, stand_in in self.swaps:
            if offset <= left:
                break
            if offset < right:
                return left + shift + (len(stand_in) if is_end else 0)
            shift += len(stand_in) - (right - left)
        return offset + shift


def redact(
    dedented: Dedented, secrets: Iterable[tuple[int, int, int, int, str]], placeholders: Placeholders
) -> Redacted:
    """Replace secrets, given as (line, column, last line, column, kind) in the lines before they were dedented.

    The first line of a secret gets the placeholder, its other lines lose their part of it.
    """
    lines = list(dedented.lines)
    substitutions: list[Substitution] = []
    swaps: list[tuple[int, int, str]] = []
    starts = list(accumulate((len(line) + 1 for line in dedented.lines), initial=0))
    shifts = [0] * len(lines)
    for first, start, last, end, kind in secrets:
        spans = []
        for line in range(first, last + 1):
            cut = dedented.dedents[line]
            length = len(dedented.lines[line]) + cut
            left = max(start if line == first else 0, cut) - cut
            spans.append((line, left, max(left, (end if line == last else length) - cut)))
        secret = "\n".join(dedented.lines[line][left:right] for line, left, right in spans)
        for line, left, right in spans:
            original = dedented.lines[line][left:right]
            stand_in = placeholders.placeholder(secret, kind) if line == first else ""
            if not original and not stand_in:
                continue
            at = left + shifts[line]
            lines[line] = lines[line][:at] + stand_in + lines[line][at + len(original) :]
            shifts[line] += len(stand_in) - len(original)
            substitutions.append(Substitution(line, at, at + len(stand_in), stand_in, original))
            swaps.append((starts[line] + left, starts[line] + right, stand_in))
    return Redacted(tuple(lines), tuple(substitutions), tuple(swaps))


def _common(left: str, right: str) -> str:
    if right.startswith(left):
        return left
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return left[:length]


def _taken(line: str, indent: str) -> int:
    if not line.strip(_BLANK):
        return len(line)
    return len(indent) if line.startswith(indent) else len(_common(line, indent))
