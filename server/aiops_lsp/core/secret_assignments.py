"""Secrets without a format: literals of high entropy beside a name such as `api_key` or `password`.

The name is looked for first, by substring, and only what is assigned to it is judged: entropy alone would take
hashes, identifiers and tables of data for secrets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD, SECRET = "PASSWORD", "SECRET"

# Lower-case literals of which every name that counts holds one.
_NAME_HINTS = ("passw", "pwd", "passphrase", "secret", "token", "key", "credential")
_PASSWORD_NAME = re.compile(r"passwo?r?d|pwd|passphrase")
_SECRET_NAME = re.compile(
    r"secret|token|credential"
    r"|(?:api|access|auth|private|signing|encryption|account|license|storage|master|session|service|shared)keys?(?!id)"
)
_LONGEST_NAME = 80

# What stands between a name and its quoted value: the end of the name's own quotes or index, a type annotation,
# an assignment, a comparison, or the opening of a call.
_QUOTED = re.compile(
    r"(?:\\?[\"'])?\]?[ \t]{0,8}(?::[ \t]{0,4}[A-Za-z][\w\[\]. |?*]{0,40}?[ \t]{0,4}(?==))?"
    r"(?:,[ \t]{0,8}|(?::=|=>|={1,3}|!={1,2}|:|\()[ \t]{0,8}(?:\r?\n[ \t]{0,64})?)(?:[A-Za-z]{1,2}(?=[\"']))?"
    r"(?P<quote>\\?[\"'`])(?P<value>[^\"'`\s\\]{8,512})(?P=quote)"
)
_BARE = re.compile(
    r"(?P<gap>[ \t]{0,4})[=:][ \t]{0,4}(?P<value>[^\s\"'`#;,(){}\[\]<>|$]{8,512})[ \t]{0,8}"
    r"(?:#[^\r\n]{0,200})?(?=[\r\n]|\Z)"
)
_TAGGED = re.compile(r">(?P<value>[^\s<>\"'`{}$]{8,512})</")

_PLACEHOLDER_PART = re.compile(
    r"example|change[-_]?me|your|xxx|placeholder|dummy|sample|fake|redacted|insert|replace|todo|\*\*\*|\.\.\.|"
    r"[<>{}]|\$\(|%[sdrv(]|process\.env|environ|getenv|null|undefined|none$",
    re.IGNORECASE,
)
_PLACEHOLDER_WORDS = frozenset(
    {
        "pass",
        "passwd",
        "password",
        "passw0rd",
        "pwd",
        "passphrase",
        "secret",
        "user",
        "username",
        "usr",
        "pw",
        "token",
        "key",
        "foo",
        "bar",
        "baz",
        "test",
        "tests",
        "testing",
        "tiger",
        "guest",
        "root",
        "admin",
        "postgres",
        "mysql",
        "mongo",
        "redis",
        "default",
        "local",
        "localhost",
        "port",
        "x",
        "y",
        "z",
        "abc",
    }
)
_RANDOM_ALPHABET = re.compile(r"[A-Za-z0-9+/=_.~:%-]+")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*")
_JOINED_WORDS = re.compile(r"[A-Za-z]+\d?|[A-Za-z]+\d*(?:[-_.:/*]+[A-Za-z0-9]*)+")
_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{2,}(?![a-z])")
_PATH_START = ("/", "./", "../", "~/", "http:", "https:", "file:", "urn:", "com.", "org.", "net.")


def assigned_values(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each value that looks secret beside a telling name.

    `lowered` is `text` in lower case, of the same length.
    """
    ends: set[int] = set()
    for hint in _NAME_HINTS:
        at = lowered.find(hint)
        while at >= 0:
            start, end = _name_around(text, at, at + len(hint))
            if end not in ends:
                ends.add(end)
                kind = _kind_of_name(lowered[start:end])
                value = kind and _value_after(text, end, kind)
                if kind and value:
                    yield *value, kind
            at = lowered.find(hint, max(end, at + 1))


