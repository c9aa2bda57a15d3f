"""From a change to the published findings of the rules, beside ruff's server on the same text.

Each change puts in or takes out a line that both report, so that every publication differs from the one before. The
measured time ends when the client has read a publication that has the finding, or has it no more.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.benchmarks import sources
from tests.benchmarks.stdio import deletion, insertion, ready, running

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.stdio import Message, Peer
    from tests.benchmarks.subjects import Subject

GROUP = "Rule findings"

_CHANGES = 24
_URI = "file:///tmp/bench/long.py"
_QUIET = "[review]\ndebounce_ms = 1\nscope = 'changed'\n[rules]\nruff = '{ruff}'\n"

_PATTERNS = "py/code-injection"
_RUFF = "F632"
_CULPRIT = """

def _culprit():
    if input() is "literal":
        return eval(input())


"""
_CULPRIT_LINES = _CULPRIT.count("\n")


async def measure(bench: Bench) -> None:
    """One-region edits, and changes of the whole text."""
    text = sources.long_file()
    bench.report.settings[GROUP] = (
        f"{text.count(chr(10)):,} lines (sha256 {sources.digest(text)}), debounce_ms = 1 and contained in the figures; "
        "no model. With ruff: until the publication that holds ruff's findings too."
    )
    asks: list[tuple[Subject, str, str]] = [(bench.ruff, bench.ruff.name, _RUFF)]
    for ours in bench.ours:
        asks += [(ours, ours.name, _PATTERNS), (ours, f"{ours.name} with ruff", _RUFF)]
    async with AsyncExitStack() as stack:
        peers: list[tuple[str, str, Peer]] = []
        for subject, name, code in asks:
            configuration = _QUIET.format(ruff="on" if code == _RUFF else "off")
            peer = await stack.enter_async_context(running(bench.at_home(subject, configuration)))
            await ready(peer, subject)
            peers.append((name, code, peer))
            opened = peer.open(_URI, text)
            await peer.published(_URI, opened)
            await peer.idle()
        for turn in range(bench.turns(_CHANGES) + 2):
            for name, code, peer in bench.rotated(peers, turn):
                for edit, changes in (("one region", _one_region), ("whole text", _whole_text)):
                    seconds = await _changed(peer, code, *changes(text, turn))
                    if turn >= 2:
                        bench.report.add(GROUP, f"change of {edit}", name, "ms", seconds * 1000)
    _hold(bench)


def _hold(bench: Bench) -> None:
    report = bench.report
    for ours in bench.ours:
        whole, one = "change of whole text", "change of one region"
        for measure_name, subject, limit in (
            (whole, ours.name, 2),
            (one, ours.name, 1),
            (whole, f"{ours.name} with ruff", 4),
        ):
            found, ruff = report.find(GROUP, measure_name, subject), report.find(GROUP, measure_name, bench.ruff.name)
            report.hold_ratio(f"{subject}: {measure_name} to findings, to ruff server", found, ruff, limit)


async def _changed(peer: Peer, code: str, put_in: Message, take_out: Message) -> float:
    """The mean of putting the culprit in and taking it out, in seconds."""
    peer.forget()
    since, _ = peer.change(_URI, put_in)
    shown = await peer.published(_URI, since, lambda found: _has(found, code))
    await peer.idle()  # what else the change has started must not run into the next one
    until, _ = peer.change(_URI, take_out)
    gone = await peer.published(_URI, until, lambda found: not _has(found, code))
    await peer.idle()
    return ((shown.at - since) + (gone.at - until)) / 2


def _has(found: list[Message], code: str) -> bool:
    return any(one.get("code") == code for one in found)


def _one_region(text: str, turn: int) -> tuple[Message, Message]:
    """A function put in between two others in the middle of the file."""
    lines = text.splitlines()
    classes = [number for number, line in enumerate(lines) if line.startswith("class ")]
    line = classes[len(classes) // 2]
    return insertion(line, _CULPRIT), deletion(line, _CULPRIT_LINES)


def _whole_text(text: str, turn: int) -> tuple[Message, Message]:
    """All of the text replaced by one in which every method reads a little differently."""
    renamed = text.replace("self", f"self{turn}").replace("return ", "return  ")
    return {"text": renamed + _CULPRIT}, {"text": text}
