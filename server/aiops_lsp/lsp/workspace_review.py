"""The command that reviews every file of the workspace's folders.

A file that is not open is opened for the engine alone, reviewed, and closed again: its findings are in the result and
in the cache, and show when the user opens it. Diagnostics of a file that nobody follows would soon point at the wrong
text.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.engine.uris import path_of, uri_of
from aiops_lsp.lsp import questions, reports
from aiops_lsp.lsp.progress import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.lsp.session import Session

logger = logging.getLogger(__name__)


async def review_workspace(session: Session, token: types.ProgressToken | None) -> dict[str, object]:
    """Say what it may cost, ask where that is much, review file by file. Cancelling keeps what was reviewed."""
    reviewer = await session.started()
    async with work(session, "Reviewing the workspace", token) as report:
        uris = await asyncio.to_thread(_uris, session.configuration.folders, list(session.documents))
        tokens, micro_usd = await _estimate(session, uris, report)
        what = f"{len(uris)} files of the workspace"
        if refusal := await questions.may_cost(session, what, tokens, micro_usd):
            session.say(types.MessageType.Warning, refusal)
            return {"refused": refusal}
        documents, unreadable = [], []
        for done, uri in enumerate(uris):
            report(_progress("reviewing", done, uris), 50 + 50 * done // len(uris))
            document, problem = await _document(session, uri)
            if document is None:
                unreadable.append({"uri": uri, "reason": problem})
                continue
            with _followed(session, uri, document):
                documents.append(reports.describe(await reviewer.review(uri)))
    return {"documents": documents, "unreadable": unreadable}


async def _estimate(session: Session, uris: list[str], report: Callable[[str, int | None], None]) -> tuple[int, int]:
    reviewer = await session.started()
    tokens = micro_usd = 0
    for done, uri in enumerate(uris):
        report(_progress("estimating", done, uris), 50 * done // len(uris))
        document, _ = await _document(session, uri)
        if document is not None:
            with _followed(session, uri, document):
                more_tokens, more_micro_usd = await reviewer.estimate(uri)
            tokens, micro_usd = tokens + more_tokens, micro_usd + more_micro_usd
    return tokens, micro_usd


@contextmanager
def _followed(session: Session, uri: str, document: TextDocument) -> Iterator[None]:
    """Have the engine follow a file for a while, reviewed on command only; one that the user has open it does."""
    reviewer = session.reviewer
    if uri in session.documents or reviewer is None:
        yield
        return
    session.configuration.only_on_command(uri)
    reviewer.open(document)
    try:
        yield
    finally:
        session.configuration.forget(uri)
        # The user may have opened it meanwhile; then it is the user's document that the engine follows now.
        if uri not in session.documents:
            reviewer.close(uri)


async def _document(session: Session, uri: str) -> tuple[TextDocument | None, str]:
    """The open document, or the file as one; else why it cannot be read."""
    if (document := session.documents.get(uri)) is not None:
        return document, ""
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


def _progress(doing: str, done: int, uris: list[str]) -> str:
    return f"{doing} {done + 1} of {len(uris)}: {uris[done].rpartition('/')[2]}"
