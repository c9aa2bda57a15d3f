"""What the adapters of both SDKs share: one pooled client, time limits, concessions to servers, and how a call ends.

Nothing is retried here, with one exception: when a server says that it does not know an optional part of a request
(a response format, usage in the stream, an effort), the request is sent again without it, and that is remembered for
the model. A server that says so has not run the model.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import re
from abc import ABC, abstractmethod
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from aiops_lsp.llm.client import Effort, ModelRequest, StreamEvent, TextDelta, Unreachable, UsageReport
from aiops_lsp.llm.failures import Called, Rejection, not_an_answer, rejected, request_id_of, translate
from aiops_lsp.llm.hosts import host_of
from aiops_lsp.llm.lazy_packages import lazy_packages
from aiops_lsp.llm.transport import (
    cap_loggers,
    http_client,
    read_certificates,
    rehearsal,
    tells_of_the_machine,
    time_limits,
)
from aiops_lsp.llm.wire import Outcome

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
    from types import ModuleType

    from aiops_lsp.llm.client import ModelError

logger = logging.getLogger(__name__)

_MAYBE_UNKNOWN = frozenset({400, 404, 422, 501})
NO_KEY = "none"
"""What the SDKs get for a loopback server without a key; it is not sent."""


@dataclass(frozen=True, slots=True)
class Concession:
    """A part of a request that a server may not know: its name, and what the rejection then speaks of."""

    name: str
    spoken_of: re.Pattern[str]

    @classmethod
    def of(cls, name: str, *words: str) -> Concession:
        """`words` are regular expressions, any of which is enough."""
        return cls(name, re.compile("|".join(words)))


class SdkClient(ABC):
    """A `ModelClient` on one of the official SDKs. That is imported off the event loop, at the latest by a call."""

    module: ClassVar[str]

    def __init__(self, *, provider: str, base_url: str, key: str | None) -> None:
        self.provider = provider
        self.base_url = base_url
        self._key = key
        self._opening = asyncio.Lock()
        self._client: Any = None  # of a module that is loaded late
        self._sdk: Any = None
        self._closed = False
        self._conceded: dict[str, frozenset[str]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.provider!r}, {host_of(self.base_url)!r})"

    @abstractmethod
    def _open(self, sdk: ModuleType, options: dict[str, Any]) -> Any:
        """Make the SDK's client. Runs off the loop."""

    @abstractmethod
    def _concessions(self) -> Sequence[Concession]:
        """What may be left out of a request, in the order in which it is tried."""

    @abstractmethod
    def _body(self, request: ModelRequest, conceded: frozenset[str]) -> dict[str, Any]:
        """The request's body without what was `conceded`."""

    @property
    @abstractmethod
    def canned(self) -> str:
        """A streamed answer as this API sends one."""

    @property
    @abstractmethod
    def _path(self) -> str:
        """Where the API is, below the base URL."""

    @abstractmethod
    def _read_event(self, event: object, outcome: Outcome) -> str:
        """Read one event of a stream; returns its text."""

    @abstractmethod
    def _read_document(self, document: object, outcome: Outcome) -> str:
        """Read an answer in one piece; returns its text."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent, None]:
        """See `ModelClient`."""
        called = Called(self.provider, request.model, host_of(self.base_url))
        await self._connect(called)
        outcome = Outcome()
        failure: ModelError | None = None
        try:
            async with aclosing(self._texts(request, called, outcome)) as texts:
                async for text in texts:
                    yield TextDelta(text)
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises, callers know only the taxonomy
            failure = translate(error, self._sdk, called, request.timeout_seconds)
            logger.debug("%s raised %s", self.module, type(error).__name__)
        if outcome.bill is not None:
            yield UsageReport(outcome.bill, outcome.request_id)
        failure = failure or outcome.failure(called)
        if failure is not None:
            raise failure  # outside of the handler: the SDK's exception, which holds the request, is not kept

    async def prepare(self) -> None:
        """See `ModelClient`."""
        async with self._opening:
            if not self._closed and self._client is None:
                self._client = await asyncio.to_thread(self._load)

    async def aclose(self) -> None:
        """See `ModelClient`."""
        self._closed = True
        async with self._opening:
            client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self, called: Called) -> None:
        await self.prepare()
        if self._client is None:
            raise Unreachable(f"the connection to {called.host} was closed")

    def _load(self) -> Any:
        """Import the SDK and make its client. Takes seconds in a fresh process."""
        with _without_garbage_collection(), lazy_packages(f"{self.module}.types"):
            self._sdk = importlib.import_module(self.module)
            cap_loggers()
            certificates = read_certificates()
            try:
                asyncio.run(self._rehearse(certificates))
            except (OSError, self._sdk.APIError) as error:  # the first call will only be slower
                logger.info("%s could not be warmed up: %s", self.module, type(error).__name__)
            return self._open(self._sdk, self._options(self.base_url, self._key, certificates))

    @staticmethod
    def _options(base_url: str, key: str | None, certificates: ssl.SSLContext) -> dict[str, Any]:
        return {
            "api_key": key or NO_KEY,
            "base_url": base_url,
            "max_retries": 0,
            "http_client": http_client(base_url, key, certificates),
        }

    async def _rehearse(self, certificates: ssl.SSLContext) -> None:
        """Make a call to ourselves: SDKs load half of themselves in their first one, and that must be off the loop."""
        request = ModelRequest("m", "s", "u", "n", {}, 1, Effort.MINIMAL, "c")
        async with rehearsal(self.canned) as base_url:
            client = self._open(self._sdk, self._options(base_url, None, certificates))
            try:
                reply = await self._create(client, self._body(request, frozenset()), time_limits(5.0))
                async for event in reply:
                    self._read_event(event, Outcome())
            finally:
                await client.close()

    async def _texts(self, request: ModelRequest, called: Called, outcome: Outcome) -> AsyncGenerator[str, None]:
        seconds = request.timeout_seconds
        async with asyncio.timeout(seconds):
            reply = await self._send(request, called)
        try:
            outcome.request_id = request_id_of(reply.response.headers)
            kind = reply.response.headers.get("content-type", "")
            if "json" in kind or "html" in kind:  # the server does not stream, or is no model's at all
                async with asyncio.timeout(seconds):
                    document = _document(await reply.response.aread(), called)
                yield self._noted(self._read_document(document, outcome), outcome)
                return
            async for event in _each(reply, seconds):
                if text := self._noted(self._read_event(event, outcome), outcome):
                    yield text
        finally:
            await reply.close()

    @staticmethod
    def _noted(text: str, outcome: Outcome) -> str:
        outcome.has_text |= bool(text.strip())
        return text

    async def _create(self, client: Any, body: dict[str, Any], limits: Any) -> Any:
        """Make the call on the SDK's `client`; returns the SDK's stream, whatever the server makes of it.

        The SDK's methods for each API would take the body apart and put the events together again, type by type, which
        takes longer than all the rest of a call.
        """
        stream = self._sdk.AsyncStream[object]
        options = {"timeout": limits}
        return await client.post(self._path, cast_to=object, body=body, options=options, stream=True, stream_cls=stream)

    async def _send(self, request: ModelRequest, called: Called) -> Any:
        limits = time_limits(request.timeout_seconds)
        while True:
            conceded = self._conceded.get(request.model, frozenset())
            try:
                return await self._create(self._client, self._body(request, conceded), limits)
            except self._sdk.APIStatusError as error:
                rejection = Rejection(error.status_code, error.response.headers, error.body)
                failure = rejected(called, rejection)
            more = self._to_concede(rejection, conceded)
            if more is None:
                raise failure
            logger.info("%s does not know %s; it is left out from now on", called, more)
            self._conceded[request.model] = self._conceded.get(request.model, frozenset()) | {more}

    def _to_concede(self, rejection: Rejection, conceded: frozenset[str]) -> str | None:
        if rejection.status not in _MAYBE_UNKNOWN:
            return None
        words = rejection.words
        open_ones = (part for part in self._concessions() if part.name not in conceded)
        return next((part.name for part in open_ones if part.spoken_of.search(words)), None)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """For the loading of an SDK: its hundred thousand objects stay, and looking through them stops every thread.

    One full collection over them takes more than a handler on the event loop may.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


async def _each(stream: Any, seconds: float) -> AsyncIterator[object]:
    """The events of an SDK's stream, each waited for no longer than `seconds`."""
    events = aiter(stream)
    while True:
        try:
            async with asyncio.timeout(seconds):
                event = await anext(events)
        except StopAsyncIteration:
            return
        yield event


def reticent(client: type[Any]) -> type[Any]:
    """The SDK's class `client`, without the headers that tell of the machine.

    They are not sent anyway: to make them first, for each request anew, takes a tenth of its time.
    """

    class Reticent(client):  # type: ignore[misc]  # of a module that is loaded late
        @cached_property
        def default_headers(self) -> dict[str, Any]:
            given = super().default_headers
            return {name: value for name, value in given.items() if not tells_of_the_machine(name)}

    return Reticent


def _document(content: bytes, called: Called) -> object:
    try:
        return json.loads(content)
    except ValueError:
        pass
    raise not_an_answer(called)
