"""Splitting again only what an edit touched: most edits are made within a function, and leave all others as they are.

The touched functions are parsed alone. Where that cannot tell what splitting the whole document would (a parse error, a
secret, something that is no function, a changed signature that others use), there is no splice, and the whole document
is split. A test holds each splice against that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from aiops_lsp.core.alone import Alone, Site, indentation_of
from aiops_lsp.core.languages import language_of
from aiops_lsp.core.partition import LONGEST_RUN
from aiops_lsp.core.text import common_lines, line_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops_lsp.core.frames import Frame
    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

MOST_REGIONS = 8
"""Regions that an edit may touch; with more of them, splitting the whole document is not much slower."""

_NEARBY = 40
"""Lines around the touched ones that are searched for secrets: a secret may begin before them, or end after."""

_JOINS_LINES = tuple("([`.,+-*/%?:=<>&|^~\\")
"""What at a line's start may make it go on with the statement above, where no semicolon ended that."""

_LONG_COMMENT = "--["
"""Lua's: it begins as a comment of one line does, and may have code after its end."""

_GOES_ON = re.compile(r"[^\w@]|(?:elif|else|except|catch|finally|case|default|while)\b")
"""What begins a line that is not the first of a statement, or may not be."""


@dataclass(frozen=True, slots=True)
class Splice:
    """The regions from `first` up to and not including `last` of the split before become `regions`.

    Those after them have moved by `moved` lines.
    """

    first: int
    last: int
    regions: tuple[Region, ...]
    frames: tuple[Frame, ...]
    moved: int


def splice(
    regions: Sequence[Region],
    frames: Sequence[Frame],
    before: Snapshot,
    now: Snapshot,
    fits: Callable[[Region], bool] | None,
    has_secrets: Callable[[str], bool],
) -> Splice | None:
    """What becomes of `regions`, a split of `before` without parse errors, and of their frames; None if that needs
    all of the text `now`.

    `has_secrets` says whether a piece of text holds any; none is in `before`. `fits` is what the split was made with.
    """
    language = language_of(now.language)
    if not frames or language is None or before.language != now.language:
        return None
    edit = _Edit(regions, frames, before.lines, now.lines, *common_lines(before.lines, now.lines))
    site, above = edit.between(language, fits), None
    if site is not None:
        above = edit.above(site)
    elif (site := edit.within(language)) is None:
        return None
    nearby = "".join(now.lines[max(0, site.start - _NEARBY) : site.end + _NEARBY])
    if "-----" in nearby or has_secrets(nearby):
        return None
    made = Alone(site, frames, now, language, fits).regions()
    if made is None:
        return None
    further = len(now.lines) - len(before.lines)
    if above is None:
        return Splice(site.first, site.last, *made, further)
    first = site.first - 1
    return Splice(first, site.last, (above, *made[0]), (frames[first], *made[1]), further)


