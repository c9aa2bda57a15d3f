"""Secrets as findings, in every text file.

A finding's words never hold the secret. Its `evidence` does, since evidence is what stands at the range: whoever logs
or sends findings leaves the evidence out.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Origin
from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.core.secret_assignments import is_placeholder
from aiops_lsp.core.text import Range, line_content
from aiops_lsp.rules.builtin import PASSWORD, PASSWORD_ELSEWHERE, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.core.redaction import SecretSpan
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.rules.rule import Rule

_BY_NAME = frozenset({"PASSWORD", "SECRET", "URL_PASSWORD", "CONNECTION_PASSWORD"})
_OF_ONES_OWN = _BY_NAME | {"PRIVATE_KEY", "AUTHORIZATION_HEADER", "JSON_WEB_TOKEN", "AGE_SECRET_KEY"}
"""What everyone can make, as tests do."""
_OFTEN_SHOWN = frozenset({"AWS_ACCESS_KEY_ID", "GOOGLE_API_KEY", "AUTHORIZATION_HEADER", "JSON_WEB_TOKEN"})
# Files that are there to hold what differs from one installation to the next, whatever an editor takes them for.
_ENV = re.compile(r"/\.env(?:rc|\.[^/]*)?$|\.env$")
# The words of a program in another language, "password" among them, by the name of their file or how they are written.
_TRANSLATED = re.compile(r"_[a-z]{2}(?:_[A-Za-z]+)?\.properties$|/(?:i18n|l10n|locales?|translations?)/")
_ESCAPED = re.compile(r"\\u[0-9A-Fa-f]{4}")
_WORDS = re.compile(r"[a-z]+\d*(?:[_-][a-z]+\d*)*")
_KEY_DATA = re.compile(r"[A-Za-z0-9+/]{24}")
_ALGORITHM = re.compile(r"(?i)(?:pbkdf2|pbe|hmac|sha\d*|md5|aes|rsa|ecdsa|dsa)\w*?with\w+")
_MADE_UP = re.compile(r"(?i)test|example|sample|dummy|demo|emulated|localhost|john doe")
_COMMENT = re.compile(r"\s*(?:\*|//|#|--|;)")
# A token that ends within a day of its issue is no secret any more by the time that somebody reads the code.
_SHORT_LIVED = 86_400
# Lines above a value that may say that it is an example.
_NEAR = 6
_OFTEN = 3
# How DER and SSH write that a public key follows.
_PUBLIC_KEY = re.compile(
    r"MIGfMA0GCSqGSIb3DQEB|MII[BC][A-Za-z0-9]jANBgkqhkiG9w0BAQEFAAOCA|M(?:Fk|HY)wE[A-Z]YHKoZIzj0CAQ|MIGbMBAGByqGSM49AgEG"
    r"|MCowBQYDK2Vw|(?:ssh-\w+ )?AAAA(?:B3NzaC1yc2|C3NzaC1lZDI1NTE5|E2VjZHNh)"
)
# What is kept of a password so that it can be checked.
_PASSWORD_HASH = re.compile(r"(?:[\w.@-]+:)?\$(?:2[abxy]|argon2\w*|[156])\$|pbkdf2[_:]\w+|\{S?SHA\d*\}|scrypt[:$]")
_OF_A_HASH = re.compile(r"""(?i)(?:_|\b)(?:salt|sha\d+|md5|hash)["']?\s*[:=]\s*[bru]?["']?\Z""")
_SAID_TO_BE_PUBLIC = re.compile(
    r"(?i)\bpublic(?:ly)?\b|\bfront-?end\b|\bclient[ -]side\b|\bnot (?:a |really |actually )*(?:secrets?|vulnerability)\b|https?://\S+\.js\b"
    r"|\bnosec\b|noqa:[^#]*\bS10[5-7]|pragma: allowlist secret|gitleaks:allow|\bNOSONAR\b"
)
_TO_BE_PUBLIC = re.compile(
    r"(?i)software_?statement|publishable|public_?(?:key|id)|default_?(?:api_?)?(?:key|token)\b|site_?key|posthog|mixpanel|amplitude|segment_|algolia|analytics"
    r"|telemetry|(?:page_?token|\bcursor|continuation(?:_token)?)[\"']?\s*[:=(]\s*[bru]?[\"']?\Z"
)
# Values that name something, and places that hold nothing worth a password.
_NAMES_SOMETHING = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Za-z:._-]+-20\d\d-[01]\d-[0-3]\d|[?&][\w-]+=|\d+/\w+(?:/\w+)?|[a-z]+/[a-z][\w.-]*|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|.+\.(?:json|ya?ml|txt|html?|pem|key|crt|csv|py|js|ts|xml|ini|conf|cfg|db|env|toml)|[a-z][\w-]*(?::[\w-]+)*:"
    r"|@\w+:\w+"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# The address to which a program reports its errors is in every copy of it.
