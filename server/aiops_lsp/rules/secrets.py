"""Secrets as findings, in every text file.

A finding's words never hold the secret. Its `evidence` does, since evidence is what stands at the range: whoever logs
or sends findings leaves the evidence out.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Origin
from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.core.secret_assignments import is_placeholder
from aiops_lsp.core.text import Range, line_content
from aiops_lsp.rules.builtin import PASSWORD, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.core.redaction import SecretSpan
    from aiops_lsp.core.text import Snapshot

_BY_NAME = frozenset({"PASSWORD", "SECRET", "URL_PASSWORD", "CONNECTION_PASSWORD"})
_KEY_DATA = re.compile(r"[A-Za-z0-9+/]{24}")
_ALGORITHM = re.compile(r"(?i)(?:pbkdf2|pbe|hmac|sha\d*|md5|aes|rsa|ecdsa|dsa)\w*?with\w+")
_MADE_UP = re.compile(r"(?i)test|example|sample|dummy|demo|emulated|localhost|john doe")
_COMMENT = re.compile(r"\s*(?:\*|//|#|--|;)")
_ACRONYMS = frozenset(["AWS", "API", "ID", "URL", "SAS", "NPM", "XAI"])
_NAMES = {
    "GITHUB": "GitHub", "GITLAB": "GitLab", "PYPI": "PyPI", "OPENAI": "OpenAI", "OPENROUTER": "OpenRouter",
    "SENDGRID": "SendGrid", "DIGITALOCEAN": "DigitalOcean", "HUGGINGFACE": "Hugging Face", "RUBYGEMS": "RubyGems",
    "PLANETSCALE": "PlanetScale", "PUTTY": "PuTTY", "JSON": "JSON",
}  # fmt: skip


def secret_findings(
    snapshot: Snapshot, span: tuple[int, int], user_patterns: Sequence[str], *, in_test: bool
) -> Iterator[Finding]:
    """A finding without id for each secret in the offsets of `span`, except for values that only stand for one.

    Tests have keys and passwords of their own; only tokens that an issuer gave out count there."""
    start, end = span
    for secret in find_secrets(snapshot.text[start:end], user_patterns):
        value = snapshot.text[start + secret.start : start + secret.end]
        if in_test and secret.kind in _BY_NAME | {"PRIVATE_KEY", "AUTHORIZATION_HEADER"}:
            continue
        if not (_is_sample(value) or _protects_nothing(snapshot, secret.kind, start + secret.start, value)):
            yield _finding(snapshot, replace(secret, start=secret.start + start, end=secret.end + start))


def _is_sample(value: str) -> bool:
    """Whether the value is a vendor's example or filler, which is worth hiding from a model but not worth a remark."""
    return value.endswith("EXAMPLE") or len(set(value[-16:])) <= 4 or is_placeholder(value)


def _protects_nothing(snapshot: Snapshot, kind: str, offset: int, value: str) -> bool:
    """Whether a format holds no secret after all: code that puts a key's marks around a value, the name of an
    algorithm, a token whose own claims say that it is made up, a header in a comment that shows what a request is."""
    if kind == "PRIVATE_KEY":
        return _KEY_DATA.search(value) is None
    if value.startswith("eyJ") and _MADE_UP.search(_claims(value)):
        return True
    if kind == "AUTHORIZATION_HEADER":
        return _COMMENT.match(snapshot.lines[snapshot.position_at(offset).line]) is not None
    return kind in _BY_NAME and _ALGORITHM.fullmatch(value) is not None


def _claims(token: str) -> str:
    """What a JWT says, or nothing where it cannot be read."""
    _, _, rest = token.partition(".")
    body = rest.partition(".")[0]
    try:
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _finding(snapshot: Snapshot, secret: SecretSpan) -> Finding:
    rule = PASSWORD if secret.kind in _BY_NAME else SECRET
    first = snapshot.position_at(secret.start)
    line_end = snapshot.line_starts[first.line] + len(line_content(snapshot.lines[first.line]))
    stop = min(secret.end, line_end)
    return Finding(
        id="",
        code=rule.id,
        origin=Origin.RULE,
        category=rule.category,
        severity=rule.severity,
        confidence=rule.confidence,
        title=rule.title if rule is PASSWORD else f"{_in_words(secret.kind)} in this file",
        why=rule.why,
        trigger=rule.trigger,
        range=Range(first, snapshot.position_at(stop)),
        evidence=snapshot.text[secret.start : stop],
        symbol="",
    )


def _in_words(kind: str) -> str:
    """`GITHUB_TOKEN` as `GitHub token`."""
    if kind == "USER_PATTERN":
        return "Text that your patterns call secret"
    first, *rest = kind.split("_")
    words = [_NAMES.get(first) or (first if first in _ACRONYMS else first.capitalize())]
    words += [word if word in _ACRONYMS else word.lower() for word in rest]
    return " ".join(words)
