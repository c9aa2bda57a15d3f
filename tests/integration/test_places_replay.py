"""A small recorded session under the same checks as the long ones, and faults planted in the program that they see.

`python -m tests.benchmarks.places` replays real sessions.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core import text
from aiops_lsp.engine import document, placement
from tests.benchmarks.places import replay_commits, replay_trace, spread
from tests.benchmarks.sessions import typed
from tests.support.homes import private_home
from tests.support.replay_world import ReplayWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.buffer import Buffer
    from tests.support.replay_world import Counts

WORDS = ("parcel", "weight", "depot", "ledger", "signal", "filter", "number", "total", "étage", "漢字漢字")
EDITS = 150


def function(chance: random.Random) -> str:
    """A function of a few lines, some of them alike."""
    name, given = chance.choice(WORDS), chance.choice(WORDS)
    body = [
        f"    {chance.choice(WORDS)} = '😀 {chance.choice(WORDS)}', {chance.choice(WORDS)}({given})",
        f"    if {given}:  # {chance.choice(WORDS)}",
        f"        {chance.choice(WORDS)}({given})",
        f"    return {chance.choice(WORDS)}",
    ]
    return "\n".join([f"def {name}_{chance.randrange(100)}({given}):", *body]) + "\n\n\n"


def typed_session(seed: int) -> dict[str, Any]:
    """A trace as the recorded ones are: letters and pieces typed, taken back, lines moved and functions put in."""
    chance = random.Random(seed)
    start = content = "".join(function(chance) for _ in range(6))
    transactions: list[dict[str, Any]] = []
    for number in range(EDITS):
        place = chance.randrange(len(content) + 1)
        kind = chance.random()
        if kind < 0.1:
            patch = (content.find("def ", place) % len(content), 0, function(chance))
        elif kind < 0.4:
            patch = (place, chance.randrange(1, 12), "")
        else:
            patch = (place, 0, chance.choice(("x", "\n", "    ", "# note\n", "漢", *WORDS)))
        at, gone, new = patch
        before, content = content, content[:at] + new + content[at + gone :]
        patches = [patch]
        if kind > 0.9:
            patches.append((0, len(content), before))
            content = before
        time = f"2026-01-01T00:{number * 3 // 60:02}:{number * 3 % 60:02}"
        transactions.append({"time": time, "patches": patches})
    return {"startContent": start, "txns": transactions}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayWorld]:
    private_home(tmp_path, monkeypatch)
    world = ReplayWorld(monkeypatch, 1, one_in=3, failing=0.25)
    yield world
    world.close()


def replayed(world: ReplayWorld) -> Counts:
    session = typed_session(5)
    replay_trace(world, session["startContent"], typed(session, [0.1, 0.4, 0.2]), "python")
    return world.counts


def test_everything_holds_in_a_small_session(world: ReplayWorld) -> None:
    counts = replayed(world)
    assert counts.violations == []
    assert counts.edits >= EDITS
    assert min(counts.publishes, counts.findings, counts.fixes, counts.failures) > 0


def test_commits_are_typed_to_their_last_line(
    world: ReplayWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    old = "".join(function(chance) for _ in range(4))
    new = old.replace("return", "yield", 2) + function(chance)
    repository = tmp_path / "repository"
    repository.mkdir()
    for content in (old, new):
        (repository / "depot.py").write_text(content, "utf-8")
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "change"]):
            identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
            subprocess.run(["git", "-C", str(repository), *identity, *arguments], check=True)
    last: list[str] = []

    def shut(buffer: Buffer) -> None:
        last.append(buffer.text)
        ReplayWorld.shut(world, buffer)

    monkeypatch.setattr(world, "shut", shut)
    assert list(replay_commits(world, repository, 5)) == ["1 of 1 changes of files in 1 commits"]
    assert last == [new]
    assert world.counts.violations == []
    assert world.counts.findings > 0


def test_windows_cover_everything_once_and_the_first_ones_are_far_apart() -> None:
    windows = spread(36_981, 1000)
    assert sorted(number for window in windows for number in window) == list(range(36_981))
    assert sorted(window.start for window in windows[:4]) == [0, 8000, 16_000, 32_000]


def _moves_nothing(place: object, _edit: object) -> object:
    return place


PLANTED = {
    "what is shown does not move": (document, "carry", _moves_nothing),
    "an edit does not touch what it changes": (
        document,
        "carry",
        lambda place, edit: text.carry(place, edit) or place,
    ),
    "what is published is for another version": (
        document.ReviewedDocument,
        "is_current",
        lambda self, _snapshot: not self.closed,
    ),
    "a place is one column off": (
        placement,
        "place_of",
        lambda cached, region, snapshot, *, exact, place_of=placement.place_of: _one_off(
            place_of(cached, region, snapshot, exact=exact)
        ),
    ),
}


def _one_off(place: Any) -> Any:
    if place is None or place.range.start.column == 0:
        return place
    start = text.Position(place.range.start.line, place.range.start.column - 1)
    return replace(place, range=text.Range(start, place.range.end))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_seen(name: str, world: ReplayWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, fault = PLANTED[name]
    monkeypatch.setattr(owner, attribute, fault)
    assert replayed(world).violations
