"""The loose form of code: what stays when comments, and blanks that mean nothing, are taken away.

Two texts with the same loose form are the same sequence of tokens with the same block structure, as far as anybody
can tell without compiling them. Where a language makes blanks or line breaks count, they are kept: a form that
changes too often costs a request, one that changes too rarely would show findings for code that nobody reviewed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops_lsp.core.language_table import Blanks, Newlines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.syntax import Span

_STRING = "\0"
_BLANKS = re.compile(r"[ \t\f\v]+")
# A blank may go beside a bracket or separator, and between a word or string and an operator: no tokens merge there.
# A dot is no such operator (`1 .real`), nor is anything that begins a token (`@`, `#`, `$`, quotes).
_BESIDE_BRACKET = re.compile(r" ?([()\[\]{},;]) ?")
_BEFORE_OPERATOR = re.compile(r"(?<=[\w\0]) (?=[=<>+\-*/%&|^!?:~])")
_AFTER_OPERATOR = re.compile(r"(?<=[=<>+\-*/%&|^!?:~]) (?=[\w\0])")
_BRACKET = re.compile(r"[()\[\]{}]")


def loose_form(code: str, comments: Sequence[Span], strings: Sequence[Span], language: Language | None) -> str:
    """The loose form of `code`, whose comments and strings are at the given offsets, in order.

    Without a language nothing is known to mean nothing, and the code itself is the answer.
    """
    if language is None or _STRING in code or (language.verbatim and re.search(language.verbatim, code)):
        return code
    skeleton, kept = _skeleton(code, comments, strings, language)
    lines = "".join(_joined(skeleton, language))
    if language.blanks is Blanks.FREE:
        lines = _BESIDE_BRACKET.sub(r"\1", lines)
        lines = _AFTER_OPERATOR.sub("", _BEFORE_OPERATOR.sub("", lines))
    parts = lines.strip("\n ").split(_STRING)
    return parts[0] + "".join(f"{token}{part}" for token, part in zip(kept, parts[1:], strict=True))


def skeleton_of(code: str, comments: Sequence[Span], strings: Sequence[Span], language: Language) -> str:
    """`code` without comments, and with a NUL for each string: what names and calls can be looked for in."""
    return _skeleton(code, comments, strings, language)[0]


def _skeleton(
    code: str, comments: Sequence[Span], strings: Sequence[Span], language: Language
) -> tuple[str, list[str]]:
    """The code with a sign for each token that is kept as it is, and those tokens."""
    pieces: list[str] = []
    kept: list[str] = []
    reached = 0
    pragma = re.compile(language.pragmas) if language.pragmas else None
    for start, end, is_comment in sorted([(*span, True) for span in comments] + [(*span, False) for span in strings]):
        if start < reached:
            continue
        pieces.append(code[reached:start])
        token = code[start:end]
        reached = end
        if not is_comment or (pragma and pragma.match(token)):
            pieces.append(_STRING)
            kept.append(token)
        else:
            pieces.append("\n" if "\n" in token else " ")
    pieces.append(code[reached:])
    return "".join(pieces), kept


def _joined(skeleton: str, language: Language) -> Iterator[str]:
    """The skeleton's lines without empty ones, each after what its line break and indentation mean."""
    if language.newlines is Newlines.FREE:
        yield " ".join(filter(None, (_line(line, language) for line in skeleton.split("\n"))))
        return
    open_brackets: list[str] = []
    levels = [0]
    continued = False
    for line in skeleton.split("\n"):
        body = _line(line, language)
        if not body:
            continue
        yield _separator(line, language, open_brackets, levels, continued=continued)
        yield body
        continued = body.endswith("\\")
        if language.newlines in (Newlines.INDENT, Newlines.BRACKETS):
            _count_brackets(body, open_brackets)


def _line(line: str, language: Language) -> str:
    if language.blanks is Blanks.VERBATIM:
        return line.lstrip(" \t") if line.strip(" \t") else ""
    return _BLANKS.sub(" ", line).strip(" ")


def _separator(line: str, language: Language, open_brackets: list[str], levels: list[int], *, continued: bool) -> str:
    """What stands before a line: a blank where the break means nothing, else a break, with its level if that counts."""
    newlines = language.newlines
    if newlines is Newlines.BRACKETS:
        return " " if open_brackets and open_brackets[-1] != "{" else "\n"
    if newlines is Newlines.ENDS:
        return "\n"
    if newlines is Newlines.INDENT and open_brackets:
        return " "
    if continued:
        return "\n"
    width = len(line[: len(line) - len(line.lstrip(" \t\f"))].expandtabs(8))
    while levels[-1] > width:
        levels.pop()
    if levels[-1] < width:
        levels.append(width)
    return f"\n{len(levels) - 1}|"


def _count_brackets(body: str, open_brackets: list[str]) -> None:
    for bracket in _BRACKET.findall(body):
        if bracket in "([{":
            open_brackets.append(bracket)
        elif open_brackets:
            open_brackets.pop()
