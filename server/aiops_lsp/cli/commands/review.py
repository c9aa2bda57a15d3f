"""`aiops-lsp review`: the same engine as in the editor, over files, once."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.allowance import Allowance
from aiops_lsp.cli.arguments import HEAD
from aiops_lsp.cli.baseline import write_baselines
from aiops_lsp.cli.console import neutral, open_console, prose
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.formats import github, sarif
from aiops_lsp.cli.formats import json as json_format
from aiops_lsp.cli.host import CommandLineHost
from aiops_lsp.cli.logs import keep_logs
from aiops_lsp.cli.preparation import Preparation
from aiops_lsp.cli.progress import progress
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.cli.reviewing import Estimate, Run
from aiops_lsp.cli.targets import find_targets, is_revision, only_changed
from aiops_lsp.engine.host import State, Urgency
from aiops_lsp.engine.review import Reviewer
from aiops_lsp.engine.tasks import TaskGroup

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from aiops_lsp.cli.outcome import Outcome
    from aiops_lsp.cli.progress import ProgressBar
    from aiops_lsp.cli.targets import Targets

UNASKED_USD = 0.50
"""What a run may cost at most without anybody having agreed to it."""

_CENTS_FROM_USD = 0.1
_OFFLINE = "--offline was given"


@dataclass(frozen=True, slots=True)
class _Finished:
    """A run's outcome, and how many of its files failed for a reason of our own."""

    outcome: Outcome
    failures: int


def run(options: argparse.Namespace) -> int:
    """Review, print, and return 1 when there are findings at or above `options.fail_on`, else 0."""
    if options.write_baseline and options.diff is not None:
        raise CouldNotRun("--write-baseline records whole files; leave --diff out")
    projects = ProjectSettings()
    keep_logs(projects.of(None))
    targets = _targets(options, projects)
    finished = asyncio.run(_review(options, projects, targets))
    outcome = finished.outcome
    projects.tell_problems()
    _print(outcome, options.format)
    if options.write_baseline:
        for path in write_baselines(targets.files, outcome):
            sys.stderr.write(f"aiops-lsp: wrote {neutral(str(path))}\n")
        return 0
    if outcome.fails(options.fail_on):
        return 1
    if finished.failures:
        raise CouldNotRun(f"{finished.failures} of {len(targets.files)} files could not be reviewed; the log says why")
    return 0


def _targets(options: argparse.Namespace, projects: ProjectSettings) -> Targets:
    paths, revision = list(options.paths), options.diff
    if revision is not None and Path(revision).exists() and not asyncio.run(is_revision(revision)):
        paths, revision = [revision, *paths], HEAD  # `--diff src`: what follows is a path
    targets = find_targets(paths, projects)
    return targets if revision is None else asyncio.run(only_changed(targets, revision))


async def _review(options: argparse.Namespace, projects: ProjectSettings, targets: Targets) -> _Finished:
    host = CommandLineHost()
    preparation = Preparation(projects, offline=options.offline, fail_on=options.fail_on)
    folders = {
        target.uri: preparation.folder(target.path, target.root, with_baseline=not options.write_baseline)
        for target in targets.files
    }
    with progress(len(targets.files)) as bar:
        work = Run(targets.files, folders, bar.advance)
        reviewer = Reviewer(host, work.folder_of)
        await reviewer.start(preparation.settings, preparation.environ)
        preparing = TaskGroup()
        try:
            if options.offline:
                work.withhold_all(_OFFLINE)
            sends = not options.offline and reviewer.status().state is not State.OFFLINE
            if sends:
                preparing.start(reviewer.prepare(), "prepare for the first request")  # while files are read
            estimate = None if sends and await reviewer.costs_nothing() else Estimate({})
            if sends and estimate is not None:
                estimate = await work.estimate(reviewer)
            allowance = Allowance(_bound(estimate, options.max_cost, work, host, bar))
            outcome = await work.review(reviewer, allowance, estimate, lambda: _notes(options, preparation, host))
        finally:
            await preparing.cancel()
            await reviewer.aclose()
    return _Finished(replace(outcome, unread=(*targets.unread, *outcome.unread)), work.failures)


def _notes(options: argparse.Namespace, preparation: Preparation, host: CommandLineHost) -> Iterable[str]:
    """What the user should know beside the findings. Offline, what is wrong with models and money does not matter."""
    return (*preparation.problems, *(() if options.offline else host.notes))


def _bound(
    estimate: Estimate | None, max_cost: float | None, work: Run, host: CommandLineHost, bar: ProgressBar
) -> int | None:
    """What the run may spend, in micro-dollars; None for what the budget allows. Asks where that is much."""
    if estimate is None:
        return None
    if estimate.usd:
        amount = f"{estimate.usd:.2f}" if estimate.usd >= _CENTS_FROM_USD else f"{estimate.usd:.4f}"
        told = f"This review costs at most {amount} USD ({estimate.tokens:,} tokens)."
        sys.stderr.write(f"{told}\n\n" if sys.stderr.isatty() else f"{told}\n")
    if max_cost is not None:
        return round(max_cost * 1_000_000)
    if estimate.usd <= UNASKED_USD:
        return None
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        host.show_message(
            Urgency.INFO,
            f"Nobody can be asked here, so this run spends at most {UNASKED_USD:.2f} USD; --max-cost allows more.",
        )
        return round(UNASKED_USD * 1_000_000)
    with bar.hidden():
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not agreed:
        work.withhold_all("you did not agree to what it may cost")
    return None


def _print(outcome: Outcome, form: str) -> None:
    if form == "text":
        from aiops_lsp.cli.formats import text  # noqa: PLC0415 - only who prints for people waits for rich to load

        text.render(outcome, open_console())
        return
    if form == "json":
        rendered = json_format.render(outcome)
    elif form == "sarif":
        rendered = sarif.render(outcome, Path.cwd())
    else:
        rendered = github.render(outcome)
    sys.stdout.write(rendered)
    if form == "json":  # the other forms carry the notes themselves
        sys.stderr.write("".join(f"aiops-lsp: {prose(note)}\n" for note in outcome.notes))
