"""Splitting again only what an edit touched: most edits are made within a function, and leave all others as they are.

The touched functions are parsed alone. Where that cannot tell what splitting the whole document would (a parse error, a
secret, something that is no function, a changed signature that others use), there is no splice, and the whole document
is split. A test holds each splice against that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiops_lsp.core.building import RegionBuilder
from aiops_lsp.core.context import CONSTRUCTORS, MEMBER_RANK, ContextBlocks
from aiops_lsp.core.frames import Fact, Frame
from aiops_lsp.core.language_table import AROUND_MEMBERS, Newlines
from aiops_lsp.core.languages import language_of
from aiops_lsp.core.outline import Outline, Scope, outline
from aiops_lsp.core.syntax import parse
from aiops_lsp.core.text import line_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiops_lsp.core.context import Names
    from aiops_lsp.core.frames import Around
    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.partition import Part
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.syntax import Span, Syntax
    from aiops_lsp.core.text import Snapshot

MOST_REGIONS = 8
"""Regions that an edit may touch; with more of them, splitting the whole document is not much slower."""

_NEARBY = 40
"""Lines around the touched ones that are searched for secrets: a secret may begin before them, or end after."""

_JOINS_LINES = tuple("([`.,+-*/%?:=<>&|^~\\")
"""What at a line's start may make it go on with the statement above, where no semicolon ended that."""


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
    old, new = before.lines, now.lines
    head, tail = _common(old, new)
    touched = _touched(regions, frames, head, len(old) - tail)
    if touched is None:
        return None
    first, last = touched
    start = regions[first].start_line
    further = len(new) - len(old)
    end = regions[last - 1].end_line + further
    nearby = "".join(new[max(0, start - _NEARBY) : end + _NEARBY])
    if not _stands_alone(new, start, end, language) or "-----" in nearby or has_secrets(nearby):
        return None
    site = _Site(frames, first, last, now, start, end, fits)
    made = site.regions(_indentation(old[start]))
    return None if made is None else Splice(first, last, *made, further)


def moved(region: Region, lines: int) -> Region:
    """The same region so many lines further down."""
    return replace(region, start_line=region.start_line + lines, end_line=region.end_line + lines)


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines at the start, and then at the end, are the same."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _touched(regions: Sequence[Region], frames: Sequence[Frame], start: int, end: int) -> tuple[int, int] | None:
    """The regions whose lines from `start` to `end` have changed, or after which something was put in.

    None when they are no functions, or too many, or not of one class.
    """
    reached = start + 1 if end > start else max(start, 1)
    first = next((index for index, region in enumerate(regions) if region.end_line >= reached), len(regions))
    last = first + 1
    while last < len(regions) and regions[last].start_line < end:
        last += 1
    around = {frame.around for frame in frames[first:last]}
    if last - first > MOST_REGIONS or len(around) != 1 or not all(frame.function for frame in frames[first:last]):
        return None
    return first, last


def _stands_alone(lines: Sequence[str], start: int, end: int, language: Language) -> bool:
    """Whether nothing at the edges of these lines could belong to what is beside them."""
    inner = [line for line in lines[start:end] if line.strip()]
    if not inner or not lines[start].strip():
        return False
    following = next((line for line in lines[end:] if line.strip()), "")
    final = inner[-1].strip()
    comment = final.startswith((language.line_comment, "#", "//", "/*", "*")) or final.endswith("*/")
    joined = any(line.lstrip().startswith(_JOINS_LINES) for line in (inner[0], following))
    return not comment and not joined and not final.endswith("\\")


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