def is_placeholder(value: str) -> bool:
    """Whether `value` only stands where a secret would: `changeme`, `${PASSWORD}`, `xxxx`, `user:password@host`."""
    return (
        value.lower().strip("_-*.") in _PLACEHOLDER_WORDS
        or _PLACEHOLDER_PART.search(value) is not None
        or len(set(value)) < 3
    )


def _name_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The identifier that holds the hint at `start`..`end`, as far as it matters."""
    first, last = max(0, start - _LONGEST_NAME), min(len(text), end + _LONGEST_NAME)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    while end < last and (text[end].isalnum() or text[end] in "_-"):
        end += 1
    return start, end


def _kind_of_name(name: str) -> str | None:
    plain = name.replace("_", "").replace("-", "")
    if _PASSWORD_NAME.search(plain):
        return PASSWORD
    return SECRET if _SECRET_NAME.search(plain) else None


def _value_after(text: str, end: int, kind: str) -> tuple[int, int] | None:
    quoted = _QUOTED.match(text, end) or _TAGGED.match(text, end)
    if quoted:
        return quoted.span("value") if _is_secret(quoted["value"], kind) else None
    bare = _BARE.match(text, end)
    if bare and _is_bare_secret(bare["value"], kind, spaced=bool(bare["gap"])):
        return bare.span("value")
    return None


def _is_secret(value: str, kind: str) -> bool:
    if is_placeholder(value) or value.startswith(_PATH_START) or "://" in value:
        return False
    if kind == PASSWORD and _is_password(value):
        return True
    return _is_random(value)


def _is_bare_secret(value: str, kind: str, *, spaced: bool) -> bool:
    """As `_is_secret`, but without quotes the value may be an expression, so its digits must tell."""
    digits = sum(map(str.isdigit, value))
    if not _is_secret(value, kind) or "." in value.rstrip("."):
        return False
    if not spaced and kind == PASSWORD:
        return digits >= 1 and not re.fullmatch(r"[a-z_]+\d*", value)
    return digits >= 3 and len(value) >= 16


def _is_password(value: str) -> bool:
    """Letters with digits or marks in between, as people choose them; not words that are joined or numbered."""
    if not value.isascii() or re.search(r"[()\[\]|^;,]", value) or _JOINED_WORDS.fullmatch(value):
        return False
    letters = any(map(str.isalpha, value))
    others = sum(map(str.isdigit, value)) + sum(mark in "!@#$%&*?+=~" for mark in value)
    return letters and others >= 1 and _entropy(value) >= 2.5


def _is_random(value: str) -> bool:
    """Whether `value` looks drawn at random: at least 16 characters of a token's alphabet, with the entropy of one."""
    if len(value) < 16 or not _RANDOM_ALPHABET.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    if _HEX.fullmatch(value):
        return len(value) >= 24 and digits >= 4 and _entropy(value) >= 2.8 and not _is_sequence(value)
    if digits >= 2:
        return _entropy(value) >= 3.5 and not _is_worded(value) and not _is_sequence(value)
    turns = sum(left.islower() != right.islower() for left, right in pairwise(value))
    unlikely_words = turns >= len(value) // 3 and not _is_worded(value)
    return len(value) >= 20 and unlikely_words and _entropy(value) >= 4.0 and not _is_sequence(value)


def _is_worded(value: str) -> bool:
    """Whether `value` is words and a few numbers joined: `oauth2-token-v1`, `AsyncTokensWithRawResponse`."""
    digits = sum(map(str.isdigit, value))
    return digits <= len(value) * 0.15 and sum(map(len, _WORD.findall(value))) >= len(value) * 0.6


def _is_sequence(value: str) -> bool:
    """Whether the characters mostly follow each other, as in an alphabet or `1234567890abcdef`."""
    steps = sum(ord(right) - ord(left) in {0, 1} for left, right in pairwise(value))
    return steps * 2 > len(value)


def _entropy(value: str) -> float:
    """Shannon's entropy in bits per character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
