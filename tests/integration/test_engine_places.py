"""Places and races that once went wrong, step by step: what shows of a document while answers come and text changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.engine.host import DocumentClosed
from tests.support.buffer import Buffer
from tests.support.engine_world import EngineWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO_IN_A_LINE = "def twice(x):\n    return bug_1(x) + bug_2(x)\n"
URI = "file:///w/a.py"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineWorld]:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))
    world = EngineWorld(monkeypatch, "utf-16")
    yield world
    world.close()


def opened(world: EngineWorld, text: str) -> Buffer:
    buffer = Buffer(URI, text, world.encoding)
    world.open(buffer)
    world.turns(80)
    return buffer


def titles(world: EngineWorld) -> list[str]:
    return [one.title for one in world.reviewer.findings(URI)]


def lines(world: EngineWorld) -> list[int]:
    return [one.range.start.line for one in world.reviewer.findings(URI)]


def test_code_that_stands_twice_is_sent_once(world: EngineWorld) -> None:
    opened(world, f"{TWO_IN_A_LINE}\n\n{TWO_IN_A_LINE}")
    (call,) = world.model.open
    assert len(call.sent.regions) == 1
    call.answer()
    world.turns(80)
    assert titles(world) == ["Fails bug_1", "Fails bug_2"] * 2


def test_two_findings_in_one_line_both_stay_while_the_line_is_reviewed_again(world: EngineWorld) -> None:
    opened(world, TWO_IN_A_LINE)
    world.model.open[0].answer()
    world.turns(80)
    again = world.steps.call(lambda: asyncio.ensure_future(world.reviewer.review(URI, deep=True)))
    world.turns(80)
    (call,) = world.model.open
    for _ in range(60):
        if not call.over:
            call.answer(characters=20)
        world.turns(20)
        assert titles(world) == ["Fails bug_1", "Fails bug_2"]
    assert again.done()


@pytest.mark.parametrize("blank", ["\n", "\t", "\r\n        "])
def test_a_finding_does_not_move_to_another_line_that_reads_the_same(world: EngineWorld, blank: str) -> None:
    buffer = opened(world, "def twice(x):\n    bug_1(x)\n    bug_1(x)\n    return x\n")
    world.model.open[0].answer()
    world.turns(80)
    assert lines(world) == [1, 2]
    end = buffer.text.rindex("x)\n    return")
    world.change(buffer, [buffer.replace(end, end, blank)])
    world.advance(3)
    assert world.model.open == []
    assert lines(world) == [1, 2]
    assert all(one.rechecking for one in world.reviewer.findings(URI))
    world.save(buffer)
    world.advance(3)
    world.model.open[0].answer()
    world.turns(80)
    assert lines(world) == [1, 2]
    assert not any(one.rechecking for one in world.reviewer.findings(URI))


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 10])
def test_a_review_of_a_document_that_is_closed_meanwhile_ends(world: EngineWorld, turns: int) -> None:
    buffer = opened(world, TWO_IN_A_LINE)
    world.model.open[0].answer()
    world.turns(80)
    review = world.steps.call(lambda: asyncio.ensure_future(world.reviewer.review(URI)))
    world.turns(turns)
    world.shut(buffer)
    world.turns(200)
    assert review.done()
    assert isinstance(review.exception(), DocumentClosed | None)


def test_code_that_does_not_parse_is_not_called_reviewed(world: EngineWorld) -> None:
    opened(world, "def long(a, b):\n    return call(\n        a,\n        (bug_5(b),\n    )\n")
    (status,) = world.reviewer.status().documents
    assert status.reviewed == 0
    assert world.model.calls == []


def test_a_finding_on_a_comment_goes_when_the_comment_is_reworded(world: EngineWorld) -> None:
    buffer = opened(world, "def f(x):\n    # bug_1 in a comment\n    return x\n")
    world.model.open[0].answer()
    world.turns(80)
    assert lines(world) == [1]
    at = buffer.text.index("1 in")
    world.change(buffer, [buffer.replace(at, at, "x")])
    world.advance(3)
    assert lines(world) == []


def test_a_known_result_shows_while_its_region_is_reviewed_again(world: EngineWorld) -> None:
    opened(world, TWO_IN_A_LINE)
    world.model.open[0].answer()
    world.turns(80)
    world.steps.call(lambda: asyncio.ensure_future(world.reviewer.review(URI, deep=True)))
    world.turns(80)
    assert world.model.open
    copy = Buffer("file:///w/copy.py", TWO_IN_A_LINE, world.encoding)
    world.open(copy)
    world.turns(80)
    assert world.shown_titles(copy) == {(1, "Fails bug_1"), (1, "Fails bug_2")}
    world.model.open[0].answer()
    world.turns(80)


@pytest.mark.parametrize(
    ("at", "text", "offered"),
    [
        ("bug_1", "x", False),
        ("bug_1", "# ", False),
        ("bug_1", "y = 1\n", True),
        ("bug_1", "y = 1; ", False),
        ("\n# end", " + 1", False),
        ("\n# end", "\ny = 1", True),
        ("# end", "y = 1\n", True),
    ],
)
def test_a_fix_goes_when_something_is_typed_right_beside_it(
    world: EngineWorld, at: str, text: str, offered: bool
) -> None:
    buffer = opened(world, "bug_1(2)\n# end\n")
    world.model.open[0].answer()
    world.turns(80)
    assert world.fixes(buffer)
    place = buffer.text.index(at)
    world.change(buffer, [buffer.replace(place, place, text)])
    assert bool(world.fixes(buffer)) is offered


@pytest.mark.parametrize("indent", ["", "    "])
def test_what_is_rechecked_stays_when_everything_is_replaced_around_it(world: EngineWorld, indent: str) -> None:
    first, last = "def first(x):\n    return x + 1\n\n\n", "\n\ndef last(x):\n    return x + 2\n"
    buffer = opened(world, first + "def f(x):\n    y = bug_1(x)\n    return y\n" + last)
    world.model.open[0].answer()
    world.turns(80)
    at = buffer.text.index("return y")
    world.change(buffer, [buffer.replace(at, at, "z = 1\n    ")])
    world.advance(3)
    assert [one.rechecking for one in world.reviewer.findings(URI)] == [True]
    new = buffer.text.replace("x + 1", "x + 3").replace("x + 2", "x + 4")
    world.change(buffer, [buffer.whole("".join(indent + line for line in new.splitlines(keepends=True)))])
    assert titles(world) == []
    world.advance(3)
    assert [(one.title, one.rechecking) for one in world.reviewer.findings(URI)] == [("Fails bug_1", True)]
