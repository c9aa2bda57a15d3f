"""Whether findings keep to their places while recorded sessions are typed, each publication checked.

    python -m tests.benchmarks.places trace TRACE.json.gz... [--language rust] [--edits N] [--part 1/2]
    python -m tests.benchmarks.places commits REPOSITORY... [--commits 200]
    python -m tests.benchmarks.places

The whole engine runs in lockstep over a model that takes some words for faults and answers late, in pieces, out of
order, with small mistakes, or not at all. After every edit and every publication it is checked that each finding
covers exactly its evidence, that each fix changes exactly what it was about, that nothing that went from a region
comes back while the region stays the same, and that nothing shows for code that was never put to the model.

`commits` types each hunk of each commit, in pieces of a line, then rests and saves. A repository may be the releases
of a package, a commit each (`--releases` says so in the table). Without arguments, this project's own last commits.

Both traces of josephg/editing-traces (rustcode as Rust, with the gaps between keys of the other; json-crdt-patch as
Markdown), and releases of packages, of each one file that changed and two of its hunks, drawn at random
(`--files 1 --hunks 2`):

| source | edits | publications | findings | fixes | violations | re-keyed per edit |
|---|---|---|---|---|---|---|
| rustcode, all of it | 40,173 | 8,693 | 924,346 | 822,872 | 0 | 0.1433 |
| json-crdt-patch, all of it | 18,723 | 1,430 | 102,197 | 98,814 | 0 | 0.0035 |
| 200 releases of fastapi | 1,946 | 1,264 | 77,987 | 75,090 | 0 | 0.055 |
| 200 releases of sentry-sdk | 3,227 | 2,339 | 72,005 | 69,636 | 0 | 0.0483 |
| 200 releases of hypothesis | 3,575 | 2,362 | 164,500 | 160,766 | 0 | 0.0576 |

Writes `places.json` and `places.md` to build/benchmarks: one row for each source, the ones of earlier runs kept. Exits
with 1 when anything does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks import subjects
from tests.benchmarks.region_stability import Tally
from tests.benchmarks.sessions import changes, chosen_commits, chosen_hunks, gaps_of, read_trace, texts_of, typed
from tests.support.ledger import FAST_FOLDER
from tests.support.replay_world import ReplayWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aiops_lsp.engine.examine import Examined
    from aiops_lsp.engine.line_diff import Block
    from tests.benchmarks.sessions import Transaction
    from tests.support.replay_world import TypedBuffer

OUT = subjects.ROOT / "build" / "benchmarks"
PROSE = frozenset({"markdown", "plaintext"})
LONGEST_PAUSE = 30.0
WINDOW = 250
OWN_COMMITS = 25


@contextmanager
def world_with(seed: int, stability: Tally) -> Iterator[ReplayWorld]:
    """A world with a state folder of its own, that counts in `stability` how regions fare from look to look."""

    def looked(before: Examined, after: Examined) -> None:
        stability.add(before.split, after.split, before.snapshot, after.snapshot)

    with pytest.MonkeyPatch.context() as patch:
        folder = mkdtemp(dir=FAST_FOLDER)
        for name in ("AIOPS_STATE_DIR", "AIOPS_CACHE_DIR", "XDG_CONFIG_HOME"):
            patch.setenv(name, f"{folder}/{name.lower()}")
        world = ReplayWorld(patch, seed, looked=looked, violated=_say)
        try:
            yield world
        finally:
            world.close()


def replay_trace(world: ReplayWorld, text: str, transactions: Iterable[Transaction], language: str) -> None:
    """Type transactions of a trace into `text`: save now and then, close and open the file again at times.

    Prose is reviewed by command.
    """
    chance = world.chance
    buffer = world.opened("file:///nowhere/typed", language, text)
    rest(world, buffer)
    for gap, patches in transactions:
        world.wait(min(gap, LONGEST_PAUSE))
        for place, gone, new in patches:
            world.put(buffer, place, place + gone, new)
        if chance.random() < 0.005:
            world.save(buffer)
        if language in PROSE and chance.random() < 0.01:
            world.review(buffer, deep=chance.random() < 0.2)
        if chance.random() < 0.0005:
            world.closed(buffer)
            buffer = world.opened(buffer.uri, language, buffer.text)
    rest(world, buffer)
    world.closed(buffer)


def spread(count: int, size: int) -> list[range]:
    """Windows of `size` that cover `count`, in an order in which those done so far are spread over the whole."""
    windows = [range(start, min(count, start + size)) for start in range(0, count, size)]
    bits = max(1, (len(windows) - 1).bit_length())
    return sorted(windows, key=lambda window: int(f"{window.start // size:0{bits}b}"[::-1], 2))


def replay_windows(
    world: ReplayWorld,
    trace: dict[str, Any],
    keys: Sequence[float],
    language: str,
    most: int,
    part: tuple[int, int] = (1, 1),
) -> Iterator[str]:
    """Type a trace in windows, or the windows of one of so many parts, until `most` edits are done."""
    transactions = list(typed(trace, keys))
    windows = spread(len(transactions), WINDOW)[part[0] - 1 :: part[1]]
    wanted = {window.start for window in windows}
    texts = enumerate(chain([trace["startContent"]], texts_of(trace)))
    starts = {number: text for number, text in texts if number in wanted}
    done, count = 0, sum(map(len, windows))
    for window in windows:
        replay_trace(world, starts[window.start], transactions[window.start : window.stop], language)
        done += len(window)
        yield f"{done:,} of {count:,} edits"
        if done >= most:
            return


def replay_commits(
    world: ReplayWorld, repository: Path, commits: int, *, what: str = "commits", files: int = 1000, hunks: int = 8
) -> Iterator[str]:
    """Type the hunks of a repository's last commits: of so many files each, and of so many hunks of each file."""
    count = len(chosen_commits(repository, commits))
    typed_files = list(changes(repository, commits, files))
    for number, (language, name, old, new) in enumerate(typed_files):
        buffer = world.opened(f"file:///nowhere/{repository.name}/{name}", language, old)
        rest(world, buffer)
        for block, lines in chosen_hunks(old, new, number, hunks):
            type_hunk(world, buffer, block, lines)
            rest(world, buffer)
        world.closed(buffer)
        if number % 20 == 19 or number + 1 == len(typed_files):
            yield f"{number + 1} of {len(typed_files)} changes of files in {count} {what}"


