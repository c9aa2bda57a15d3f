"""The second opinion: a stronger model tries to refute what is about to be shown as severe.

What it refutes is dropped, and the cache remembers that. What it upholds shows as confirmed, with its fix verified
where it calls that correct. Without a valid answer a finding shows one severity lower, as unconfirmed.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Confirmation, Severity
from aiops_lsp.core.injection import neutralise
from aiops_lsp.core.prompts import VERDICT_SCHEMA, Questioned, second_opinion_prompt
from aiops_lsp.core.routing import raised
from aiops_lsp.engine.deadline import deadline
from aiops_lsp.engine.governor import Ask, Permit
from aiops_lsp.engine.standing import Standing
from aiops_lsp.llm.answers import read_verdicts
from aiops_lsp.llm.client import Effort, ModelError, ModelRequest, TextDelta, UsageReport
from aiops_lsp.llm.tokens import most_tokens, reserve_tokens
from aiops_lsp.store.cache import CachedVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.findings import Claim
    from aiops_lsp.core.prompts import Prompt, PromptTexts
    from aiops_lsp.core.regions import Region
    from aiops_lsp.engine.governor import Governor
    from aiops_lsp.engine.order import Order, Spent
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.engine.results import Results
    from aiops_lsp.llm.answers import Verdict
    from aiops_lsp.settings.options import Review
    from aiops_lsp.store.cache import CachedClaim, CachedReview

logger = logging.getLogger(__name__)

ANSWER_BASE_TOKENS = 600
ANSWER_TOKENS_PER_FINDING = 150


def is_due(review: Review, claim: Claim) -> bool:
    """Whether the setting `second_opinion` wants a claim checked before it shows; one that never shows is not."""
    if review.second_opinion == "off" or claim.confidence < review.min_confidence:
        return False
    return review.second_opinion == "all" or claim.severity.rank >= Severity.HIGH.rank


class SecondOpinion:
    """Puts findings to the next stronger model. One per process."""

    def __init__(self, governor: Governor, results: Results, texts: PromptTexts) -> None:
        self._governor = governor
        self._results = results
        self._texts = texts

    async def ask(
        self, order: Order, reviewed: Sequence[tuple[Job, CachedReview]], spent: Spent, *, cacheable: bool = True
    ) -> None:
        """Have the unconfirmed claims of `reviewed` regions checked, in as few requests as fit, and show what comes.

        Of code that has gone meanwhile nothing is asked. What is not `cacheable` is shown and no more.
        """
        for batch in self._batches(order, reviewed):
            worthwhile = order.current() and any(order.stands(job) for job, _ in batch)
            verdicts = await self._verdicts(order, batch, spent) if worthwhile else {}
            number = 0
            for job, record in batch:
                kept: list[CachedClaim] = []
                for cached in record.claims:
                    if cached.confirmation is Confirmation.UNCONFIRMED:
                        number += 1
                        kept += _judged(cached, job.region, order.snapshot.language, verdicts.get(f"f{number}"))
                    else:
                        kept.append(cached)
                judged = replace(record, claims=tuple(kept))
                standing = Standing.reviewed(judged, exact=True, age_seconds=None)
                await self._results.keep(judged, standing, cached=cacheable)

    def _batches(
        self, order: Order, reviewed: Sequence[tuple[Job, CachedReview]]
    ) -> list[list[tuple[Job, CachedReview]]]:
        batches: list[list[tuple[Job, CachedReview]]] = []
        most = order.folder.settings.budget.max_tokens_per_request
        for one in reviewed:
            if batches and self._size(order, [*batches[-1], one]) <= most:
                batches[-1].append(one)
            else:
                batches.append([one])
        return batches

    def _size(self, order: Order, batch: Sequence[tuple[Job, CachedReview]]) -> int:
        prompt, count = self._prompt(order, batch)
        model = next(iter(self._models(order, batch)), "")
        return reserve_tokens(prompt.system, prompt.user, model) + answer_bound(count)

    def _models(self, order: Order, batch: Sequence[tuple[Job, CachedReview]]) -> tuple[str, ...]:
        tier = raised(max((job.tier for job, _ in batch), key=lambda tier: tier.rank))
        return order.pool.chain(tier)

    def _prompt(self, order: Order, batch: Sequence[tuple[Job, CachedReview]]) -> tuple[Prompt, int]:
        questioned = [
            Questioned(job.region, cached.claim, patched_lines(job.region, cached.claim, order.snapshot.language))
            for job, record in batch
            for cached in record.claims
            if cached.confirmation is Confirmation.UNCONFIRMED
        ]
        prompt = second_opinion_prompt(
            self._texts, order.snapshot.language, order.answer_language, questioned, secrets.token_hex(8)
        )
        return prompt, len(questioned)

    async def _verdicts(
        self, order: Order, batch: Sequence[tuple[Job, CachedReview]], spent: Spent
    ) -> dict[str, Verdict]:
        """The verdicts by finding id; none when the model could not be asked or did not answer as it should."""
        prompt, count = self._prompt(order, batch)
        models = self._models(order, batch)
        if not models:
            logger.info("no second opinion: no stronger model is set")
            return {}
        estimate = reserve_tokens(prompt.system, prompt.user, models[0])
        if estimate + answer_bound(count) > order.folder.settings.budget.max_tokens_per_request:
            return {}
        ask = Ask(
            folder=order.folder,
            language=order.snapshot.language,
            tier=raised(max((job.tier for job, _ in batch), key=lambda tier: tier.rank)),
            models=models,
            purpose="second_opinion",
            input_tokens=estimate,
            input_bytes=most_tokens(prompt.system + prompt.user),
            max_output_tokens=answer_bound(count),
            allowance=order.allowance,
        )
        permit = await self._governor.admit(ask, order.pool)
        if isinstance(permit, Standing):
            logger.info("no second opinion: %s", permit.words)
            return {}
        try:
            async with permit, deadline(self._results.clock, permit.model):
                answer = await self._answer(permit, prompt, count)
                return read_verdicts(answer, [f"f{number}" for number in range(1, count + 1)])
        except ModelError as error:
            logger.info("no second opinion: %s", error)
            return {}
        finally:
            spent.add(permit)

    async def _answer(self, permit: Permit, prompt: Prompt, count: int) -> str:
        request = ModelRequest(
            model=permit.model.model,
            system=prompt.system,
            user=prompt.user,
            schema_name="second_opinion",
            schema=VERDICT_SCHEMA,
            max_output_tokens=answer_bound(count),
            effort=Effort.MINIMAL,
            cache_key=f"aiops-opinion-{self._texts.version}",
        )
        pieces = []
        async with aclosing(permit.client.stream(request)) as events:
            async for event in events:
                if isinstance(event, UsageReport):
                    permit.usage = event.usage
                elif isinstance(event, TextDelta):
                    pieces.append(event.text)
        return "".join(pieces)


def patched_lines(region: Region, claim: Claim, language: str) -> tuple[str, ...] | None:
    """The region's lines with the claim's fix; None without a fix that fits the lines it is made for.

    A fix made for the lines as a model saw them, without comments that address it, fits as well.
    """
    fix = claim.fix
    if fix is None or not 1 <= fix.start_line <= fix.end_line <= len(region.lines):
        return None
    old = [line.rstrip() for line in fix.old_lines]
    for lines in (region.lines, neutralise(region.lines, language)):
        if [line.rstrip() for line in lines[fix.start_line - 1 : fix.end_line]] == old:
            return (*lines[: fix.start_line - 1], *fix.new_lines, *lines[fix.end_line :])
    return None


def _judged(cached: CachedClaim, region: Region, language: str, verdict: Verdict | None) -> list[CachedClaim]:
    if verdict is None:
        return [cached]
    if verdict.refuted:
        return []
    return [
        replace(
            cached,
            confirmation=Confirmation.CONFIRMED,
            fix_verified=verdict.fix_correct and patched_lines(region, cached.claim, language) is not None,
            verdict=CachedVerdict(verdict.refuted, verdict.fix_correct, verdict.confidence, verdict.reason),
        )
    ]


def answer_bound(findings: int) -> int:
    """The bound of the answer about so many findings, in tokens."""
    return ANSWER_BASE_TOKENS + ANSWER_TOKENS_PER_FINDING * findings
