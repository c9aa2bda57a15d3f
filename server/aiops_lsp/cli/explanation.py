"""Why each region of a file would or would not be put to a model: the engine's own decisions, without sending."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.cli.host import CommandLineHost
from aiops_lsp.core.routing import Tier, reason_of, tier_of
from aiops_lsp.engine import git, plan
from aiops_lsp.engine.assembly import assemble
from aiops_lsp.engine.clock import SystemClock
from aiops_lsp.engine.document import ReviewedDocument
from aiops_lsp.engine.look import Look
from aiops_lsp.engine.selection import Trigger
from aiops_lsp.engine.services import Services
from aiops_lsp.engine.sizes import region_tokens
from aiops_lsp.engine.standing import Progress, Reason, Standing
from aiops_lsp.engine.uris import path_of
from aiops_lsp.llm.client import ModelName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.engine.assembly import Assembly
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.settings import Settings


@dataclass(frozen=True, slots=True)
class ExplainedRegion:
    """One region. `tokens` is about what it adds to a request, None where no model is set.

    `verdict` says in words whether it would be sent when the file is saved, and to which model, or why not.
    """

    region: Region
    tier: Tier
    tier_why: str
    tokens: int | None
    in_scope: bool
    would_send: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A file. `note` says why it as a whole is put to no model, `problems` what else is in the way."""

    language: str
    lines: int
    note: str
    problems: tuple[str, ...]
    regions: tuple[ExplainedRegion, ...]


async def explain(
    document: TextDocument, folder: Folder, settings: Settings, environ: Mapping[str, str]
) -> Explanation:
    """Look at `document` as the engine would when it is saved. `settings` are those of the user alone."""
    host = CommandLineHost()
    clock = SystemClock()
    services = await asyncio.to_thread(Services.open, settings, clock, environ)
    assembly = assemble(
        services,
        settings,
        host,
        clock,
        _Nobody(),
        wanted=lambda _job: False,
        look_again=lambda _uri, _seconds: None,
        consent_changed=lambda: None,
    )
    try:
        await assembly.overview.refresh()
        reviewed = ReviewedDocument(document, host.publish)
        await Look(services, clock, None, services.problems.append).refresh(reviewed, folder)
        assert reviewed.examined is not None
        regions = await _explained(reviewed, reviewed.examined, folder, assembly)
        lines = document.line_count
        return Explanation(document.language, lines, reviewed.note, tuple(services.problems), tuple(regions))
    finally:
        await assembly.aclose()


class _Nobody:
    """A `Sink` for an engine that sends nothing."""

    def region_stands(self, key: str, standing: Standing) -> None:
        """Nothing was sent."""


async def _explained(
    document: ReviewedDocument, examined: Examined, folder: Folder, assembly: Assembly
) -> list[ExplainedRegion]:
    whole_file = folder.settings.review.scope == "file"
    before = list(document.standings)
    changed = None if whole_file else await _changed(document, examined)
    packs = await assembly.sending.plan(document, examined, folder, Trigger.SAVED, whole_file=whole_file)
    sent = {job.keys.exact: job for pack in packs for job in pack.jobs}
    withheld = {
        name: f"sending code to {route.host} was not allowed"
        for name, route in assembly.services.pool.routes.items()
        if not await assembly.consents.was_given(folder, route)
    }
    in_scope = plan.scope(document, examined, changed, whole_file=whole_file)
    explained = []
    for index, (region, keys) in enumerate(zip(examined.split.regions, examined.keys, strict=True)):
        tier = tier_of(region.shape)
        chain = assembly.services.pool.chain(tier)
        job = sent.get(keys.exact)
        refusal = withheld.get(ModelName.parse(job.models[0]).provider) if job is not None else None
        explained.append(
            ExplainedRegion(
                region=region,
                tier=tier,
                tier_why=reason_of(region.shape),
                tokens=region_tokens(region, chain[0]) if chain else None,
                in_scope=in_scope[index],
                would_send=job is not None and refusal is None,
                verdict=refusal or _verdict(job, document.standings[index], before[index]),
            )
        )
    return explained


def _verdict(job: Job | None, standing: Standing, earlier: Standing) -> str:
    if job is not None:
        lowered = f", a tier lower to save budget ({job.tier})" if job.lowered else ""
        return f"would be sent to {job.models[0]}{lowered}"
    known = standing if standing.record is not None else earlier
    if known.record is not None and known.progress in (Progress.REVIEWED, Progress.STALE):
        return "reviewed already; the result is in the cache"
    if standing.reason is Reason.OUT_OF_SCOPE:
        return "not in scope: unchanged since the last commit"
    return standing.words


async def _changed(document: ReviewedDocument, examined: Examined) -> git.ChangedLines | None:
    path = path_of(document.uri)
    return None if path is None else await git.changed_lines(path, examined.snapshot.lines)
