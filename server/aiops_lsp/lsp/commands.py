"""`workspace/executeCommand`. Results are JSON; whatever cannot be done is answered in words."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.engine.host import DocumentClosed
from aiops_lsp.lsp import questions, reports
from aiops_lsp.lsp.actions import current_edit
from aiops_lsp.lsp.ignoring import ignoring_edit
from aiops_lsp.lsp.progress import work
from aiops_lsp.lsp.protocol import RequestRefused, invalid_params
from aiops_lsp.lsp.workspace_review import review_workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aiops_lsp.core.text import TextDocument
    from aiops_lsp.lsp.session import Session

    Arguments = Sequence[object]
    Command = Callable[[Session, Arguments, types.ProgressToken | None], Awaitable[object]]

_DEFAULT_DAYS, _MOST_DAYS = 30, 3660


def execute_command(session: Session, params: types.ExecuteCommandParams) -> Awaitable[object]:
    """Carry out a command. The request's own task does the work, so cancelling either request or progress ends it."""
    command = _COMMANDS.get(params.command)
    if command is None:
        raise invalid_params(f"there is no command {params.command!r}")
    return _in_words(command(session, params.arguments or (), params.work_done_token))


def usage(session: Session, params: object) -> Awaitable[object]:
    """The request `aiops/usage`: `{"days": 30}`, or nothing."""
    return _in_words(_usage(session, _days(params)))


async def _in_words(work: Awaitable[object]) -> object:
    """What cannot be done for lack of a store is the user's to know, and no fault of the server."""
    from aiops_lsp.store.database import StoreUnavailable  # noqa: PLC0415 - with the stores, after the start

    try:
        return await work
    except StoreUnavailable as problem:
        raise RequestRefused(types.LSPErrorCodes.RequestFailed, str(problem)) from problem


async def _usage(session: Session, days: int) -> dict[str, object]:
    return await (await session.started()).usage(days)


async def _review_document(session: Session, arguments: Arguments, token: types.ProgressToken | None) -> object:
    document = _document(session, arguments)
    async with work(session, f"Reviewing {_name(document.uri)}", token):
        return await _review(session, document, deep=False, lines=None)


