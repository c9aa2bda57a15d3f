"""Work-done progress: shown by the client, cancelled by the user."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiops_lsp.lsp.session import Session


class ProgressTokens:
    """Which task a token belongs to, for as long as the task works."""

    def __init__(self) -> None:
        self._tasks: dict[types.ProgressToken, asyncio.Task[object]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, token: types.ProgressToken, task: asyncio.Task[object]) -> None:
        """`task` is cancelled when the user cancels the progress of `token`."""
        self._tasks[token] = task

    def remove(self, token: types.ProgressToken) -> None:
        """The work has ended."""
        self._tasks.pop(token, None)

    def cancel(self, token: types.ProgressToken) -> None:
        """The user has had enough. A token that is not known belongs to work that has ended."""
        if (task := self._tasks.get(token)) is not None:
            task.cancel()


def did_cancel(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """`window/workDoneProgress/cancel`."""
    session.progress.cancel(params.token)


@asynccontextmanager
async def work(
    session: Session, title: str, token: types.ProgressToken | None = None
) -> AsyncIterator[Callable[[str, int | None], None]]:
    """Show what the current task does, under the client's `token` or one of our own.

    Gives a function that reports a message and, where it is known, a percentage. A client that shows no progress is
    told nothing.
    """
    task = asyncio.current_task()
    assert task is not None, "progress belongs to a task"
    token = await _created(session) if token is None else token
    if token is None:
        yield lambda _message, _percentage: None
        return

    def send(value: object) -> None:
        session.notify(types.PROGRESS, types.ProgressParams(token=token, value=value))

    def report(message: str, percentage: int | None) -> None:
        send(types.WorkDoneProgressReport(message=message, percentage=percentage, cancellable=True))

    ending = "stopped"
    session.progress.add(token, task)
    send(types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0))
    try:
        yield report
        ending = "done"
    finally:
        session.progress.remove(token)
        send(types.WorkDoneProgressEnd(message=ending))


async def _created(session: Session) -> types.ProgressToken | None:
    if not session.client.work_done_progress:
        return None
    token = f"aiops-{uuid.uuid4()}"
    created = await session.asked(
        types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(token=token)
    )
    return token if created else None