_NOWHERE = re.compile(
    r"@(?:(?:[\w-]+\.)*(?:get)?sentry\.(?:io|com)\b|localhost|127\.|0\.0\.0\.0|\[::1\]|host\.docker\.internal|(?:[\w-]+\.)*(?:example|test|invalid|localdomain)\b)"
)
_SHOWN = re.compile(
    r"(?i)(?:\b|_)(?:examples?(?!\.(?:com|org|net))|samples?|dummy|fake|mock\w*|placeholders?)(?:\b|_)"
    r"|\b(?:not|never)(?: \w+)? in production\b|\btest(?:[ _](?:\w+[ _]){0,2}|\w*)key\w*"
    r"|\bfor (?:unit )?test(?:s|ing)?\b|\bno real\b"
)
# Keys of services that count visitors are public: every copy of a program and every page holds them.
_MEASURES = re.compile(r"(?i)telemetry|posthog|mixpanel|amplitude|analytics")
# Names that say that the value is no secret in clear, and a database on the machine of whoever runs the code.
_NOT_IN_CLEAR = re.compile(r"(?i)(?:encrypted|obscured|_empty|_blank)\w*[\"']?\s*[:=]+\s*[\"']?\Z")
_OWN_MACHINE = re.compile(
    r"(?i)host(?:name)?[\"']?\s*[:=]\s*[\"']?(?:localhost|127\.0\.0\.1)\b|\brpc\w*[\"']?\s*[:=]\s*[\"']?127\.0\.0\.1\b"
)
_COUNTS_VISITS = re.compile(r"(?i)\bmeasurement_?id\b")
_CLEARLY_SECRET = re.compile(r"(?i)secret|passw")
# Within a list that names the kinds of something, "password" among them.
_AMONG_NAMES = re.compile(r"""\[\s*(?:[bru]?["'][\w.-]{1,40}["'],\s*)+[bru]?["']\Z""")
_LIST_OF_WORDS = re.compile(
    r"(?i)(?:passwords|passwds|(?:common|weak|banned|leaked|forbidden)_\w+)\W*(?:[^\n\"',]*[\"'], *[bru]?[\"'])*$"
)
_RUST_TESTS = re.compile(r"(?m)^[ \t]*#\[(?:cfg\((?:all\()?test\b|(?:\w+::)*(?:rs)?test\b)")
# The storage emulator's key, which Microsoft publishes.
_PUBLISHED = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
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
    own_tests = _RUST_TESTS.search(snapshot.text) if snapshot.language == "rust" else None
    for secret in find_secrets(snapshot.text[start:end], user_patterns):
        value = snapshot.text[start + secret.start : start + secret.end]
        among_tests = in_test or (own_tests is not None and own_tests.start() < start + secret.start)
        if among_tests and secret.kind in _OF_ONES_OWN:
            continue
        found = start + secret.start
        if not (
            _is_sample(value)
            or _protects_nothing(snapshot, secret.kind, found, value)
            or _is_for_all(snapshot, found, found + len(value))
        ):
            yield _finding(snapshot, replace(secret, start=secret.start + start, end=secret.end + start))


def _is_sample(value: str) -> bool:
    """Whether the value is a vendor's example or filler, which is worth hiding from a model but not worth a remark."""
    published = value.endswith("EXAMPLE") or value.startswith(_PUBLISHED)
    return published or len(set(value[-16:])) <= 4 or is_placeholder(value)


def _protects_nothing(snapshot: Snapshot, kind: str, offset: int, value: str) -> bool:
    """Whether a format holds no secret after all: code that puts a key's marks around a value, the name of an
    algorithm, a token whose own claims say that it is made up, a header in a comment that shows what a request is."""
    if kind == "PRIVATE_KEY":
        before = _before(snapshot, offset)
        return _KEY_DATA.search(value) is None or _SHOWN.search(before) is not None or "code-block::" in before
    if value.startswith("eyJ") and (_MADE_UP.search(_claims(value)) or _is_short_lived(_claims(value))):
        return True
    # A table of keys is of those that others gave out to every browser.
    if kind == "GOOGLE_API_KEY" and snapshot.text.count("AIza") >= _OFTEN:
        return True
    if kind in _OFTEN_SHOWN and _SHOWN.search(_before(snapshot, offset)):
        return True
    if kind == "AUTHORIZATION_HEADER" and _WORDS.fullmatch(value):
        return True
    if kind == "AUTHORIZATION_HEADER":
        return _COMMENT.match(snapshot.lines[snapshot.position_at(offset).line]) is not None
    return kind in _BY_NAME and _is_no_password(snapshot, kind, offset, value)


