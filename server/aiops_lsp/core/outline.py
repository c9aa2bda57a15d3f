"""The outline of a parsed document: its functions, its classes and what stands between them, in order.

Only the levels that can hold functions are walked (the top, classes, namespaces, conditional blocks), never the
functions' bodies: that keeps the walk short in a long file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from aiops_lsp.core.imports import imported_names
from aiops_lsp.core.language_table import Newlines, kinds
from aiops_lsp.core.syntax import span_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import SgNode

    from aiops_lsp.core.syntax import Span, Syntax

_DEEPEST = 40
"""Scopes nested deeper than this are not looked into; nobody writes them, but a file may hold them."""

_CLASS_BODIES = kinds(
    "block class_body interface_body enum_body enum_class_body protocol_body declaration_list field_declaration_list"
    " template_body body_statement with_template_body"
)
_TRANSPARENT = kinds("ERROR block declaration_list statement_block compound_statement body_statement")
_NAME_FIELDS = ("name", "left", "pattern", "declarator", "property")
_HOLDS_NAMES = re.compile(
    r"(?:declarator|spec|assignment|assignment_expression|assignment_statement|_element|alias|variable_declaration|_list)$"
)
_NAMES = ("identifier", "constant", "name")
_WORD = re.compile(r"[^\W\d]\w*")


class Role(Enum):
    """What an item is to the partition."""

    FUNCTION = auto()
    STATEMENT = auto()
    IMPORT = auto()
    COMMENT = auto()
    LEAD = auto()
    HEADER = auto()
    CLOSER = auto()


class DefinitionKind(Enum):
    """What a definition tells of its name. Ordered by how much it tells a reader of code that uses the name."""

    SIGNATURE = auto()
    TYPE = auto()
    ASSIGNMENT = auto()
    IMPORT = auto()


@dataclass(frozen=True, slots=True)
class Definition:
    """A name and where in the plain text it is declared: for a function its signature, never its body.

    `lead` goes before that text (`const`); `text` stands instead of it when it is set.
    """

    name: str
    kind: DefinitionKind
    span: Span
    lead: str = ""
    text: str | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """What encloses an item: the top, a class or a namespace. `header` is its span up to its body."""

    parent: Scope | None = None
    name: str = ""
    is_class: bool = False
    header: Span = (0, 0)
    has_functions: bool = False
    definitions: list[Definition] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The dotted name."""
        outer = self.parent.symbol if self.parent else ""
        return ".".join(filter(None, (outer, self.name)))


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a scope, with its first and last line. `body` is a function's, `receiver` a Go method's type."""

    role: Role
    first: int
    last: int
    scope: Scope
    name: str = ""
    node: SgNode | None = None
    body: SgNode | None = None
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """Items in order, and the scopes that hold definitions; the first scope is the top."""

    items: list[Item]
    scopes: list[Scope]


def outline(syntax: Syntax) -> Outline:
    """The outline of a document that was parsed."""
    return _Walk(syntax).run()


class _Walk:
    def __init__(self, syntax: Syntax) -> None:
        assert syntax.language is not None
        self.syntax = syntax
        self.language = syntax.language
        self.items: list[Item] = []
        self.scopes = [Scope()]
        named = self.language.functions | self.language.classes
        self.inner = (
            named | self.language.wrappers | self.language.bindings | self.language.scopes | self.language.types
        ) | self.language.assignments
        self.holds = {"rule": {"any": [{"kind": kind} for kind in sorted(named)]}}

    def run(self) -> Outline:
        assert self.syntax.root is not None
        self.children(self.syntax.root, self.scopes[0], depth=0)
        return Outline(self.items, self.scopes)

    def add(self, role: Role, span: Span, scope: Scope, **more: object) -> None:
        first, last = self.syntax.line_of(span[0]), self.syntax.last_line_of(span)
        self.items.append(Item(role, first, max(first, last), scope, **more))  # type: ignore[arg-type]  # by callers

    def children(self, parent: SgNode, scope: Scope, depth: int) -> None:
        loose_ends = parent.kind() == "ERROR"
        for node in parent.children():
            kind = node.kind()
            if kind in self.language.comments:
                self.add(Role.COMMENT, span_of(node), scope)
            elif kind in self.language.leads:
                self.add(Role.LEAD, span_of(node), scope)
            elif node.is_named() or loose_ends:
                self.visit(node, node, scope, depth)

    def visit(self, node: SgNode, whole: SgNode, scope: Scope, depth: int) -> None:
        """Add what `node` is; `whole` is `node` with what is wrapped around it."""
        kind = node.kind()
        language = self.language
        if kind in language.functions and self.function(node, whole, scope):
            return
        if kind in language.wrappers:
            inner = [child for child in node.children() if child.kind() in self.inner]
            if inner:
                self.visit(inner[-1], whole, scope, depth)
                return
        if depth < _DEEPEST:
            if kind in language.classes and self.class_(node, whole, scope, depth):
                return
            if (kind in language.scopes or kind == "ERROR") and node.find(self.holds):  # type: ignore[call-overload]  # a dict
                self.scope(node, whole, scope, depth)
                return
        if kind in language.bindings and self.bound_function(node, whole, scope):
            return
        role = Role.IMPORT if kind in language.imports else Role.STATEMENT
        self.add(role, span_of(whole), scope, node=whole)
        self.define(node, whole, scope)

    def function(self, node: SgNode, whole: SgNode, scope: Scope) -> bool:
        body = self.body_of(node, self.language.blocks)
        children = node.children()
        if body is None and not (children and children[-1].kind() in ("end", "}")):
            return False
        receiver = _receiver(node, self.syntax.text)
        name = name_of(node, self.syntax.text) or node.kind().partition("_")[0]
        self.add_function(name, whole, body, scope, receiver)
        return True

    def add_function(self, name: str, whole: SgNode, body: SgNode | None, scope: Scope, receiver: str = "") -> None:
        span = span_of(whole)
        self.add(Role.FUNCTION, span, scope, name=name, node=whole, body=body, receiver=receiver)
        signature = (span[0], span_of(body)[0] if body else span[1])
        scope.definitions.append(Definition(name.rpartition(".")[2], DefinitionKind.SIGNATURE, signature))
        inner: Scope | None = scope
        while inner is not None and not inner.has_functions:
            inner.has_functions = True
            inner = inner.parent

    def bound_function(self, node: SgNode, whole: SgNode, scope: Scope) -> bool:
        found = self.function_value(node, 4)
        if found is None:
            return False
        bound, value = found
        body = self.body_of(value, self.language.blocks)
        if body is None or body.kind() not in self.language.blocks:
            return False
        match = re.match(
            r"(?:(?:local|static|async|readonly|private|public|protected)\s+)*([\w$#][\w$.#]*)",
            text_of(bound, self.syntax.text),
        )
        if match is None:
            return False
        self.add_function(match[1], whole, body, scope)
        return True

    def function_value(self, node: SgNode, depth: int) -> tuple[SgNode, SgNode] | None:
        """The only thing that `node` binds and the function that it binds it to."""
        parts = [child for child in node.children() if child.is_named() and child.kind() not in self.language.comments]
        for part in parts:
            if part.kind() in self.language.function_values:
                return node, part
        parts = [part for part in parts if _binds(part.kind())]
        if len(parts) != 1 or depth == 0:
            return None
        found = self.function_value(parts[0], depth - 1)
        if found and parts[0].kind() == "expression_list":
            return node, found[1]
        return found

    def class_(self, node: SgNode, whole: SgNode, scope: Scope, depth: int) -> bool:
        body = self.body_of(node, _CLASS_BODIES)
        if body is None:
            return False
        start, end = span_of(whole)
        header = (start, span_of(body)[0])
        inner = Scope(scope, name_of(node, self.syntax.text), is_class=True, header=header)
        self.scopes.append(inner)
        opens = self.language.newlines is not Newlines.INDENT
        self.add(Role.HEADER, (start, header[1] + 1) if opens else self.stripped(header), inner, node=whole)
        self.children(body, inner, depth + 1)
        self.close(end, inner)
        if node.kind() != "impl_item" and not self.syntax.text.startswith("extension", start):
            shown = header if inner.has_functions else (start, end)
            scope.definitions.append(Definition(inner.name, DefinitionKind.TYPE, shown))
        return True

    def scope(self, node: SgNode, whole: SgNode, scope: Scope, depth: int) -> None:
        span = span_of(whole)
        kind = node.kind()
        name = name_of(node, self.syntax.text) if node.field("name") else ""
        inner = scope
        if name or kind.startswith("preproc"):
            inner = Scope(scope, "" if kind.startswith("preproc") else name, header=span)
            self.scopes.append(inner)
            self.add(Role.HEADER, (span[0], span[0] + 1), inner)
        elif kind not in _TRANSPARENT:
            self.add(Role.STATEMENT, (span[0], span[0] + 1), inner)
        body = node.field("body") if name else None
        self.children(body or node, inner, depth + 1)
        if inner is not scope:
            self.close(span[1], inner)

    def close(self, end: int, scope: Scope) -> None:
        """The line of a closing bracket or word."""
        if self.language.newlines is not Newlines.INDENT:
            self.add(Role.CLOSER, (end - 1, end), scope)

    def stripped(self, span: Span) -> Span:
        return span[0], span[0] + max(1, len(self.syntax.text[span[0] : span[1]].rstrip()))

    def body_of(self, node: SgNode, kinds: frozenset[str]) -> SgNode | None:
        body = node.field("body")
        if body is not None:
            return body
        children = [child for child in node.children() if child.kind() in kinds]
        return children[-1] if children else None

    def define(self, node: SgNode, whole: SgNode, scope: Scope) -> None:
        kind = node.kind()
        definitions = scope.definitions
        if kind in self.language.imports:
            parts = node.children() if kind == "import_list" else [node]
            bound = [pair for part in parts for pair in imported_names(part, self.language.grammar, self.syntax.text)]
            for name, text in bound:
                definitions.append(Definition(name, DefinitionKind.IMPORT, span_of(whole), text=text))
        elif kind in self.language.assignments:
            for name, part in bound_names(node, self.syntax.text):
                lead = "" if part is node else f"{text_of(node, self.syntax.text).split(None, 1)[0]} "
                span = span_of(whole) if part is node else span_of(part)
                definitions.append(Definition(name, DefinitionKind.ASSIGNMENT, span, "" if lead == "local " else lead))
        elif kind in self.language.types:
            for name, part in bound_names(node, self.syntax.text):
                span = span_of(whole) if part is node else span_of(part)
                lead = "" if part is node else f"{text_of(node, self.syntax.text).split(None, 1)[0]} "
                definitions.append(Definition(name, DefinitionKind.TYPE, span, lead))


def name_of(node: SgNode, plain: str) -> str:
    """The name that a definition gives, dotted where it is qualified; empty when it has none."""
    named = node.field("name") or node.field("declarator") or node.field("type")
    while named is not None and (deeper := named.field("declarator")) is not None:
        named = deeper
    if named is None:
        named = next((child for child in node.children() if child.kind().endswith(_NAMES)), None)
    if named is None:
        return ""
    text = (
        re.sub(r"\s+|<.*>", "", text_of(named, plain))
        if "operator" not in text_of(named, plain)
        else text_of(named, plain)
    )
    return re.sub(r"::|[:#]", ".", text.strip("*&"))[:80].strip(".")


def bound_names(node: SgNode, plain: str, depth: int = 3) -> Iterator[tuple[str, SgNode]]:
    """The names that a declaration or assignment binds, each with the part of it that says so."""
    for name_field in _NAME_FIELDS:
        named = node.field_children(name_field)
        if named and not (name_field == "declarator" and named[0].field("name")):
            for name in named:
                text = text_of(name, plain)
                if not re.search(r"[.\[]", text.split("=")[0]) or name.kind().endswith("pattern"):
                    yield from ((word, node) for word in _WORD.findall(text.split("=")[0]))
            return
    parts = [child for child in node.children() if child.is_named() and _HOLDS_NAMES.search(child.kind())]
    for child in parts if depth else []:
        found = list(bound_names(child, plain, depth - 1))
        yield from ((name, node if len(parts) == 1 else part) for name, part in found)
    if not parts and depth < 3:
        yield from ((text_of(child, plain), node) for child in node.children() if child.kind().endswith(_NAMES))


def _binds(kind: str) -> bool:
    return kind in ("variable_declarator", "assignment_expression", "assignment_statement", "expression_list")


def _receiver(node: SgNode, plain: str) -> str:
    receiver = node.field("receiver")
    if receiver is None:
        return ""
    words = _WORD.findall(text_of(receiver, plain).partition("[")[0])
    return words[-1] if words else ""
