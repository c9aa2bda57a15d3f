"""Labelled cases: a piece of code that is wrong and its twin that is right, with a test that tells them apart.

Nothing that a reviewer is shown tells which twin it is: a case is named by a hash of its text and stands in the order
of these names, docstrings and task ids stay behind, and blank lines, which differ between twins for no reason, go.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ENDINGS = {"python": ".py", "javascript": ".js"}
"""The languages of which there are cases, and how their files end."""

_LANGUAGES = {"python": "python", "javascript": "javascript", "js": "javascript"}


class UnusableData(ValueError):
    """A folder or a file of cases that cannot be read. `str()` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Task:
    """Two twins. `problem` is the same for translations of one task into several languages.

    `test` is appended to a twin and fails for the buggy one.
    """

    problem: str
    language: str
    buggy: str
    correct: str
    test: str


@dataclass(frozen=True, slots=True)
class Case:
    """One twin. `group` is the batch of requests that it belongs to: never that of its twin, if there are several."""

    task: Task
    buggy: bool
    group: int = 1

    @property
    def text(self) -> str:
        """The code that is reviewed."""
        return self.task.buggy if self.buggy else self.task.correct

    @property
    def name(self) -> str:
        """The neutral name: it depends on the text alone."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @property
    def file_name(self) -> str:
        """The neutral name of the file that is reviewed."""
        return f"{self.name}{ENDINGS[self.task.language]}"

    @property
    def changed(self) -> tuple[tuple[int, int], ...]:
        """The lines in which the buggy twin differs from the correct one; none in the correct one."""
        return changed_lines(self.task.buggy, self.task.correct) if self.buggy else ()


def changed_lines(buggy: str, correct: str) -> tuple[tuple[int, int], ...]:
    """First and last line, from 0, of each run of lines in `buggy` that `correct` has otherwise.

    Where a line is missing from `buggy`, those on both sides of the gap. Blanks at line ends do not count.
    """
    ours, theirs = ([line.rstrip() for line in text.splitlines()] for text in (buggy, correct))
    spans = []
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, start, end, _, _ in matcher.get_opcodes():
        if kind == "insert":
            spans.append((max(0, start - 1), min(start, len(ours) - 1)))
        elif kind != "equal":
            spans.append((start, end - 1))
    return tuple(spans)


def read_tasks(folder: Path) -> list[Task]:
    """The tasks in `folder`: `*.jsonl` in the format of HumanEvalPack, else one folder for each task.

    A task's folder holds `buggy`, `correct` and `test`, each with its language's ending. Raises UnusableData.
    """
    tables = sorted(folder.glob("*.jsonl"))
    tasks = [task for table in tables for task in _table(table)] if tables else _folders(folder)
    if not tasks:
        raise UnusableData(f"{folder} holds no cases: neither *.jsonl nor folders with buggy, correct and test files")
    return tasks


def select(tasks: Sequence[Task], per_language: int, seed: int) -> list[Task]:
    """`per_language` tasks of each language (0: all), drawn with `seed`.

    No problem is drawn in two languages: who has seen it solved in one would know the bug in the other.
    """
    if not per_language:
        return list(tasks)
    shuffled = sorted(tasks, key=lambda task: (task.language, task.problem))
    random.Random(seed).shuffle(shuffled)
    chosen: dict[str, Task] = {}
    for language in ENDINGS:
        fresh = [task for task in shuffled if task.language == language and task.problem not in chosen]
        chosen |= {task.problem: task for task in fresh[:per_language]}
    return list(chosen.values())


def twins(tasks: Iterable[Task], groups: int, seed: int) -> list[Case]:
    """Both twins of each task, in the order of their neutral names, dealt out to `groups`, twins to different ones."""
    chance = random.Random(seed)
    cases = []
    for number, task in enumerate(tasks):
        buggy_first = chance.random() < 0.5
        here, there = number % groups + 1, (number + groups // 2) % groups + 1
        cases.append(Case(task, buggy=buggy_first, group=here))
        cases.append(Case(task, buggy=not buggy_first, group=there))
    return sorted(cases, key=lambda case: case.name)


def _table(path: Path) -> list[Task]:
    tasks = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip():
            try:
                tasks.append(_row(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as problem:
                raise UnusableData(f"{path}, line {number}: not a case in HumanEvalPack's format ({problem})") from None
    return tasks


def _row(row: dict[str, str]) -> Task:
    language, _, problem = row["task_id"].partition("/")
    return Task(
        problem=problem,
        language=_LANGUAGES[language.lower()],
        buggy=_without_blank_lines(row["declaration"] + row["buggy_solution"]),
        correct=_without_blank_lines(row["declaration"] + row["canonical_solution"]),
        test=row["test"],
    )


def _without_blank_lines(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())


def _folders(folder: Path) -> list[Task]:
    tasks = []
    for own in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        for language, ending in ENDINGS.items():
            if (own / f"correct{ending}").exists():
                try:
                    parts = [(own / f"{part}{ending}").read_text("utf-8") for part in ("buggy", "correct", "test")]
                except (OSError, UnicodeError) as problem:
                    raise UnusableData(f"{own}: {problem}") from None
                tasks.append(Task(own.name, language, *parts))
    return tasks
