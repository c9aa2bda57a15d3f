"""`--write-baseline`: what a run found becomes what is put up with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.engine.baseline import BaselineEntry, read_baseline, write_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiops_lsp.cli.outcome import Outcome, ReviewedFile
    from aiops_lsp.cli.targets import Target


def write_baselines(targets: Iterable[Target], outcome: Outcome) -> list[Path]:
    """Write the baseline of each project, and return the files written.

    Entries of files that were not reviewed now stay, and so do those of files that no model saw all of. Raises
    CouldNotRun where a file cannot be written.
    """
    places = {target.shown: (target.root, _relative(target)) for target in targets}
    by_root: dict[Path, list[tuple[str, ReviewedFile]]] = {}
    for file in outcome.files:
        root, relative = places[file.path]
        by_root.setdefault(root, []).append((relative, file))
    written = []
    for root, files in by_root.items():
        try:
            written.append(write_baseline(root, _entries(root, files)))
        except OSError as error:
            raise CouldNotRun(f"the baseline of {root} cannot be written: {error.strerror or error}") from error
    return written


def _entries(root: Path, files: Iterable[tuple[str, ReviewedFile]]) -> set[BaselineEntry]:
    settled = {relative for relative, file in files if not file.not_sent and not file.unsent_regions}
    entries = {entry for entry in read_baseline(root).entries if entry.path not in settled}
    for relative, file in files:
        entries |= {BaselineEntry(relative, one.id, one.code, one.title) for one in file.findings}
    return entries


def _relative(target: Target) -> str:
    real = target.path.resolve()
    return real.relative_to(target.root).as_posix() if real.is_relative_to(target.root) else target.path.name
