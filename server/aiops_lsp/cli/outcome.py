"""What a review on the command line came to, in the form that all output formats are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.host import RegionReport


@dataclass(frozen=True, slots=True)
class ReviewedFile:
    """One file that was read and reviewed, at least by rules.

    `path` is what is shown: with `/`, relative to the current folder where it lies inside. `findings` are those to
    report, in document order. `not_sent` says why no model saw the file, empty where one did or was not needed.
    """

    path: str
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    regions: tuple[RegionReport, ...] = ()
    not_sent: str = ""
    tokens: int = 0
    micro_usd: int = 0

    @property
    def unsent_regions(self) -> list[RegionReport]:
        """The regions that no model reviewed, although the file as a whole could be sent."""
        return [region for region in self.regions if region.outcome == "not_reviewed"] if not self.not_sent else []

    def unsent_lines(self) -> dict[str, str]:
        """Why regions were not put to a model, each reason with their lines, as in `lines 3-9, 14-20`."""
        grouped: dict[str, list[RegionReport]] = {}
        for region in self.unsent_regions:
            grouped.setdefault(region.reason or "no reason was given", []).append(region)
        return {reason: _lines(regions) for reason, regions in grouped.items()}


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that was not reviewed at all, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole run. `notes` is what the user should know beside, each once, in words."""

    files: tuple[ReviewedFile, ...]
    unread: tuple[UnreadFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> Iterator[tuple[ReviewedFile, Finding]]:
        """All findings with their files, in order."""
        return ((file, finding) for file in self.files for finding in file.findings)

    def severities(self) -> Counter[Severity]:
        """How many findings there are of each severity."""
        return Counter(finding.severity for _, finding in self.findings)

    def fails(self, threshold: str) -> bool:
        """Whether there is a finding of `threshold` (a severity's value) or above."""
        lowest = Severity(threshold).rank
        return any(finding.severity.rank >= lowest for _, finding in self.findings)

    def not_reviewed(self) -> list[UnreadFile]:
        """Everything that a model did not review: whole files, and lines of files, each with the reason."""
        listed = list(self.unread)
        for file in self.files:
            if file.not_sent:
                listed.append(UnreadFile(file.path, f"reviewed by rules only: {file.not_sent}"))
            for reason, lines in file.unsent_lines().items():
                listed.append(UnreadFile(file.path, f"{lines} reviewed by rules only: {reason}"))
        return listed

    @property
    def tokens(self) -> int:
        """Tokens that the run cost."""
        return sum(file.tokens for file in self.files)

    @property
    def usd(self) -> float:
        """US dollars that it cost."""
        return sum(file.micro_usd for file in self.files) / 1_000_000

    def region_outcomes(self) -> Counter[str]:
        """How many regions were `reviewed`, `cached` and `not_reviewed`."""
        return Counter(
            "not_reviewed" if file.not_sent else region.outcome for file in self.files for region in file.regions
        )


def _lines(regions: Sequence[RegionReport]) -> str:
    """As in `lines 3-9, 14-20`, adjoining regions joined."""
    spans: list[tuple[int, int]] = []
    for region in sorted(regions, key=lambda region: region.start_line):
        if spans and spans[-1][1] >= region.start_line:
            spans[-1] = (spans[-1][0], max(spans[-1][1], region.end_line))
        else:
            spans.append((region.start_line, region.end_line))
    words = [f"{start + 1}-{end}" if end > start + 1 else f"{start + 1}" for start, end in spans]
    return f"line{'s' if words != [str(spans[0][0] + 1)] else ''} {', '.join(words)}"
