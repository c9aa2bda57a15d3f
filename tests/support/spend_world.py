"""The whole engine in virtual time over a model that answers after a while, with an eye on what each token bought."""

from __future__ import annotations

import hashlib
import json
import os
from contextvars import ContextVar
from dataclasses import dataclass, field
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument
from aiops_lsp.engine import dispatch, git, models, opinion
from aiops_lsp.engine.document import ReviewedDocument
from aiops_lsp.engine.exchange import Exchange
from aiops_lsp.engine.host import Folder
from aiops_lsp.engine.review import Reviewer
from aiops_lsp.llm.client import TextDelta, Usage, UsageReport
from aiops_lsp.llm.tokens import estimate_tokens
from aiops_lsp.settings import resolve
from tests.support.clock import FakeClock
from tests.support.engine import RecordingHost
from tests.support.ledger import FAST_FOLDER
from tests.support.lockstep import Lockstep, stores_inline, until_idle
from tests.support.provider import Exchange as Sent
from tests.support.provider import answer, default_text, finding
from tests.support.rests import Rests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.governor import Permit
    from aiops_lsp.llm.client import ModelRequest, StreamEvent

SCHEMA_TOKENS = 313
"""What the answer's schema adds to the input of each request, by the estimate for OpenAI."""


class SlowModel:
    """Answers after `latency` seconds; one region in `one_in` has a severe finding, always the same ones."""

    def __init__(self, clock: FakeClock, latency: float, one_in: int) -> None:
        self._clock = clock
        self._latency = latency
        self._one_in = one_in

    async def stream(self, request: ModelRequest) -> AsyncIterator[StreamEvent]:
        await self._clock.sleep(self._latency)
        text = self._answer(request)
        yield TextDelta(text)
        given = estimate_tokens(request.system + request.user, "openai") + SCHEMA_TOKENS
        yield UsageReport(Usage(given, estimate_tokens(text)))

    async def prepare(self) -> None:
        return None

    async def aclose(self) -> None:
        return None

    def _answer(self, request: ModelRequest) -> str:
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        sent = Sent("/chat/completions", {}, {"messages": messages})
        if sent.finding_ids:
            return default_text(sent)
        return answer({name: self._found(lines) for name, lines in sent.regions.items()})

    def _found(self, lines: Sequence[str]) -> list[dict[str, object]]:
        places = [number for number, line in enumerate(lines, 1) if line.strip()]
        chance = int.from_bytes(hashlib.sha256(json.dumps(lines).encode()).digest()[:8], "big")
        if not places or chance % self._one_in:
            return []
        number = places[chance // self._one_in % len(places)]
        words = "The value can be zero here when the list is empty, and the division then fails. "
        return [finding(lines[number - 1], number, trigger=words, why=words * 2, title="Divides by zero")]


@dataclass
class Purchase:
    """One request: what it was for, what it was billed, and the regions that it was about."""

    purpose: str
    keys: dict[str, str]  # exact to loose
    fixed_tokens: int
    permit: Permit | None = None
    used: set[str] = field(default_factory=set)

    @property
    def usage(self) -> Usage:
        assert self.permit is not None
        assert self.permit.usage is not None
        return self.permit.usage

    @property
    def unused_tokens(self) -> float:
        """The share of its tokens that went into regions whose answers were never used."""
        return self.usage.total_tokens * (len(self.keys) - len(self.used)) / len(self.keys)


class SpendWorld:
    """A started reviewer on default settings, without version control, whose purchases are watched.

    Use it once in a process: it replaces parts of the engine for good.
    """

    def __init__(self, *, latency: float, one_in: int, **sections: Any) -> None:
        folder = mkdtemp(dir=FAST_FOLDER)
        os.environ |= {"AIOPS_STATE_DIR": f"{folder}/state", "AIOPS_CACHE_DIR": f"{folder}/cache"}
        self.steps = Lockstep()
        self.clock = FakeClock()
        self.purchases: list[Purchase] = []
        self.rests = Rests()
        self._watch(SlowModel(self.clock, latency, one_in))
        values = {"privacy": {"allow_hosts": ["api.openai.com"]}, "rules": {"enabled": False}, **sections}
        self.settings, problems = resolve(values, {}, None, None)
        assert not problems, problems
        shared = Folder(None, self.settings)
        self.reviewer = Reviewer(RecordingHost(), lambda _uri: shared, self.clock)
        self.steps.run(self.reviewer.start(self.settings, {"OPENAI_API_KEY": "k" * 40}))
        stores_inline(self.reviewer)

    def open(self, uri: str, language: str, text: str) -> TextDocument:
        document = TextDocument(uri, 1, language, text, PositionEncoding.UTF32)
        self.steps.call(self.reviewer.open, document)
        return document

    def edit(self, document: TextDocument, start: Position, end: Position, text: str) -> None:
        edits = document.apply([Change(Range(start, end), text)], document.version + 1)
        self.steps.call(self.reviewer.edited, document.uri, edits)

    def save(self, document: TextDocument) -> None:
        self.steps.call(self.reviewer.saved, document.uri)

    def shut(self, document: TextDocument) -> None:
        self.steps.call(self.reviewer.close, document.uri)

    def wait(self, seconds: float) -> None:
        """Let time pass; whatever falls due comes to its end before the clock moves on."""
        self.steps.run(self._pass(seconds))

    async def _pass(self, seconds: float) -> None:
        clock, end = self.clock, self.clock.monotonic() + seconds
        await until_idle()
        while (due := clock.next_due) is not None and due <= end:
            await clock.advance(due - clock.monotonic())
            await until_idle()
        await clock.advance(end - clock.monotonic())
        await until_idle()

    def booked(self) -> tuple[int, int]:
        """Tokens and micro-dollars in the ledger."""
        assert self.reviewer._assembly is not None
        rows = self.reviewer._assembly.services.ledger.usage(400)
        return sum(row.tokens for row in rows), sum(row.micro_usd for row in rows)

    def bought(self, purpose: str) -> list[Purchase]:
        """The requests for a purpose that were billed."""
        return [one for one in self.purchases if one.purpose == purpose and one.permit and one.permit.usage]

    def close(self) -> None:
        self.steps.run(self.reviewer.aclose())
        self.steps.close()

    def _watch(self, model: SlowModel) -> None:
        world = self

        async def no_history(*_: object) -> None:
            return None

        class Watched(Exchange):
            async def run(self, request: ModelRequest) -> None:
                keys = {job.keys.exact: job.keys.loose for job in self.jobs}
                purchase = Purchase("review", keys, estimate_tokens(request.system) + SCHEMA_TOKENS, self._permit)
                world.purchases.append(purchase)
                await super().run(request)
                world._arrived(purchase)

        ask, answer_of = opinion.SecondOpinion._verdicts, opinion.SecondOpinion._answer
        questioned: ContextVar[dict[str, str]] = ContextVar("questioned")

        async def verdicts(self: Any, order: Any, batch: Any, spent: Any) -> Any:
            questioned.set({job.keys.exact: job.keys.loose for job, _ in batch})
            return await ask(self, order, batch, spent)

        async def opinion_asked(self: Any, permit: Permit, prompt: Any, count: int) -> str:
            purchase = Purchase("second_opinion", questioned.get(), 0, permit)
            world.purchases.append(purchase)
            text = await answer_of(self, permit, prompt, count)
            world._arrived(purchase)
            return text

        adopt = ReviewedDocument.adopt

        def adopted(self: ReviewedDocument, examined: Examined) -> None:
            adopt(self, examined)
            world._looked_at(examined)

        publish = ReviewedDocument.publish

        def published(self: ReviewedDocument) -> None:
            publish(self)
            if self.examined is not None and self.is_current(self.examined.snapshot):
                world.rests.looked_at(self, world.clock.monotonic())

        for owner, name, value in (
            (models, "open_client", lambda *_: model),
            (git, "changed_lines", no_history),
            (dispatch, "Exchange", Watched),
            (opinion.SecondOpinion, "_verdicts", verdicts),
            (opinion.SecondOpinion, "_answer", opinion_asked),
            (ReviewedDocument, "adopt", adopted),
            (ReviewedDocument, "publish", published),
        ):
            setattr(owner, name, value)

    def _arrived(self, purchase: Purchase) -> None:
        for document in self.reviewer._documents.values():
            if document.examined is not None and document.is_current(document.examined.snapshot):
                self._looked_at(document.examined, [purchase])

    def _looked_at(self, examined: Examined, purchases: list[Purchase] | None = None) -> None:
        """An answer is used once its code, comments and blanks aside, stands in a text that is looked at."""
        loose = {keys.loose for keys in examined.keys}
        for one in purchases if purchases is not None else self.purchases:
            if one.permit is not None and one.permit.usage is not None:
                one.used |= {exact for exact, key in one.keys.items() if key in loose}
