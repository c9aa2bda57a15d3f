"""Measures how good reviews are: the real engine over code that is wrong, and over its twin that is right.

    python -m tests.benchmarks.quality requests FOLDER    write all requests as files, send nothing
    python -m tests.benchmarks.quality run --file FOLDER  score the answers in FOLDER; --wait for those missing
    python -m tests.benchmarks.quality run                ask the models of your configuration, for money
    python -m tests.benchmarks.quality replay FOLDER      score a run that was recorded, or answered by files, again

Without --data the project's own cases are reviewed. Whoever answers by files reads FOLDER/requests/NAME.txt, which is
all that a model is sent, and writes the answer, one JSON object, to FOLDER/answers/NAME.txt. With --batches, requests
are in folders of which none holds both twins of a case: give each to somebody who sees no other. With a second
opinion, findings raise new requests: after answering, run `requests` again until it says that none is missing.

All commands on one FOLDER take the same --data, --tasks, --seed and --second-opinion.

Results go to quality.json and quality.md. Fixes are code that a model wrote, and are run: see --no-tests.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.allowance import Allowance
from aiops_lsp.llm.client import ModelName
from aiops_lsp.llm.hosts import base_url_of, is_loopback
from aiops_lsp.llm.prices import PriceTable
from aiops_lsp.llm.prompt_texts import load_prompt_texts
from aiops_lsp.llm.providers import open_client
from aiops_lsp.settings import read_user_file, resolve
from tests.benchmarks.quality import tables, trials
from tests.benchmarks.quality.cases import UnusableData, read_tasks, select, twins
from tests.benchmarks.quality.clients import FileClient, Journal, RecordingClient
from tests.benchmarks.quality.scoring import score
from tests.benchmarks.quality.transcripts import Transcripts
from tests.benchmarks.quality.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiops_lsp.llm.client import ModelClient, Usage
    from aiops_lsp.settings import Settings
    from tests.benchmarks.quality.cases import Case, Task
    from tests.benchmarks.quality.worlds import Reviewed

ROOT = Path(__file__).parents[3]
OWN_CASES = ROOT / "tests" / "data" / "quality" / "cases"

_ANYONE = "file:answerer"
_POLL_SECONDS = 1.0


class CouldNotMeasure(Exception):
    """`str()` says why, in words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: settings, cases, and how many pairs were left out because their labels are wrong."""

    settings: Settings
    environ: Mapping[str, str]
    cases: Sequence[Case]
    wrong_labels: int


def main(arguments: Sequence[str]) -> int:
    """Return 0; 1 when there are requests that nobody has answered, 2 when nothing could be measured."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "requests":
            return asyncio.run(_requests(options))
        if options.command == "replay":
            options.file, options.wait = options.folder, 0.0
        return asyncio.run(_run(options))
    except (CouldNotMeasure, UnusableData, trials.NoInterpreter) as problem:
        print(f"quality: {problem}", file=sys.stderr)
        return 2


async def _requests(options: argparse.Namespace) -> int:
    subject = _subject(options, by_file=True)
    transcripts = Transcripts(options.folder)
    _, journal = await _by_file(subject, transcripts, asking=True)
    _tell_outdated(transcripts, allowed=False)
    where, missing = options.folder / "requests", len(journal.unanswered)
    print(f"{len(subject.cases)} twins, {len(journal.calls)} requests in {where}; {missing} without an answer")
    return 0


