"""What must hold whatever a user types, whenever an answer comes, and however a provider fails.

Random sessions: edits of every kind, saves, closes, slow and reordered answers, failures, in all encodings. After each
step it is checked that each finding covers exactly its evidence, that each fix applies to exactly the text that it
names, that nothing vanishes and returns, and that nothing shows for code that was never reviewed.

AIOPS_INVARIANT_EXAMPLES=2000 runs that many sessions of each kind, different ones each time and failures made
small, in place of the few that are the same on every run.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aiops_lsp.settings.folders import config_file
from tests.support.buffer import Buffer
from tests.support.client import MODERN, connected
from tests.support.clock import until
from tests.support.engine_world import EngineWorld
from tests.support.homes import private_home
from tests.support.provider import Exchange, Provider, Reply, Stop, answer
from tests.support.scripted_model import FAILURES, MARK, MISTAKES, found_in
from tests.support.server_world import WITH_A_MODEL, ServerWorld, configuration_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_EXAMPLES = int(os.environ.get("AIOPS_INVARIANT_EXAMPLES", "0"))

FUNCTIONS = (
    "def plain(x):\n    y = bug_1(x)\n    return y\n",
    "def faces(x):\n    s = '😀 é 漢字'; bug_2(s)\n    return s\n",
    "class Tabs:\n\tdef first(self):\n\t\tbug_3(self)\n\n\tdef second(self):\n\t\treturn '\U0001f600', bug_3(self)\n",
    "def twice(x):\n    bug_1(x)\n    bug_1(x)\n    return bug_2(x) + bug_4(x)\n",
    "def same(x):\n    if x:\n        bug_5(x)\n    else:\n        bug_5(x)\n",
    "bug_4('top level')\ncount = 1\n",
    "def ruled(x):\n    return eval(input(x))\n",
    "def quiet(x):\n    return x + 1\n",
    "# bug_1 in a comment\ndef commented(x):  # bug_2 here\n    # e\u0301 bug_3\n    return bug_4(x)  # why\n",
    "def long(a, b):\n    return call(\n        a,\n        bug_5(b),\n    )\n",
)
PIECES = (
    "x", " ", "\n", "\r\n", "\r", "\t", "    ", "(", ")", '"', "'''", "# note\n", "😀", "é", "e\u0301", "漢",
    "\f", "\u2028", "bug_1(x)", "\n    bug_2(y)\n", "bug_3", ":", "def ", "return ", "\\", "if x:\n", "_", "#",
)  # fmt: skip

pytestmark = pytest.mark.timeout(900)

places = st.integers(0, 2000)
texts = st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=5)
endings = st.sampled_from(["\n", "\n", "\r\n", "\r"])


def joined(functions: Sequence[str], ending: str) -> str:
    return "\n\n".join(functions).replace("\n", ending)


def common(one: str, other: str) -> int:
    """How many characters at their starts are the same."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(map(len, (one, other)))
    )