def type_hunk(world: ReplayWorld, buffer: TypedBuffer, block: Block, lines: Sequence[str]) -> None:
    """Take the old lines away and type the new ones in pieces."""
    chance = world.chance
    starts = [0]
    for line in buffer.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    at, end = (min(starts[index], len(buffer.text)) for index in (block.old_start, block.old_end))
    if end > at:
        world.put(buffer, at, end, "")
    for line in lines:
        left = line + "\n"
        while left:
            piece = left[: chance.randrange(1, 40)]
            left = left[len(piece) :]
            world.wait(chance.choice((0.1, 0.3, 0.3, 0.9)))
            world.put(buffer, at, at, piece)
            at += len(piece)


def rest(world: ReplayWorld, buffer: TypedBuffer) -> None:
    """Save, and let the model answer."""
    world.wait(world.chance.choice((0.0, 1.0, 4.0)))
    world.save(buffer)
    world.wait(30)


def row(world: ReplayWorld, stability: Tally, seconds: float) -> dict[str, Any]:
    """The figures of one source."""
    counts = world.counts
    return {
        "edits": counts.edits,
        "looks": counts.looks,
        "answers": counts.answers,
        "failures": counts.failures,
        "publications": counts.publishes,
        "findings": counts.findings,
        "fixes": counts.fixes,
        "violations": len(counts.violations),
        "untouched regions": stability.untouched,
        "re-keyed": stability.rekeyed,
        "re-keyed per edit": round(stability.rekeyed / max(1, counts.edits), 4),
        "seconds": round(seconds),
    }


def write(title: str, figures: dict[str, Any], source: str, folder: Path = OUT) -> str:
    """Put the row of a `source` into the table under a `title`, and return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "places.json"
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    rows[source] = {"source": title, **figures}
    file.write_text(json.dumps(rows, indent=1), "utf-8")
    columns = list(figures)
    lines = [f"| source | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    lines += [f"| {one['source']} | {' | '.join(f'{one[name]:,}' for name in columns)} |" for one in rows.values()]
    table = "\n".join(["# Places", "", *lines, ""])
    (folder / "places.md").write_text(table, "utf-8")
    return table


def measure(name: str, seed: int, replay: Callable[[ReplayWorld], Iterator[str]]) -> int:
    """Replay one source and keep its row up to date; returns how much did not hold. `replay` yields how far it is."""
    stability, begun, table = Tally(), time.monotonic(), "there was nothing to replay"
    with world_with(seed, stability) as world:
        for reached in replay(world):
            table = write(f"{name}, {reached}", row(world, stability, time.monotonic() - begun), name)
            _say(f"{name}, {reached}: {world.counts.publishes} publications, {len(world.counts.violations)} violations")
        print(table, flush=True)
        return len(world.counts.violations)


def main() -> int:
    """Replay; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    commands = parser.add_subparsers(dest="command")
    trace = commands.add_parser("trace")
    trace.add_argument("traces", type=Path, nargs="+")
    trace.add_argument("--gaps", type=Path, help="a trace with a clock finer than a second")
    trace.add_argument("--edits", type=int, default=1_000_000)
    trace.add_argument("--language", default="rust")
    trace.add_argument("--part", type=_part, default=(1, 1), help="such as 1/2: only this part of two")
    repositories = commands.add_parser("commits")
    repositories.add_argument("repositories", type=Path, nargs="+")
    repositories.add_argument("--commits", type=int, default=200)
    repositories.add_argument("--files", type=int, default=1000, help="of each commit, drawn at random; default: all")
    repositories.add_argument("--hunks", type=int, default=8, help="of each file, drawn at random; default: 8")
    repositories.add_argument("--releases", action="store_true", help="each commit is a release")
    options = parser.parse_args()
    failed = 0
    if options.command == "trace":
        keys = gaps_of(read_trace(options.gaps)) if options.gaps else []
        for path in options.traces:
            part = options.part
            replay = partial(
                replay_windows,
                trace=read_trace(path),
                keys=keys,
                language=options.language,
                most=options.edits,
                part=part,
            )
            name = f"{path.name.partition('.')[0]} as {options.language}"
            if part[1] > 1:
                name += f", part {part[0]} of {part[1]}"
            failed += measure(name, options.seed, replay)
        return int(failed > 0)
    own = options.command is None
    commits = OWN_COMMITS if own else options.commits
    for path in [subjects.ROOT] if own else options.repositories:
        what = "releases" if not own and options.releases else "commits"
        limits = {} if own else {"files": options.files, "hunks": options.hunks}
        replay = partial(replay_commits, repository=path, commits=commits, what=what, **limits)
        failed += measure(path.name, options.seed, replay)
    return int(failed > 0)


def _part(words: str) -> tuple[int, int]:
    number, _, parts = words.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{words!r} is not of the form 1/2")
    return int(number), int(parts)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
