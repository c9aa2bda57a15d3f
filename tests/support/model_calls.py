"""Calls of model clients in tests, and the table of what providers do wrong, which holds for every API alike."""

from __future__ import annotations

import json
import traceback
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.prompts import REVIEW_SCHEMA
from aiops_lsp.llm.client import (
    Effort,
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    ModelRequest,
    Overloaded,
    RateLimited,
    Refused,
    TextDelta,
    Truncated,
    Usage,
    UsageReport,
)
from tests.support.provider import Billed, Exchange, Reply, Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.llm.client import ModelClient

KEY = "sk-test-0123456789-secret"
SOURCE = "launch_codes = compute()"
BILLED = Billed(700, 90, 200)
HTML = "<html><head><title>Sign in</title></head><body>Welcome to the hotel's network</body></html>"


def request(**more: Any) -> ModelRequest:
    """A review of one region, which holds `SOURCE`."""
    base: dict[str, Any] = {
        "model": "model-1",
        "system": "Review.",
        "user": f'=== 00 region id="r1" ===\n1| {SOURCE}\n=== 00 end of r1 ===',
        "schema_name": "review",
        "schema": REVIEW_SCHEMA,
        "max_output_tokens": 1000,
        "effort": Effort.MINIMAL,
        "cache_key": "aiops-test",
        "timeout_seconds": 20.0,
    }
    return ModelRequest(**base | more)


@dataclass(slots=True)
class Call:
    """What a call came to."""

    pieces: list[str] = field(default_factory=list)
    usage: Usage | None = None
    request_id: str | None = None
    error: ModelError | None = None

    @property
    def text(self) -> str:
        """All the text that came."""
        return "".join(self.pieces)


async def call(client: ModelClient, asked: ModelRequest, on_text: Callable[[str], object] | None = None) -> Call:
    """Make a call to its end, whichever way it ends."""
    made = Call()
    try:
        async with aclosing(client.stream(asked)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    made.pieces.append(event.text)
                    if on_text is not None:
                        on_text(event.text)
                elif isinstance(event, UsageReport):
                    made.usage, made.request_id = event.usage, event.request_id
    except ModelError as error:
        made.error = error
    return made


@dataclass(frozen=True, slots=True)
class Fault:
    """What a provider does, and what must come of it. `says` is a part of the message."""

    name: str
    reply: Reply
    error: type[ModelError]
    says: str
    kind: MisconfiguredKind | None = None
    sent: bool = True
    retry_after: float | None = None
    usage: bool = False


def rejection(name: str, status: int, error: type[ModelError], says: str, **more: Any) -> Fault:
    """A fault that is a status. Its body quotes key and source, as providers' messages do."""
    code = more.pop("code", None)
    headers = more.pop("headers", {})
    body = json.dumps({"type": "error", "error": {"message": f"bad: {KEY} in {SOURCE}", "type": code, "code": code}})
    return Fault(name, Reply(status=status, raw=body, headers=headers), error, says, **more)


KIND = MisconfiguredKind
FAULTS = [
    rejection("400", 400, Misconfigured, "does not accept", kind=KIND.REQUEST, sent=False),
    rejection("401", 401, Misconfigured, "rejected the API key", kind=KIND.KEY, sent=False),
    rejection("402", 402, Misconfigured, "billing", kind=KIND.PAYMENT, sent=False),
    rejection("403", 403, Misconfigured, "does not let", kind=KIND.PERMISSION, sent=False),
    rejection("404", 404, Misconfigured, "knows no model model-1", kind=KIND.MODEL, sent=False),
    rejection(
        "retired model", 400, Misconfigured, "knows no model", code="model_not_found", kind=KIND.MODEL, sent=False
    ),
    rejection("413", 413, Misconfigured, "too long", kind=KIND.REQUEST, sent=False),
    rejection(
        "context length",
        400,
        Misconfigured,
        "max_tokens_per_request",
        code="context_length_exceeded",
        kind=KIND.REQUEST,
        sent=False,
    ),
    rejection("no quota", 429, Misconfigured, "billing", code="insufficient_quota", kind=KIND.PAYMENT, sent=False),
    rejection("429", 429, RateLimited, "limits our rate", sent=False),
    rejection("429 + seconds", 429, RateLimited, "7 s", headers={"retry-after": "7"}, sent=False, retry_after=7.0),
    rejection(
        "429 + ages", 429, RateLimited, "86400 s", headers={"retry-after": "1e30"}, sent=False, retry_after=86400
    ),
    rejection("429 + nonsense", 429, RateLimited, "limits", headers={"retry-after": "soon"}, sent=False),
    rejection("500", 500, Overloaded, "failing"),
    rejection("503 + seconds", 503, Overloaded, "503", headers={"retry-after": "3"}, retry_after=3.0),
    rejection("529", 529, Overloaded, "overloaded_error", code="overloaded_error"),
    rejection("declined", 400, Refused, "declined", code="content_filter"),
    rejection("redirect", 307, Misconfigured, "redirects", headers={"location": "/x"}, kind=KIND.REQUEST, sent=False),
    Fault("error page", Reply(status=502, raw=HTML, content_type="text/html"), Overloaded, "HTTP 502"),
    Fault("login page", Reply(raw=HTML, content_type="text/html"), InvalidAnswer, "base_url"),
    Fault("plain text", Reply(raw="OK", content_type="text/plain"), InvalidAnswer, "base_url"),
    Fault("other JSON", Reply(raw='{"ok": true}'), InvalidAnswer, "base_url"),
    Fault("no JSON", Reply(raw='{"id": '), InvalidAnswer, "base_url"),
    Fault("empty body", Reply(raw=""), InvalidAnswer, "base_url"),
    Fault("empty answer", Reply(" ", billed=BILLED), InvalidAnswer, "nothing at all", usage=True),
    Fault("truncated", Reply('{"regions"', stop=Stop.TRUNCATED, billed=BILLED), Truncated, "bound", usage=True),
    Fault("refused", Reply(stop=Stop.REFUSED, billed=BILLED), Refused, "declined", usage=True),
    Fault("filtered", Reply(stop=Stop.FILTERED, billed=BILLED), Refused, "declined", usage=True),
    Fault("hung up before", Reply(disconnect_after=-1), Overloaded, "broke off"),
    Fault("hung up within", Reply(disconnect_after=1), Overloaded, "broke off"),
]


async def check_fault(client: ModelClient, fault: Fault, *, stream: bool) -> None:
    """Make the call and compare. The provider has the fault's reply as its script."""
    made = await call(client, request(stream=stream))
    error = made.error
    assert type(error) is fault.error, error
    assert fault.says in str(error)
    assert "model-1" in str(error)
    assert error.sent == fault.sent
    assert getattr(error, "kind", None) == fault.kind
    assert getattr(error, "retry_after", None) == fault.retry_after
    assert made.usage == (Usage(700, 90, 200) if fault.usage else None)
    shown = "".join(traceback.format_exception(error)) + repr(error)
    assert KEY not in shown
    assert "launch_codes" not in shown
    assert error.__cause__ is None
    assert error.__context__ is None


def rejecting(**parts: str) -> Callable[[Exchange], Reply]:
    """A script of a server that does not know parts of a request: top-level key -> the value or word it rejects."""

    def script(exchange: Exchange) -> Reply:
        for name, word in parts.items():
            if name in exchange.body and word in json.dumps(exchange.body[name]):
                return Reply(status=400, message=f"{name}: {word} is not supported")
        return Reply()

    return script
