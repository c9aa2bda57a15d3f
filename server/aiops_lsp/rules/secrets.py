"""Secrets as findings, in every text file.

A finding's words never hold the secret. Its `evidence` does, since evidence is what stands at the range: whoever logs
or sends findings leaves the evidence out.
"""

from __future__ import annotations

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
        if not _is_sample(value):
            yield _finding(snapshot, replace(secret, start=secret.start + start, end=secret.end + start))


def _is_sample(value: str) -> bool:
    """Whether the value is a vendor's example or filler, which is worth hiding from a model but not worth a remark."""
    return value.endswith("EXAMPLE") or len(set(value[-16:])) <= 4 or is_placeholder(value)


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
