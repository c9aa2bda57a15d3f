"""The offline rules on a document, region by region: what did not change is not looked at again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Fix, number_findings
from aiops_lsp.core.text import Position, Range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.rules.engine import RuleEngine
    from aiops_lsp.rules.options import RuleOptions


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """What the rules found in a document's regions: the text of a region to its findings, lines counted from its first.

    It holds for the options that it was made with.
    """

    options: RuleOptions | None = None
    regions: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)


def rule_findings(
    engine: RuleEngine, snapshot: Snapshot, regions: Sequence[Region], options: RuleOptions, memory: RuleMemory
) -> tuple[tuple[Finding, ...], RuleMemory]:
    """The rules' findings in `snapshot`, numbered, and the memory for the next time. CPU only: call it on a thread.

    Regions whose text is in `memory` are taken from there; when none is, the document is looked at as a whole.
    """
    known = memory.regions if memory.options == options else {}
    texts = ["".join(snapshot.lines[region.start_line : region.end_line]) for region in regions]
    missing = [
        (region.start_line, region.end_line) for region, text in zip(regions, texts, strict=True) if text not in known
    ]
    found: list[Finding] = []
    if missing:
        whole = len(missing) == len(regions)
        found = engine.review(snapshot, regions=None if whole else missing, options=options)
    now: dict[str, tuple[Finding, ...]] = {}
    for region, text in zip(regions, texts, strict=True):
        if text in known:
            now[text] = known[text]
        elif text not in now:
            here = range(region.start_line, region.end_line)
            now[text] = tuple(_moved(one, -region.start_line) for one in found if one.range.start.line in here)
    placed = [_moved(one, region.start_line) for region, text in zip(regions, texts, strict=True) for one in now[text]]
    placed.sort(key=lambda one: (one.range, one.code))
    return tuple(number_findings((one, one.evidence) for one in placed)), RuleMemory(options, now)


def _moved(finding: Finding, lines: int) -> Finding:
    fix = finding.fix
    if fix is not None:
        fix = Fix(
            fix.title, tuple(replace(edit, range=_shifted(edit.range, lines)) for edit in fix.edits), fix.verified
        )
    return replace(finding, range=_shifted(finding.range, lines), fix=fix)


def _shifted(place: Range, lines: int) -> Range:
    return Range(
        Position(place.start.line + lines, place.start.column), Position(place.end.line + lines, place.end.column)
    )
