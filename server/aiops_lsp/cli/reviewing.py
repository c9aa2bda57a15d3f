"""Runs the engine over files: opened, reviewed, closed, a few at a time, within what the run may spend."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiops_lsp.cli.outcome import Outcome, ReviewedFile, UnreadFile
from aiops_lsp.core.eligibility import eligibility
from aiops_lsp.engine.files import read_document
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW
from aiops_lsp.engine.workspace import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiops_lsp.cli.allowance import Allowance
    from aiops_lsp.cli.targets import Lines, Target
    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.engine.host import Folder, RegionReport, ReviewReport

_log = logging.getLogger(__name__)

FILES_AT_A_TIME = 24
"""Enough that the next files are ready to be sent while as many requests as are allowed are under way."""
_READ_AT_A_TIME = 2
"""So few that the first file is on its way to a model while the others are read."""
_MICRO = 1_000_000

_Bound = tuple[int, int] | None
"""What a file may cost at most: tokens and micro-dollars; None where nothing has a price."""


class Reviewing(Protocol):
    """What is asked of the engine's `Reviewer`."""

    def open(self, document: TextDocument, *, look: bool = True) -> None: ...

    def close(self, uri: str) -> None: ...

    async def review(
        self, uri: str, *, lines: tuple[int, int] | None = None, at_most: tuple[int, int] | None = None
    ) -> ReviewReport: ...

    async def estimate(self, uri: str) -> tuple[int, int]: ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that files can cost: tokens and micro-dollars (millionths of a US dollar) by URI."""

    by_uri: Mapping[str, tuple[int, int]]

    @property
    def tokens(self) -> int:
        """Of all files together."""
        return sum(tokens for tokens, _ in self.by_uri.values())

    @property
    def usd(self) -> float:
        """Of all files together, in US dollars."""
        return sum(micro_usd for _, micro_usd in self.by_uri.values()) / _MICRO


class Run:
    """One review of `targets`. `folder_of` is what the reviewer was made with.

    `advanced` is called after each file that is done. A file that fails for a reason of our own is told as not
    reviewed, counted in `failures`, and the others go on.
    """

    def __init__(self, targets: Sequence[Target], folders: Mapping[str, Folder], advanced: Callable[[], None]) -> None:
        self._targets = targets
        self._folders = folders
        self._advanced = advanced
        self._withheld: dict[str, str] = {}
        self._slots = asyncio.Semaphore(FILES_AT_A_TIME)
        self._reading = asyncio.Semaphore(_READ_AT_A_TIME)
        self.failures = 0

    def folder_of(self, uri: str) -> Folder:
        """The folder and settings of a target; model reviews are off where it is not to be sent."""
        folder = self._folders[uri]
        if uri not in self._withheld:
            return folder
        review = folder.settings.review.model_copy(update={"enabled": False})
        return folder._replace(settings=folder.settings.model_copy(update={"review": review}))

    def withhold(self, uri: str, reason: str) -> None:
        """Review this target by rules only, for `reason`."""
        self._withheld[uri] = reason

    def withhold_all(self, reason: str) -> None:
        """Review everything by rules only."""
        for target in self._targets:
            self.withhold(target.uri, reason)

    async def estimate(self, reviewer: Reviewing) -> Estimate:
        """What reviewing the targets can cost at most. Sends nothing."""
        sendable = [target for target in self._targets if target.uri not in self._withheld]
        estimates = await asyncio.gather(*(self._estimate(reviewer, target) for target in sendable))
        return Estimate({target.uri: found for target, found in zip(sendable, estimates, strict=True)})

    async def review(
        self, reviewer: Reviewing, allowance: Allowance, estimate: Estimate | None, notes: Callable[[], Iterable[str]]
    ) -> Outcome:
        """Review all targets. `notes` are asked for at the end. There is no `estimate` where nothing has a price."""
        results = await asyncio.gather(
            *(self._within(reviewer, target, allowance, estimate) for target in self._targets)
        )
        return Outcome(
            files=tuple(result for result in results if isinstance(result, ReviewedFile)),
            unread=tuple(result for result in results if isinstance(result, UnreadFile)),
            notes=tuple(notes()),
        )

    async def _estimate(self, reviewer: Reviewing, target: Target) -> tuple[int, int]:
        async with self._slots:
            try:
                document = await self._read(target)
            except UnreadableFile:
                return 0, 0  # told when it is reviewed
            self._withhold_prose(target, document)
            reviewer.open(document, look=False)
            try:
                return await reviewer.estimate(target.uri)
            except Exception as error:  # noqa: BLE001 - as in `_review`; what cannot be estimated is not sent
                _log.exception("the cost of a review could not be estimated")
                self.withhold(
                    target.uri, f"what it costs could not be told ({type(error).__name__}); the log says more"
                )
                return 0, 0
            finally:
                reviewer.close(target.uri)

    async def _within(
        self, reviewer: Reviewing, target: Target, allowance: Allowance, estimate: Estimate | None
    ) -> ReviewedFile | UnreadFile:
        tokens, most = estimate.by_uri.get(target.uri, (0, 0)) if estimate is not None else (0, 0)
        async with self._slots:
            if not await allowance.take(most):
                self.withhold(target.uri, f"it may cost up to {most / _MICRO:.4f} USD, more than is left of --max-cost")
                most = 0
            result: ReviewedFile | UnreadFile | None = None
            try:
                at_most = (tokens, most) if estimate is not None else None
                result = await self._review(reviewer, target, at_most)
            finally:
                await allowance.settle(most, result.micro_usd if isinstance(result, ReviewedFile) else most)
                self._advanced()
            return result

    async def _review(self, reviewer: Reviewing, target: Target, at_most: _Bound) -> ReviewedFile | UnreadFile:
        try:
            document = await self._read(target)
        except UnreadableFile as problem:
            return UnreadFile(target.shown, f"it {problem}")
        self._withhold_prose(target, document)
        reviewer.open(document, look=False)
        try:
            return self._result(target, await self._reports(reviewer, target, at_most))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are still reviewed
            _log.exception("the review of a file failed")
            self.failures += 1
            return UnreadFile(target.shown, f"the review failed ({type(error).__name__}); the log says more")
        finally:
            reviewer.close(target.uri)

    async def _read(self, target: Target) -> TextDocument:
        async with self._reading:
            return await asyncio.to_thread(read_document, target.path, target.language)

    def _withhold_prose(self, target: Target, document: TextDocument) -> None:
        """What a model sees only on command (prose) was not asked for by naming the folder that it is in."""
        found = None if target.named else eligibility(target.uri, target.language, document.snapshot().text)
        if found is not None and found.on_command:
            self._withheld.setdefault(target.uri, found.sentence)

    @staticmethod
    async def _reports(reviewer: Reviewing, target: Target, at_most: _Bound) -> list[ReviewReport]:
        """One report for the whole file, or one for each run of changed lines; the last one has all findings."""
        if target.changed is None:
            return [await reviewer.review(target.uri, at_most=at_most)]
        reports: list[ReviewReport] = []
        for lines in target.changed:
            reports.append(await reviewer.review(target.uri, lines=_first_and_last(lines), at_most=at_most))
            if at_most is not None:
                at_most = (at_most[0] - reports[-1].tokens, at_most[1] - reports[-1].micro_usd)
        return reports

    def _result(self, target: Target, reports: Sequence[ReviewReport]) -> ReviewedFile:
        last = reports[-1]
        changed = target.changed
        return ReviewedFile(
            path=target.shown,
            snapshot=last.snapshot,
            findings=tuple(finding for finding in last.findings if changed is None or _touches(finding, changed)),
            regions=tuple(
                region
                for region in _joined(reports)
                if region.reason != NOTHING_TO_REVIEW.words and (changed is None or _meets(region, changed))
            ),
            not_sent=self._withheld.get(target.uri) or last.not_reviewed,
            tokens=sum(report.tokens for report in reports),
            micro_usd=sum(report.micro_usd for report in reports),
        )


def _joined(reports: Sequence[ReviewReport]) -> list[RegionReport]:
    """Each region as it fared when it was first reviewed: to the reports after that it is in the cache."""
    regions = list(reports[-1].regions)
    for report in reversed(reports[:-1]):
        for index, earlier in enumerate(report.regions):
            if earlier.outcome != "not_reviewed":
                regions[index] = earlier
    return regions


def _first_and_last(lines: Lines) -> tuple[int, int]:
    """The lines as the engine asks for them: first and last. Where lines are missing, those beside the gap."""
    start, end = lines
    return (start, end - 1) if end > start else (max(0, start - 1), start)


def _touches(finding: Finding, changed: Sequence[Lines]) -> bool:
    first, last = finding.range.start.line, finding.range.end.line
    return any(first <= until and last >= since for since, until in map(_first_and_last, changed))


def _meets(region: RegionReport, changed: Sequence[Lines]) -> bool:
    return any(region.start_line <= until and region.end_line > since for since, until in map(_first_and_last, changed))