async def _review_changes(session: Session, arguments: Arguments, token: types.ProgressToken | None) -> object:
    documents = [_document(session, arguments)] if arguments else list(session.documents.values())
    reviewer = await session.started()
    told = []
    async with work(session, "Reviewing what has changed", token) as report:
        for done, document in enumerate(documents):
            report(_name(document.uri), 100 * done // len(documents))
            with suppress(DocumentClosed):
                if document.uri in session.documents:
                    told.append(reports.describe(await reviewer.review(document.uri, changes_only=True)))
    return told


async def _review_deeper(session: Session, arguments: Arguments, token: types.ProgressToken | None) -> object:
    document, lines = _document(session, arguments), _lines(arguments)
    async with work(session, f"Reviewing {_name(document.uri)} in depth", token):
        return await _review(session, document, deep=True, lines=lines)


async def _review(
    session: Session, document: TextDocument, *, deep: bool, lines: tuple[int, int] | None
) -> dict[str, object]:
    """Review a document, or some lines of it. For the whole document the user is told first what it may cost."""
    reviewer = await session.started()
    try:
        at_most = None
        if lines is None:
            _check_open(session, document)
            at_most = tokens, micro_usd = await reviewer.estimate(document.uri, deep=deep)
            if refusal := await questions.may_cost(session, _name(document.uri), tokens, micro_usd):
                session.say(types.MessageType.Warning, refusal)
                return {"uri": document.uri, "refused": refusal}
        _check_open(session, document)
        return reports.describe(await reviewer.review(document.uri, deep=deep, lines=lines, at_most=at_most))
    except DocumentClosed:
        raise _closed(document) from None


def _check_open(session: Session, document: TextDocument) -> None:
    if document.uri not in session.documents:
        raise _closed(document)


def _closed(document: TextDocument) -> RequestRefused:
    return RequestRefused(types.LSPErrorCodes.ContentModified, f"{_name(document.uri)} was closed meanwhile")


async def _review_workspace(session: Session, _arguments: Arguments, token: types.ProgressToken | None) -> object:
    await session.started()
    return await review_workspace(session, token)


async def _clear_cache(session: Session, _arguments: Arguments, _token: types.ProgressToken | None) -> object:
    dropped = await (await session.started()).clear_cache()
    session.say(types.MessageType.Info, f"aiops forgot {dropped:,} cached results.")
    return {"dropped": dropped}


async def _show_usage(session: Session, arguments: Arguments, _token: types.ProgressToken | None) -> object:
    report = await _usage(session, _days(arguments[0] if arguments else None))
    if (status := session.status()) is not None:
        spend = status.spend
        session.say(
            types.MessageType.Info,
            f"aiops today: {spend.today_tokens:,} of {spend.daily_token_budget:,} tokens, {spend.today_usd:.2f} USD. "
            f"This month: {spend.month_usd:.2f} of {spend.monthly_cost_limit:.2f} USD. "
            f"Saved by the cache today: {spend.saved_tokens:,} tokens, {spend.saved_usd:.2f} USD.",
        )
    return report


async def _dismiss(session: Session, arguments: Arguments, _token: types.ProgressToken | None) -> object:
    document, finding_id = _document(session, arguments), _text(arguments, "id")
    reviewer = await session.started()
    _check_open(session, document)
    await reviewer.dismiss(document.uri, finding_id)
    return {"dismissed": finding_id}


async def _apply_fix(session: Session, arguments: Arguments, _token: types.ProgressToken | None) -> object:
    if not arguments or not isinstance(arguments[0], dict):
        raise invalid_params("aiops.applyFix is carried out through the action that offers it")
    return await _apply(session, "Fix", current_edit(session, arguments[0]))


async def _ignore(session: Session, arguments: Arguments, _token: types.ProgressToken | None) -> object:
    document = _document(session, arguments)
    finding = session.finding(document.uri, _text(arguments, "id"))
    if finding is None:
        raise RequestRefused(types.LSPErrorCodes.ContentModified, "the finding is not there any more")
    return await _apply(session, "Ignore with a comment", await ignoring_edit(session, document, finding))


async def _apply(session: Session, label: str, edit: types.WorkspaceEdit) -> object:
    answer = await session.ask(types.WORKSPACE_APPLY_EDIT, types.ApplyWorkspaceEditParams(edit=edit, label=label))
    return {"applied": bool(getattr(answer, "applied", False))}


_COMMANDS: Mapping[str, Command] = {
    "aiops.reviewDocument": _review_document,
    "aiops.reviewChanges": _review_changes,
    "aiops.reviewWorkspace": _review_workspace,
    "aiops.reviewDeeper": _review_deeper,
    "aiops.clearCache": _clear_cache,
    "aiops.showUsage": _show_usage,
    "aiops.dismiss": _dismiss,
    "aiops.applyFix": _apply_fix,
    "aiops.ignore": _ignore,
}


def _document(session: Session, arguments: Arguments) -> TextDocument:
    """The open document that the first argument names: its URI, or an object with `uri`."""
    first = arguments[0] if arguments else None
    uri = first.get("uri") if isinstance(first, dict) else first
    if not isinstance(uri, str):
        raise invalid_params("the first argument must be the URI of a document, or an object with one as uri")
    document = session.documents.get(uri)
    if document is None:
        raise invalid_params(f"{uri} is not open")
    return document


def _lines(arguments: Arguments) -> tuple[int, int] | None:
    """First and last line, from 0, as `startLine` and `endLine`; None for the whole document."""
    first = arguments[0] if arguments else None
    if not isinstance(first, dict) or first.get("startLine") is None:
        return None
    start = first["startLine"]
    end = first.get("endLine", start)
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end:
        raise invalid_params("startLine and endLine must be line numbers from 0, in order")
    return start, end


def _text(arguments: Arguments, name: str) -> str:
    first = arguments[0] if arguments else None
    value = first.get(name) if isinstance(first, dict) else None
    if not isinstance(value, str):
        raise invalid_params(f"the first argument must have a string as {name}")
    return value


def _days(params: object) -> int:
    days = params.get("days", _DEFAULT_DAYS) if isinstance(params, dict) else _DEFAULT_DAYS
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _MOST_DAYS:
        raise invalid_params(f"days must be a number from 1 to {_MOST_DAYS}")
    return days


def _name(uri: str) -> str:
    return uri.rpartition("/")[2] or uri
