"""The one way to ask a language model, whoever provides it, and how such a call can fail.

An adapter turns a `ModelRequest` into one call of its provider and yields what comes back as it comes. It neither
retries nor caches nor books: those belong to the engine, which must ask the budget again before each attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model and the provider that serves it, written `provider:model`."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Read `provider:model`. Raises ValueError, in words, for anything else."""
        provider, colon, model = text.partition(":")
        if not (provider.strip() and colon and model.strip()):
            raise ValueError(f"model {text!r} is not of the form provider:model, as in openai:gpt-6-luna")
        return cls(provider.strip(), model.strip())

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


class Effort(StrEnum):
    """How much hidden reasoning a model may spend before it answers."""

    MINIMAL = "minimal"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. `max_output_tokens` bounds the answer, hidden reasoning included.

    `schema` is a strict JSON schema that the answer is to follow, `schema_name` its name for the provider.
    `cache_key` groups requests that share their beginning, for the provider's prompt cache. `stream` false asks
    for the answer in one piece. `timeout_seconds` bounds the wait for each next piece of the answer.
    """

    model: str
    system: str
    user: str
    schema_name: str
    schema: Mapping[str, object]
    max_output_tokens: int
    effort: Effort
    cache_key: str
    timeout_seconds: float = 30.0
    stream: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a provider billed. `input_tokens` includes the cached and the cache-writing ones.

    `output_tokens` includes hidden reasoning.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What the call was billed, as soon as the provider says so; the last report counts."""

    usage: Usage
    request_id: str | None = None


StreamEvent = TextDelta | UsageReport


class ModelClient(Protocol):
    """A provider's models behind one call."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        """Send `request` and yield its answer as it comes, the usage included.

        Ends normally only when the provider says that the answer is complete; otherwise raises a `ModelError`,
        after a `UsageReport` where the usage is known. Cancelling closes the connection.
        """
        ...

    async def prepare(self) -> None:
        """Load what the first call would have to wait for. Sends nothing."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class ModelError(Exception):
    """A call that did not yield a complete answer. `str()` is a sentence for people, without key or source text.

    `sent` is false only when it is certain that the provider never got the request, so that nothing can have been
    billed for it.
    """

    sent = True

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class RateLimited(ModelError):
    """The provider asks for a pause; `retry_after` is in seconds, None where it names none. Nothing was billed."""

    sent = False

    def __init__(self, message: str, *, retry_after: float | None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class Overloaded(ModelError):
    """The provider failed (5xx, 529, broken stream); another try may succeed.

    `retry_after` is the pause in seconds that it asks for, None where it names none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class ModelTimeout(ModelError):
    """Nothing came for longer than the request allows."""


class Unreachable(ModelError):
    """No connection to the provider: DNS, TCP or TLS failed. Nothing was sent."""

    sent = False


class MisconfiguredKind(StrEnum):
    """What the user has to mend."""

    KEY = "key"
    MODEL = "model"
    PERMISSION = "permission"
    PAYMENT = "payment"
    REQUEST = "request"


class Misconfigured(ModelError):
    """The provider rejects us until the user changes something; the message says what. Nothing was billed."""

    sent = False

    def __init__(self, message: str, *, kind: MisconfiguredKind, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.kind = kind


class Refused(ModelError):
    """The model declined to answer."""


class Truncated(ModelError):
    """The answer ran into its output bound; what was complete before that stands."""


class InvalidAnswer(ModelError):
    """The answer is not what was asked for (an HTML page, no JSON, nothing at all)."""
