"""The command that reviews every file of the workspace's folders.

A file that is not open is opened for the engine alone, reviewed, and closed again: its findings are in the result and
in the cache, and show when the user opens it. Diagnostics of a file that nobody follows would soon point at the wrong
text.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types

from aiops_lsp.engine.host import DocumentClosed
from aiops_lsp.engine.uris import path_of, uri_of
from aiops_lsp.lsp import questions, reports
from aiops_lsp.lsp.progress import work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.lsp.session import Session

_MOVED_ON = "was opened or closed meanwhile"
_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)

_FILES_AT_A_TIME = 24
"""Enough that the next files are ready to be sent while as many requests as are allowed are under way."""
_READ_AT_A_TIME = 2
"""So few that the first file is on its way to a model while the others are read."""


async def review_workspace(session: Session, token: types.ProgressToken | None) -> dict[str, object]:
    """Say what it may cost, ask where that is much, review the files. Cancelling keeps what was reviewed."""
    reviewer = await session.started()
    reading = asyncio.Semaphore(_READ_AT_A_TIME)
    async with work(session, "Reviewing the workspace", token) as report:
        uris = await asyncio.to_thread(_uris, session.configuration.folders, list(session.documents))
        estimates: dict[str, tuple[int, int]] = {}
        begun = 0
        if not await reviewer.costs_nothing():
            begun = 50
            estimates, refusal = await _agreed(session, uris, reading, _Progress("estimating", uris, report, 0, begun))
            if refusal:
                session.say(types.MessageType.Warning, refusal)
                return {"refused": refusal}

        async def review(uri: str) -> tuple[dict[str, object] | None, str]:
            document, problem = await _document(session, uri, reading)
            if document is None:
                return None, problem
            try:
                with _followed(session, uri, document):
                    return reports.describe(await reviewer.review(uri, at_most=estimates.get(uri))), ""
            except DocumentClosed:
                return None, _MOVED_ON

        results = await _of_each(uris, review, _Progress("reviewing", uris, report, begun, 100))
    documents = [described for described, _ in results if described is not None]
    unreadable = [
        {"uri": uri, "reason": problem} for uri, (found, problem) in zip(uris, results, strict=True) if found is None
    ]
    return {"documents": documents, "unreadable": unreadable}


async def _agreed(
    session: Session, uris: list[str], reading: asyncio.Semaphore, progress: _Progress
) -> tuple[dict[str, tuple[int, int]], str]:
    """What each file may cost at most, in tokens and micro-dollars, and why that is too much, empty where it is not."""
    reviewer = await session.started()

    async def estimate(uri: str) -> tuple[int, int]:
        document, _ = await _document(session, uri, reading)
        if document is None:
            return 0, 0
        try:
            with _followed(session, uri, document):
                return await reviewer.estimate(uri)
        except DocumentClosed:
            return 0, 0

    estimates = await _of_each(uris, estimate, progress)
    tokens, micro_usd = sum(tokens for tokens, _ in estimates), sum(micro_usd for _, micro_usd in estimates)
    refusal = await questions.may_cost(session, f"{len(uris)} files of the workspace", tokens, micro_usd)
    return dict(zip(uris, estimates, strict=True)), refusal


async def _of_each(uris: Sequence[str], do: Callable[[str], Awaitable[_Result]], progress: _Progress) -> list[_Result]:
    """The results of `do` in the order of `uris`, several at a time. What goes wrong with one ends all."""
    slots = asyncio.Semaphore(_FILES_AT_A_TIME)

    async def one(uri: str) -> _Result:
        async with slots:
            progress.begins(uri)
            return await do(uri)

    tasks = [asyncio.create_task(one(uri)) for uri in uris]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Progress:
    """Reports each file as it is begun, from `since` per cent up to `until`."""

    def __init__(
        self, doing: str, uris: Sequence[str], report: Callable[[str, int | None], None], since: int, until: int
    ) -> None:
        self._doing = doing
        self._total = len(uris)
        self._report = report
        self._since, self._until = since, until
        self._begun = 0

    def begins(self, uri: str) -> None:
        """A file is begun."""
        percentage = self._since + (self._until - self._since) * self._begun // self._total
        self._begun += 1
        self._report(f"{self._doing} {self._begun} of {self._total}: {uri.rpartition('/')[2]}", percentage)


@contextmanager
def _followed(session: Session, uri: str, document: TextDocument) -> Iterator[None]:
    """Have the engine follow a file for a while, reviewed on command only; one that the user has open it does."""
    reviewer = session.reviewer
    if uri in session.documents or reviewer is None:
        yield
        return
    session.configuration.only_on_command(uri)
    reviewer.open(document, look=False)
    try:
        yield
    finally:
        session.configuration.forget(uri)
        # The user may have opened it meanwhile; then it is the user's document that the engine follows now.
        if uri not in session.documents:
            reviewer.close(uri)


async def _document(session: Session, uri: str, reading: asyncio.Semaphore) -> tuple[TextDocument | None, str]:
    """The open document, or the file as one; else why it cannot be read."""
    if (document := session.documents.get(uri)) is not None:
        return document, ""
    async with reading:
        return await asyncio.to_thread(_read, uri)


def _read(uri: str) -> tuple[TextDocument | None, str]:
    from aiops_lsp.engine.files import language_of_file, read_document  # noqa: PLC0415 - with the engine
    from aiops_lsp.engine.workspace import UnreadableFile  # noqa: PLC0415

    path = path_of(uri)
    language = language_of_file(path) if path is not None else None
    if path is None or language is None:
        return None, "is in no language that is known"
    try:
        return read_document(path, language), ""
    except UnreadableFile as problem:
        return None, str(problem)


def _uris(folders: tuple[Folder, ...], opened: list[str]) -> list[str]:
    """The files to review, sorted; one that is open by the client's own URI."""
    from aiops_lsp.engine.files import files_for_review  # noqa: PLC0415 - with the engine

    known: dict[Path | None, str] = {path_of(uri): uri for uri in opened}
    uris = set()
    for folder in folders:
        if folder.root is None:
            continue
        files, skipped = files_for_review(folder.root, folder.root, folder.settings.review.ignore)
        for one in skipped:
            logger.info("a file of the workspace is left out: it %s", one.reason)
        uris |= {known.get(path) or uri_of(path) for path in files}
    return sorted(uris)
