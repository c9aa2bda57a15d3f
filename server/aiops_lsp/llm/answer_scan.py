"""Finds the objects of an answer in a stream of text, as each closes, without reading any character twice.

An answer is one JSON object with one list, whose entries may hold one list of items themselves. Everything around it
(prose, code fences, a `<think>` section) is passed over, and what is not well formed costs only the object it is in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAX_CHARACTERS = 4_000_000
"""What of an answer is looked at. No bounded request can bring so much."""

_IN_TEXT = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')
_OPENERS = {"}": "{", "]": "["}
_THINK, _END_OF_THINK = "<think>", "</think>"
_LONGEST_START = 256
"""Characters within which the answer's beginning fits, blanks included."""

_LIST_DEPTH, _ENTRY_DEPTH, _ITEMS_DEPTH, _ITEM_DEPTH = 2, 3, 4, 5
"""How many brackets are open in the list, in an entry, in its item list, in an item."""


class _Mode(Enum):
    LEAD = auto()
    THINKING = auto()
    SEARCHING = auto()
    READING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class ItemClosed:
    """An item closed. `entry` is what its entry says so far, without its closing bracket."""

    entry: str
    text: str


@dataclass(frozen=True, slots=True)
class EntryClosed:
    """An entry closed. `text` is the entry with every list and object in it replaced by null.

    `had_items` says whether its item list was there, `strays` how many things in that list were no objects.
    """

    text: str
    had_items: bool
    strays: int


Closed = ItemClosed | EntryClosed


class AnswerScanner:
    """Reads `{"<entries>": [{..., "<items>": [{...}, ...]}, ...]}` piece by piece. Any split gives the same events."""

    def __init__(self, entries: str, items: str) -> None:
        self._start = re.compile(rf'"{re.escape(entries)}"\s{{0,64}}:\s{{0,64}}\[')
        self._items_key = re.compile(rf'"{re.escape(items)}"\s*:\s*$')
        self._mode = _Mode.LEAD
        self._before = ""  # what has come of the answer's beginning, as far as it may still matter
        self._seen = 0
        self._entries = 0
        self._begin()

    @property
    def started(self) -> bool:
        """Whether an answer's beginning was found."""
        return self._mode in (_Mode.READING, _Mode.ENDED)

    def feed(self, text: str) -> Iterator[Closed]:
        """Read on; yields what `text` closes."""
        text = text[: max(0, MAX_CHARACTERS - self._seen)]
        self._seen += len(text)
        while text and self._mode is not _Mode.ENDED:
            if self._mode is _Mode.READING:
                text = text[(yield from self._read(text)) :]
            else:
                text = self._seek(self._before + text)

    def _begin(self) -> None:
        self._stack = ["{", "["]
        self._in_list = True
        self._in_string = self._escaped = False
        self._entry: list[str] | None = None
        self._item: list[str] | None = None
        self._between: list[str] = []
        self._in_items = self._had_items = False
        self._strays = 0

    def _seek(self, text: str) -> str:
        """Look for the answer's beginning; returns what follows it, or nothing while it has not come."""
        if self._mode is _Mode.LEAD:
            text = text.lstrip()
            if len(text) < len(_THINK) and _THINK.startswith(text):
                self._before = text
                return ""
            self._mode = _Mode.THINKING if text.startswith(_THINK) else _Mode.SEARCHING
        if self._mode is _Mode.THINKING:  # a draft in a thinking section is no answer
            end = text.find(_END_OF_THINK)
            if end < 0:
                self._before = text[-len(_END_OF_THINK) :]
                return ""
            text = text[end + len(_END_OF_THINK) :]
            self._mode = _Mode.SEARCHING
        match = self._start.search(text)
        if match is None:
            self._before = text[-_LONGEST_START:]
            return ""
        self._before = ""
        self._begin()
        self._mode = _Mode.READING
        return text[match.end() :]

    def _read(self, text: str) -> Generator[Closed, None, int]:
        """Read within the answer; returns how far, which is less than all when the answer ended."""
        at = 0
        while at < len(text):
            if self._escaped:
                self._keep(text[at])
                self._escaped = False
                at += 1
                continue
            match = (_IN_STRING if self._in_string else _IN_TEXT).search(text, at)
            if match is None:
                self._keep(text[at:])
                return len(text)
            self._keep(text[at : match.start()])
            at = match.end()
            char = match[0]
            if char in '"\\':
                self._keep(char)
                self._escaped = char == "\\"
                self._in_string = char == "\\" or not self._in_string
            elif char in "{[":
                self._open(char)
            else:
                closed = self._close(char)
                if closed is not None:
                    yield closed
                if self._mode is not _Mode.READING:
                    return at
        return at

    def _keep(self, part: str) -> None:
        """Put a part of the text where it belongs."""
        depth = len(self._stack)
        if self._item is not None:
            self._item.append(part)
        elif depth == _ENTRY_DEPTH and self._entry is not None:
            self._entry.append(part)
        elif depth == _ITEMS_DEPTH and self._in_items:
            self._between.append(part)

    def _open(self, char: str) -> None:
        depth = len(self._stack)
        if self._item is not None:
            self._item.append(char)
        elif depth == _LIST_DEPTH and self._in_list and char == "{":
            self._entry = [char]
            self._in_items = self._had_items = False
            self._strays = 0
        elif depth == _ENTRY_DEPTH and self._entry is not None:
            self._in_items = char == "[" and self._items_key.search("".join(self._entry)) is not None
            self._had_items |= self._in_items
            self._between = []
        elif depth == _ITEMS_DEPTH and self._in_items:
            if char == "{":
                self._item = [char]
            else:
                self._strays += 1
        self._stack.append(char)

    def _close(self, char: str) -> Closed | None:
        if self._stack.pop() != _OPENERS[char]:
            self._mode = _Mode.SEARCHING  # not well formed: perhaps the real answer follows
            return None
        depth = len(self._stack)
        if self._item is not None:
            self._item.append(char)
            if depth < _ITEM_DEPTH:
                return self._item_closed()
        elif depth == _ENTRY_DEPTH and self._entry is not None:
            if self._in_items:
                self._strays += sum(1 for part in "".join(self._between).split(",") if part.strip())
                self._in_items = False
            self._entry.append("null")
        elif depth == _LIST_DEPTH and self._entry is not None:
            return self._entry_closed()
        elif depth < _LIST_DEPTH:
            self._in_list = False
            if depth == 0:
                self._mode = _Mode.ENDED if self._entries else _Mode.SEARCHING
        return None

    def _item_closed(self) -> ItemClosed:
        closed = ItemClosed("".join(self._entry or ()), "".join(self._item or ()))
        self._item = None
        return closed

    def _entry_closed(self) -> EntryClosed:
        closed = EntryClosed("".join(self._entry or ()) + "}", self._had_items, self._strays)
        self._entry = None
        self._entries += 1
        return closed