@dataclass(frozen=True, slots=True)
class _Edit:
    """The lines `old`, whose split is `regions` and `frames`, and what they became: all but `head` and `tail` of them.

    A place in the split is told by the number of the region that begins there.
    """

    regions: Sequence[Region]
    frames: Sequence[Frame]
    old: Sequence[str]
    new: Sequence[str]
    head: int
    tail: int

    def within(self, language: Language) -> Site | None:
        """The site of an edit that touched functions of one class or none, and nothing else."""
        regions, start, end = self.regions, self.head, len(self.old) - self.tail
        reached = start + 1 if end > start else max(start, 1)
        first = next((index for index, region in enumerate(regions) if region.end_line >= reached), len(regions))
        last = self.touched_from(first + 1)
        if first >= len(regions) or not self.functions(first, last):
            return None
        around = self.frames[first].around
        if any(frame.around is not around for frame in self.frames[first:last]):
            return None
        start, end = regions[first].start_line, self.now(regions[last - 1].end_line)
        if not _stands_alone(self.new, start, end, language):
            return None
        return Site(first, last, start, end, around, indentation_of(self.old[start]))

    def between(self, language: Language, fits: Callable[[Region], bool] | None) -> Site | None:
        """The site of an edit that put whole functions in between two regions, or took such out, and nothing else.

        Of the region above only the empty lines at its end may have changed. What begins below is a function, a class,
        or the end of the text: those never become one with what is above.
        """
        first = next((at for at, one in enumerate(self.regions) if one.end_line > self.head), len(self.regions))
        if first < len(self.regions) and self.solid_end(self.regions[first]) <= self.head:
            first += 1
        last = self.touched_from(first)
        below = self.regions[last].start_line if last < len(self.regions) else len(self.old)
        old_end = len(self.old) - self.tail
        untouched = first == len(self.regions) or self.regions[first].start_line >= self.head
        if not first or not untouched or any(map(line_content, self.old[old_end:below])):
            return None
        solid = self.solid_end(self.regions[first - 1])
        start, end = solid + self.empty_from(solid, self.now(below)), self.now(below)
        indentation = indentation_of(self.new[start]) if start < len(self.new) else ""
        if not self.functions(first, last) or not self.may_begin(last, indentation):
            return None
        around = self.frames[last].around if last < len(self.frames) and self.frames[last].function else None
        if any(frame.around is not around for frame in self.frames[first:last]):
            return None
        site = Site(first, last, start, end, around, indentation)
        alone = start == end or _stands_alone(self.new, start, end, language)
        return site if alone and self.keeps_above(site, language, fits) else None

    def now(self, line: int) -> int:
        """Where a line after the edit is now."""
        return line + len(self.new) - len(self.old)

    def touched_from(self, first: int) -> int:
        """The first region from `first` on that begins after the edit."""
        end = len(self.old) - self.tail
        return next(
            (at for at in range(first, len(self.regions)) if self.regions[at].start_line >= end), len(self.regions)
        )

    def functions(self, first: int, last: int) -> bool:
        """Whether the regions are functions, and not too many."""
        return last - first <= MOST_REGIONS and all(frame.function for frame in self.frames[first:last])

    def solid_end(self, region: Region) -> int:
        """The end of a region without the empty lines at its end."""
        return region.end_line - _empty(reversed(self.old[region.start_line : region.end_line]))

    def empty_from(self, start: int, end: int) -> int:
        """How many of the new lines from `start` on are empty."""
        return _empty(self.new[start:end])

    def may_begin(self, below: int, indentation: str) -> bool:
        """Whether the region `below` begins a function or class as deeply indented, so that another may stand before.

        Classes only at top level: of those in others the frame does not say in which.
        """
        if below == len(self.regions):
            return not indentation
        line, frame = self.old[self.regions[below].start_line], self.frames[below]
        if indentation_of(line) != indentation or _GOES_ON.match(line.strip()):
            return False
        return frame.function or (not indentation and any(fact.opens is not None for fact in frame.facts))

    def keeps_above(self, site: Site, language: Language, fits: Callable[[Region], bool] | None) -> bool:
        """Whether the region above the site is the same but for the empty lines at its end.

        A comment there might be taken to what follows, and what was cut might be cut elsewhere.
        """
        region, above = self.regions[site.first - 1], self.above(site)
        final = self.old[max(region.start_line, self.solid_end(region) - 1)].strip()
        if _is_comment(final, language) or final.endswith("\\") or region.loose == "\n".join(region.lines):
            return False
        group = [region]
        if not self.frames[site.first - 1].function:
            earlier = zip(
                reversed(self.regions[: site.first - 1]), reversed(self.frames[: site.first - 1]), strict=True
            )
            group += [one for one, _ in takewhile(lambda pair: not pair[1].function, earlier)]
            if max(above.end_line, region.end_line) - group[-1].start_line > LONGEST_RUN:
                return False
        if fits is None:
            return True
        longer = max(region, above, key=lambda one: one.end_line)
        lines = tuple(line for one in (*reversed(group[1:]), longer) for line in one.lines)
        return fits(longer._replace(lines=lines, context="\n".join(one.context for one in group)))

    def above(self, site: Site) -> Region:
        """The region above the site, with the empty lines at its end that it has now."""
        region = self.regions[site.first - 1]
        solid = self.solid_end(region)
        empty, kept = site.start - solid, solid - region.start_line
        if region.end_line == site.start:
            return region
        lines, dedents = (*region.lines[:kept], *[""] * empty), (*region.dedents[:kept], *[0] * empty)
        return region._replace(end_line=site.start, lines=lines, dedents=dedents)


def _empty(lines: Iterable[str]) -> int:
    """How many of the lines, from the first on, hold nothing, not even blanks."""
    return sum(1 for _ in takewhile(lambda line: not line_content(line), lines))


def _stands_alone(lines: Sequence[str], start: int, end: int, language: Language) -> bool:
    """Whether nothing at the edges of these lines could belong to what is beside them."""
    inner = [line for line in lines[start:end] if line.strip()]
    if not inner or not lines[start].strip():
        return False
    final = inner[-1].strip()
    joined = any(_first_code(below, language).startswith(_JOINS_LINES) for below in (inner, islice(lines, end, None)))
    return not _is_comment(final, language) and not joined and not final.endswith("\\")


def _first_code(lines: Iterable[str], language: Language) -> str:
    """The first line with more than a comment in it, from the code on; empty if there is none."""
    within = False
    for line in map(str.strip, lines):
        if within or line.startswith("/*"):
            end = line.find("*/", 0 if within else 2)
            within = end < 0
            if not within and (code := line[end + 2 :].lstrip()):
                return code
        elif line and (not line.startswith(language.line_comment) or line.startswith(_LONG_COMMENT)):
            return line
    return ""


def _is_comment(line: str, language: Language) -> bool:
    """Whether a line, without the blanks around it, is or ends in a comment that may belong to what follows."""
    return line.startswith((language.line_comment, "#", "//", "/*", "*")) or line.endswith("*/")
