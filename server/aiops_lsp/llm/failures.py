"""From what a provider, an SDK or the network reports to the taxonomy of `client`, in sentences for people.

A provider's own words are never passed on, because they can hold source text or part of a key: only its error codes
are, and only where they look like codes.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiops_lsp.llm.client import (
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    ModelTimeout,
    Overloaded,
    RateLimited,
    Refused,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_PAUSE = 86_400.0
"""Seconds beyond which a requested pause counts as this: an absurd one must not stop us for good."""

_CODE = re.compile(r"(?=.{3,60}$)[a-z]+(?:[_.][a-z]+)*")
"""Words and nothing that could be part of a key."""
_REQUEST_ID = re.compile(r"[\w.:-]{1,100}")
_OUT_OF_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_error", "credit_balance_too_low")
_NO_MODEL = ("model_not_found", "not_found_error", "deployment_not_found", "deploymentnotfound")
_REFUSALS = ("content_filter", "content_policy_violation", "invalid_prompt")
_TOO_LONG = ("context_length_exceeded", "request_too_large", "string_above_max_length")
_CREDIT_WORDS = re.compile(r"credit balance|billing|insufficient (?:funds|credit|quota)|payment required")


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a request went to, as messages name it."""

    provider: str
    model: str
    host: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A status of 300 or more, with what came along. `body` is parsed JSON or text."""

    status: int
    headers: Mapping[str, str]
    body: object

    @property
    def request_id(self) -> str | None:
        """The provider's name for the request."""
        return request_id_of(self.headers)

    @property
    def code(self) -> str:
        """The provider's error code or type, empty when there is none that looks like one."""
        error = self.body.get("error", self.body) if isinstance(self.body, dict) else None
        given = (error.get("code"), error.get("type")) if isinstance(error, dict) else ()
        codes = [str(code).lower() for code in given if code is not None]
        return next((code for code in codes if _CODE.fullmatch(code)), "")

    @property
    def words(self) -> str:
        """All that the provider says, in lower case, to look for words in: never to be shown."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, default=str)
        return text[:8000].lower()


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The provider's name for a request, from the answer's headers."""
    given = headers.get("x-request-id") or headers.get("request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The pause in seconds that a provider asks for, 0 to `LONGEST_PAUSE`; None when it names no sensible one.

    `now` is seconds since the epoch, for the form that is a date.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        given = headers.get(name, "").strip()
        try:
            seconds = float(given) * unit
        except ValueError:
            moment = _date(given)
            if moment is None:
                continue
            seconds = moment - now
        if not math.isnan(seconds):
            return min(LONGEST_PAUSE, max(0.0, seconds))
    return None


def _date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def rejected(called: Called, rejection: Rejection) -> ModelError:
    """What a status of 300 or more means."""
    status, code, request_id = rejection.status, rejection.code, rejection.request_id
    said = f"HTTP {status}, {code}" if code else f"HTTP {status}"
    pause = retry_after(rejection.headers, time.time())
    if status >= 500 or status in (408, 409, 425, 499):
        return Overloaded(f"{called} is failing at the moment ({said})", retry_after=pause, request_id=request_id)
    if status == 402 or code in _OUT_OF_CREDIT or (status in (400, 403) and _CREDIT_WORDS.search(rejection.words)):
        words = f"{called.provider} wants payment before {called.model} answers ({said}); check its plan and billing"
        return Misconfigured(words, kind=MisconfiguredKind.PAYMENT, request_id=request_id)
    if status == 429:
        asked = f" and asks for a pause of {pause:.0f} s" if pause else ""
        return RateLimited(f"{called} limits our rate{asked} ({said})", retry_after=pause, request_id=request_id)
    if code in _REFUSALS:
        return Refused(f"{called} declined to look at this code ({said})", request_id=request_id)
    kind, words = _to_mend(called, rejection, said)
    return Misconfigured(words, kind=kind, request_id=request_id)


def _to_mend(called: Called, rejection: Rejection, said: str) -> tuple[MisconfiguredKind, str]:
    status, code = rejection.status, rejection.code
    if status == 401:
        return MisconfiguredKind.KEY, (
            f"{called.provider} at {called.host} rejected the API key for {called.model} ({said}); "
            "set a valid key and restart the review"
        )
    if code in _NO_MODEL or status == 404:
        return MisconfiguredKind.MODEL, (
            f"{called.provider} at {called.host} knows no model {called.model} ({said}); "
            "choose another one under [models], or check base_url"
        )
    if status == 403:
        return MisconfiguredKind.PERMISSION, (
            f"{called.provider} at {called.host} does not let this key use {called.model} ({said}); "
            "grant it access or choose another model"
        )
    if status == 413 or code in _TOO_LONG:
        return MisconfiguredKind.REQUEST, (
            f"the request is too long for {called} ({said}); lower budget.max_tokens_per_request"
        )
    if status < 400:
        return MisconfiguredKind.REQUEST, (
            f"{called.host} redirects requests for {called} to another address ({said}), which is not followed; "
            "set base_url to the right one"
        )
    return MisconfiguredKind.REQUEST, (
        f"{called.provider} at {called.host} does not accept our requests for {called.model} ({said}); "
        "check base_url and the model"
    )


def timed_out(called: Called, seconds: float) -> ModelError:
    """Nothing came for `seconds`."""
    return ModelTimeout(f"{called} did not answer within {seconds:.0f} s")


def broken_off(called: Called) -> ModelError:
    """The connection or the stream ended before the answer did."""
    return Overloaded(f"the answer of {called} broke off")


def not_an_answer(called: Called) -> ModelError:
    """Something came, but not what the API answers."""
    return InvalidAnswer(f"what {called.host} sent for {called} is not an answer of a model; check base_url")


def unreachable(called: Called, error: BaseException) -> ModelError:
    """No connection came about, because of `error` or what it was raised from."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = re.sub(r"[^\w ,.'-]", " ", cause.verify_message or "")[:120].strip() or "not trusted"
            return Unreachable(
                f"the TLS certificate of {called.host} was rejected ({reason}); where a proxy inspects TLS, add its "
                "certificate to the system's store or name it in SSL_CERT_FILE"
            )
        if isinstance(cause, ssl.SSLError):
            return Unreachable(f"no secure connection to {called.host} could be made (TLS error); check base_url")
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"the host {called.host} of {called.provider} was not found; check network and base_url")
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(f"no server answers at {called.host} for {called.provider}; is it running?")
    return Unreachable(f"no connection to {called.host} for {called.provider}; check network, proxy and base_url")


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [inner for inner in (cause.__cause__, cause.__context__) if inner is not None]
        if isinstance(cause, BaseExceptionGroup):
            pending += cause.exceptions


def translate(error: Exception, sdk: Any, called: Called, seconds: float) -> ModelError:  # noqa: ANN401, RUF100
    """What an exception of an SDK, of httpx2 or of our own time limit means.

    `sdk` is the module `openai` or `anthropic`, which name their exceptions alike; `seconds` is the limit that held.
    """
    import httpx2  # noqa: PLC0415 - comes with the SDKs, and is as slow to load

    if isinstance(error, ModelError):
        return error
    if isinstance(error, sdk.APIStatusError) and error.status_code >= 300:
        return rejected(called, Rejection(error.status_code, error.response.headers, error.body))
    causes = list(_causes(error))
    if any(isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError) for cause in causes):
        return unreachable(called, error)
    if any(isinstance(cause, httpx2.PoolTimeout) for cause in causes):
        waited = timed_out(called, seconds)
        waited.sent = False
        return waited
    if isinstance(error, sdk.APITimeoutError | httpx2.TimeoutException | TimeoutError):
        return timed_out(called, seconds)
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return unreachable(called, error)
    if isinstance(error, sdk.APIResponseValidationError | ValueError | httpx2.DecodingError):
        return not_an_answer(called)
    return broken_off(called)
