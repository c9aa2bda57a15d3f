"""Reviews each case in a world of its own: the real engine as `aiops-lsp review` runs it, with empty stores.

Nothing of one case can be served from the cache, or packed, with another: results depend on the case alone.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from aiops_lsp.cli.host import CommandLineHost
from aiops_lsp.cli.reviewing import Run
from aiops_lsp.cli.targets import Target
from aiops_lsp.core.anchors import Anchor, anchor
from aiops_lsp.engine.host import Folder
from aiops_lsp.engine.review import Reviewer
from tests.benchmarks.quality.clients import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aiops_lsp.cli.allowance import Allowance
    from aiops_lsp.cli.outcome import ReviewedFile
    from aiops_lsp.core.anchors import Rejection
    from aiops_lsp.core.findings import Claim
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.llm.client import ModelClient
    from aiops_lsp.settings import Settings
    from tests.benchmarks.quality.cases import Case

CASES_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the review of a case came to. `claims` are all that a model stated, and whether each has a place.

    `problem` says why the case as a whole was not reviewed.
    """

    case: Case
    file: ReviewedFile | None
    claims: Sequence[tuple[Claim, bool]] = ()
    problem: str = ""


class Worlds:
    """Reviews cases with `settings`. `open_client` stands for the engine's own way to open a provider's client."""

    def __init__(
        self,
        settings: Settings,
        open_client: Callable[[str, str | None, str | None], ModelClient],
        environ: Mapping[str, str],
        allowance: Allowance,
    ) -> None:
        self._settings = settings
        self._open_client = open_client
        self._environ = environ
        self._allowance = allowance
        self._starting = asyncio.Lock()
        self._slots = asyncio.Semaphore(CASES_AT_A_TIME)
        self._claims: dict[str, dict[tuple[int, Claim], bool]] = {}

    async def review(self, cases: Sequence[Case], advanced: Callable[[], None] = lambda: None) -> list[Reviewed]:
        """Review `cases`, a few at a time; the results are in their order."""
        with tempfile.TemporaryDirectory(prefix="aiops-quality-") as folder, self._observed(Path(folder)):
            return await asyncio.gather(*(self._within(case, Path(folder), advanced) for case in cases))

    async def _within(self, case: Case, folder: Path, advanced: Callable[[], None]) -> Reviewed:
        async with self._slots:
            GROUP.set(case.group)
            reviewed = await self._review(case, folder / case.name)
            advanced()
            return reviewed

    async def _review(self, case: Case, home: Path) -> Reviewed:
        root = home / "work"
        root.mkdir(parents=True)
        path = root / case.file_name
        path.write_text(case.text, "utf-8", newline="\n")
        target = Target(path, case.file_name, case.task.language, root)
        host = CommandLineHost()
        work = Run([target], {target.uri: Folder(root, self._settings)}, lambda: None)
        reviewer = Reviewer(host, work.folder_of)
        await self._start(reviewer, home)
        try:
            estimate = await work.estimate(reviewer)
            outcome = await work.review(reviewer, self._allowance, estimate, lambda: host.notes)
        finally:
            await reviewer.aclose()
        claims = [(claim, held) for (_, claim), held in self._claims.pop(target.uri, {}).items()]
        if not outcome.files:
            return Reviewed(case, None, claims, outcome.unread[0].reason)
        file = outcome.files[0]
        return Reviewed(case, file, claims, file.not_sent or next(iter(file.unsent_lines()), ""))

    async def _start(self, reviewer: Reviewer, home: Path) -> None:
        """Open the stores of this case; which they are is in the environment, that all share."""
        async with self._starting:
            os.environ["AIOPS_STATE_DIR"], os.environ["AIOPS_CACHE_DIR"] = str(home / "state"), str(home / "cache")
            await reviewer.start(self._settings, self._environ)

    def _anchor(self, claim: Claim, region: Region, snapshot: Snapshot) -> Anchor | Rejection:
        place = anchor(claim, region, snapshot)
        self._claims.setdefault(snapshot.uri, {})[region.start_line, claim] = isinstance(place, Anchor)
        return place

    @contextmanager
    def _observed(self, folder: Path) -> Iterator[None]:
        """Put our clients in place of the engine's, and look on while claims are anchored."""
        with ExitStack() as stack:
            stack.enter_context(mock.patch("aiops_lsp.engine.models.open_client", self._open_client))
            stack.enter_context(mock.patch("aiops_lsp.engine.exchange.anchor", self._anchor))
            own = {"AIOPS_STATE_DIR": str(folder), "AIOPS_CACHE_DIR": str(folder)}
            stack.enter_context(mock.patch.dict(os.environ, own))
            yield
