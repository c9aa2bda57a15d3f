"""Functions read without the rest of their document: parsed alone, with what is known of the rest as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.building import RegionBuilder
from aiops_lsp.core.context import CONSTRUCTORS, ContextBlocks
from aiops_lsp.core.frames import Fact, Frame, facts_by_part
from aiops_lsp.core.language_table import AROUND_MEMBERS, Newlines
from aiops_lsp.core.outline import Outline, Scope, outline
from aiops_lsp.core.regions import moved
from aiops_lsp.core.syntax import inside, parse, span_of
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


@dataclass(frozen=True, slots=True)
class Site:
    """Where functions are read anew.

    They take the place of the regions from `first` up to and not including `last` of the split before, and are the
    lines from `start` up to and not including `end` of the text as it is now. They are members of the class `around`,
    if any, and begin with `indentation`.
    """

    first: int
    last: int
    start: int
    end: int
    around: Around | None
    indentation: str


def indentation_of(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


class Alone:
    """The functions at a site of the text `now`. `frames` are those of the split before, made with the same `fits`."""

    def __init__(
        self,
        site: Site,
        frames: Sequence[Frame],
        now: Snapshot,
        language: Language,
        fits: Callable[[Region], bool] | None,
    ) -> None:
        self.site = site
        self.old = frames[site.first : site.last]
        self.others = (*frames[: site.first], *frames[site.last :])
        self.now = now
        self.language = language
        self.fits = fits
        self.around = site.around
        self.start, self.end = site.start, site.end

    def regions(self) -> tuple[tuple[Region, ...], tuple[Frame, ...]] | None:
        """The regions, at their place in the document, and their frames; None where that takes all of the text."""
        if self.start == self.end:
            return ((), ()) if self.leaves_others(()) else None
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
        context = _SplicedContext(syntax, outlined, self.around, self.others)
        builder = RegionBuilder(syntax, (), self.fits, outlined, context)
        parts = self.functions(builder, scope, opening.count("\n"), closing.count("\n"))
        if parts is None:
            return None
        frames = self.new_frames(builder, parts)
        if not self.leaves_others(frames):
            return None
        shift = self.start - opening.count("\n")
        return moved(map(builder.region, parts), shift), frames

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

    def functions(self, builder: RegionBuilder, scope: Scope, opened: int, closed: int) -> list[Part] | None:
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
        return parts if self.fit_in(builder.syntax, parts, scope) else None

    def fit_in(self, syntax: Syntax, parts: Sequence[Part], scope: Scope) -> bool:
        """Whether the functions are in the scope of the touched ones, or, where indentation tells, after its end."""
        indentation, outside = self.site.indentation, False
        for part in parts:
            first = next(unit.item.first if unit.item else unit.first for unit in part.units)
            if part.scope is scope:
                if outside or indentation_of(syntax.lines[first]) != indentation or self.falls_back(syntax, part):
                    return False
            elif self.language.newlines is Newlines.INDENT and part.scope is not None and part.scope.parent is None:
                outside = True
                if indentation_of(syntax.lines[first]):
                    return False
            else:
                return False
        following = indentation_of(next((line for line in self.now.lines[self.end :] if line.strip()), ""))
        deepest = "" if outside else indentation
        goes_on = self.language.newlines is Newlines.INDENT and not deepest.startswith(following)
        return parts[0].scope is scope and not goes_on

    def falls_back(self, syntax: Syntax, part: Part) -> bool:
        """Whether a line of code is no deeper than its function: then what follows may be read as part of it.

        No sound code has such a line but within brackets, and some grammars take it without an error.
        """
        body = part.function.body if part.function is not None else None
        if self.language.newlines is not Newlines.INDENT or body is None:
            return False
        start = span_of(body)[0]
        first = syntax.line_of(start)
        if syntax.text[syntax.line_starts[first] : start].strip():
            first += 1
        return any(self.is_shallow(syntax, line) for line in range(first, part.end))

    def is_shallow(self, syntax: Syntax, line: int) -> bool:
        """Whether a line holds code, not the inside of a string, and is no deeper than the site."""
        indentation = indentation_of(syntax.lines[line])
        start, own = syntax.line_starts[line], self.site.indentation
        if not syntax.lines[line].strip() or (indentation != own and indentation.startswith(own)):
            return False
        return not (inside(syntax.strings, start) or inside(syntax.comments, start + len(indentation)))

    def new_frames(self, builder: RegionBuilder, parts: Sequence[Part]) -> tuple[Frame, ...]:
        context = builder.context
        assert context is not None
        found = facts_by_part(context, parts)
        arounds = [self.around if part.scope is not None and part.scope.is_class else None for part in parts]
        return tuple(Frame(True, around, tuple(facts)) for around, facts in zip(arounds, found, strict=True))

    def leaves_others(self, frames: Sequence[Frame]) -> bool:
        """Whether no other region can tell that the definitions of these have changed."""
        old = [fact for frame in self.old for fact in frame.facts]
        new = [fact for frame in frames for fact in frame.facts]
        if old == new:
            return True
        changed = {fact.name for fact in set(old) ^ set(new)} | _counted_differently(old, new)
        own = {self.around.name} if self.around is not None else set()
        if changed & (CONSTRUCTORS | own):
            return False
        if self.around is not None and not any(frame.around is self.around for frame in (*self.others, *frames)):
            return False
        text, (above, below) = self.now.text, self.now.span_of(self.start, self.end)
        return not any(text.find(name, 0, above) >= 0 or text.find(name, below) >= 0 for name in changed)


def _counted_differently(old: Sequence[Fact], new: Sequence[Fact]) -> set[str]:
    return {fact.name for fact in (*old, *new) if old.count(fact) != new.count(fact)}


class _SplicedContext(ContextBlocks):
    """Context blocks of parsed lines in a document of which only frames are known. `around` is the lines' class."""

    def __init__(self, syntax: Syntax, outlined: Outline, around: Around | None, outside: Sequence[Frame]) -> None:
        super().__init__(syntax, outlined, ())
        self.arounds: list[Around] = []
        while around is not None:
            self.arounds.insert(0, around)
            around = around.outer
        self.outside = outside

    def headers_around(self, _own: Span, scope: Scope) -> Iterator[str]:
        """Those of the document's classes."""
        if scope.is_class:
            yield from (around.header for around in self.arounds)

    def told(self, own: Span, scope: Scope, names: Names) -> Iterator[tuple[int, str]]:
        """Also the definitions of the rest of the document."""
        yield from super().told(own, scope, names)
        arounds = self.arounds if scope.is_class else []
        wanted: dict[str | None, set[str]] = {None: names.names | {scope.name}}
        if scope.is_class:
            wanted[scope.symbol] = names.members
        for frame in self.outside:
            for fact in frame.facts:
                used = fact.name in wanted.get(fact.owner, ())
                if used and not any(fact.opens is around for around in arounds):
                    yield fact.rank, fact.text