def _is_no_password(snapshot: Snapshot, kind: str, offset: int, value: str) -> bool:
    """Whether what stands beside a telling name is no password: it names something, shows or checks one, or is code."""
    behind = snapshot.text[offset + len(value) :]
    if kind == "CONNECTION_PASSWORD" and (behind[:1] in {",", ")", "[", "("} or "[" in value or "(" in value):
        return True
    if kind == "URL_PASSWORD" and (value.isalpha() or _NOWHERE.match(behind)):
        return True
    if kind == "PASSWORD" and (_TRANSLATED.search(snapshot.uri) or _ESCAPED.search(value)):
        return True
    if kind == "PASSWORD" and _UUID.fullmatch(value):
        return True
    before = _before(snapshot, offset)
    if _OF_A_HASH.search(before):
        return True
    # An enumeration gives each name itself.
    if value.isidentifier() and re.search(rf"(?i)\b{value}\b", before.rpartition("\n")[2]):
        return True
    return (
        any(shape.fullmatch(value) for shape in (_ALGORITHM, _NAMES_SOMETHING))
        or _PASSWORD_HASH.match(value) is not None
        # A secret stands once; what stands again and again is data that the code shows.
        or (kind == "SECRET" and snapshot.text.count(value) >= _OFTEN)
        or _SHOWN.search(before) is not None
        or _NOT_IN_CLEAR.search(before) is not None
        or (kind == "PASSWORD" and _OWN_MACHINE.search(before) is not None)
        or ("/telemetry/" in snapshot.uri and not _CLEARLY_SECRET.search(before.rpartition("\n")[2]))
        or _COUNTS_VISITS.search(before) is not None
        or (_MEASURES.search(before) is not None and not _CLEARLY_SECRET.search(before.rpartition("\n")[2]))
        or _AMONG_NAMES.search(before) is not None
        or _LIST_OF_WORDS.search(before) is not None
    )


def _before(snapshot: Snapshot, offset: int) -> str:
    """The lines above the offset, and what stands before it on its own."""
    line = snapshot.position_at(offset).line
    return "".join(snapshot.lines[max(0, line - _NEAR) : line]) + snapshot.text[snapshot.line_starts[line] : offset]


def _is_for_all(snapshot: Snapshot, start: int, end: int) -> bool:
    """Whether the text around the value says that it is cut off, a public key, or public by its use."""
    if snapshot.text.startswith(("...", "\u2026", "***"), end) or _PUBLIC_KEY.match(snapshot.text, start):
        return True
    place = snapshot.position_at(start)
    line = snapshot.lines[place.line]
    above = snapshot.lines[place.line - 1] if place.line else ""
    said = line[place.column + end - start :] + (above if _COMMENT.match(above) else "")
    return _SAID_TO_BE_PUBLIC.search(said) is not None or _TO_BE_PUBLIC.search(line[: place.column]) is not None


def _is_short_lived(claims: str) -> bool:
    """Whether the token was good for a day at most, by what it says itself."""
    try:
        says = json.loads(claims)
        return isinstance(says, dict) and 0 <= says["exp"] - says.get("iat", says.get("nbf")) <= _SHORT_LIVED
    except (ValueError, KeyError, TypeError):
        return False


def _claims(token: str) -> str:
    """What a JWT says, or nothing where it cannot be read."""
    _, _, rest = token.partition(".")
    body = rest.partition(".")[0]
    try:
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _finding(snapshot: Snapshot, secret: SecretSpan) -> Finding:
    rule = _password_rule(snapshot) if secret.kind in _BY_NAME else SECRET
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
        title=f"{_in_words(secret.kind)} in this file" if rule is SECRET else rule.title,
        why=rule.why,
        trigger=rule.trigger,
        range=Range(first, snapshot.position_at(stop)),
        evidence=snapshot.text[secret.start : stop],
        symbol="",
    )


def _password_rule(snapshot: Snapshot) -> Rule:
    """The rule for a value that only its name gives away: outside Python and `.env` files it is less sure."""
    sure = snapshot.language in {"python", "dotenv"} or _ENV.search(snapshot.uri)
    return PASSWORD if sure else PASSWORD_ELSEWHERE


def _in_words(kind: str) -> str:
    """`GITHUB_TOKEN` as `GitHub token`."""
    if kind == "USER_PATTERN":
        return "Text that your patterns call secret"
    first, *rest = kind.split("_")
    words = [_NAMES.get(first) or (first if first in _ACRONYMS else first.capitalize())]
    words += [word if word in _ACRONYMS else word.lower() for word in rest]
    return " ".join(words)
