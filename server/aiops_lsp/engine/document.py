"""One open document under review: what is known of its regions, what is shown, and the gate before publishing.

The state of the text moves in two steps. Each edit carries the shown findings along (cheap, exact, and suspended
where the edit touched them). Each look replaces the split and derives everything again. Only `publish` decides what
goes out, and it never lets through what belongs to another version than the document's current one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Origin
from aiops_lsp.core.splitting import count_errors
from aiops_lsp.core.text import carry, split_lines
from aiops_lsp.engine.derive import LiveFinding, bring_home, derive, still_stands
from aiops_lsp.engine.host import DocumentStatus, Publication
from aiops_lsp.engine.marks import EditMarks
from aiops_lsp.engine.placement import PlacedRecords
from aiops_lsp.engine.rulebook import RuffFindings, RuleMemory
from aiops_lsp.engine.selection import Trigger
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW, Progress, Reason, Standing
from aiops_lsp.rules.builtin import BUILTIN_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops_lsp.core.findings import Finding, Fix
    from aiops_lsp.core.regions import Region, RegionKeys
    from aiops_lsp.core.text import AppliedEdit, Snapshot, TextDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.models import ModelPool


_EXACT = attrgetter("exact")
_WITHOUT_RESULT = (Progress.REVIEWING, Progress.NOT_REVIEWED)


@dataclass(slots=True)
class Shown:
    """What the client shows: the version it was computed for, and the findings."""

    version: int | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """What the rules' patterns find in a snapshot that is not split yet, and what of it is shown at all."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    accepts: Callable[[Finding], bool]


