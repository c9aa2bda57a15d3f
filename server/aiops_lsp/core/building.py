"""From parts to regions: what is sent of each, its context, its shape, and whether it is half-written."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from aiops_lsp.core.context import ContextBlocks
from aiops_lsp.core.cutting import cut
from aiops_lsp.core.language_table import Blanks
from aiops_lsp.core.loose import loose_form, skeleton_of
from aiops_lsp.core.outline import Outline, Role, Scope, outline
from aiops_lsp.core.paragraphs import paragraphs
from aiops_lsp.core.partition import Part, partition
from aiops_lsp.core.placeholders import Dedented, Moves, Placeholders, Redacted, dedent, redact
from aiops_lsp.core.regions import Region, Shape
from aiops_lsp.core.syntax import outermost, span_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ast_grep_py import SgNode

    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.placeholders import Secret
    from aiops_lsp.core.syntax import Span, Syntax

_FRAME = frozenset({Role.IMPORT, Role.COMMENT, Role.HEADER, Role.CLOSER})

_shape = lru_cache(maxsize=4096)(Shape)  # one object for all that are equal: every open document keeps them
_CALL = re.compile(r"([^\W\d]\w*)\s*(?:!\s*)?(?=[({<]|=(?!=))")
_WORD = re.compile(r"[^\W\d]\w*")


class RegionBuilder:
    """Makes the regions of one parsed document."""

    def __init__(
        self,
        syntax: Syntax,
        secrets: Sequence[Secret],
        fits: Callable[[Region], bool] | None = None,
        outlined: Outline | None = None,
        context: ContextBlocks | None = None,
    ) -> None:
        """`outlined` and `context` are those of `syntax`, made here when they are not given."""
        self.syntax = syntax
        self.fits = fits
        self.built: dict[Span, Region] = {}
        self.secrets = secrets
        self.secret_spans = [(start, end) for start, end, _ in secrets]
        self.context: ContextBlocks | None = None
        self.outline = Outline([], [Scope()])
        if syntax.root is not None:
            self.outline = outlined or outline(syntax)
            self.context = context or ContextBlocks(syntax, self.outline, secrets)

    @cached_property
    def uncut(self) -> list[Part]:
        """The parts before any of them is cut to its size."""
        if self.syntax.root is None:
            return paragraphs(self.syntax.lines)
        return partition(self.outline.items, self.syntax.lines, self.outline.scopes[0])

    @cached_property
    def parts(self) -> list[Part]:
        return [piece for part in self.uncut for piece in self.pieces(part)]

    def pieces(self, part: Part) -> list[Part]:
        """The part itself, or the pieces of one that is too large. Half-written code is not sent, and so not cut."""
        fits = self.fits
        if fits is None:
            return [part]
        region = self.region(part)
        if fits(region) or region.parse_error or region.empty_body or region.trivial:
            return [part]
        return cut(part, self.syntax, lambda piece: fits(self.region(piece)))

    def parts_between(self, start: int, end: int) -> Iterator[Part]:
        """The parts of the lines from `start` up to `end`, cut to them. No others are looked at."""
        touched = [part for part in self.uncut if part.start < end and start < part.end]
        for part in (piece for whole in touched for piece in self.pieces(whole)):
            left, right = max(part.start, start), min(part.end, end)
            if left >= right:
                continue
            if (left, right) == (part.start, part.end):
                yield part
            else:
                units = [unit for unit in part.units if left <= unit.first and unit.last < right]
                yield Part(part.kind, part.symbol, left, right, part.scope, units=units, cut=True)

    def still_redacts(self, region: Region) -> bool:
        """Whether the secrets in a region of an earlier split are those that it has placeholders for."""
        if any(self.syntax.text[start:end] in region.context for start, end in self.secret_spans):
            return False
        part = Part(region.kind, region.symbol, region.start_line, region.end_line)
        dedented = Dedented(
            tuple(
                line[cut:] for line, cut in zip(self.syntax.lines[part.start : part.end], region.dedents, strict=True)
            ),
            region.dedents,
        )
        sent = redact(dedented, self.secrets_in(part, self.span(part)), Placeholders())
        return [(s.line, s.original) for s in sent.substitutions] == [
            (s.line, s.original) for s in region.substitutions
        ]

    def region(self, part: Part) -> Region:
        """The region of a part, built once: whether parts fit is asked of several that share lines."""
        if part.cut:
            return self.build(part)
        known = self.built.get((part.start, part.end))
        if known is None:
            known = self.built[part.start, part.end] = self.build(part)
        return known

    def build(self, part: Part) -> Region:
        syntax = self.syntax
        own = self.span(part)
        comments, strings = within(syntax.comments, *own), within(syntax.strings, *own)
        dedented = dedent(
            syntax.lines[part.start : part.end],
            [self.lines_begun_in(span, part) for span in strings if "\n" in syntax.text[slice(*span)]],
            [line for span in comments for line in self.comment_lines(span, part)],
        )
        placeholders = Placeholders(syntax.text[slice(*own)]) if self.secrets else Placeholders()
        raw = "\n".join(dedented.lines)
        moves = Moves(dedented, [syntax.line_starts[line] - own[0] for line in range(part.start, part.end)])
        raw_comments = [moves.moved(start - own[0], end - own[0]) for start, end in comments]
        raw_strings = [moves.moved(start - own[0], end - own[0]) for start, end in strings]
        context, skeleton = self.context_of(part, own, raw, raw_comments, raw_strings, placeholders)
        sent = Redacted(dedented.lines)
        if self.secrets:
            sent = redact(dedented, self.secrets_in(part, own), placeholders)
        loose = loose_form(
            "\n".join(sent.lines),
            [sent.moved(span) for span in raw_comments],
            [sent.moved(span) for span in raw_strings],
            syntax.language,
        )
        return Region(
            kind=part.kind,
            symbol=part.symbol,
            start_line=part.start,
            end_line=part.end,
            lines=sent.lines,
            dedents=dedented.dedents,
            context=context,
            loose=loose,
            shape=self.shape(own, skeleton, dedented.lines),
            substitutions=sent.substitutions,
            parse_error=part.cut or self.has_error(part, own),
            empty_body=part.function is not None and self.is_empty(part.function.body),
            trivial=self.is_trivial(part, skeleton),
        )

    def span(self, part: Part) -> Span:
        last = part.end - 1
        return self.syntax.line_starts[part.start], self.syntax.line_starts[last] + len(self.syntax.lines[last])

    def lines_begun_in(self, span: Span, part: Part) -> range:
        """The lines after its first that a span begins, counted in the part."""
        first, last = self.syntax.line_of(span[0]), self.syntax.last_line_of(span)
        return range(first + 1 - part.start, last + 1 - part.start)

    def comment_lines(self, span: Span, part: Part) -> Iterator[int]:
        """The lines of the part that begin with or in a comment."""
        first = self.syntax.line_of(span[0])
        if not self.syntax.text[self.syntax.line_starts[first] : span[0]].strip():
            yield first - part.start
        yield from self.lines_begun_in(span, part)

    def context_of(
        self, part: Part, own: Span, raw: str, comments: list[Span], strings: list[Span], placeholders: Placeholders
    ) -> tuple[str, str]:
        language = self.syntax.language
        if self.context is None or language is None:
            return "", raw
        skeleton = skeleton_of(raw, comments, strings, language)
        scope = part.scope or self.outline.scopes[0]
        block = self.context.block(own, part, scope, skeleton, [raw[s:e] for s, e in strings])
        placeholders.seen_text += block
        return self.context.resolved(block, placeholders), skeleton

    def secrets_in(self, part: Part, own: Span) -> Iterator[tuple[int, int, int, int, str]]:
        """The secrets in a part, cut to it, as line and column in it."""
        starts = self.syntax.line_starts
        first_secret = max(0, bisect_left(self.secret_spans, (own[0], 0)) - 1)
        for start, end, kind in self.secrets[first_secret:]:
            if start >= own[1]:
                break
            left, right = max(start, own[0]), min(end, own[1])
            if left < right:
                first, last = self.syntax.line_of(left), self.syntax.line_of(right)
                yield first - part.start, left - starts[first], last - part.start, right - starts[last], kind

    def shape(self, own: Span, skeleton: str, lines: Sequence[str]) -> Shape:
        branches = self.syntax.branches
        return _shape(
            sum(bool(line) for line in lines),
            bisect_left(branches, own[1]) - bisect_left(branches, own[0]),
            self.nesting(own),
            _sensitive(skeleton, self.syntax.language),
        )

    def nesting(self, own: Span) -> int:
        nests = self.syntax.nests
        deepest, ends = 0, list[int]()
        for start, end in nests[bisect_left(nests, (own[0], 0)) : bisect_left(nests, (own[1], 0))]:
            while ends and ends[-1] <= start:
                ends.pop()
            ends.append(end)
            deepest = max(deepest, len(ends))
        return deepest

    def has_error(self, part: Part, own: Span) -> bool:
        """An error around a whole function says nothing of that function: the parser did make sense of it."""
        errors, outer = self.syntax.errors, self.outer_errors
        touching = errors[bisect_left(errors, (own[0], 0)) : bisect_right(errors, (own[1], len(self.syntax.text)))]
        before = bisect_left(outer, (own[0], 0)) - 1
        if before >= 0 and outer[before][1] > own[0]:
            touching = [outer[before], *touching]
        if part.function is None or part.function.node is None:
            return bool(touching)
        start, end = span_of(part.function.node)
        return any(not left <= start < end <= right for left, right in touching)

    @cached_property
    def outer_errors(self) -> list[Span]:
        return outermost(self.syntax.errors)

    def is_empty(self, body: SgNode | None) -> bool:
        """Whether nothing is written in a function's body but comments, a docstring, `pass` or `...`."""
        language = self.syntax.language
        assert language is not None
        if body is None:
            return True
        if body.kind() not in language.blocks:
            return False
        skipped = language.comments | language.empties
        statements = [child for child in body.children() if child.is_named() and child.kind() not in skipped]
        return all(_is_docstring(child) for child in statements)

    def is_trivial(self, part: Part, skeleton: str) -> bool:
        if self.syntax.language is None:
            return not skeleton.strip()
        if part.function is None and all(unit.item is not None and unit.item.role in _FRAME for unit in part.units):
            return True
        return _WORD.search(skeleton) is None


def _is_docstring(node: SgNode) -> bool:
    children = node.children()
    return node.kind() == "expression_statement" and len(children) == 1 and children[0].kind() in ("string", "ellipsis")


def _sensitive(skeleton: str, language: Language | None) -> int:
    if language is None:
        return 0
    words = _WORD if language.blanks is Blanks.VERBATIM else _CALL
    return sum(word in language.sensitive for word in words.findall(skeleton))
