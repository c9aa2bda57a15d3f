"""Mutants made by a tool: comparisons turned, numbers moved by one, conditions negated, all over a module."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_OTHER: dict[type[ast.boolop], type[ast.boolop]] = {ast.And: ast.Or, ast.Or: ast.And}


def made(source: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a module's source: what is changed where, and the new source."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        if _change(copy.deepcopy(node)) is None:  # most are, and a copy of the whole module is dear
            continue
        mutant = copy.deepcopy(tree)
        target = next(other for at, other in enumerate(ast.walk(mutant)) if at == number)
        if (words := _change(target)) is not None:
            place = f"line {getattr(node, 'lineno', 0)}, column {getattr(node, 'col_offset', 0)}"
            yield f"{place}: {words}", ast.unparse(mutant)


def _change(node: ast.AST) -> str | None:
    """Change `node` in place and say how; None where there is nothing to change in it."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _TURNED:
            node.ops[0] = _TURNED[type(op)]()
            return f"{type(op).__name__} is {type(node.ops[0]).__name__}"
        case ast.BinOp() if type(node.op) in _SWAPPED:
            node.op = _SWAPPED[type(node.op)]()
            return f"now {type(node.op).__name__}"
        case ast.BoolOp():
            node.op = _OTHER[type(node.op)]()
            return f"now {type(node.op).__name__}"
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            node.value = value + 1
            return f"{value} is {value + 1}"
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return None  # the same program: nothing is asked of annotations while it runs
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
            return "condition negated"
    return None
