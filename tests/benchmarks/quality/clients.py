"""Who answers: a folder of files, or any provider, of which every call can be recorded.

Both are `ModelClient`s, so that the engine packs, books, reads and anchors as it does for anyone.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import aclosing
from contextvars import ContextVar
from typing import TYPE_CHECKING

from aiops_lsp.llm.client import Refused, TextDelta, Usage, UsageReport
from aiops_lsp.llm.tokens import estimate_tokens
from tests.benchmarks.quality.transcripts import Call, with_delimiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aiops_lsp.llm.client import ModelClient, ModelRequest, StreamEvent
    from tests.benchmarks.quality.transcripts import Transcripts

GROUP: ContextVar[int] = ContextVar("GROUP", default=0)
"""The batch of the case that is being reviewed; 0 for none."""

_REGION = re.compile(r'^=== [0-9a-f]+ region id="(r\d+)" ===$', re.MULTILINE)


class Journal:
    """The calls of a run."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.unanswered: set[str] = set()


class FileClient:
    """Writes each request as a file and answers with the file of the same name.

    Without such a file, `asking` answers that nothing is found, so that all requests can be written before anyone has
    answered; otherwise the request fails and its regions are not reviewed.
    """

    def __init__(self, transcripts: Transcripts, journal: Journal, *, asking: bool) -> None:
        self._transcripts = transcripts
        self._journal = journal
        self._asking = asking

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        """See `ModelClient`."""
        name = self._transcripts.ask(request, GROUP.get())
        answer = self._transcripts.answer(name)
        if answer is None:
            self._journal.unanswered.add(name)
            if not self._asking:
                raise Refused("nobody has answered the request")
            answer = nothing_found(request)
        call = self._transcripts.call(name) or _estimated(request, answer)
        self._journal.calls.append(call)
        yield TextDelta(answer)
        yield UsageReport(Usage(call.input_tokens, call.output_tokens))

    async def prepare(self) -> None:
        """See `ModelClient`."""

    async def aclose(self) -> None:
        """See `ModelClient`."""


class RecordingClient:
    """Passes everything on to `client` and back, and keeps complete answers in `transcripts`, if there are any.

    `price` gives what a usage of the model costs, in micro-dollars.
    """

    def __init__(
        self,
        client: ModelClient,
        provider: str,
        transcripts: Transcripts | None,
        journal: Journal,
        price: Callable[[str, Usage], int],
    ) -> None:
        self._client = client
        self._provider = provider
        self._transcripts = transcripts
        self._journal = journal
        self._price = price

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        """See `ModelClient`."""
        name = self._transcripts.ask(request, GROUP.get()) if self._transcripts else ""
        pieces: list[str] = []
        usage: Usage | None = None
        begun, first = time.perf_counter(), None
        async with aclosing(self._client.stream(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    first = first or time.perf_counter() - begun
                    pieces.append(event.text)
                elif isinstance(event, UsageReport):
                    usage = event.usage
                yield event
        answer, model = "".join(pieces), f"{self._provider}:{request.model}"
        counted = usage or Usage(_tokens_of(request), estimate_tokens(answer))
        call = Call(
            model=model,
            purpose=request.schema_name,
            input_tokens=counted.input_tokens,
            output_tokens=counted.output_tokens,
            estimated=usage is None,
            micro_usd=self._price(model, counted),
            seconds=round(time.perf_counter() - begun, 3),
            first_seconds=None if first is None else round(first, 3),
        )
        self._journal.calls.append(call)
        if self._transcripts:
            self._transcripts.keep(name, answer, call)

    async def prepare(self) -> None:
        """See `ModelClient`."""
        await self._client.prepare()

    async def aclose(self) -> None:
        """See `ModelClient`."""
        await self._client.aclose()


def nothing_found(request: ModelRequest) -> str:
    """The valid answer that finds nothing, and upholds or refutes nothing."""
    if request.schema_name != "review":
        return json.dumps({"verdicts": []})
    return json.dumps({"regions": [{"region": name, "findings": []} for name in _REGION.findall(request.user)]})


def _estimated(request: ModelRequest, answer: str) -> Call:
    return Call("file:answerer", request.schema_name, _tokens_of(request), estimate_tokens(answer), estimated=True)


def _tokens_of(request: ModelRequest) -> int:
    return estimate_tokens(request.system + with_delimiter(request.user))
