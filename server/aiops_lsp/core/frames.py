"""What a split keeps so that an edit of a few functions needs no look at the rest of the document."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.context import MEMBER_RANK, MOST_OF_A_NAME, classes_around

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiops_lsp.core.building import RegionBuilder
    from aiops_lsp.core.context import ContextBlocks
    from aiops_lsp.core.outline import Scope
    from aiops_lsp.core.partition import Part


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """A class around regions: its dotted symbol, its name, its header as context blocks show it."""

    symbol: str
    name: str
    header: str
    outer: Around | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What context blocks say of a definition. `owner` is the symbol of the class that it is a member of, if any.

    `opens` is the class that it defines: those in it have its header instead.
    """

    owner: str | None
    name: str
    rank: int
    text: str
    opens: Around | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What is kept of a region: whether it is one whole function, at top level or in the class `around`, and its facts.

    `function` is false as well for what no other region can be split without.
    """

    function: bool
    around: Around | None
    facts: tuple[Fact, ...]


def frames_of(builder: RegionBuilder) -> tuple[Frame, ...]:
    """The frames of a builder's parts, in order; none where an edit needs the whole document to be split anew."""
    context = builder.context
    if context is None or builder.syntax.errors or builder.secrets or _overflows(context):
        return ()
    arounds = _arounds(context)
    opened = {scope.header[0]: around for scope, around in arounds.items()}
    facts = facts_by_part(context, builder.parts, opened)
    return tuple(_frame(part, arounds, here) for part, here in zip(builder.parts, facts, strict=True))


def facts_by_part(
    context: ContextBlocks, parts: Sequence[Part], opened: Mapping[int, Around] | None = None
) -> list[list[Fact]]:
    """What context blocks say of the definitions in each of `parts`, which are in order.

    Definitions before the first part are in none. `opened` are the classes by where their headers begin.
    """
    starts = [context.syntax.line_starts[part.start] for part in parts]
    facts: list[list[Fact]] = [[] for _ in starts]
    for start, scope, definition, text in context.facts():
        owner = scope.symbol if scope.is_class else None
        rank = definition.kind.value if owner is None else MEMBER_RANK
        fact = Fact(owner, definition.name, rank, text, opened.get(start) if opened is not None else None)
        if (index := bisect_right(starts, start) - 1) >= 0:
            facts[index].append(fact)
    return facts


def _frame(part: Part, arounds: dict[Scope, Around], facts: Sequence[Fact]) -> Frame:
    scope = part.scope
    plain = scope is not None and (scope.is_class or (scope.parent is None))
    whole = part.function is not None and not part.partial and not part.cut
    return Frame(whole and plain, None if scope is None else arounds.get(scope), tuple(facts))


def _arounds(context: ContextBlocks) -> dict[Scope, Around]:
    """The classes of a document. Outer ones come before those in them."""
    found: dict[Scope, Around] = {}
    for scope in context.outline.scopes:
        if scope.is_class:
            outer = [found[one] for one in classes_around(scope) if one is not scope]
            found[scope] = Around(scope.symbol, scope.name, context.header_of(scope), outer[-1] if outer else None)
    return found


def _overflows(context: ContextBlocks) -> bool:
    """Whether some name has so many definitions that not all are shown: which ones are depends on all of them."""
    tables = (context.globals, *context.members.values())
    return any(len(found) >= MOST_OF_A_NAME for table in tables for found in table.values())
