"""A model in the same process whose every answer waits for the test: slow, in pieces, out of order, or failing.

What it finds is a plain function of the lines that it is sent, so that a test can tell what must be shown: each line
with a word like `bug_1` is at fault at that word, and the fix writes `ok_1` there.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from aiops_lsp.llm.client import InvalidAnswer, Overloaded, RateLimited, TextDelta, Truncated, Usage, UsageReport
from tests.support.provider import Exchange, answer, finding

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from aiops_lsp.llm.client import ModelError, ModelRequest, StreamEvent

MARK = re.compile(r"\bbug_(\d)\b")
MISTAKES = ("none", "numbered", "off_by_one", "blanks")


class Faults:
    """What the model takes for a fault in a line, and what it would write there."""

    def in_line(self, line: str) -> Iterator[re.Match[str]]:
        """The words at fault."""
        return MARK.finditer(line)

    def mended(self, word: str) -> str:
        """What the fix writes in place of `word`."""
        return word.replace("bug", "ok")


MARKED = Faults()


def found_in(lines: Sequence[str], mistake: str = "none", faults: Faults = MARKED) -> list[dict[str, object]]:
    """What the model says of a region with these lines. `mistake` is one that must not matter."""
    return [
        _finding(lines, number, word, mistake, faults)
        for number, line in enumerate(lines, 1)
        for word in faults.in_line(line)
    ]


def _finding(lines: Sequence[str], number: int, mark: re.Match[str], mistake: str, faults: Faults) -> dict[str, object]:
    line, stated = lines[number - 1], number
    bare = [" ".join(one.split()) for one in lines]
    quote, is_unique = line, bare.count(bare[number - 1]) == 1
    if mistake == "numbered":
        quote = f"{number}| {line}"
    elif mistake == "blanks" and is_unique:
        quote = bare[number - 1]
    elif mistake == "off_by_one" and is_unique:
        stated = number + 1
    fix = {
        "start_line": stated,
        "end_line": stated,
        "old_lines": [line],
        "new_lines": [line[: mark.start()] + faults.mended(mark[0]) + line[mark.end() :]],
    }
    return finding(quote, stated, focus=mark[0], title=f"Fails {mark[0]}", fix=fix)


class Call:
    """One request that waits for its answer."""

    def __init__(self, request: ModelRequest, faults: Faults = MARKED) -> None:
        self._faults = faults
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        self.sent = Exchange("/chat/completions", {}, {"messages": messages})
        self.over = False
        self._pieces: asyncio.Queue[str | ModelError | None] = asyncio.Queue()
        self._rest: str | None = None

    def answer(self, mistake: str = "none", *, characters: int | None = None, leave_out: str = "") -> None:
        """Say what was found, or the next `characters` of it. `leave_out` is a region that is not mentioned."""
        if names := self.sent.finding_ids:
            self.say(verdicts(names, refuted=False))
            return
        if self._rest is None:
            sent = self.sent.regions.items()
            regions = {name: found_in(lines, mistake, self._faults) for name, lines in sent if name != leave_out}
            self._rest = answer(regions)
        piece, self._rest = self._rest[:characters], self._rest[characters:] if characters is not None else ""
        self._pieces.put_nowait(piece)
        if not self._rest:
            self._pieces.put_nowait(None)
            self.over = True

    def say(self, text: str) -> None:
        """Answer with something else."""
        self._pieces.put_nowait(text)
        self._pieces.put_nowait(None)
        self.over = True

    def fail(self, kind: str) -> None:
        """End in one of the ways of `FAILURES`."""
        if kind == "nothing":
            self.say("Sorry, I cannot do that.")
            return
        self._pieces.put_nowait(FAILURES[kind])
        self.over = True

    async def events(self) -> AsyncGenerator[StreamEvent]:
        try:
            while (piece := await self._pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield TextDelta(piece)
            yield UsageReport(Usage(100, 100))
        finally:
            self.over = True


FAILURES: dict[str, ModelError] = {
    "overloaded": Overloaded("the provider failed"),
    "rate": RateLimited("slow down", retry_after=1.0),
    "truncated": Truncated("the answer was cut short"),
    "invalid": InvalidAnswer("no answer"),
}


class ScriptedModel:
    """Implements `ModelClient`. `calls` are all requests so far; `open` those that wait."""

    def __init__(self, faults: Faults = MARKED) -> None:
        self.faults = faults
        self.calls: list[Call] = []
        self._waiting: list[Call] = []

    @property
    def open(self) -> list[Call]:
        self._waiting = [call for call in self._waiting if not call.over]
        return list(self._waiting)

    def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        call = Call(request, self.faults)
        self.calls.append(call)
        self._waiting.append(call)
        return call.events()

    async def prepare(self) -> None:
        return None

    async def aclose(self) -> None:
        for call in self.open:
            call.over = True


def verdicts(names: Sequence[str], *, refuted: bool) -> str:
    """The answer to a second opinion."""
    fields: dict[str, Any] = {"reason": "checked", "refuted": refuted, "fix_correct": True, "confidence": 95}
    return json.dumps({"verdicts": [{"finding": name, **fields} for name in names]})
