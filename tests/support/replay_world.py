"""The engine in lockstep under a recorded session, with each promise about places checked and what fails counted.

The model takes some of the words of real text for faults, always the same ones, and answers late, in pieces, out of
order, with small mistakes, or not at all, as a seed has it.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from aiops_lsp.core.injection import neutralise
from tests.support.buffer import Buffer
from tests.support.engine_world import EngineWorld
from tests.support.scripted_model import FAILURES, MISTAKES, Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from aiops_lsp.engine.document import ReviewedDocument
    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.host import Publication
    from tests.support.scripted_model import Call

_WORD = re.compile(r"[^\W\d]\w{3,}")
_COMMENT = re.compile(r"(?:#|//).*")
_MARK_IN_STRING = re.compile(r"[\"'`].*(?:#|//|/\*)")
_BLOCK = re.compile(r"/\*.*?\*/", re.DOTALL)


class SomeWords(Faults):
    """One word in `one_in`, by its letters alone; never one that its line has twice, or a placeholder."""

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in
        self._is_chosen = lru_cache(maxsize=None)(self._drawn)

    def in_line(self, line: str) -> Iterator[re.Match[str]]:
        for found in _WORD.finditer(line):
            if self._is_chosen(found[0]) and line.count(found[0]) == 1:
                yield found

    def mended(self, word: str) -> str:
        return f"ok_{word}"

    def _drawn(self, word: str) -> bool:
        return "REDACTED" not in word and hashlib.sha256(word.encode()).digest()[0] % self._one_in == 0


def plain_code(lines: Sequence[str]) -> str:
    """Lines without what may be a comment in any language, and without blanks."""
    return _without_comments(tuple(lines))


@lru_cache(maxsize=20_000)
def _without_comments(lines: tuple[str, ...]) -> str:
    return "".join(_BLOCK.sub("", "\n".join(_COMMENT.sub("", line) for line in lines)).split())


def _lines_of_same_code(sent: Sequence[str], lines: Sequence[str]) -> Sequence[str]:
    """The lines of `sent` that are known to be the same code as `lines`.

    Where a string holds what opens a comment, code that is laid out anew cannot be told from other code in a plain
    way: then the lines count that stand in both.
    """
    if any(_MARK_IN_STRING.search(line) for line in lines):
        return [line for line in sent if line in lines]
    return ()


class TypedBuffer(Buffer):
    """A text that forgets its earlier versions: a session has tens of thousands of them."""

    def told(self) -> int:
        self.versions.clear()
        self.version += 1
        self.versions[self.version] = self.text
        return self.version


@dataclass
class Counts:
    """What was typed and checked. A violation says in which edit it was seen."""

    edits: int = 0
    looks: int = 0
    answers: int = 0
    failures: int = 0
    publishes: int = 0
    findings: int = 0
    fixes: int = 0
    violations: list[str] = field(default_factory=list)


class ReplayWorld(EngineWorld):
    """Follows one session after the other.

    One word in `one_in` is at fault; of the answers, the part `failing` comes to nothing. `looked` is called with each
    two looks at a document in a row, `violated` with what does not hold, in words.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        seed: int,
        *,
        one_in: int = 30,
        failing: float = 0.05,
        encoding: str = "utf-16",
        looked: Callable[[Examined, Examined], None] = lambda _before, _after: None,
        violated: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self.chance = Random(seed)
        self.counts = Counts()
        self._failing = failing
        self._looked = looked
        self._violated = violated
        self._examined: dict[str, Examined] = {}
        self._due: dict[Call, float] = {}
        super().__init__(monkeypatch, encoding, "high", faults=SomeWords(one_in), plain_code=plain_code)

    def opened(self, uri: str, language: str, text: str) -> TypedBuffer:
        """Open a document."""
        buffer = TypedBuffer(uri, text, self.encoding, language)
        self.open(buffer)
        return buffer

    def closed(self, buffer: Buffer) -> None:
        """Close it."""
        with self._kept():
            self.shut(buffer)
        self._examined.pop(buffer.uri, None)

    def put(self, buffer: Buffer, start: int, end: int, text: str) -> None:
        """Type `text` in place of what is between two offsets; a client sends no half of a line end."""
        start, end = buffer.border(start), max(buffer.border(end), buffer.border(start))
        self.counts.edits += 1
        self.change(buffer, [buffer.replace(start, end, text)])

    def wait(self, seconds: float) -> None:
        """Let time pass, and the model answer what is due."""
        end = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < end:
            due = min((self._due[call] for call in self.model.open if call in self._due), default=end)
            self.advance(max(0.001, min(end, due, now + 5.0) - now))
            self._answer()

    def _answer(self) -> None:
        now, chance = self.clock.monotonic(), self.chance
        waiting = self.model.open
        if not waiting:
            self._due.clear()
            return
        for call in waiting:
            self._due.setdefault(call, now + chance.choice((0.2, 1.0, 3.0, 6.0, 20.0)))
        ready = [call for call in waiting if self._due[call] <= now]
        chance.shuffle(ready)
        for call in ready:
            self._answer_one(call, chance.random())
            self._due[call] = now + chance.choice((0.1, 1.0, 4.0))
            self.turns(40)

    def _answer_one(self, call: Call, draw: float) -> None:
        mistake = self.chance.choice(MISTAKES)
        if draw < self._failing:
            self.counts.failures += 1
            call.fail(self.chance.choice((*FAILURES, "nothing")))
            return
        self.counts.answers += 1
        if draw < self._failing + 0.25:
            call.answer(mistake, characters=self.chance.randrange(1, 900))
        elif draw < self._failing + 0.3:
            call.answer(mistake, leave_out="r1")
        else:
            call.answer(mistake)

    # What must hold, counted.

    def said_of(self, lines: Sequence[str], language: str) -> set[str]:
        """Also where what was sent is not so plain to compare: what speaks to reviewers is taken out before."""
        sent_as = neutralise(lines, language)
        return (
            super().said_of(lines, language)
            or super().said_of(sent_as, language)
            or {
                f"Fails {word[0]}"
                for call in self.model.calls
                for sent in call.sent.regions.values()
                for line in _lines_of_same_code(sent, sent_as)
                for word in self.faults.in_line(line)
            }
        )

    def check(self, uri: str) -> None:
        with self._kept():
            super().check(uri)

    def published(self, publication: Publication) -> None:
        self.counts.publishes += 1
        self.counts.findings += len(publication.findings)
        self.counts.fixes += sum(one.fix is not None for one in publication.findings)
        with self._kept():
            super().published(publication)
        del self.host.publications[:-20]

    def derived(self, document: ReviewedDocument) -> None:
        examined, before = document.examined, self._examined.get(document.uri)
        if examined is not None and examined is not before:
            self.counts.looks += 1
            self._examined[document.uri] = examined
            if before is not None:
                self._looked(before, examined)
        with self._kept():
            super().derived(document)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except AssertionError as violation:
            words = f"edit {self.counts.edits}: {violation}"[:4000]
            self.counts.violations.append(words)
            self._violated(words)
