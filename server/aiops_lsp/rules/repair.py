"""A rule's fix, as edits: the template with what the rule captured, in place of what it matched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Edit, Fix
from aiops_lsp.core.text import Range

if TYPE_CHECKING:
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.rules.matching import Match

_VARIABLE = re.compile(r"\$\$\$(?P<many>[A-Z_][A-Z0-9_]*)|\$(?P<one>[A-Z_][A-Z0-9_]*)")


def fix_of(match: Match, snapshot: Snapshot, shift: int) -> Fix | None:
    """The fix for `match`, or None if its rule has none. `shift` is what to add to the match's offsets."""
    template = match.rule.fix
    if template is None:
        return None
    place = match.node.range()
    start, end = place.start.index + shift, place.end.index + shift
    column = snapshot.position_at(start).column
    indent = snapshot.text[start - column : start]
    indent = indent[: len(indent) - len(indent.lstrip())]
    written = _VARIABLE.sub(
        lambda variable: _captured(variable, match, snapshot, shift), template.template.replace("\n", "\n" + indent)
    )
    old = snapshot.text[start:end]
    if written == old:
        return None
    edit = Edit(Range(snapshot.position_at(start), snapshot.position_at(end)), old, written)
    return Fix(template.title, (edit,), verified=template.safe)


def _captured(variable: re.Match[str], match: Match, snapshot: Snapshot, shift: int) -> str:
    """What the document holds where the variable was captured; nothing for one that the match did not need."""
    name = variable["many"] or variable["one"]
    if variable["many"]:
        nodes = match.node.get_multiple_matches(name)
        spans = [node.range() for node in nodes]
        return snapshot.text[spans[0].start.index + shift : spans[-1].end.index + shift] if spans else ""
    node = match.node.get_match(name)
    if node is None:
        return match.node.get_transformed(name) or ""
    span = node.range()
    return snapshot.text[span.start.index + shift : span.end.index + shift]
