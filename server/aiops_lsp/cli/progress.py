"""The progress bar: on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import open_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID


class ProgressBar:
    """How many files are done. Without a terminal it does nothing."""

    def __init__(self, progress: Progress | None, task: TaskID | None) -> None:
        self._progress = progress
        self._task = task

    def advance(self) -> None:
        """One more file is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the bar off the screen meanwhile, for a question."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def progress(total: int) -> Iterator[ProgressBar]:
    """A bar for `total` files, taken away at the end."""
    if not sys.stderr.isatty() or total == 0:
        yield ProgressBar(None, None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - terminals only

    columns = (TextColumn("Reviewing"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    with Progress(*columns, console=open_console(sys.stderr), transient=True) as shown:
        yield ProgressBar(shown, shown.add_task("", total=total))
