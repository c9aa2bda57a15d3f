"""Secrets in text: where they stand, exactly, so that they can be replaced before anything leaves.

Three sources: the table of formats with a shape of their own, string literals of high entropy that are assigned to
names such as `api_key` or `password`, and the user's patterns. A span covers the secret alone, never its quotes,
its name or the markers of a PEM block, and nothing shorter than the whole secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.secret_assignments import PASSWORD, SECRET, assigned_values, is_placeholder
from aiops_lsp.core.secret_patterns import compile_pattern
from aiops_lsp.core.secret_table import FORMATS, RUN, SecretFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_USER = "USER_PATTERN"
# Formats whose secret may be a word of documentation ("user:password@host").
_WORDS_POSSIBLE = frozenset({"URL_PASSWORD", "CONNECTION_PASSWORD"})
# The value of a connection's keyword argument: an expression, and as such no secret.
_ATTRIBUTE = re.compile(
    r"(?:self|this|cls|settings|config|conf|cfg|args|options|opts|params|app|db|ctx)(?:\.\w+)*\.\w*(?:passw|pwd)\w*"
)
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True, order=True)
class SecretSpan:
    """One secret: the code points from `start` up to and not including `end`. `kind` matches `[A-Z0-9_]+`.

    A span has several lines only when the secret does (a private key's body).
    """

    start: int
    end: int
    kind: str


def secret_kinds() -> tuple[str, ...]:
    """Every kind that `find_secrets` can name, sorted."""
    return tuple(sorted({row.kind for row in FORMATS} | {PASSWORD, SECRET, _USER}))


def find_secrets(text: str, user_patterns: Sequence[str] = ()) -> tuple[SecretSpan, ...]:
    """The secrets in `text`, in order and not overlapping.

    `user_patterns` are regular expressions whose group `secret` or, without one, whole match is a secret. A pattern
    that `pattern_problems` complains about is passed over, since an invalid one must not switch off the others.
    """
    lowered = _lower(text)
    found: list[tuple[SecretSpan, int]] = []
    for expression in filter(None, map(compile_pattern, user_patterns)):
        found += [(span, 0) for span in _user_matches(expression, text)]
    runs = "\n".join(RUN.findall(text))
    for row in FORMATS:
        haystack = runs if row.one_run else lowered if row.any_case else text
        if not any(literal in haystack for literal in row.literals):
            continue
        if not row.one_run or row.expression.search(runs):
            found += [(span, 1) for span in _format_matches(row, text)]
    found += [(SecretSpan(start, end, kind), 2) for start, end, kind in assigned_values(text, lowered)]
    return _merged(found)


def _lower(text: str) -> str:
    """The text in lower case, with every character at its place (a few letters become two in lower case)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_ASCII_LOWER)


def _user_matches(expression: re.Pattern[str], text: str) -> Iterator[SecretSpan]:
    group = "secret" if "secret" in expression.groupindex else 0
    for match in expression.finditer(text):
        start, end = match.span(group)
        if 0 <= start < end:
            yield SecretSpan(start, end, _USER)


def _format_matches(row: SecretFormat, text: str) -> Iterator[SecretSpan]:
    for match in row.expression.finditer(text):
        names = [name for name in ("s", "open") if name in row.expression.groupindex and match.span(name)[0] >= 0]
        start, end = _trimmed(text, *match.span(names[0] if names else 0))
        if row.kind in _WORDS_POSSIBLE and _only_stands_for_one(text[start:end]):
            continue
        if row.kind == "PRIVATE_KEY" and _is_prose(text[start:end]):
            continue
        if start < end:
            yield SecretSpan(start, end, row.kind)


def _only_stands_for_one(value: str) -> bool:
    return is_placeholder(value) or _ATTRIBUTE.fullmatch(value) is not None


def _is_prose(body: str) -> bool:
    """Whether what stands between the markers of a key talks about keys, or is code: words, and nothing in base64."""
    if re.search(r"[A-Za-z0-9+/]{32}", body):
        return False
    return re.search(r"[a-z] +[a-z]", body) is not None or re.search(r"[A-Za-z0-9+/]{6}", body) is None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the blanks and escaped line ends at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or (end - start > 2 and text[end - 2 : end] in {"\\n", "\\r"})):
        end -= 1 if text[end - 1].isspace() else 2
    return start, end


def _merged(found: list[tuple[SecretSpan, int]]) -> tuple[SecretSpan, ...]:
    """Overlapping spans become one that covers them all, named by the source of the highest rank (lowest number)."""
    merged: list[tuple[SecretSpan, int]] = []
    for span, rank in sorted(found, key=lambda item: (item[0].start, item[1], -item[0].end)):
        if merged and span.start < merged[-1][0].end:
            last, last_rank = merged[-1]
            kind = last.kind if last_rank <= rank else span.kind
            merged[-1] = (SecretSpan(last.start, max(last.end, span.end), kind), min(rank, last_rank))
        else:
            merged.append((span, rank))
    return tuple(span for span, _ in merged)
