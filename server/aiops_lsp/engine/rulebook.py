"""The offline rules on a document: the built-in and the team's, region by region, and ruff on Python.

What did not change is not looked at again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Severity, number_findings
from aiops_lsp.engine.uris import path_of, relative_path
from aiops_lsp.rules.loading import codes_of_other_tools
from aiops_lsp.rules.options import RuleOptions
from aiops_lsp.rules.ruff import check_with_ruff
from aiops_lsp.rules.ruff_config import codes_of_workspace
from aiops_lsp.rules.ruff_table import RUFF_RULES
from aiops_lsp.rules.team import TeamRules, load_team_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.rules.engine import RuleEngine
    from aiops_lsp.rules.rule import Rule
    from aiops_lsp.settings.options import Rules

logger = logging.getLogger(__name__)

_FEW = 8
"""Regions that are sooner asked one by one what the rules' conditions ask than after all of the document."""


@dataclass(frozen=True, slots=True)
class RuffFindings:
    """What ruff found in a snapshot under these settings."""

    snapshot: Snapshot
    rules: Rules
    findings: tuple[Finding, ...]


class Rulebook:
    """Which rules hold where. One per process; `report` is told, once, what is wrong with a team's rules."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._teams: dict[Path, tuple[tuple[tuple[str, int], ...], TeamRules]] = {}

    async def options(self, folder: Folder, snapshot: Snapshot) -> RuleOptions:
        """The options for one document. Reads a team's rules when they have changed."""
        rules, path = folder.settings.rules, path_of(snapshot.uri)
        left: frozenset[str] = frozenset()
        if snapshot.language == "python" and rules.ruff == "auto" and path is not None:
            root = folder.root or path.parent
            left = await asyncio.to_thread(_left_to_others, path, root)
        team: tuple[Rule, ...] = ()
        if (where := _rules_folder(folder)) is not None:
            team = (await asyncio.to_thread(self._team, where)).rules
        return RuleOptions(
            severity=dict(rules.severity),
            left_to_others=left,
            path=relative_path(snapshot.uri, folder.root),
            redact_patterns=folder.settings.privacy.redact_patterns,
            team_rules=team,
        )

    async def ruff(self, folder: Folder, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Ruff's findings in a Python snapshot, without those that the user's own ruff reports."""
        rules, path = folder.settings.rules, path_of(snapshot.uri)
        skip = {code for code, severity in rules.severity.items() if severity == "off"}
        if rules.ruff == "auto" and path is not None:
            root = folder.root or path.parent
            skip |= await asyncio.to_thread(codes_of_workspace, path, root, RUFF_RULES)
        report = await check_with_ruff(snapshot, skip=skip)
        if report.problem is not None:
            logger.warning("%s", report.problem)
        return tuple(
            one._replace(severity=Severity(rules.severity[one.code])) if one.code in rules.severity else one
            for one in report.findings
        )

    def _team(self, where: Path) -> TeamRules:
        stamp = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in where.rglob("*.y*ml") if path.is_file()))
        known = self._teams.get(where)
        if known is not None and known[0] == stamp:
            return known[1]
        team = load_team_rules(where)
        self._teams[where] = (stamp, team)
        for problem in team.problems:
            self._report(problem)
        return team


def _left_to_others(path: Path, root: Path) -> frozenset[str]:
    """What the workspace's own ruff reports of what our rules find as well. Blocks: the rules are read first."""
    return codes_of_workspace(path, root, codes_of_other_tools("python"))


def _rules_folder(folder: Folder) -> Path | None:
    """Where further rules are: the user's own folder, else the repository's, which must lie in the repository."""
    settings, root = folder.settings, folder.root
    if settings.rules.rules_dir:
        where = (root or Path()) / Path(settings.rules.rules_dir).expanduser()
        inside = root is not None and where.resolve().is_relative_to(root.resolve())
        return where if folder.trusted or not inside else None
    if not settings.repository.rules_dir or root is None or not folder.trusted:
        return None
    where = (root / settings.repository.rules_dir).resolve()
    return where if where.is_relative_to(root.resolve()) else None


@dataclass(frozen=True, slots=True)
class RegionMemory:
    """What the rules found in a region, lines counted from its first, and what of their conditions it holds."""

    hints: frozenset[str]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """What is known of the regions of a document by the digest of their text.

    It holds for the options that it was made with; the findings only while the document meets the same premises.
    `digests` are those of the regions whose sent lines are `lines`, where all lines end alike.
    """

    options: RuleOptions | None = None
    premises: frozenset[str] = frozenset()
    regions: Mapping[bytes, RegionMemory] = field(default_factory=dict)
    lines: Sequence[tuple[str, ...]] = ()
    digests: Sequence[bytes] = ()


def rule_findings(
    engine: RuleEngine,
    snapshot: Snapshot,
    regions: Sequence[Region],
    options: RuleOptions,
    memory: RuleMemory,
    glanced: Sequence[Finding] | None = None,
) -> tuple[tuple[Finding, ...], RuleMemory]:
    """The rules' findings in `snapshot`, numbered, and the memory for the next time. CPU only: call it on a thread.

    Regions that are in `memory` are taken from there; when these are the lesser part of the document, it is looked at
    as a whole, which is quicker than so many regions one by one. `glanced` are the findings of the engine's `glance`
    at it, where there was one.
    """
    earlier = memory.regions if memory.options == options else {}

    def text(region: Region) -> str:
        return "".join(snapshot.lines[region.start_line : region.end_line]).rstrip("\r\n")

    # A region that was taken over from the last split has its very lines, and so the text that it had then, but for
    # the lines' ends, which may be of two kinds.
    plain = "\r" not in snapshot.text
    taken_over = dict(zip(map(id, memory.lines), memory.digests, strict=True)) if plain else {}
    digests = [taken_over.get(id(region.lines)) or _digest(text(region)) for region in regions]
    firsts = dict(zip(reversed(digests), reversed(regions), strict=True))  # of several with the same text the first
    conditions = engine.conditions(snapshot, options)
    if len(firsts.keys() - earlier.keys()) > _FEW:
        conditions.narrow(snapshot.text)
    hints = {
        digest: earlier[digest].hints if digest in earlier else conditions.hints(text(region))
        for digest, region in firsts.items()
    }
    together = frozenset().union(*hints.values())
    if not conditions.suffice(together):
        conditions = engine.conditions(snapshot, options)
        hints = {digest: conditions.hints(text(region)) for digest, region in firsts.items()}
        together = frozenset().union(*hints.values())
    premises = conditions.premises(snapshot.text, together)
    known = earlier if memory.premises == premises else {}
    missing = [
        (region.start_line, region.end_line)
        for region, digest in zip(regions, digests, strict=True)
        if digest not in known
    ]
    found: list[Finding] = []
    if missing:
        most = glanced is not None or 2 * sum(end - start for start, end in missing) > len(snapshot.lines)
        asked = None if most else missing
        found = engine.review(snapshot, regions=asked, options=options, premises=premises, glanced=glanced)
    now = dict(_remembered(firsts, known, hints, found))
    placed = [
        one.moved(region.start_line)
        for region, digest in zip(regions, digests, strict=True)
        for one in now[digest].findings
    ]
    placed.sort(key=lambda one: (one.range, one.code))
    numbered = number_findings((one, one.evidence) for one in placed)
    lines = [region.lines for region in regions] if plain else []
    return tuple(numbered), RuleMemory(options, premises, now, lines, digests if plain else [])


def _remembered(
    firsts: Mapping[bytes, Region],
    known: Mapping[bytes, RegionMemory],
    hints: Mapping[bytes, frozenset[str]],
    found: Sequence[Finding],
) -> Iterator[tuple[bytes, RegionMemory]]:
    """What is now known of the regions, each of which stands for all with its text."""
    nothing: dict[frozenset[str], RegionMemory] = {}  # most have nothing, which is kept once
    for digest, region in firsts.items():
        if digest in known:
            yield digest, known[digest]
            continue
        here = range(region.start_line, region.end_line)
        inside = tuple(one.moved(-region.start_line) for one in found if one.range.start.line in here)
        held = hints[digest]
        yield digest, RegionMemory(held, inside) if inside else nothing.setdefault(held, RegionMemory(held))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
