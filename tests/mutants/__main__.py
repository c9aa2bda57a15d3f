"""Try mutants: `python -m tests.mutants` those made by hand, `--made 40 --seed 1` as many made by a tool.

Exits with 1 when one survives that was made by hand. One made by a tool may be the same program in other words: look
at each survivor.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.mutants.made import made
from tests.mutants.table import ANCHORS, DERIVE, ENGINE, FIXES, MARKERS, MUTANTS, TEXT
from tests.mutants.trying import PACKAGE, Fate, attempt, mutated

MADE_IN = {
    "core/text.py": (*TEXT, *MARKERS),
    "core/anchors.py": (*ANCHORS, *MARKERS),
    "core/fixes.py": (*FIXES, *MARKERS),
    "engine/derive.py": (*DERIVE, *ENGINE),
    "engine/placement.py": (*DERIVE, *ENGINE),
}


def by_hand(word: str) -> int:
    """Try the table's mutants whose name holds `word`; how many survive."""
    survived = 0
    for mutant in MUTANTS:
        if word not in mutant.name:
            continue
        fate = attempt(mutant.file, mutated(mutant.file, mutant.old, mutant.new), mutant.tests)
        print(f"{fate.value:9} {mutant.file}: {mutant.name}", flush=True)
        survived += fate is Fate.SURVIVED
    return survived


def by_tool(count: int, seed: int) -> None:
    """Try so many mutants drawn from all that can be made of the modules."""
    every = [(file, words, text) for file in MADE_IN for words, text in made((PACKAGE / file).read_text("utf-8"))]
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    killed = 0
    for file, words, text in drawn:
        fate = attempt(file, text, MADE_IN[file])
        killed += fate is Fate.KILLED
        print(f"{fate.value:9} {file}, {words}", flush=True)
    print(f"{killed} of {len(drawn)} killed; {len(every)} can be made")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of the name of mutants made by hand")
    parser.add_argument("--made", type=int, default=0, help="how many made by a tool to try instead")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    options = parser.parse_args()
    if options.made:
        by_tool(options.made, options.seed)
        return 0
    return 1 if by_hand(options.only) else 0


if __name__ == "__main__":
    sys.exit(main())
