"""Measures, and writes `benchmarks.json` and `benchmarks.md`: `python -m tests.benchmarks [GROUP ...] [--against REV]`.

Everything that is compared takes turns in one run. With --against, the server of another commit takes part: its
sources are checked out into a temporary folder and run by the same interpreter with the same packages.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import figures, subjects
from tests.benchmarks.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GROUPS = ("start", "keystroke", "findings", "pipeline", "scale", "soak")


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """The sources of a commit, in a worktree that is gone afterwards."""
    tree = folder / "against"
    git = ("git", "-C", str(subjects.ROOT), "worktree")
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


async def measure(bench: Bench, groups: Sequence[str], out: Path) -> None:
    """Measure the groups one after the other; what is done is written before the next one begins."""
    for name in groups:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        await import_module(f"tests.benchmarks.{name}").measure(bench)
        figures.write(bench.report, out)


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, and return 0; whether the limits are met is in the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--against", metavar="REV", help="also measure the server of this commit")
    parser.add_argument(
        "--out", type=Path, default=subjects.ROOT / "build" / "benchmarks", help="folder for the results"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies how often each thing is measured")
    parser.add_argument("--full", action="store_true", help="also what takes many minutes")
    options = parser.parse_args(arguments)
    groups = options.groups or GROUPS
    if unknown := set(groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="aiops-bench-") as temporary:
        folder = Path(temporary)
        ours = [subjects.aiops()]
        if options.against is None:
            asyncio.run(measure(Bench(folder, ours, options.scale, options.full), groups, options.out))
        else:
            with checked_out(options.against, folder) as tree:
                ours.append(subjects.aiops(f"aiops at {options.against}", tree / "server"))
                asyncio.run(measure(Bench(folder, ours, options.scale, options.full), groups, options.out))
    print((options.out / "benchmarks.md").read_text("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