class _Site:
    """The lines of the touched regions as they are now, parsed alone."""

    def __init__(
        self,
        frames: Sequence[Frame],
        first: int,
        last: int,
        now: Snapshot,
        start: int,
        end: int,
        fits: Callable[[Region], bool] | None,
    ) -> None:
        self.frames = frames
        self.first, self.last = first, last
        self.now, self.start, self.end = now, start, end
        self.fits = fits
        self.around = frames[first].around
        language = language_of(now.language)
        assert language is not None
        self.language = language

    def regions(self, indentation: str) -> tuple[tuple[Region, ...], tuple[Frame, ...]] | None:
        """The new regions, at their place in the document, and their frames."""
        opening, closing = ("", "")
        if self.around is not None:
            wrapped = AROUND_MEMBERS.get(self.language.grammar)
            if wrapped is None:
                return None
            opening, closing = wrapped
        lines = self.now.lines
        code = "".join(lines[self.start : self.end])
        if self.end < len(lines):
            code = code[: len(code) - len(lines[self.end - 1]) + len(line_content(lines[self.end - 1]))]
        syntax = parse(opening + code + closing, self.now.language)
        if syntax.errors:
            return None
        outlined = outline(syntax)
        scope = self.placed(outlined)
        if scope is None:
            return None
        outside = [
            fact
            for index, frame in enumerate(self.frames)
            if not self.first <= index < self.last
            for fact in frame.facts
        ]
        builder = RegionBuilder(
            syntax, (), self.fits, outlined, _SplicedContext(syntax, outlined, self.around, outside)
        )
        parts = self.functions(builder, scope, opening.count("\n"), closing.count("\n"), indentation)
        if parts is None:
            return None
        frames = self.new_frames(builder, parts)
        if not self.leaves_others(frames):
            return None
        shift = self.start - opening.count("\n")
        moved = (builder.region(part) for part in parts)
        return tuple(
            replace(one, start_line=one.start_line + shift, end_line=one.end_line + shift) for one in moved
        ), frames

    def placed(self, outlined: Outline) -> Scope | None:
        """The scope of the parsed lines, made to be that of the touched regions; None when they hold another."""
        top = outlined.scopes[0]
        if self.around is None:
            return top if len(outlined.scopes) == 1 or all(not one.is_class for one in outlined.scopes) else None
        classes = [scope for scope in outlined.scopes if scope.is_class]
        if len(classes) != 1 or classes[0].header[0] != 0:
            return None
        (wrapper,) = classes
        prefix = self.around.symbol.removesuffix(self.around.name).rstrip(".")
        wrapper.parent, wrapper.name = Scope(name=prefix) if prefix else None, self.around.name
        top.definitions = [one for one in top.definitions if one.span[0] != 0]
        return wrapper

    def functions(
        self, builder: RegionBuilder, scope: Scope, opened: int, closed: int, indentation: str
    ) -> list[Part] | None:
        """The parts, without those of what was put around them; None unless each is a whole function of its own."""
        parts = list(builder.parts)
        if opened and (not parts or parts.pop(0).end != opened):
            return None
        last_line = len(builder.syntax.lines)
        if closed and (not parts or parts.pop().start != last_line - closed):
            return None
        if not parts or parts[0].start != opened or parts[-1].end != last_line - closed:
            return None
        if any(part.function is None or part.partial or part.cut for part in parts):
            return None
        return parts if self.fit_in(builder.syntax, parts, scope, indentation) else None

    def fit_in(self, syntax: Syntax, parts: Sequence[Part], scope: Scope, indentation: str) -> bool:
        """Whether the functions are in the scope of the touched ones, or, where indentation tells, after its end."""
        outside = False
        for part in parts:
            first = next(unit.item.first if unit.item else unit.first for unit in part.units)
            if part.scope is scope:
                if outside or _indentation(syntax.lines[first]) != indentation:
                    return False
            elif self.language.newlines is Newlines.INDENT and part.scope is not None and part.scope.parent is None:
                outside = True
                if _indentation(syntax.lines[first]):
                    return False
            else:
                return False
        following = _indentation(next((line for line in self.now.lines[self.end :] if line.strip()), ""))
        deepest = "" if outside else indentation
        goes_on = self.language.newlines is Newlines.INDENT and not deepest.startswith(following)
        return parts[0].scope is scope and not goes_on

    def new_frames(self, builder: RegionBuilder, parts: Sequence[Part]) -> tuple[Frame, ...]:
        context = builder.context
        assert context is not None
        found: list[list[Fact]] = [[] for _ in parts]
        starts = [builder.syntax.line_starts[part.start] for part in parts]
        for start, scope, definition, text in context.facts():
            index = next((at for at in range(len(starts) - 1, -1, -1) if starts[at] <= start), None)
            if index is not None:
                owner = scope.symbol if scope.is_class else None
                rank = MEMBER_RANK if owner is not None else definition.kind.value
                found[index].append(Fact(owner, definition.name, rank, text))
        arounds = [self.around if part.scope is not None and part.scope.is_class else None for part in parts]
        return tuple(Frame(True, around, tuple(facts)) for around, facts in zip(arounds, found, strict=True))

    def leaves_others(self, frames: Sequence[Frame]) -> bool:
        """Whether no other region can tell that the definitions of these have changed."""
        old = [fact for frame in self.frames[self.first : self.last] for fact in frame.facts]
        new = [fact for frame in frames for fact in frame.facts]
        if old == new:
            return True
        changed = {fact.name for fact in set(old) ^ set(new)} | _counted_differently(old, new)
        own = {self.around.name} if self.around is not None else set()
        if changed & (CONSTRUCTORS | own):
            return False
        if self.around is not None and not any(frame.around is self.around for frame in frames):
            return False
        starts = self.now.line_starts
        end = starts[self.end] if self.end < len(starts) else len(self.now.text)
        text = self.now.text
        return not any(text.find(name, 0, starts[self.start]) >= 0 or text.find(name, end) >= 0 for name in changed)


def _counted_differently(old: Sequence[Fact], new: Sequence[Fact]) -> set[str]:
    return {fact.name for fact in (*old, *new) if old.count(fact) != new.count(fact)}


class _SplicedContext(ContextBlocks):
    """Context blocks of parsed lines in a document of which only facts are known. `around` is the lines' class."""

    def __init__(self, syntax: Syntax, outlined: Outline, around: Around | None, outside: Sequence[Fact]) -> None:
        super().__init__(syntax, outlined, ())
        self.arounds: list[Around] = []
        while around is not None:
            self.arounds.insert(0, around)
            around = around.outer
        self.outside: dict[tuple[str | None, str], list[Fact]] = {}
        for fact in outside:
            self.outside.setdefault((fact.owner, fact.name), []).append(fact)

    def headers_around(self, _own: Span, scope: Scope) -> Iterator[str]:
        """Those of the document's classes."""
        if scope.is_class:
            yield from (around.header for around in self.arounds)

    def told(self, own: Span, scope: Scope, names: Names) -> Iterator[tuple[int, str]]:
        """Also the definitions of the rest of the document."""
        yield from super().told(own, scope, names)
        arounds = self.arounds if scope.is_class else []
        wanted: list[tuple[str | None, str]] = [(None, name) for name in (names.names | {scope.name})]
        if scope.is_class:
            wanted += [(scope.symbol, name) for name in names.members]
        for key in wanted:
            for fact in self.outside.get(key, ()):
                if not any(fact.opens is around for around in arounds):
                    yield fact.rank, fact.text
