"""What names an import statement binds, each with the shortest statement that would bind it alone.

A region's context block shows the imports of the names it uses, one by one, so that adding another name to the same
statement changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops_lsp.core.syntax import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ast_grep_py import SgNode

    Read = Callable[[SgNode | None], str]

Bound = tuple[str, str]
"""A name and the statement that binds it."""

_WORD = re.compile(r"[^\W\d]\w*")
_LAST_WORDS = re.compile(r"([^\W\d]\w*)\s*(?=[,;}\n]|$)")


def imported_names(node: SgNode, grammar: str, plain: str) -> list[Bound]:
    """The names that the import statement `node` binds, in its order. Wildcards bind none that are known.

    `plain` is the text that was parsed.
    """

    def read(part: SgNode | None) -> str:
        return "" if part is None else " ".join(text_of(part, plain).split())

    return list(_READERS.get(grammar, _plain)(node, read))


def _python(node: SgNode, read: Read) -> Iterator[Bound]:
    module = node.field("module_name")
    if node.kind() == "future_import_statement":
        return
    for name in node.field_children("name"):
        alias = read(name.field("alias"))
        text = read(name)
        if module is not None:
            yield alias or text, f"from {read(module)} import {text}"
        else:
            yield alias or text.partition(".")[0], f"import {text}"


def _javascript(node: SgNode, read: Read) -> Iterator[Bound]:
    source = read(node.field("source"))
    clause = next((child for child in node.children() if child.kind() == "import_clause"), None)
    if clause is None:
        yield from _plain(node, read)
        return
    for part in clause.children():
        if part.kind() == "identifier":
            yield read(part), f"import {read(part)} from {source}"
        elif part.kind() == "namespace_import":
            yield read(part).rpartition(" ")[2], f"import {read(part)} from {source}"
        elif part.kind() == "named_imports":
            for name in part.children():
                if name.kind() == "import_specifier":
                    bound = name.field("alias") or name.field("name")
                    yield read(bound), f"import {{ {read(name)} }} from {source}"


def _go(node: SgNode, read: Read) -> Iterator[Bound]:
    for spec in node.find_all(kind="import_spec"):
        path = read(spec.field("path")).strip('"`')
        last = re.sub(r"/v\d+$|\.v\d+$", "", path).rpartition("/")[2]
        name = read(spec.field("name")) or re.sub(r"^go-|-go$|\.go$", "", last).replace("-", "_")
        yield name, f"import {read(spec)}"


def _java(node: SgNode, read: Read) -> Iterator[Bound]:
    text = read(node)
    if node.kind() == "import_declaration" and "*" not in text:
        yield text.rstrip(" ;").rpartition(".")[2], text


def _rust(node: SgNode, read: Read) -> Iterator[Bound]:
    argument = node.field("argument")
    if argument is None:
        yield from _plain(node, read)
    else:
        yield from _rust_tree(argument, read, "")


def _rust_tree(node: SgNode, read: Read, prefix: str) -> Iterator[Bound]:
    kind = node.kind()
    if kind == "use_list":
        for child in node.children():
            if child.is_named():
                yield from _rust_tree(child, read, prefix)
    elif kind == "scoped_use_list":
        inner = node.field("list")
        if inner is not None:
            path = read(node.field("path"))
            yield from _rust_tree(inner, read, f"{prefix}{path}::" if path else prefix)
    elif kind == "use_as_clause":
        yield read(node.field("alias")), f"use {prefix}{read(node)};"
    elif kind in ("identifier", "scoped_identifier", "self"):
        text = read(node)
        name = text.rpartition("::")[2]
        yield prefix.rstrip(":").rpartition("::")[2] if name == "self" else name, f"use {prefix}{text};"


def _plain(node: SgNode, read: Read) -> Iterator[Bound]:
    """Of a statement whose parts are not known: the last word of each part of it."""
    text = read(node)
    if "*" in text or not _WORD.search(text):
        return
    for name in dict.fromkeys(_LAST_WORDS.findall(text)):
        yield name, text


_READERS: dict[str, Callable[[SgNode, Read], Iterator[Bound]]] = {
    "python": _python,
    "javascript": _javascript,
    "typescript": _javascript,
    "tsx": _javascript,
    "go": _go,
    "java": _java,
    "rust": _rust,
}
