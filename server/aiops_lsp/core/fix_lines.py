"""A proposed replacement in a region's sent lines: where its old lines stand, and its new ones as the region has them.

Models copy lines with their numbers, leave out the indentation that all of them share, or write blanks for tabs.
Where the old lines tell which of these it was, the same is undone in the new ones; where they do not, nothing is.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from aiops_lsp.core.quotes import without_number
from aiops_lsp.core.text import line_content, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops_lsp.core.regions import Region

BLANKS = " \t"
"""What surrounds code without being a part of it."""

_PLACEHOLDER = re.compile(r"REDACTED_[A-Z0-9_]+_\d+")


@dataclass(frozen=True, slots=True)
class Replacement:
    """Lines of a region, from `start` up to and not including `end`, from 0, and what is to take their place."""

    start: int
    end: int
    new_lines: tuple[str, ...]


def locate(
    lines: Sequence[str], old: Sequence[str], new: Sequence[str], *, stated: int, anchored: int
) -> list[Replacement]:
    """The places in a region's `lines` that hold the `old` lines and that the fix can mean.

    `stated` is where the model says that they begin, `anchored` is the line that the finding is about. A place that
    takes in the anchored line goes before all others; among several such places the stated one counts. Away from it,
    the old lines must stand only once in the region. More than one is returned when that leaves a doubt.
    """
    for old_form, new_form in _forms(old, new):
        found = _places(lines, old_form, new_form)
        around = [place for place in found if place.start <= anchored < place.end]
        exactly = [place for place in around if place.start == stated]
        if found:
            return exactly or around or found
    return []


def with_comments(place: Replacement, shown: Sequence[str], lines: Sequence[str]) -> Replacement:
    """A place found in the lines as they were `shown`, without some comments, as one in the region's own `lines`.

    Of the new lines, those that were there before are the region's own, comments and all.
    """
    new = list(place.new_lines)
    matcher = SequenceMatcher(None, shown[place.start : place.end], new, autojunk=False)
    for block in matcher.get_matching_blocks():
        first = place.start + block.a
        new[block.b : block.b + block.size] = lines[first : first + block.size]
    return Replacement(place.start, place.end, tuple(new))


def indentation(line: str) -> str:
    """The blanks that `line` begins with."""
    return line[: len(line) - len(line.lstrip(BLANKS))]


def restored(lines: Sequence[str], region: Region, replaced: range) -> list[str] | None:
    """`lines`, which are to take the place of the `replaced` lines, with the secrets that their placeholders stand for.

    None when they do not hold exactly the placeholders of the replaced lines, when they hold what only looks like
    one, or when a replaced line holds the rest of a secret that begins above it.
    """
    originals: dict[str, set[str]] = {}
    for swap in region.substitutions:
        originals.setdefault(swap.placeholder, set()).add(swap.original)
    there = Counter(swap.placeholder for swap in region.substitutions if swap.line in replaced)
    if any(len(originals[placeholder]) > 1 for placeholder in there):
        return None
    originals.pop("", None)
    names = sorted(originals, key=len, reverse=True)
    pattern = re.compile("|".join(f"{re.escape(name)}(?!\\d)" for name in names)) if names else None
    text = "\n".join(lines)
    if Counter(pattern.findall(text) if pattern else ()) != there:
        return None
    known = {*originals, *_PLACEHOLDER.findall(region.code)}
    if not known.issuperset(_PLACEHOLDER.findall(text)):
        return None
    if pattern is None:
        return list(lines)
    return [pattern.sub(lambda match: next(iter(originals[match[0]])), line) for line in lines]


def flattened(lines: Iterable[str]) -> list[str]:
    """Lines without any line break in them: an entry that holds several lines counts as several."""
    return [line_content(part) for line in lines for part in split_lines(line.removesuffix("\n"))]


def _forms(old: Sequence[str], new: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """The lines as they are, and without the numbers that were copied along."""
    forms = [(list(old), list(new))]
    bare_old, bare_new = _without_numbers(old), _without_numbers(new)
    if bare_old is not None:
        forms.append((bare_old, list(new) if bare_new is None else bare_new))
    return forms


def _without_numbers(lines: Sequence[str]) -> list[str] | None:
    bare = [without_number(line) if line.strip() else line for line in lines]
    kept = [line for line in bare if line is not None]
    return kept if len(kept) == len(lines) else None


def _places(lines: Sequence[str], old: Sequence[str], new: Sequence[str]) -> list[Replacement]:
    found = []
    for start in range(len(lines) - len(old) + 1):
        there = lines[start : start + len(old)]
        if not all(sent.strip(BLANKS) == line.strip(BLANKS) for sent, line in zip(there, old, strict=True)):
            continue
        indent = _indent_of(there, old)
        written = [indent(line) for line in new] if indent is not None else [None]
        kept = [line for line in written if line is not None]
        if len(kept) == len(written):
            found.append(Replacement(start, start + len(old), tuple(_with_blanks_kept(there, old, kept))))
    return found


def _with_blanks_kept(there: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Sequence[str]:
    """`new` with the blanks that end lines of the region where the `old` lines are told without them.

    Only where the lines correspond one to one: a fix does not change what it says nothing about.
    """
    if len(new) != len(old):
        return new
    return [
        line + _ending(sent) if line and not _ending(told) and not _ending(line) else line
        for sent, told, line in zip(there, old, new, strict=True)
    ]


def _ending(line: str) -> str:
    """The blanks that `line` ends with."""
    return line[len(line.rstrip(BLANKS)) :]


def _indent_of(there: Sequence[str], old: Sequence[str]) -> Callable[[str], str | None] | None:
    """What makes a line as the model wrote it one as the region has it; the line is None where that cannot be known.

    None when the indentation of the old lines has no explanation.
    """
    pairs = [
        (indentation(sent), indentation(line)) for sent, line in zip(there, old, strict=True) if sent.strip(BLANKS)
    ]
    if all(real == written for real, written in pairs):
        return lambda line: line if line.strip(BLANKS) else ""
    return _shared_indentation(pairs) or _blanks_for_tabs(pairs)


def _shared_indentation(pairs: Sequence[tuple[str, str]]) -> Callable[[str], str | None] | None:
    """All lines lost the same indentation."""
    lost = pairs[0][0][: len(pairs[0][0]) - len(pairs[0][1])]
    if not all(real == lost + written for real, written in pairs):
        return None
    return lambda line: lost + line if line.strip(BLANKS) else ""


def _blanks_for_tabs(pairs: Sequence[tuple[str, str]]) -> Callable[[str], str | None] | None:
    """Each tab became the same number of blanks."""
    tabs = sum(len(real) for real, _ in pairs)
    blanks = sum(len(written) for _, written in pairs)
    width = blanks // tabs if tabs else 0
    if not width or not all(set(real) <= {"\t"} and written == " " * (width * len(real)) for real, written in pairs):
        return None

    def with_tabs(line: str) -> str | None:
        own = indentation(line)
        if not line.strip(BLANKS) or "\t" in own:
            return line if line.strip(BLANKS) else ""
        return None if len(own) % width else "\t" * (len(own) // width) + line[len(own) :]

    return with_tabs
