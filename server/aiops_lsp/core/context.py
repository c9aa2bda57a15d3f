"""Context blocks: what a reader of one region must know of the rest of its file.

A block holds the header of the enclosing class, then the signatures, types, module-level assignments and imports of
the names that the region uses. It is a pure function of the file's content, and it changes only with these: not with
the body of a function that is called, nor with an import that is not used, nor with the order of anything.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from aiops_lsp.core.outline import DefinitionKind
from aiops_lsp.core.syntax import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.core.outline import Definition, Outline, Scope
    from aiops_lsp.core.partition import Header, Part
    from aiops_lsp.core.placeholders import Placeholders, Secret
    from aiops_lsp.core.syntax import Span, Syntax

LONGEST_BLOCK = 2_000
"""Code points in a context block, at most. What does not fit is left out, the least valuable first."""

PARTIAL = "(The code below is one part of a whole that is too long to be shown; the rest is left out.)"
"""What is said of a part that begins or ends in the middle of a function or another statement."""

_LONGEST_DEFINITION = 300
MEMBER_RANK = 0
"""The rank of what the own class defines; that of everything else is its kind's."""

MOST_OF_A_NAME = 10
"""Definitions of one name that are shown, the first ones of the file: overloads, or a file that repeats itself."""

CONSTRUCTORS = frozenset({"__init__", "__new__", "constructor", "__construct", "initialize", "init", "new", "this"})

