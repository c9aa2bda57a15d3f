"""Follows what the author has come to rest with, and when the review of it came.

A version of a region is its code and context, comments and blanks aside, from the last edit of either until one changes
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops_lsp.core.routing import Tier, tier_of
from aiops_lsp.engine.standing import Progress, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiops_lsp.core.regions import Region
    from aiops_lsp.engine.document import ReviewedDocument


@dataclass(slots=True)
class Version:
    """Times are seconds on the clock of the run; `gone_at` and `answered_at` are None until then.

    `due` says that neither half-written, nor complex, nor one of many that changed at once, it waits for no save.
    """

    edited_at: float
    due: bool
    gone_at: float | None = None
    answered_at: float | None = None

    def rested(self, now: float) -> float:
        """How long it stood after its last edit, in seconds."""
        return (now if self.gone_at is None else self.gone_at) - self.edited_at

    @property
    def delay(self) -> float | None:
        """Seconds from its last edit to its review; None without one."""
        return None if self.answered_at is None else max(0.0, self.answered_at - self.edited_at)


@dataclass
class Rests:
    """The versions of all regions that were edited, as looks and answers saw them."""

    versions: list[Version] = field(default_factory=list)
    _standing: dict[tuple[str, str], Version] = field(default_factory=dict)

    def looked_at(self, document: ReviewedDocument, now: float) -> None:
        """A look at `document` has ended, or an answer has come to it."""
        examined = document.examined
        if examined is None:
            return
        seen = set()
        for region, keys, standing in zip(examined.split.regions, examined.keys, document.standings, strict=True):
            edited_at = document.marks.last_edits([-1, region.start_line, region.end_line]).get(1)
            if edited_at is None or region.trivial:
                continue
            name = (document.uri, keys.loose)
            seen.add(name)
            version = self._standing.get(name)
            if version is None:
                latest = max(mark.at for mark in document.marks._marks)  # it made the version, here or in its context
                version = self._standing[name] = Version(latest, _is_due(region))
                self.versions.append(version)
            if version.answered_at is None:
                version.edited_at = max(version.edited_at, edited_at)
                if standing.progress is Progress.REVIEWED:
                    version.answered_at = now
                version.due = version.due and standing.reason is not Reason.BURST
        for name in [name for name in self._standing if name[0] == document.uri and name not in seen]:
            self._standing.pop(name).gone_at = now

    def due(self) -> list[Version]:
        """Those that are reviewed without a save."""
        return [version for version in self.versions if version.due]


def quantile(values: Iterable[float], part: float) -> float:
    """The value below which `part` of them lie; not a number without any."""
    listed = sorted(values)
    return listed[min(len(listed) - 1, int(part * len(listed)))] if listed else float("nan")


def _is_due(region: Region) -> bool:
    return not (region.parse_error or region.empty_body or tier_of(region.shape) is Tier.COMPLEX)
