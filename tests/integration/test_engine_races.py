"""Looks, commands, answers, closings and settings that cross each other: nothing gets lost, stuck or sent astray."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.text import PositionEncoding, TextDocument
from aiops_lsp.engine.standing import Progress, Reason
from tests.support.buffer import Buffer
from tests.support.engine_world import EngineWorld
from tests.support.place_checks import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiops_lsp.engine.standing import Standing

URI = "file:///w/a.py"
SIMPLE = "def once(x):\n    return bug_1(x)\n"
COMPLEX = "def run(x):\n    bug_1(x)\n" + "".join(f"    eval(x + {number})\n" for number in range(6))
MANY = "\n\n".join(f"def f{number}(x):\n    return x + {number}\n" for number in range(14))


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


def typed(world: EngineWorld, buffer: Buffer, old: str, new: str) -> None:
    start = buffer.text.index(old)
    world.change(buffer, [buffer.replace(start, start + len(old), new)])


def answer_all(world: EngineWorld) -> None:
    while world.model.open:
        world.model.open[0].answer()
        world.turns(80)


def standings(world: EngineWorld) -> list[Standing]:
    document = world.reviewer._documents[URI]
    return [standing for standing in document.standings if standing.record or standing.reason]


def titles(world: EngineWorld) -> list[str]:
    return [one.title for one in world.reviewer.findings(URI)]


@pytest.mark.parametrize("turns", [0, 1, 2, 4, 8])
def test_a_change_that_changes_nothing_does_not_end_the_look(world: EngineWorld, turns: int) -> None:
    buffer = Buffer(URI, SIMPLE, world.encoding)
    world.open(buffer)
    world.turns(turns)
    world.change(buffer, [])
    world.advance(3)
    world.turns(80)
    assert len(world.model.calls) == 1


def test_a_change_that_changes_nothing_does_not_hold_an_answer_back(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    world.change(buffer, [])
    world.model.open[0].answer()
    world.advance(3)
    assert titles(world) == ["Fails bug_1"]


def test_a_result_for_other_spacing_stays_one_while_it_is_reviewed_again(world: EngineWorld) -> None:
    buffer = opened(world, "def twice(x):\n    bug_1(x)\n    bug_1(x)\n    return x\n")
    answer_all(world)
    end = buffer.text.rindex("x)\n    return")
    world.change(buffer, [buffer.replace(end, end, "\n")])
    world.advance(3)
    world.save(buffer)
    world.advance(3)
    assert len(world.model.open) == 1
    world.steps.call(world.reviewer.look_again, URI)
    world.turns(80)
    (standing,) = standings(world)
    assert standing.progress is Progress.REVIEWING
    assert not standing.exact
    assert all(one.rechecking for one in world.reviewer.findings(URI))


@pytest.mark.parametrize("deep", [False, True])
def test_a_result_is_still_there_after_the_next_review_of_it_failed(world: EngineWorld, deep: bool) -> None:
    buffer = opened(world, SIMPLE)
    answer_all(world)
    if deep:
        world.review(buffer, deep=True)
    else:
        world.advance(8 * 86400)
        world.steps.call(world.reviewer.look_again, URI)
        world.turns(80)
        world.save(buffer)
    world.turns(80)
    for _ in range(2):
        world.model.open[0].fail("nothing")
        world.advance(1)
    assert world.model.open == []
    (standing,) = standings(world)
    assert standing.record is not None
    assert not any(one.rechecking for one in world.reviewer.findings(URI))


def test_what_was_saved_needs_no_other_save_when_the_first_attempt_failed(world: EngineWorld) -> None:
    buffer = opened(world, COMPLEX)
    answer_all(world)
    typed(world, buffer, "x + 0", "x + 9")
    world.advance(5)
    assert standings(world)[0].reason is Reason.WAITS_FOR_SAVE
    world.save(buffer)
    world.turns(80)
    sent = len(world.model.calls)
    for _ in range(3):
        world.model.open[0].fail("overloaded")
        world.advance(3)
    assert standings(world)[0].reason is Reason.PROVIDER
    world.advance(60)
    assert len(world.model.calls) > sent + 2
    answer_all(world)
    assert standings(world)[0].progress is Progress.REVIEWED


def test_saving_ends_the_wait_for_the_writing_to_settle(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    answer_all(world)
    typed(world, buffer, "(x)\n", "(x + 1)\n")
    world.advance(0.7)
    assert standings(world)[0].reason is Reason.SETTLING
    world.save(buffer)
    world.turns(80)
    assert len(world.model.open) == 1


def test_a_function_is_left_when_the_next_one_is_typed_right_below(world: EngineWorld) -> None:
    buffer = opened(world, "import os\n")
    for line in ("def once(x):", "    return bug_1(x)", "", "", "def again(x):", "    return bug_2(x)"):
        world.change(buffer, [buffer.replace(len(buffer.text), len(buffer.text), f"{line}\n")])
        world.advance(0.1)
    world.advance(0.7)
    world.turns(80)
    (call,) = world.model.open
    assert [lines[0] for lines in call.sent.regions.values()] == ["def once(x):"]
    assert Reason.SETTLING in {one.reason for one in standings(world)}


def test_a_deep_review_that_had_to_wait_is_still_deep(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    answer_all(world)
    assert world.reviewer._assembly is not None
    ledger = world.reviewer._assembly.services.ledger
    examined = world.reviewer._documents[URI].examined
    assert examined is not None
    keys = [one.exact for one in examined.keys]
    ledger.lease(keys, "another window", 60)
    world.review(buffer, deep=True)
    world.turns(80)
    assert world.model.open == []
    ledger.release_lease(keys, "another window")
    world.advance(5)
    assert len(world.model.open) == 1
    answer_all(world)
    (standing,) = standings(world)
    assert standing.record is not None
    assert standing.record.tier == "complex"


def test_a_deep_review_sends_nothing_that_has_nothing_to_review(world: EngineWorld) -> None:
    """Its findings would show until the next look, which knows that there is nothing to review."""
    buffer = opened(world, "import os\n\n\n" + SIMPLE + "\n\n# bug_2 in a comment\n")
    answer_all(world)
    world.review(buffer, deep=True)
    world.turns(80)
    (call,) = world.model.open
    assert [lines[0] for lines in call.sent.regions.values()] == [SIMPLE.splitlines()[0]]
    answer_all(world)
    assert titles(world) == ["Fails bug_1"]


def test_a_dismissal_survives_renaming_the_file(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    answer_all(world)
    (one,) = world.reviewer.findings(URI)
    world.steps.run(world.reviewer.dismiss(URI, one.id))
    world.shut(buffer)
    renamed = Buffer("file:///w/renamed.py", SIMPLE + "\n\ndef other(x):\n    return bug_2(x)\n", world.encoding)
    world.open(renamed)
    world.turns(80)
    answer_all(world)
    assert [shown.title for shown in world.reviewer.findings(renamed.uri)] == ["Fails bug_2"]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13])
def test_a_document_that_is_closed_and_opened_at_once_is_reviewed(world: EngineWorld, turns: int) -> None:
    buffer = opened(world, SIMPLE)
    assert len(world.model.open) == 1
    world.shut(buffer)
    world.turns(turns)
    opened(world, SIMPLE)
    world.advance(3)
    answer_all(world)
    assert titles(world) == ["Fails bug_1"]


def test_closing_another_document_cancels_nothing_that_an_edit_left_behind(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    (sent,) = world.model.open
    typed(world, buffer, "bug_1(x)", "bug_1(x, y)")
    world.advance(1)  # looked at again: no document holds any more what was sent
    other = Buffer("file:///w/b.py", "# nothing to review", world.encoding)
    world.open(other)
    world.turns(80)
    world.shut(other)
    world.turns(80)
    assert not sent.over
    typed(world, buffer, "bug_1(x, y)", "bug_1(x)")
    answer_all(world)
    world.advance(3)
    assert titles(world) == ["Fails bug_1"]
    assert world.model.calls[0] is sent


def test_a_document_that_is_opened_twice_is_followed_once(world: EngineWorld) -> None:
    buffer = opened(world, SIMPLE)
    shadow = TextDocument(URI, 1, "python", "\n\n" + SIMPLE, PositionEncoding.UTF16)
    first = world.reviewer._documents[URI]
    buffer.text = shadow.snapshot().text
    world.histories[URI] = History()
    world.steps.call(world.reviewer.open, shadow)
    world.turns(80)
    assert first.closed
    answer_all(world)  # what is published is checked against the client's text
    assert [one.range.start.line for one in world.reviewer.findings(URI)] == [3]


def test_an_estimate_sends_nothing_and_lets_nothing_be_sent(world: EngineWorld) -> None:
    buffer = opened(world, MANY)
    answer_all(world)
    asked = len(world.model.calls)
    held = {one for one in standings(world) if one.reason is Reason.BURST}
    assert held
    tokens, _ = world.steps.run(world.reviewer.estimate(URI))
    assert tokens > 0
    typed(world, buffer, "def f0", "# a comment\ndef f0")
    world.advance(5)
    world.turns(200)
    assert len(world.model.calls) == asked


@pytest.mark.parametrize("turns", range(0, 40, 3))
def test_a_save_is_not_lost_to_a_command_that_looks_at_the_same_time(world: EngineWorld, turns: int) -> None:
    buffer = opened(world, f"{COMPLEX}\n\n{SIMPLE}")
    answer_all(world)
    typed(world, buffer, "x + 0", "x + 9")
    world.save(buffer)
    world.turns(turns)
    typed(world, buffer, "bug_1(x)\n    eval", "bug_2(x)\n    eval")
    last = buffer.text.count("\n") - 1
    review = world.steps.call(lambda: asyncio.ensure_future(world.reviewer.review(URI, lines=(last, last))))
    world.turns(200)
    answer_all(world)
    world.advance(5)
    answer_all(world)
    assert review.done()
    assert {one.reason for one in standings(world)} <= {None, Reason.WAITS_FOR_SAVE}


def test_a_command_for_some_lines_does_not_wait_for_others(world: EngineWorld) -> None:
    buffer = opened(world, f"{COMPLEX}\n\n{SIMPLE}")
    answer_all(world)
    typed(world, buffer, "x + 0", "x + 9")
    world.advance(1)
    assert world.reviewer._assembly is not None
    examined = world.reviewer._documents[URI].examined
    assert examined is not None
    world.reviewer._assembly.services.ledger.lease([one.exact for one in examined.keys], "another window", 600)
    world.save(buffer)
    world.turns(80)
    assert standings(world)[0].reason is Reason.OTHER_WINDOW
    last = buffer.text.count("\n") - 1
    review = world.steps.call(lambda: asyncio.ensure_future(world.reviewer.review(URI, lines=(last, last))))
    world.turns(200)
    assert review.done()


def test_nothing_is_kept_of_documents_that_are_closed(world: EngineWorld) -> None:
    for number in range(5):
        buffer = Buffer(f"file:///w/{number}.py", SIMPLE.replace("x", f"x{number}"), world.encoding)
        world.open(buffer)
        world.turns(7 * number)
        world.review(buffer, deep=False)
        world.turns(3 * number)
        world.shut(buffer)
    world.advance(120)
    assert world.reviewer._assembly is not None
    sending = world.reviewer._assembly.sending
    assert world.reviewer._scheduler._slots == {}
    assert [sending._rates, sending._waiting, sending._running] == [{}, {}, set()]
    assert world.reviewer._assembly.dispatcher._in_flight == {}