_NAME = re.compile(r"(?:(?<!\w)|(?<=\.\.))(?<![^.]\.)[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"\.\s*([^\W\d]\w*)")
_MEMBER = re.compile(r"(?:\b(?:self|cls|this|Self|static|super)\s*(?:\?\.|\.|->|::)\s*[#$]?|@)([^\W\d]\w*)")
_WORD = re.compile(r"[^\W\d]\w*")
_MARK = re.compile("\0([0-9]+)\0")


class Names(NamedTuple):
    """The names that a region uses: as such, and as members of the class that it is in."""

    names: set[str]
    members: set[str]


class ContextBlocks:
    """Makes the context blocks of one document's regions."""

    def __init__(self, syntax: Syntax, outline: Outline, secrets: Sequence[Secret]) -> None:
        assert syntax.language is not None
        self.syntax = syntax
        self.language = syntax.language
        self.outline = outline
        self.secrets = secrets
        self.secret_spans = [(start, end) for start, end, _ in secrets]
        self.texts: dict[int, str] = {}
        self.globals: dict[str, list[Definition]] = defaultdict(list)
        self.members: dict[str, dict[str, list[Definition]]] = defaultdict(lambda: defaultdict(list))
        self.constructors: dict[int, Definition] = {}
        for scope in outline.scopes:
            table = self.members[scope.symbol] if scope.is_class else self.globals
            for definition in scope.definitions:
                if len(table[definition.name]) < MOST_OF_A_NAME:
                    table[definition.name].append(definition)
                if scope.is_class and definition.name in CONSTRUCTORS | {scope.name}:
                    self.constructors.setdefault(scope.header[0], definition)

    def block(self, own: Span, part: Part, scope: Scope, skeleton: str, strings: Sequence[str]) -> str:
        """The block of the region of `part`, which is at `own` and in `scope`, with marks for secrets.

        `skeleton` is the region's code without comments and strings; `strings` are its strings, since names are
        used in those that interpolate.
        """
        lines = dict.fromkeys(self.headers_around(own, scope))
        lines.update(dict.fromkeys(map(self._header, part.headers)))
        if part.partial:
            lines[PARTIAL] = None
        ranks: dict[str, int] = {}
        for rank, text in self.told(own, scope, self._names(skeleton, strings)):
            ranks[text] = min(rank, ranks.get(text, rank))
        ordered = sorted((rank, text) for text, rank in ranks.items() if text)
        lines.update(dict.fromkeys(text for _, text in ordered))
        return _bounded(lines)

    def headers_around(self, own: Span, scope: Scope) -> Iterator[str]:
        """The headers of the classes around a region, from outside in, but for those that it holds itself."""
        for outer in classes_around(scope):
            if not own[0] <= outer.header[0] < own[1]:
                yield self.header_of(outer)

    def header_of(self, scope: Scope) -> str:
        """The header of a class on one line."""
        return _cut(self._cleaned(scope.header))

    def told(self, own: Span, scope: Scope, names: Names) -> Iterator[tuple[int, str]]:
        """Rank, the most valuable lowest, and text of the definitions elsewhere of the names that a region uses."""
        shown = {outer.header[0] for outer in classes_around(scope)}
        for definition, rank in self._used(scope, names):
            start = definition.span[0]
            if not own[0] <= start < own[1] and start not in shown:
                yield rank, self._text(definition)

    def _names(self, skeleton: str, strings: Sequence[str]) -> Names:
        names = set(_NAME.findall(skeleton))
        members = set(_MEMBER.findall(skeleton))
        for string in strings:
            if "{" in string or "$" in string or "\\(" in string:
                names.update(_WORD.findall(string))
                members.update(_MEMBER.findall(string))
        if not self.language.classes:
            names.update(_ATTRIBUTE.findall(skeleton))
        if self.language.bare_members:
            members |= names
        return Names(names, members)

    def _used(self, scope: Scope, names: Names) -> Iterator[tuple[Definition, int]]:
        """The definitions of the names, each with its rank."""
        if scope.is_class:
            table = self.members[scope.symbol]
            for name in names.members & table.keys():
                yield from ((definition, MEMBER_RANK) for definition in table[name])
        # A type's own fields may stand apart from its methods (`impl`, `extension`).
        for name in (names.names | {scope.name}) & self.globals.keys():
            yield from ((definition, definition.kind.value) for definition in self.globals[name])

    def facts(self) -> Iterator[tuple[int, Scope, Definition, str]]:
        """All definitions that a block can hold: where each stands, its scope, and the text that blocks show."""
        for scope in self.outline.scopes:
            for definition in scope.definitions:
                yield definition.span[0], scope, definition, self._text(definition)

    def _header(self, header: Header) -> str:
        """A block's header; of the pieces of a long one, an `else` after many, the first and the last."""
        pieces = [text for text in map(self._cleaned, header) if text]
        return " … ".join(map(_cut, pieces if len(pieces) < 3 else [pieces[0], pieces[-1]]))

    def _text(self, definition: Definition) -> str:
        known = self.texts.get(id(definition))
        if known is None:
            known = self.texts[id(definition)] = self._made(definition)
        return known

    def _made(self, definition: Definition) -> str:
        text = self._rendered(definition) or definition.lead + self._cleaned(definition.span)
        constructor = self.constructors.get(definition.span[0]) if definition.kind is DefinitionKind.TYPE else None
        if constructor is not None and constructor.span != definition.span:
            text = f"{text} {self._cleaned(constructor.span)}"
        return _cut(text)

    def _rendered(self, definition: Definition) -> str | None:
        """The text that stands for a definition, with marks; None when a secret in it cannot be told from the rest."""
        text = definition.text
        if text is None:
            return None
        text = text.replace("\0", "\ufffd")
        for start, end in within(self.secret_spans, *definition.span):
            secret = " ".join(self.syntax.text[start:end].split())
            index = bisect_right(self.secret_spans, (start, end)) - 1
            if secret not in text or self.secret_spans[index] != (start, end):
                return None
            text = text.replace(secret, f"\0{index}\0")
        return text

    def _cleaned(self, span: Span) -> str:
        """The text of a span on one line, without comments, and with marks in place of secrets."""
        start, end = span
        end = self.syntax.end_of_signs(start, end, 4 * _LONGEST_DEFINITION)
        holes = [(*hole, " ") for hole in within(self.syntax.comments, start, end)]
        for hole in within(self.secret_spans, start, end):
            index = bisect_right(self.secret_spans, (hole[0], 1 << 62)) - 1
            holes.append((*hole, f"\0{index}\0"))
        pieces, reached = [], start
        for hole_start, hole_end, stand_in in sorted(holes):
            pieces.append(self.syntax.text[reached:hole_start].replace("\0", "\ufffd"))
            pieces.append(stand_in if hole_start >= reached else "")
            reached = max(reached, hole_end)
        pieces.append(self.syntax.text[reached:end].replace("\0", "\ufffd"))
        return " ".join("".join(pieces).split())

    def resolved(self, block: str, placeholders: Placeholders) -> str:
        """The block with the region's placeholders in place of the marks."""

        def stand_in(match: re.Match[str]) -> str:
            start, end, kind = self.secrets[int(match[1])]
            return placeholders.placeholder(self.syntax.text[start:end], kind)

        return _MARK.sub(stand_in, block) if "\0" in block else block


def classes_around(scope: Scope) -> Iterator[Scope]:
    """The classes around a scope, itself among them, from outside in."""
    if scope.parent is not None:
        yield from classes_around(scope.parent)
    if scope.is_class:
        yield scope


def _cut(text: str) -> str:
    """At most so long, and never within a mark."""
    if len(text) <= _LONGEST_DEFINITION:
        return text
    kept = text[:_LONGEST_DEFINITION]
    if kept.count("\0") % 2:
        kept = kept[: kept.rindex("\0")]
    return f"{kept.rstrip()} …"


def _bounded(lines: dict[str, None]) -> str:
    kept, length = [], 0
    for line in lines:
        if length + len(line) + 1 <= LONGEST_BLOCK:
            kept.append(line)
            length += len(line) + 1
    return "\n".join(kept)
