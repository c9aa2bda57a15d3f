"""Which files a review is about, and what of each."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.outcome import UnreadFile
from aiops_lsp.engine import git
from aiops_lsp.engine.files import PLAIN_TEXT, files_for_review, language_of_file, read_document
from aiops_lsp.engine.uris import uri_of
from aiops_lsp.engine.workspace import UnreadableFile, find_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.cli.project import ProjectSettings

Lines = tuple[int, int]
"""Lines `start` up to and not including `end`, from 0; equal where lines are missing."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file to review. `shown` is its path in reports, `root` its project.

    `named` says that the user named this very file, rather than a folder that holds it. `changed` are the lines to
    report on; None for all.
    """

    path: Path
    shown: str
    language: str
    root: Path
    named: bool = False
    changed: tuple[Lines, ...] | None = None

    @property
    def uri(self) -> str:
        """The document's URI."""
        return uri_of(self.path)


@dataclass(slots=True)
class Targets:
    """The files to review, sorted and each once, and what was named but cannot be."""

    files: list[Target] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)


def find_targets(paths: Sequence[str], projects: ProjectSettings) -> Targets:
    """The files that `paths` name, and those in the folders that they name; of the current folder when there are none.

    Files that are ignored are left out unless they are named. Reads from disk. Raises CouldNotRun for a path that
    does not exist.
    """
    found: dict[Path, Target] = {}
    unread: list[UnreadFile] = []
    for text in paths or ["."]:
        given = Path(os.path.abspath(text))  # noqa: PTH100 - resolve() would follow links
        if not os.path.lexists(given):
            raise CouldNotRun(f"there is no file or folder {text}")
        root = find_root(given)
        files, skipped = files_for_review(given, root, projects.of(root).review.ignore)
        unread += [UnreadFile(shown_path(one.path), one.reason) for one in skipped]
        for path in files:
            known = found.get(path)
            if known is None or path == given:
                language = language_of_file(path) or PLAIN_TEXT
                found[path] = Target(path, shown_path(path), language, root, named=path == given)
    return Targets([found[path] for path in sorted(found)], unread)


async def is_revision(text: str) -> bool:
    """Whether git knows `text` as a commit in the current folder's repository."""
    try:
        await git.resolve_revision(Path(), text)
    except git.RevisionError:
        return False
    return True


async def only_changed(targets: Targets, revision: str) -> Targets:
    """The targets that differ from a git revision, with the lines that do.

    Raises CouldNotRun where a target is in no git work tree, or its repository does not know the revision.
    """
    by_root: dict[Path, list[Target]] = {}
    for target in targets.files:
        by_root.setdefault(target.root, []).append(target)
    changed: list[Target] = []
    for root, members in by_root.items():
        try:
            commit = await git.resolve_revision(root, revision)
            differing = set(await git.changed_files(root, commit))
        except git.RevisionError as problem:
            raise CouldNotRun(str(problem)) from problem
        meant = await asyncio.to_thread(_real_among, members, differing)
        changed += [await _with_changes(target, commit) for target in meant]
    return Targets([target for target in changed if target.changed != ()], targets.unread)


def _real_among(targets: Iterable[Target], real_paths: set[Path]) -> list[Target]:
    return [target for target in targets if target.path.resolve() in real_paths]


async def _with_changes(target: Target, commit: str) -> Target:
    try:
        document = await asyncio.to_thread(read_document, target.path, target.language)
    except UnreadableFile:
        return target  # it is told when it is reviewed
    lines = document.snapshot().lines
    differing = await git.changed_lines(target.path, lines, commit)
    if differing is None or differing.all:
        return replace(target, changed=((0, len(lines)),))
    return replace(target, changed=differing.ranges)


def shown_path(path: Path) -> str:
    """A path as reports show it: relative to the current folder where it lies inside, with `/` between names."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
