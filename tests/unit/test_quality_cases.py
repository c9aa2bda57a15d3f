"""Labelled cases: which lines are wrong, and that nothing tells the twins apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.quality import trials
from tests.benchmarks.quality.__main__ import OWN_CASES
from tests.benchmarks.quality.cases import Task, UnusableData, changed_lines, read_tasks, select, twins

if TYPE_CHECKING:
    from pathlib import Path


def task(problem: str, language: str = "python") -> Task:
    return Task(problem, language, f"{problem} = 1\n", f"{problem} = 2\n", f"assert {problem} == 2")


def row(**changes: str) -> str:
    fields = {
        "task_id": "Python/7",
        "declaration": "\nfrom typing import List\n\n\ndef last(items: List[int]) -> int:\n",
        "buggy_solution": "\n    return items[0]\n",
        "canonical_solution": "    return items[-1]\n\n",
        "test": "assert last([1, 2]) == 2",
        "docstring": "SECRET",
        "prompt": "SECRET",
        "bug_type": "SECRET",
        "entry_point": "last",
    }
    return json.dumps({**fields, **changes})


@pytest.mark.parametrize(
    ("buggy", "correct", "lines"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", ((1, 1),)),
        ("a\nx\ny\nc\n", "a\nc\n", ((1, 2),)),
        ("a\nc\n", "a\nb\nc\n", ((0, 1),)),
        ("b\n", "a\nb\n", ((0, 0),)),
        ("a\n", "a\nb\n", ((0, 0),)),
        ("a \nb\nc\n", "a\nb\nC\n", ((2, 2),)),
        ("a\n", "a\n", ()),
    ],
)
def test_the_lines_that_are_wrong(buggy: str, correct: str, lines: tuple[tuple[int, int], ...]) -> None:
    assert changed_lines(buggy, correct) == lines


def test_rows_are_read_without_what_would_tell(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text(f"{row()}\n\n{row(task_id='JavaScript/8')}\n", "utf-8")
    python, javascript = read_tasks(tmp_path)
    assert python.correct == "from typing import List\ndef last(items: List[int]) -> int:\n    return items[-1]\n"
    assert python.buggy == "from typing import List\ndef last(items: List[int]) -> int:\n    return items[0]\n"
    assert (python.problem, python.language) == ("7", "python")
    assert (javascript.problem, javascript.language) == ("8", "javascript")
    assert "SECRET" not in repr(python)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "line 1"),
        (row(task_id="Cobol/1"), "line 1"),
        ("[1]", "line 1"),
        ('{"task_id": "Python/1"}', "line 1"),
    ],
)
def test_a_row_that_is_none_is_told(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "some.jsonl").write_text(content, "utf-8")
    with pytest.raises(UnusableData, match=words):
        read_tasks(tmp_path)


def test_a_folder_without_cases_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UnusableData, match="holds no cases"):
            read_tasks(folder)


def test_no_problem_is_drawn_in_two_languages() -> None:
    tasks = [task(f"p{number}", language) for language in ("python", "javascript") for number in range(10)]
    drawn = select(tasks, 5, seed=3)
    assert sorted(one.language for one in drawn) == ["javascript"] * 5 + ["python"] * 5
    assert len({one.problem for one in drawn}) == 10
    assert select(tasks, 5, seed=3) == drawn
    assert select(tasks, 5, seed=4) != drawn
    assert select(tasks, 0, seed=3) == tasks


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_no_batch_holds_both_twins_and_each_holds_some_of_either_kind(groups: int) -> None:
    cases = twins([task(f"p{number}") for number in range(40)], groups, seed=1)
    assert len(cases) == 80
    batches = [[case for case in cases if case.group == group] for group in range(1, groups + 1)]
    assert sum(map(len, batches)) == 80
    for batch in batches:
        assert len({case.task.problem for case in batch}) == len(batch)
        assert 0 < sum(case.buggy for case in batch) < len(batch)


def test_names_and_their_order_say_nothing_of_the_label() -> None:
    cases = twins([task(f"p{number}") for number in range(40)], 2, seed=1)
    assert [case.name for case in cases] == sorted(case.name for case in cases)
    assert {case.name for case in twins([task("p1")], 2, seed=9)} <= {case.name for case in cases}
    first_half = sum(case.buggy for case in cases[:40])
    assert 10 < first_half < 30
    assert not any(case.task.problem in case.file_name for case in cases)


def test_only_buggy_twins_have_wrong_lines() -> None:
    for case in twins([task("p1")], 2, seed=1):
        assert case.changed == (((0, 0),) if case.buggy else ())


def test_the_own_cases_are_enough_of_both_languages() -> None:
    tasks = read_tasks(OWN_CASES)
    assert len({one.problem for one in tasks}) == len(tasks) >= 12
    for language in ("python", "javascript"):
        assert sum(one.language == language for one in tasks) >= 6


@pytest.mark.parametrize("one", read_tasks(OWN_CASES), ids=lambda one: one.problem)
def test_the_test_of_an_own_case_tells_its_twins_apart(one: Task) -> None:
    try:
        assert trials.passes(one.language, one.correct, one.test)
        assert not trials.passes(one.language, one.buggy, one.test)
        assert trials.parses(one.language, one.buggy)
    except trials.NoInterpreter as missing:
        pytest.skip(str(missing))


def test_a_test_that_does_not_end_has_failed() -> None:
    assert not trials.passes("python", "", "while True: pass", seconds=0.5)


def test_what_runs_sees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert trials.passes("python", "import os", "assert 'OPENAI_API_KEY' not in os.environ")


def test_what_does_not_parse_does_not_parse() -> None:
    assert not trials.parses("python", "def f(:\n")
    assert trials.parses("python", "def f():\n    return 1\n")
