"""What names an import statement binds, each with the shortest statement that would bind it alone.

A region's context block shows the imports of the names it uses, one by one, so that adding another name to the same
statement changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ast_grep_py import SgNode

Bound = tuple[str, str]
"""A name and the statement that binds it."""

_WORD = re.compile(r"[^\W\d]\w*")
_LAST_WORDS = re.compile(r"([^\W\d]\w*)\s*(?=[,;}\n]|$)")


def imported_names(node: SgNode, grammar: str) -> list[Bound]:
    """The names that the import statement `node` binds, in its order. Wildcards bind none that are known."""
    return list(_READERS.get(grammar, _plain)(node))


def _text(node: SgNode | None) -> str:
    return "" if node is None else " ".join(node.text().split())


def _python(node: SgNode) -> Iterator[Bound]:
    module = node.field("module_name")
    if node.kind() == "future_import_statement":
        return
    for name in node.field_children("name"):
        alias = _text(name.field("alias"))
        text = _text(name)
        if module is not None:
            yield alias or text, f"from {_text(module)} import {text}"
        else:
            yield alias or text.partition(".")[0], f"import {text}"


def _javascript(node: SgNode) -> Iterator[Bound]:
    source = _text(node.field("source"))
    clause = next((child for child in node.children() if child.kind() == "import_clause"), None)
    if clause is None:
        yield from _plain(node)
        return
    for part in clause.children():
        if part.kind() == "identifier":
            yield _text(part), f"import {_text(part)} from {source}"
        elif part.kind() == "namespace_import":
            yield _text(part).rpartition(" ")[2], f"import {_text(part)} from {source}"
        elif part.kind() == "named_imports":
            for name in part.children():
                if name.kind() == "import_specifier":
                    bound = name.field("alias") or name.field("name")
                    yield _text(bound), f"import {{ {_text(name)} }} from {source}"


def _go(node: SgNode) -> Iterator[Bound]:
    for spec in node.find_all(kind="import_spec"):
        path = _text(spec.field("path")).strip('"`')
        last = re.sub(r"/v\d+$|\.v\d+$", "", path).rpartition("/")[2]
        name = _text(spec.field("name")) or re.sub(r"^go-|-go$|\.go$", "", last).replace("-", "_")
        yield name, f"import {_text(spec)}"


def _java(node: SgNode) -> Iterator[Bound]:
    text = _text(node)
    if node.kind() == "import_declaration" and "*" not in text:
        yield text.rstrip(" ;").rpartition(".")[2], text


def _rust(node: SgNode) -> Iterator[Bound]:
    argument = node.field("argument")
    if argument is None:
        yield from _plain(node)
    else:
        yield from _rust_tree(argument, "")


def _rust_tree(node: SgNode, prefix: str) -> Iterator[Bound]:
    kind = node.kind()
    if kind == "use_list":
        for child in node.children():
            if child.is_named():
                yield from _rust_tree(child, prefix)
    elif kind == "scoped_use_list":
        inner = node.field("list")
        if inner is not None:
            path = _text(node.field("path"))
            yield from _rust_tree(inner, f"{prefix}{path}::" if path else prefix)
    elif kind == "use_as_clause":
        yield _text(node.field("alias")), f"use {prefix}{_text(node)};"
    elif kind in ("identifier", "scoped_identifier", "self"):
        text = _text(node)
        name = text.rpartition("::")[2]
        yield prefix.rstrip(":").rpartition("::")[2] if name == "self" else name, f"use {prefix}{text};"


def _plain(node: SgNode) -> Iterator[Bound]:
    """Of a statement whose parts are not known: the last word of each part of it."""
    text = _text(node)
    if "*" in text or not _WORD.search(text):
        return
    for name in dict.fromkeys(_LAST_WORDS.findall(text)):
        yield name, text


_READERS: dict[str, Callable[[SgNode], Iterator[Bound]]] = {
    "python": _python,
    "javascript": _javascript,
    "typescript": _javascript,
    "tsx": _javascript,
    "go": _go,
    "java": _java,
    "rust": _rust,
}