@dataclass(slots=True)
class ReviewedDocument:
    """The state of one open document. All methods are called on the event loop and return at once.

    `standings` has one entry per region of `examined`. `note` says why the whole document is not put to a model,
    empty where it is; `unseen` why its text could not be looked at; `on_command` says that a command may put it to
    one all the same. `accepts` says which findings are shown at all (severity, confidence, ignores, dismissals);
    `dismissed` are the ids that the user dismissed, as of the last look. `awaits_rules` says that the rules have not
    looked at its text yet. `glance` is ahead of the last look. `remembered` is the last look at the document before it
    was closed and opened again. `held` are the keys of regions that a burst held back, `saved` those of regions that
    the file was saved with. `planned_for` are the models of the last plan. `stirred` are the keys of regions whose
    context was changed by an edit elsewhere, with the time of that. `unchanged` are the loose keys of regions as they
    were when there was no change in them. `looking` is held during a look, so that there is one at a time. `_touched`
    counts the lines that edits touched since the last look. `_derived_for` is the look that findings were derived for.
    """

    text: TextDocument
    publish_to: Callable[[Publication], None]
    marks: EditMarks = field(default_factory=EditMarks)
    examined: Examined | None = None
    standings: list[Standing] = field(default_factory=list)
    rule_memory: RuleMemory = field(default_factory=RuleMemory)
    awaits_rules: bool = False
    rule_findings: tuple[Finding, ...] = ()
    ruff_findings: RuffFindings | None = None
    note: str = ""
    unseen: str = ""
    on_command: bool = False
    accepts: Callable[[Finding], bool] = lambda _finding: True
    dismissed: frozenset[str] = frozenset()
    glance: Glance | None = None
    remembered: Examined | None = None
    held: set[str] = field(default_factory=set)
    stirred: dict[str, float] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    saved: set[str] = field(default_factory=set)
    visible: tuple[int, int] | None = None
    live: list[LiveFinding] = field(default_factory=list)
    closed: bool = False
    planned_for: ModelPool | None = None
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _compared_with: int = 0
    _touched: int = 0
    _derived_for: Examined | None = None
    _trigger: Trigger = Trigger.OPENED
    _shown: Shown = field(default_factory=Shown)
    _placed_records: PlacedRecords = field(default_factory=PlacedRecords)

    @property
    def uri(self) -> str:
        """The document's URI."""
        return self.text.uri

    @property
    def reviewing(self) -> bool:
        """Whether a region is being reviewed."""
        return any(standing.progress is Progress.REVIEWING for standing in self.standings)

    @property
    def over_budget(self) -> str:
        """Why a limit keeps a region back, in words; empty when none does."""
        words = (one.words for one in self.standings if one.reason is Reason.OVER_BUDGET)
        return next(words, "")

    def edited(self, edits: Sequence[AppliedEdit], at: float) -> bool:
        """Follow edits that were applied to the text. True when they put a fix that was offered in its place."""
        offered = [(live, live.finding.fix) for live in self.live if live.finding.fix is not None]
        for edit in edits:
            self._touched += max(edit.range.end.line, edit.new_end.line) - edit.range.start.line + 1
            self.marks.edited(edit, at)
            for live in self.live:
                live.carry(edit, carry)
        return any((live.suspended or live.finding.fix is None) and _holds_fix(self.text, fix) for live, fix in offered)

    def ask(self, trigger: Trigger) -> None:
        """Remember why the next look is due; the strongest reason counts."""
        self._trigger = max(self._trigger, trigger)

    def take_trigger(self) -> Trigger:
        """The reason for this look; the next one starts without."""
        trigger, self._trigger = self._trigger, Trigger.OPENED
        return trigger

    def is_current(self, snapshot: Snapshot) -> bool:
        """Whether `snapshot` is the document's text as it is now."""
        return not self.closed and self.text.snapshot() is snapshot

    def awaits_cache(self, examined: Examined) -> bool:
        """Whether what is shown depends on what the cache knows of `examined`, so that nothing is shown before.

        That is so for the first look, and where a model's finding stands in a region that is not known yet: it might
        be said to be re-checked for the blink of an eye.
        """
        if self.examined is None:
            return True
        lines = {live.finding.range.start.line for live in self.live if live.finding.origin is not Origin.RULE}
        if not lines:
            return False
        known = {keys.exact for keys in self.examined.keys}
        standing = zip(examined.split.regions, examined.keys, strict=True)
        fresh = [region for region, keys in standing if keys.exact not in known]
        return any(region.start_line <= line < region.end_line for region in fresh for line in lines)

    def may_glance(self, snapshot: Snapshot) -> bool:
        """Whether a glance at `snapshot` would show all that is known of it.

        So it is when most of the text has changed, and nothing shows but what patterns and ruff find: else findings
        would be gone for the blink of an eye.
        """
        if self.examined is None or 2 * self._touched <= len(snapshot.lines):
            return False
        return all(_is_glanced(live.finding) for live in self.live)

    def adopt(self, examined: Examined) -> None:
        """Take over a new split. Regions keep their standing when their exact key is known from the last one."""
        exact = {keys.exact for keys in examined.keys}
        known: dict[str, Standing] = {}
        codes: set[str] = set()
        if self.examined is not None:
            before = zip(self.examined.split.regions, self.examined.keys, self.standings, strict=True)
            for region, keys, standing in before:
                known[keys.exact] = standing
                if keys.exact not in exact:
                    codes.add(region.code)
        edited_at = self.marks.latest_at()
        for region, keys in zip(examined.split.regions, examined.keys, strict=True):
            if edited_at is not None and keys.exact not in known and region.code in codes:
                self.stirred[keys.exact] = edited_at
        self.examined, self.glance, self._touched = examined, None, 0
        fresh = Standing.not_reviewed(Reason.NEW)
        self.standings = [known.get(keys.exact, fresh) for keys in examined.keys]
        self.held &= exact
        self.stirred = {key: at for key, at in self.stirred.items() if key in exact}
        self.saved &= exact

    def compare_with(self, base: int) -> None:
        """Say what changes are told against: what was unchanged against another text may be changed against this."""
        if self._compared_with != base:
            self._compared_with = base
            self.unchanged.clear()

    def has_changed(self, keys: RegionKeys, lines_changed: bool) -> bool:
        """Whether code of a region has changed, and not only lines: comments, blanks or what stood beside it."""
        if not lines_changed:
            self.unchanged.add(keys.loose)
        return keys.loose not in self.unchanged

    def stand(self, exact_key: str, standing: Standing) -> bool:
        """Set the standing of the regions with this key. True when there are such regions.

        While a region is being reviewed again, its earlier result goes on showing; so too when that came to nothing.
        """
        if self.examined is None or not self.holds(exact_key):
            return False
        for index, keys in enumerate(self.examined.keys):
            if keys.exact == exact_key:
                earlier = self.standings[index]
                if standing.record is None and standing.progress in _WITHOUT_RESULT:
                    self.standings[index] = replace(standing, record=earlier.record, exact=earlier.exact)
                else:
                    self.standings[index] = standing
        return True

    def holds(self, exact_key: str) -> bool:
        """Whether a region of the last split has this key."""
        return self.examined is not None and exact_key in map(_EXACT, self.examined.keys)

    def standing_of(self, exact_key: str) -> Standing | None:
        """How the region with this key stands; None when the last split has none."""
        if self.examined is None:
            return None
        standings = zip(self.examined.keys, self.standings, strict=True)
        return next((standing for keys, standing in standings if keys.exact == exact_key), None)

    def by_key(self) -> dict[str, Standing]:
        """How the regions of the last split stand, by exact key."""
        if self.examined is None:
            return {}
        return {keys.exact: standing for keys, standing in zip(self.examined.keys, self.standings, strict=True)}

    def is_being_written(self, region: Region) -> bool:
        """Whether the text is ahead of the last split, and the latest edit was about where `region` is."""
        latest = self.marks.latest()
        if self.examined is None or latest is None or self.is_current(self.examined.snapshot):
            return False
        return region.start_line <= latest[1] and latest[0] < region.end_line

    def publish(self) -> None:
        """Derive the findings of the current text and publish them.

        Nothing goes out while the text is ahead of the last split and of the last glance: the next look will publish.
        What equals the last publication is not sent again.
        """
        if self.examined is not None and self.is_current(self.examined.snapshot):
            self._publish_derived(self.examined)
        elif self.glance is not None and self.is_current(self.glance.snapshot):
            self.live = self._of_rules(self.glance.snapshot, self.glance.findings)
            self._publish_live(self.glance.snapshot, self.glance.accepts)

    def _publish_derived(self, examined: Examined) -> None:
        snapshot, split = examined.snapshot, examined.split

        def errors(code: str) -> int:
            return count_errors(code, snapshot.language)

        if self._derived_for is not None:
            bring_home(self.live, self._derived_for, examined)
        derived = derive(snapshot, split.regions, self.standings, self.live, errors, self._placed_records)
        rules = self._of_rules(snapshot, self.rule_findings)
        self.live = [*(LiveFinding(one.finding, one.quote) for one in derived), *rules]
        self._derived_for = examined
        for live in self.live:
            live.home = live.finding.range
        self._publish_live(snapshot, self.accepts)

    def _publish_live(self, snapshot: Snapshot, accepts: Callable[[Finding], bool]) -> None:
        self.live.sort(key=lambda live: (live.finding.range, live.finding.id))
        for live in self.live:
            live.hidden = not accepts(live.finding)
        self._send(Publication(self.uri, snapshot.version, tuple(self.findings()), snapshot))

    def _of_rules(self, snapshot: Snapshot, findings: Iterable[Finding]) -> list[LiveFinding]:
        """The rules' findings and ruff's; until those of this snapshot have come, the earlier ones that still stand."""
        ruff: Iterable[Finding] = ()
        if self.ruff_findings is not None and self.ruff_findings.snapshot is snapshot:
            ruff = self.ruff_findings.findings
        elif self.ruff_findings is not None:
            known = [live for live in self.live if live.finding.origin is Origin.RUFF]
            ruff = [live.finding for live in known if still_stands(live, snapshot)]
        return [LiveFinding(finding, finding.evidence) for finding in (*findings, *ruff)]

    def leave(self) -> None:
        """Publish nothing any more: another text has taken this one's place, or none."""
        self.closed = True
        self.live = []

    def close(self) -> None:
        """Take everything back from the client."""
        self.leave()
        self._send(Publication(self.uri, self.text.version, (), None))

    def findings(self) -> list[Finding]:
        """The findings as they stand in the current text; those that an edit touched are left out."""
        return [live.finding for live in self.live if not (live.suspended or live.hidden)]

    def status(self) -> DocumentStatus:
        """How much has been reviewed."""
        counted = [standing for standing in self.standings if standing is not NOTHING_TO_REVIEW]
        progress = Counter(standing.progress for standing in counted)
        reasons = Counter(standing.words for standing in counted if standing.progress is Progress.NOT_REVIEWED)
        return DocumentStatus(
            uri=self.uri,
            regions=len(counted),
            reviewed=progress[Progress.REVIEWED] + progress[Progress.STALE],
            reviewing=progress[Progress.REVIEWING],
            not_reviewed=dict(reasons),
            note=self.unseen or self.note,
        )

    def _send(self, publication: Publication) -> None:
        if self._shown.version is not None and publication.findings == self._shown.findings:
            return
        self._shown = Shown(publication.version, publication.findings)
        self.publish_to(publication)


def _is_glanced(finding: Finding) -> bool:
    return finding.origin is Origin.RUFF or (finding.origin is Origin.RULE and finding.code not in BUILTIN_IDS)


def _holds_fix(text: TextDocument, fix: Fix) -> bool:
    """Whether the text now reads at the fix's first place as the fix would have it.

    Clients send what changed in a form of their own, often less than the edit that they applied, so the text is
    compared and not the edit.
    """
    first = fix.edits[0]
    line, column = first.range.start.line, first.range.start.column
    wanted = split_lines(first.new_text)
    if line + len(wanted) > text.line_count:
        return False
    there = "".join(text.line(line + index) for index in range(len(wanted)))
    return there[column:].startswith(first.new_text)
