"""From a document's standings to requests: what is in scope, which regions to send, and how they are packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.core.routing import Tier, lowered, tier_of
from aiops_lsp.engine.packing import Job, pack
from aiops_lsp.engine.selection import DECIDED, Candidate
from aiops_lsp.engine.sizes import fixed_tokens, region_tokens
from aiops_lsp.engine.standing import NOTHING_TO_REVIEW, Progress, Reason, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.core.prompts import PromptTexts
    from aiops_lsp.core.regions import Region
    from aiops_lsp.engine.document import ReviewedDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.git import ChangedLines
    from aiops_lsp.engine.models import ModelPool
    from aiops_lsp.engine.packing import Packing


def scope(
    document: ReviewedDocument,
    examined: Examined,
    changed: ChangedLines | None,
    *,
    whole_file: bool,
    lines: tuple[int, int] | None = None,
) -> list[bool]:
    """Of each region whether it is in scope.

    `changed` are the lines that differ from the last commit, None where there is no version control: then the edits
    since the file was opened decide; comments and blanks count as none. With `lines`, only regions that meet them are
    in scope.
    """
    regions = examined.split.regions
    if whole_file:
        return [lines is None or meets(region, lines) for region in regions]
    document.compare_with(0 if changed is None else changed.base)
    if changed is None:
        edited = document.marks.last_edits([region.start_line for region in regions])
        found = [index in edited for index in range(len(regions))]
    else:
        found = [_is_changed(region, changed) for region in regions]
    if lines is not None:
        return [one and meets(region, lines) for region, one in zip(regions, found, strict=True)]
    return [document.has_changed(keys, one) for keys, one in zip(examined.keys, found, strict=True)]


def candidates(
    document: ReviewedDocument, examined: Examined, in_scope: Sequence[bool], now: float, *, deep: bool = False
) -> dict[int, Candidate]:
    """The regions that there is something to decide of, by their number, as the selection sees them.

    `in_scope` tells of each region whether it is; `now` is monotonic seconds. A `deep` review takes no result of a
    lesser tier for an answer.
    """
    latest = document.marks.latest()
    found = {}
    edited = document.marks.last_edits([region.start_line for region in examined.split.regions])
    for index, standing in enumerate(document.standings):
        if standing.progress in DECIDED and not deep:
            continue
        region, keys, edited_at = examined.split.regions[index], examined.keys[index], edited.get(index)
        written_at, left = edited_at, latest is not None and not meets(region, latest)
        stirred_at = document.stirred.get(keys.exact)
        if stirred_at is not None and (edited_at is None or edited_at < stirred_at):
            written_at, left = stirred_at, False  # what it uses is being written: that has to rest as well
        found[index] = Candidate(
            region=region,
            key=keys.exact,
            tier=tier_of(region.shape, deep=deep),
            standing=_deepened(standing) if deep else standing,
            in_scope=in_scope[index],
            seconds_since_edit=None if written_at is None else now - written_at,
            left=left,
            saved=keys.exact in document.saved,
            visible=document.visible is not None and meets(region, document.visible),
        )
    return found


def jobs(chosen: Iterable[Candidate], examined: Examined, pool: ModelPool, *, pressed: bool) -> list[Job]:
    """What to send for candidates. When the budget is `pressed`, a tier lower than their own.

    What stands twice in a document is sent once.
    """
    keys_of = dict(zip((keys.exact for keys in examined.keys), examined.keys, strict=True))
    made: dict[str, Job] = {}
    for candidate in chosen:
        tier = lowered(candidate.tier) if pressed else candidate.tier
        models = pool.chain(tier)
        if not models:
            continue
        record = candidate.standing.record
        made[candidate.key] = Job(
            region=candidate.region,
            keys=keys_of[candidate.key],
            tier=tier,
            models=models,
            input_tokens=region_tokens(candidate.region, models[0]),
            reasoning=tier is Tier.COMPLEX,
            failures=candidate.standing.failures,
            lowered=tier is not candidate.tier,
            known_at=record.made_at if record is not None and candidate.standing.exact else None,
        )
    return list(made.values())


def without_model(chosen: Iterable[Candidate], made: Iterable[Job]) -> dict[str, Standing]:
    """How those of `chosen` stand, by key, for whose tier the settings name no model."""
    sendable = {job.keys.exact for job in made}
    return {
        one.key: Standing.not_reviewed(Reason.NO_MODEL, f"no model is set for {one.tier} regions (models.{one.tier})")
        for one in chosen
        if one.key not in sendable
    }


def packed(made: Sequence[Job], examined: Examined, texts: PromptTexts, max_tokens: int) -> Packing:
    """The jobs in as few requests as `max_tokens` each allow."""
    fixed = max((fixed_of(examined, texts, job.models[0]) for job in made), default=0)
    return pack(made, fixed_tokens=fixed, max_tokens=max_tokens)


def fixed_of(examined: Examined, texts: PromptTexts, model: str) -> int:
    """The estimate of the part that each request of the document that was `examined` repeats."""
    recipe = examined.recipe
    return fixed_tokens(texts, examined.snapshot.language, recipe.instructions, recipe.language, model)


def _deepened(standing: Standing) -> Standing:
    record = standing.record
    if standing is NOTHING_TO_REVIEW or standing.progress is Progress.REVIEWING:
        return standing
    if record is not None and record.tier == Tier.COMPLEX.value:
        return standing
    return Standing(Progress.NOT_REVIEWED, Reason.NEW, record=record, exact=standing.exact)


def _is_changed(region: Region, changed: ChangedLines) -> bool:
    return changed.all or any(start < region.end_line and end > region.start_line for start, end in changed.ranges)


def meets(region: Region, lines: tuple[int, int]) -> bool:
    """Whether the region has a line of the first and last line given."""
    return region.start_line <= lines[1] and lines[0] < region.end_line
