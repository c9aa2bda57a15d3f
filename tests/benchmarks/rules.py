"""How long the rules take on about 5,000 lines of Python, beside ruff on the same text in the same run.

Run `python -m tests.benchmarks.rules`. The text is the standard library's argparse.py, repeated. Each figure is the
best of several runs, since other programs share the machine. The whole document and one region (a method of about
50 lines) are measured; secrets and comments are part of both.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ruff import find_ruff_bin

from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules.engine import RuleEngine
from aiops_lsp.rules.loading import rules_of
from aiops_lsp.rules.matching import matches, may_match, parse
from aiops_lsp.rules.ruff_table import RUFF_RULES

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = 15
_LINES = 5_000


def best(call: Callable[[], object]) -> float:
    """The shortest of several runs, in milliseconds."""
    seconds = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds) * 1000


def _method(lines: list[str]) -> tuple[int, int]:
    """The lines of one method of about 50 lines."""
    starts = [number for number, line in enumerate(lines) if line.startswith("    def ")]
    return next((a, b) for a, b in pairwise(starts) if 45 <= b - a <= 70)


def main() -> None:
    """Print the figures and their ratios."""
    source = Path(argparse.__file__).read_text(encoding="utf-8")
    text = source * max(1, round(_LINES / source.count("\n")))
    lines = text.splitlines(keepends=True)
    compile(text, "example.py", "exec")  # ruff gives up on a text with a syntax error, which would make it look fast
    snapshot = Snapshot("file:///x/example.py", 1, "python", text)
    engine, rules = RuleEngine(), rules_of("python")
    command = [
        *(find_ruff_bin(), "check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json"),
        *("--select", ",".join(RUFF_RULES), "--stdin-filename", "x.py", "-"),
    ]
    ruff = best(lambda: subprocess.run(command, input=text.encode(), capture_output=True, check=True))
    likely = [rule for rule in rules if may_match(rule, text)]
    likely = [rule for rule in likely if rule.file_has is None or rule.file_has.occurs_in(text)]
    patterns = best(lambda: matches(parse(text, "python"), likely))
    shown = best(lambda: engine.glance(Snapshot(snapshot.uri, 1, "python", text)))
    whole = best(lambda: engine.review(Snapshot(snapshot.uri, 1, "python", text)))
    region = best(lambda: engine.review(snapshot, regions=[_method(lines)]))
    print(f"{len(lines)} lines: ruff {ruff:.1f} ms")
    print(f"ast-grep findings, whole document {patterns:.1f} ms, {patterns / ruff:.2f} x ruff")
    print(f"the same as a look gets them, from an excerpt {shown:.1f} ms, {shown / ruff:.2f} x ruff")
    print(f"all rules, whole document {whole:.1f} ms, {whole / ruff:.2f} x ruff")
    print(f"all rules, one region {region:.1f} ms, {region / ruff:.2f} x ruff")


if __name__ == "__main__":
    main()
