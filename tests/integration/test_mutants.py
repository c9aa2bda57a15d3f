"""A sample of the mutants in tests/mutants must be killed on each run; `python -m tests.mutants` tries them all."""

from __future__ import annotations

import pytest

from tests.mutants.made import made
from tests.mutants.table import MUTANTS, SAMPLE, Mutant
from tests.mutants.trying import Fate, attempt, mutated


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_one_of_the_program_as_it_is(mutant: Mutant) -> None:
    """A table that no longer fits the program would pass for having killed all."""
    compile(mutated(mutant.file, mutant.old, mutant.new), mutant.file, "exec")


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.name in SAMPLE], ids=lambda mutant: mutant.name)
def test_the_sample_is_killed(mutant: Mutant) -> None:
    text = mutated(mutant.file, mutant.old, mutant.new)
    assert attempt(mutant.file, text, mutant.tests) is Fate.KILLED


def test_a_mutant_that_changes_nothing_survives() -> None:
    """Otherwise any broken run would count as a kill."""
    mutant = next(one for one in MUTANTS if one.name in SAMPLE)
    assert attempt(mutant.file, mutated(mutant.file, mutant.old, mutant.old), mutant.tests) is Fate.SURVIVED


def test_what_only_a_type_checker_reads_is_left_alone() -> None:
    assert list(made("if TYPE_CHECKING:\n    import a\n")) == []


def test_mutants_are_made_of_all_kinds() -> None:
    source = "def f(a):\n    if a < 1 and a + 2:\n        return 3\n"
    assert [text.split("\n")[1].strip() for _, text in made(source)][:5] == [
        "if not (a < 1 and a + 2):",
        "if a < 1 or a + 2:",
        "if a <= 1 and a + 2:",
        "if a < 1 and a - 2:",
        "if a < 1 and a + 2:",
    ]