class Sessions(RuleBasedStateMachine):
    """A client with up to two open documents, in front of the engine."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.world: Any = None
        self.closed: dict[str, str] = {}

    def make_world(self, encoding: str, second_opinion: str) -> Any:
        return EngineWorld(self.patch, encoding, second_opinion)

    @initialize(
        encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]),
        opinion=st.sampled_from(["off", "off", "high"]),
        functions=texts,
        ending=endings,
    )
    def start(self, encoding: str, opinion: str, functions: list[str], ending: str) -> None:
        self.patch.setenv("AIOPS_STATE_DIR", f"{self.folder.name}/state")
        self.patch.setenv("AIOPS_CACHE_DIR", f"{self.folder.name}/cache")
        self.patch.setenv("XDG_CONFIG_HOME", f"{self.folder.name}/config")
        self.world = self.make_world(encoding, opinion)
        self.world.open(Buffer("file:///w/a.py", joined(functions, ending), self.world.encoding))

    def teardown(self) -> None:
        try:
            if self.world is not None:
                self.world.close()
        finally:
            self.patch.undo()
            self.folder.cleanup()

    @property
    def buffers(self) -> list[Buffer]:
        return [] if self.world is None else list(self.world.buffers.values())

    def chosen(self, which: int) -> Buffer:
        return self.buffers[which % len(self.buffers)]

    def edit(self, buffer: Buffer, *changes: dict[str, Any]) -> None:
        self.world.change(buffer, list(changes))

    # Editing.

    @precondition(lambda self: self.buffers)
    @rule(which=places, at=places, piece=st.sampled_from(PIECES))
    def type(self, which: int, at: int, piece: str) -> None:
        buffer = self.chosen(which)
        offset = buffer.border(at % (len(buffer.text) + 1))
        self.edit(buffer, buffer.replace(offset, offset, piece))

    @precondition(lambda self: self.buffers)
    @rule(which=places, at=places, piece=st.sampled_from(PIECES), before=st.integers(-2, 7))
    def type_near_a_finding(self, which: int, at: int, piece: str, before: int) -> None:
        buffer = self.chosen(which)
        marks = list(MARK.finditer(buffer.text))
        if marks:
            offset = buffer.border(max(0, marks[at % len(marks)].start() + before))
            self.edit(buffer, buffer.replace(offset, offset, piece))

    @precondition(lambda self: self.buffers)
    @rule(which=places, at=places, length=st.integers(1, 40))
    def delete(self, which: int, at: int, length: int) -> None:
        buffer = self.chosen(which)
        start = buffer.border(at % (len(buffer.text) + 1))
        self.edit(buffer, buffer.replace(start, buffer.border(max(start, start + length)), ""))

    @precondition(lambda self: self.buffers)
    @rule(which=places, at=places, function=st.sampled_from(FUNCTIONS), ending=endings)
    def paste(self, which: int, at: int, function: str, ending: str) -> None:
        buffer = self.chosen(which)
        offset = self.gap(buffer, at)
        self.edit(buffer, buffer.replace(offset, offset, (function + "\n\n").replace("\n", ending)))

    @precondition(lambda self: self.buffers)
    @rule(which=places, source=places, goal=places, at_once=st.booleans())
    def move(self, which: int, source: int, goal: int, at_once: bool) -> None:
        buffer = self.chosen(which)
        start, end = sorted((self.gap(buffer, source), self.gap(buffer, goal)))
        taken = buffer.text[start:end]
        cut = buffer.replace(start, end, "")
        if not at_once:
            self.edit(buffer, cut)
        offset = self.gap(buffer, goal)
        put = buffer.replace(offset, offset, taken)
        self.edit(buffer, *([cut, put] if at_once else [put]))

    @staticmethod
    def gap(buffer: Buffer, which: int) -> int:
        """The start of a `def` or `class`, or one end of the text."""
        lines = buffer.text.splitlines(keepends=True)
        starts, offset = [0], 0
        for line in lines:
            if line.startswith(("def ", "class ", "bug_")):
                starts.append(offset)
            offset += len(line)
        return buffer.border([*starts, offset][which % (len(starts) + 1)])

    @precondition(lambda self: self.buffers)
    @rule(which=places)
    def undo(self, which: int) -> None:
        buffer = self.chosen(which)
        if not buffer.undone:
            return
        old, new = buffer.text, buffer.undone.pop()
        head = buffer.border(common(old, new))
        tail = common(old[head:][::-1], new[head:][::-1])
        while tail and (old[-tail] == "\n" or new[-tail] == "\n"):
            tail -= 1
        self.edit(buffer, buffer.replace(head, len(old) - tail, new[head : len(new) - tail]))
        buffer.undone.pop()

    @precondition(lambda self: self.buffers)
    @rule(which=places, how=st.sampled_from(["crlf", "lf", "comment", "blank", "indent", "strip"]))
    def rewrite(self, which: int, how: str) -> None:
        buffer = self.chosen(which)
        lines = buffer.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if how == "comment":
            lines = [f"{line}  # c" if line.endswith(":") else line for line in lines]
        elif how == "blank":
            lines = [part for line in lines for part in ((line, "") if line.startswith("def") else (line,))]
        elif how == "indent":
            lines = [f"    {line}" if line.strip() else line for line in lines]
        elif how == "strip":
            lines = [line.rstrip() for line in lines]
        self.edit(buffer, buffer.whole(("\r\n" if how == "crlf" else "\n").join(lines)))

    @precondition(lambda self: self.buffers)
    @rule(which=places, at=places)
    def fix(self, which: int, at: int) -> None:
        """A fix changes one word of one line, and with it its finding goes, without a wait."""
        buffer = self.chosen(which)
        offered = self.world.fixes(buffer)
        if not offered:
            return
        title, line, edits = offered[at % len(offered)]
        before = buffer.text
        changes = [buffer.replace(start, end, new) for start, end, new in reversed(edits)]
        if title.startswith("Fails "):
            ok = title.removeprefix("Fails ").replace("bug", "ok")
            assert (before.count(ok) + 1, len(before) - 1) == (buffer.text.count(ok), len(buffer.text))
            assert title.removeprefix("Fails ") in before.splitlines()[line] or "\f" in before or "\u2028" in before
        self.edit(buffer, *changes)
        self.world.turns(80)
        marks = before.split("\n")[line].count(title[6:]) if "\r" not in before else 2
        if marks == 1:
            assert (line, title) not in self.world.shown_titles(buffer)

    # The document as a whole.

    @precondition(lambda self: self.buffers)
    @rule(which=places)
    def save(self, which: int) -> None:
        self.world.save(self.chosen(which))

    @precondition(lambda self: self.buffers)
    @rule(which=places)
    def close(self, which: int) -> None:
        buffer = self.chosen(which)
        self.closed[buffer.uri] = buffer.text
        self.world.shut(buffer)

    @precondition(lambda self: self.buffers)
    @rule(which=places, deep=st.booleans())
    def review(self, which: int, deep: bool) -> None:
        self.world.review(self.chosen(which), deep=deep)

    @precondition(lambda self: len(self.buffers) < 2)
    @rule(uri=st.sampled_from(["file:///w/a.py", "file:///w/b.py"]), functions=texts, ending=endings)
    def open(self, uri: str, functions: list[str], ending: str) -> None:
        if uri not in self.world.buffers:
            text = self.closed.get(uri) or joined(functions, ending)
            self.world.open(Buffer(uri, text, self.world.encoding))

    # Time, and the model.

    @rule(count=st.integers(1, 60))
    def go_on(self, count: int) -> None:
        self.world.turns(count)

    @rule(seconds=st.sampled_from([0.1, 0.7, 3.0, 3.0, 30.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    # Whether a request is open decides inside of a rule, never whether it may run: the split and the rules work on real
    # threads, and a session whose steps depend on them could not be replayed.

    @precondition(lambda self: self.buffers)
    @rule(which=places, mistake=st.sampled_from(MISTAKES), characters=st.none() | st.integers(1, 900))
    def answer(self, which: int, mistake: str, characters: int | None) -> None:
        if calls := self.world.model.open:
            calls[which % len(calls)].answer(mistake, characters=characters)
            self.world.turns(40)

    @precondition(lambda self: self.buffers)
    @rule(which=places)
    def answer_without_the_first_region(self, which: int) -> None:
        if calls := self.world.model.open:
            calls[which % len(calls)].answer(leave_out="r1")

    @precondition(lambda self: self.buffers)
    @rule(which=places, kind=st.sampled_from([*FAILURES, "nothing"]))
    def fail(self, which: int, kind: str) -> None:
        """A failure never clears: what shows now shows afterwards."""
        self.world.turns(60)
        before = self.shown()
        calls = self.world.model.open
        if calls:
            calls[which % len(calls)].fail(kind)
            self.world.turns(60)
            assert before <= self.shown()

    @precondition(lambda self: self.buffers)
    @rule()
    def rest(self) -> None:
        """Nobody types and the model answers: then all that it said of the code as it stands is shown."""
        for _ in range(8):
            for buffer in self.buffers:
                self.world.save(buffer)
            self.world.advance(3.0)
            while calls := self.world.model.open:
                for call in calls:
                    call.answer()
                self.world.turns(60)
        for buffer in self.buffers:
            self.world.check_complete(buffer)

    def shown(self) -> set[tuple[object, ...]]:
        return {place for buffer in self.buffers for place in self.world.shown_places(buffer)}

    @invariant()
    def everything_holds(self) -> None:
        for buffer in self.buffers:
            self.world.check(buffer.uri)


_SETTINGS = settings(
    max_examples=_EXAMPLES or 60,
    stateful_step_count=50,
    derandomize=not _EXAMPLES,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.reuse, Phase.generate, *([Phase.shrink] if _EXAMPLES else [])],
    report_multiple_bugs=False,
)


class ServerSessions(Sessions):
    """The same in front of the language server."""

    def make_world(self, encoding: str, second_opinion: str) -> Any:
        configuration = WITH_A_MODEL.replace('second_opinion = "off"', f'second_opinion = "{second_opinion}"')
        return ServerWorld(self.patch, encoding, configuration=configuration)


TestEngine = Sessions.TestCase
TestServer = ServerSessions.TestCase
TestServer.settings = settings(_SETTINGS, max_examples=_EXAMPLES or 30)
TestEngine.settings = _SETTINGS


FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"disconnect_after": 2},
    {"text": "no JSON at all"},
    {"text": '{"regions": [', "stop": Stop.TRUNCATED},
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_over_real_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """The same with nothing held still: threads, sockets, streams in pieces, faults, and a client that types on."""
    private_home(tmp_path, monkeypatch)
    chance = random.Random(encoding)
    reliable = asyncio.Event()

    async def script(exchange: Exchange) -> Reply:
        for _ in range(chance.randrange(200)):
            await asyncio.sleep(0)
        right = Reply(answer({name: found_in(lines) for name, lines in exchange.regions.items()}), piece=40)
        if not reliable.is_set() and chance.random() < 0.15:
            return replace(right, **chance.choice(FAULTS))
        return right

    async with Provider(script) as provider, connected(None) as client:
        config_file().parent.mkdir(parents=True)
        config_file().write_text(configuration_for(provider.base_url, quick=True), "utf-8")
        await client.initialize({**MODERN, "general": {"positionEncodings": [encoding]}})
        await client.ready()
        buffer = Buffer("file:///w/a.py", joined(FUNCTIONS[:5], "\r\n"), encoding)
        client.open(buffer.uri, buffer.text)
        for _ in range(_EXAMPLES or 120):
            marks = list(MARK.finditer(buffer.text))
            near = chance.choice(marks).start() + chance.randrange(-2, 8) if marks else 0
            offset = buffer.border(chance.choice([near, chance.randrange(len(buffer.text) + 1)]))
            before = buffer.text
            change = buffer.replace(offset, offset, chance.choice(PIECES))
            client.change(buffer.uri, buffer.told(), change)
            if chance.random() < 0.7:
                await asyncio.sleep(0)
                change = buffer.whole(before)
                client.change(buffer.uri, buffer.told(), change)
            for _ in range(chance.randrange(400)):
                await asyncio.sleep(0)
        change = buffer.whole(joined(FUNCTIONS[:5], "\n"))
        client.change(buffer.uri, buffer.told(), change)
        reliable.set()
        # What has failed before is tried again at once when it is asked for.
        command = {"command": "aiops.reviewDocument", "arguments": [{"uri": buffer.uri}]}
        asked = asyncio.create_task(client.request("workspace/executeCommand", command))
        wanted = [(buffer.place(mark.start())[0], f"Fails {mark[0]}") for mark in MARK.finditer(buffer.text)]

        def shown() -> list[tuple[int, str]]:
            last = client.published(buffer.uri)[-1:]  # what was the same before is not published again
            found = [one for params in last for one in params["diagnostics"] if one["message"].startswith("Fails")]
            return [(one["range"]["start"]["line"], one["message"].split("\n")[0]) for one in found]

        await until(lambda: sorted(shown()) == sorted(wanted), 60, lambda: (shown(), client.server.session.status()))
        await asked
        for params in client.published(buffer.uri):
            for one in params["diagnostics"]:
                start, end = buffer.span(one["range"], params["version"])
                covered = buffer.versions[params["version"]][start:end]
                title = one["message"].split("\n")[0]
                assert covered
                assert not title.startswith("Fails") or title.removeprefix("Fails ") in covered
