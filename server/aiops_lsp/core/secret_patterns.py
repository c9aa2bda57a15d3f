"""The user's own redaction patterns: checked before use, and bounded so that none can stall a review.

Python's regular expressions cannot be timed out. A pattern is therefore read once: a repetition over something
that itself varies in length, or two repetitions in a row that can match the same text, is refused with the reason,
and what is left open above is bounded to 512.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_PATTERN = 500
_LONGEST_REPEAT = 512
_QUANTIFIER = re.compile(r"[*+?]|\{\d+\}|\{\d*,\d*\}")
_GROUP_HEAD = re.compile(r"\((?:\?(?:P<\w+>|P=\w+|[aiLmsu]*-?[aiLmsu]*:|<?[=!]|>|[aiLmsu]+\))|(?!\?))")
_ASCII = [chr(code) for code in range(1, 127)]


class _RefusedError(ValueError):
    """The pattern is valid, but not safe to run."""


@dataclass(slots=True)
class _Atom:
    """One element of a sequence: its text, how often it may stand, and whether it is a group."""

    text: str
    low: int = 1
    high: int = 1
    group: bool = False
    varies: bool = False

    @property
    def open(self) -> bool:
        return self.high - self.low > 16


def pattern_problems(patterns: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with each pattern that cannot be used, in words, in order."""
    problems = []
    for pattern in patterns:
        problem = _problem(pattern)
        if problem:
            problems.append(f"redaction pattern {_shown(pattern)} is not used: {problem}")
    return tuple(problems)


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """The pattern, bounded and compiled, or None if `pattern_problems` complains about it."""
    return None if _problem(pattern) else re.compile(_bounded(pattern))


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 60 else pattern[:57] + "...")


def _problem(pattern: str) -> str | None:
    if not pattern.strip():
        return "it is empty"
    if len(pattern) > _LONGEST_PATTERN:
        return f"it is longer than {_LONGEST_PATTERN} characters"
    try:
        compiled = re.compile(pattern)
        re.compile(_bounded(pattern))
    except _RefusedError as refusal:
        return str(refusal)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it is not a valid regular expression ({error})"
    if compiled.search(""):
        return "it also matches empty text, so everything would be a secret"
    return None


def _bounded(pattern: str) -> str:
    """The same pattern with every open repetition closed at 512. Raises `_RefusedError`."""
    text, _, end = _read_sequence(pattern, 0)
    if end != len(pattern):
        raise _RefusedError("its brackets do not match")
    return text


def _read_sequence(pattern: str, at: int) -> tuple[str, bool, int]:
    """Read alternatives up to a closing bracket or the end: the bounded text, whether its length varies, the end."""
    written: list[str] = []
    atoms: list[_Atom] = []
    varies = False
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            _refuse_overlaps(atoms)
            varies, atoms, at = True, [], at + 1
            written.append("|")
            continue
        atom, at = _read_atom(pattern, at)
        quantifier, at = _read_quantifier(pattern, at, atom)
        varies = varies or atom.varies or atom.low != atom.high
        written.append(atom.text + quantifier)
        atoms.append(atom)
    _refuse_overlaps(atoms)
    return "".join(written), varies, at


def _read_atom(pattern: str, at: int) -> tuple[_Atom, int]:
    if pattern[at] == "\\":
        return _Atom(pattern[at : at + 2]), at + 2
    if pattern[at] == "[":
        end = at + 1 + pattern.startswith("^", at + 1)
        end += pattern.startswith("]", end)
        while pattern[end] != "]":
            end += 2 if pattern[end] == "\\" else 1
        return _Atom(pattern[at : end + 1]), end + 1
    if pattern[at] != "(":
        return _Atom(pattern[at]), at + 1
    head = _GROUP_HEAD.match(pattern, at)
    if head is None:
        raise _RefusedError("it has a conditional group, a comment or the verbose flag")
    if head[0].endswith(")") or head[0].startswith("(?P="):
        end = pattern.index(")", at) + 1
        return _Atom(pattern[at:end], group=True), end
    body, varies, end = _read_sequence(pattern, head.end())
    return _Atom(f"{head[0]}{body})", group=True, varies=varies), end + 1


def _read_quantifier(pattern: str, at: int, atom: _Atom) -> tuple[str, int]:
    """Read what may follow `atom`, note it there, and write it bounded."""
    match = _QUANTIFIER.match(pattern, at)
    if not match or match[0] == "{,}":
        return "", at
    low, high = _bounds(match[0])
    end = match.end()
    mode = pattern[end] if end < len(pattern) and pattern[end] in "?+" else ""
    if atom.varies and high != 1:
        raise _RefusedError(f"{_shown(atom.text)} varies in length and is itself repeated, which can take for ever")
    atom.low, atom.high = low, high
    return f"{{{low},{high}}}{mode}", end + len(mode)


def _bounds(quantifier: str) -> tuple[int, int]:
    if quantifier == "?":
        return 0, 1
    if quantifier in "*+":
        return int(quantifier == "+"), _LONGEST_REPEAT
    first, comma, last = quantifier.strip("{}").partition(",")
    low = int(first or 0)
    if low > _LONGEST_REPEAT or int(last or 0) > _LONGEST_REPEAT:
        raise _RefusedError(f"it repeats something more than {_LONGEST_REPEAT} times")
    if not comma:
        return low, low
    return low, int(last) if last else _LONGEST_REPEAT


def _refuse_overlaps(atoms: list[_Atom]) -> None:
    """Two long repetitions that can share the same text, with nothing in between that keeps them apart."""
    previous: set[str] | None = None
    for atom in atoms:
        letters = _letters(atom)
        if atom.open and previous is not None and previous & letters:
            raise _RefusedError("two repetitions in a row can match the same text, which can take very long")
        if atom.open:
            previous = letters
        elif previous is not None and atom.low >= 1 and not atom.group and not previous & letters:
            previous = None


def _letters(atom: _Atom) -> set[str]:
    """The ASCII characters that `atom` can match; all of them for a group."""
    if atom.group:
        return set(_ASCII)
    try:
        expression = re.compile(atom.text)
    except re.error:
        return set(_ASCII)
    return {letter for letter in _ASCII if expression.fullmatch(letter)}
