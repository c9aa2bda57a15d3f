"""Findings of ruff that the document itself speaks against.

ruff looks at one place. What makes it harmless may stand elsewhere in the document: a logger of another kind, a
template that is no page, a class that only describes an interface.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.core.text import Snapshot

# A line, or the one above, that says that somebody has looked at it and accepted it; ruff knows noqa only.
_ACCEPTED = re.compile(r"#.*(?:\bpylint:\s*disable=|\bnosec\b|\bnosemgrep\b)")
_NEEDED = {
    # Without escaping, markup in a value does harm in pages only.
    "S701": re.compile(r"text/html|[\"'][^\"'\n]*\.html?[\"']"),
    # A fork is unsafe where another thread may hold a lock.
    "PLW1509": re.compile(r"(?i)thread|asyncio|setsid|setpgrp"),
}
# What each object needs one of its own of; other values are as good shared.
_OF_ITS_OWN = re.compile(
    r"(?i)(?:\w+\.)*(?:r?lock|event|queue|condition|semaphore|uuid\d?|\w*time|\w*now|today|random\w*|token\w*|deque"
    r"|\w*dict|list|set|counter|thread\w*)\("
)
# A message in braces is for a formatter of another kind.
_IN_BRACES = re.compile(r"[\"'][^\"'\n]*\{[\w.]*(?:[:!][^}]*)?\}")
# The methods of an interface have no self.
_INTERFACES = re.compile(r"\bzope\.interface\b")
_FROM_THE_PLACE = {
    # A membership test may be there for what it does, such as filling a cache.
    "B015": re.compile(r".* in "),
    # Bytes are shown as well as text.
    "RUF040": re.compile(r"[rR]?[bB][rR]?[\"']"),
}
_IN_THE_LINE = {
    # It gives None, as it must.
    "PLE0101": re.compile(r"return .*\.__init__\("),
    # What comes in as a whole may hold the option.
    "S701": re.compile(r"\*\*\w"),
}
_CALL = re.compile(r"([\w.]+)\.\w+\(")


def speaks_against(snapshot: Snapshot, code: str, line: int, column: int) -> bool:
    """Whether the document says that ruff's finding by `code` at this place is none."""
    text = snapshot.lines[line]
    if any(_ACCEPTED.search(said) for said in snapshot.lines[max(0, line - 1) : line + 1]):
        return True
    if code in _FROM_THE_PLACE and _FROM_THE_PLACE[code].match(text, column):
        return True
    if code in _IN_THE_LINE and _IN_THE_LINE[code].search(text):
        return True
    if code in _NEEDED:
        return _NEEDED[code].search(snapshot.text) is None
    if code == "B015":
        return _is_tried(snapshot, text, line)
    if code == "PLE0302":
        return _INTERFACES.search(snapshot.text) is not None or _is_made_anew(snapshot, line)
    if code == "RUF009":
        return _OF_ITS_OWN.match(text, column) is None
    if code in {"PLE1205", "PLE1206"}:
        message = "".join(snapshot.lines[line : line + 4])
        return _IN_BRACES.search(message) is not None or not _is_logger(snapshot, text, column)
    return code == "PIE794" and not _is_set_above(snapshot, text, line)


def _is_logger(snapshot: Snapshot, text: str, column: int) -> bool:
    """Whether the object whose method is called is one of logging: others take any number of values."""
    call = _CALL.match(text, column)
    if call is None:
        return False
    made = rf"(?<![\w.]){re.escape(call[1])}(?:\s*:[^=\n]+)?\s*=\s*[\w.]*get_?logger\("
    return call[1] == "logging" or re.search(made, snapshot.text, re.IGNORECASE) is not None


def _is_tried(snapshot: Snapshot, text: str, line: int) -> bool:
    """Whether the line stands directly in a try block, or in a with block that expects an error: it asks for one."""
    indent = len(text) - len(text.lstrip())
    for above in range(line - 1, -1, -1):
        before = snapshot.lines[above]
        if before.strip() and len(before) - len(before.lstrip()) < indent:
            return re.match(r"\s*(?:try\b|with\b.*(?:raises|suppress|Raises))", before) is not None
    return False


def _is_made_anew(snapshot: Snapshot, line: int) -> bool:
    """Whether a decorator makes something else of the method, which may take other values."""
    above = snapshot.lines[line - 1].strip() if line else ""
    return above.startswith("@") and above not in {"@staticmethod", "@classmethod"}


def _is_set_above(snapshot: Snapshot, text: str, line: int) -> bool:
    """Whether the class gave the field a value before: a type alone, or a method, is none."""
    field = re.match(r"(\s*)(\w+)", text)
    if field is None:
        return False
    given = re.compile(rf"{field[1]}{field[2]}\s*(?::[^=\n]+)?=(?!=)")
    for above in range(line - 1, -1, -1):
        before = snapshot.lines[above]
        if given.match(before):
            return True
        if before.strip() and len(before) - len(before.lstrip()) < len(field[1]):
            return False
    return False
