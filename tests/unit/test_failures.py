"""Delays that providers ask for, and connections that do not come about."""

from __future__ import annotations

import socket
import ssl

import pytest

from aiops_lsp.llm.client import MisconfiguredKind, Unreachable
from aiops_lsp.llm.failures import Called, Rejection, rejected, retry_after, unreachable

CALLED = Called("openai", "gpt-6-luna", "api.openai.com")
NOW = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "inf"}, 86_400.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "in a while"}, None),
        ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0),
        ({"retry-after": "Mon, 21 Sep 2026 14:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 21 Sep 9026 14:00:00 GMT"}, 86_400.0),
        ({"retry-after": "Mon, 99 Sep 2026 14:00:00 GMT"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_how_long_a_provider_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired\x1b[31m https://evil.example"
    return error


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "was not found"),
        (ConnectionRefusedError(111, "refused"), "is it running"),
        (certificate_error(), "certificate has expired"),
        (ssl.SSLError(1, "wrong version number"), "TLS error"),
        (OSError(101, "Network is unreachable"), "check network"),
        (ExceptionGroup("all", [OSError(1, "x"), ConnectionRefusedError(111, "refused")]), "is it running"),
    ],
)
def test_why_there_is_no_connection(cause: Exception, says: str) -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = cause
    failure = unreachable(CALLED, error)
    assert type(failure) is Unreachable
    assert says in str(failure)
    assert "api.openai.com" in str(failure)
    assert "\x1b" not in str(failure)
    assert "://" not in str(failure)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}, "payment"),
        (403, {"error": {"message": "billing not active"}}, "payment"),
        (404, {"error": {"type": "not_found_error", "message": "model: x"}}, "model"),
        (401, "<html>", "key"),
        (405, None, "request"),
        (418, [1], "request"),
        (302, "", "request"),
    ],
)
def test_what_has_to_be_mended(status: int, body: object, kind: str) -> None:
    failure = rejected(CALLED, Rejection(status, {}, body))
    assert getattr(failure, "kind", None) is MisconfiguredKind(kind)
    assert f"HTTP {status}" in str(failure)


@pytest.mark.parametrize("code", ["x" * 200, "has blanks", "<b>", "sk-Secret1", "", None, 7])
def test_only_what_looks_like_a_code_is_shown(code: object) -> None:
    failure = rejected(CALLED, Rejection(400, {}, {"error": {"code": code, "type": "invalid_request_error"}}))
    assert "(HTTP 400, invalid_request_error)" in str(failure)