async def _run(options: argparse.Namespace) -> int:
    subject = _subject(options, by_file=options.file is not None)
    if options.file is None:
        reviewed, journal = await _by_provider(subject, options.record, options.max_cost)
        prompts = load_prompt_texts().version
    else:
        reviewed, journal, prompts = await _answered(subject, options)
    settings = subject.settings
    models = dict.fromkeys(call.model for call in journal.calls) or ("none",)
    about = {
        "answered by": " and ".join(models),
        "prompts": prompts,
        "second opinion": settings.review.second_opinion,
        "confidence from": str(settings.review.min_confidence),
        "pairs": str(len(subject.cases) // 2),
    }
    scored = [score(one, settings.review.min_confidence, tests=options.tests) for one in reviewed]
    result = tables.Result(about, scored, journal.calls, subject.wrong_labels)
    tables.write(result, options.out)
    print(result.as_markdown())
    return _told(journal, options.out)


def _told(journal: Journal, out: Path) -> int:
    print(f"written to {out}", file=sys.stderr)
    if not journal.unanswered:
        return 0
    names = sorted(journal.unanswered)
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    print(f"quality: {len(names)} requests have no answer: {shown}", file=sys.stderr)
    return 1


async def _answered(subject: Subject, options: argparse.Namespace) -> tuple[list[Reviewed], Journal, str]:
    """Review with the answers in the folder, after waiting for those that are missing. Says to which prompts they are.

    The wait is between two reviews rather than in one: the engine gives no answer so much time.
    """
    transcripts = Transcripts(options.file)
    until = time.monotonic() + options.wait
    while options.wait:
        _, journal = await _by_file(subject, transcripts, asking=True)
        missing = journal.unanswered
        while missing and time.monotonic() < until:
            print(f"waiting for {len(missing)} answers", file=sys.stderr)
            await asyncio.sleep(_POLL_SECONDS)
            missing = {name for name in missing if transcripts.answer(name) is None}
        if not journal.unanswered or missing:
            break
    reviewed, journal = await _by_file(subject, transcripts, asking=False)
    _tell_outdated(transcripts, allowed=getattr(options, "other_prompts", False))
    version = load_prompt_texts().version
    return reviewed, journal, f"others than {version}" if transcripts.outdated else version


def _tell_outdated(transcripts: Transcripts, *, allowed: bool) -> None:
    """Answers to other instructions say nothing about those of today."""
    if transcripts.outdated:
        words = f"{len(transcripts.outdated)} requests in {transcripts.folder} were written with other instructions"
        if not allowed:
            raise CouldNotMeasure(f"{words}; use a new folder")
        print(f"quality: {words}", file=sys.stderr)


async def _by_file(subject: Subject, transcripts: Transcripts, *, asking: bool) -> tuple[list[Reviewed], Journal]:
    journal = Journal()
    client = FileClient(transcripts, journal, asking=asking)
    worlds = Worlds(subject.settings, lambda *_: client, subject.environ, Allowance(None))
    return await worlds.review(subject.cases), journal


async def _by_provider(subject: Subject, record: Path | None, max_cost: float) -> tuple[list[Reviewed], Journal]:
    journal, prices = Journal(), PriceTable(subject.settings.prices)
    transcripts = Transcripts(record) if record else None

    def price(model: str, usage: Usage) -> int:
        name = ModelName.parse(model)
        own = subject.settings.providers.get(name.provider)
        address = base_url_of(name.provider, own.base_url if own else None)
        return prices.billed(name, usage, loopback=address is not None and is_loopback(address))

    def recording(provider: str, base_url: str | None, key: str | None) -> ModelClient:
        return RecordingClient(open_client(provider, base_url, key), provider, transcripts, journal, price)

    worlds = Worlds(subject.settings, recording, subject.environ, Allowance(round(max_cost * 1_000_000)))
    done = 0

    def advanced() -> None:
        nonlocal done
        done += 1
        print(f"\r{done} of {len(subject.cases)} twins", end="", file=sys.stderr, flush=True)

    reviewed = await worlds.review(subject.cases, advanced)
    print(file=sys.stderr)
    if transcripts:
        _tell_outdated(transcripts, allowed=False)
    return reviewed, journal


def _subject(options: argparse.Namespace, *, by_file: bool) -> Subject:
    tasks = select(read_tasks(options.data), options.tasks, options.seed)
    told_apart = [task for task in tasks if not options.tests or _tells_apart(task)]
    environ = {} if by_file else dict(os.environ)
    return Subject(
        settings=_settings(options, environ, by_file=by_file),
        environ=environ,
        cases=twins(told_apart, options.batches, options.seed),
        wrong_labels=len(tasks) - len(told_apart),
    )


def _tells_apart(task: Task) -> bool:
    """Whether the test fails for the buggy twin only."""
    return trials.passes(task.language, task.correct, task.test) and not trials.passes(
        task.language, task.buggy, task.test
    )


def _settings(options: argparse.Namespace, environ: Mapping[str, str], *, by_file: bool) -> Settings:
    """The user's settings, or those for answers by file, as `aiops-lsp review` uses them: all regions, on demand."""
    values: Mapping[str, object] | None
    if by_file:
        values = {
            "providers": {"file": {"base_url": "http://127.0.0.1:9/v1"}},  # nobody is asked there
            "models": dict.fromkeys(("simple", "medium", "complex"), _ANYONE),
        }
        problems = []
    else:
        file = read_user_file(options.config)
        values, problems = file.values, list(file.problems)
    settings, more = resolve(values, environ, None, None)
    if problems := [*problems, *more]:
        raise CouldNotMeasure("; ".join(str(problem) for problem in problems))
    changes = {"trigger": "manual", "scope": "file", "language": "English"}
    if by_file or options.second_opinion:
        changes["second_opinion"] = options.second_opinion or "off"
    review = settings.review.model_copy(update=changes)
    return settings.model_copy(update={"review": review})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data", type=Path, default=OWN_CASES, help="folder of *.jsonl in HumanEvalPack's format; default: own cases"
    )
    common.add_argument("--tasks", type=int, default=0, metavar="N", help="tasks of each language; default: all")
    common.add_argument("--seed", type=int, default=1, help="draws the tasks and deals them to batches; default: 1")
    common.add_argument("--batches", type=int, default=2, metavar="N", help="folders of requests; default: 2")
    common.add_argument(
        "--second-opinion",
        choices=("off", "high", "all"),
        help="findings put to it; default: off for files, else as configured",
    )
    common.add_argument(
        "--no-tests", dest="tests", action="store_false", help="run neither cases nor fixes, only parse them"
    )
    scoring = argparse.ArgumentParser(add_help=False)
    scoring.add_argument("--out", type=Path, default=ROOT / "build" / "quality", help="folder for the results")

    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    requests = commands.add_parser("requests", parents=[common], help="write all requests as files, send nothing")
    requests.add_argument("folder", type=Path, metavar="FOLDER")
    run = commands.add_parser("run", parents=[common, scoring], help="review and score")
    answerer = run.add_mutually_exclusive_group()
    answerer.add_argument("--file", type=Path, metavar="FOLDER", help="answers are files in this folder")
    answerer.add_argument("--record", type=Path, metavar="FOLDER", help="keep what is sent and answered there")
    run.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for missing files")
    run.add_argument("--config", type=Path, metavar="FILE", help="whose models are asked; default: your own")
    run.add_argument("--max-cost", type=float, default=1.0, metavar="USD", help="most that may be spent; default: 1")
    replay = commands.add_parser("replay", parents=[common, scoring], help="score what was recorded or answered again")
    replay.add_argument("folder", type=Path, metavar="FOLDER")
    replay.add_argument(
        "--other-prompts", action="store_true", help="accept answers that were given to other instructions"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
