"""One run of the benchmarks: who is measured, how often, and where temporary things go."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from tests.benchmarks import subjects
from tests.benchmarks.figures import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.subjects import Subject

Item = TypeVar("Item")


@dataclass(slots=True)
class Bench:
    """`ours` are this project's servers: of this tree, and of the commit to compare with. `scale` multiplies how often
    each thing is measured; `full` adds what takes long.
    """

    folder: Path
    ours: Sequence[Subject]
    scale: float = 1.0
    full: bool = False
    report: Report = field(default_factory=Report)
    bare: Subject = field(default_factory=subjects.bare)
    ruff: Subject = field(default_factory=subjects.ruff)
    others: Sequence[Subject] = field(default_factory=subjects.others)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def echo(self) -> Subject:
        """The bare server that answers each change with one diagnostic."""
        return replace(self.bare, name="bare pygls' echo", command=(*self.bare.command, "echo"))

    def turns(self, usual: int) -> int:
        """How often to measure, at least once."""
        return max(1, round(usual * self.scale))

    @staticmethod
    def rotated(items: Sequence[Item], turn: int) -> list[Item]:
        """The items in an order that changes from turn to turn, so that none is always measured after the same one."""
        start = turn % len(items)
        return [*items[start:], *items[:start]]

    def temporary(self, name: str) -> Path:
        """A path that nothing else uses."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir(parents=True)
        return folder / name

    def at_home(self, subject: Subject, configuration: str = "") -> Subject:
        """The subject with an empty home of its own."""
        return subject.at_home(self.temporary("home"), configuration)
