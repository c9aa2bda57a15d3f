"""What only the user can decide: whether source may leave the machine, and whether a costly review is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aiops_lsp.engine.host import ConsentAnswer

if TYPE_CHECKING:
    from aiops_lsp.engine.host import ConsentQuestion
    from aiops_lsp.lsp.session import Session

ASK_ABOVE_USD = 0.50
"""A review that may cost more than this is not started unasked."""

_ANSWERS = {
    "This workspace": ConsentAnswer.WORKSPACE,
    "Everywhere": ConsentAnswer.EVERYWHERE,
    "Not now": ConsentAnswer.NOT_NOW,
}

_REVIEW, _CANCEL = "Review", "Cancel"


async def consent(session: Session, question: ConsentQuestion) -> ConsentAnswer:
    """Ask whether source may go to a host. Closing the message, or a client that cannot ask, means not now."""
    where = f" of {question.workspace}" if question.workspace else ""
    text = (
        f"May aiops send code{where} to {question.host} ({question.provider}) for review? {question.what} "
        'To stay offline for good, set "review.enabled" to false.'
    )
    offered = {
        title: answer
        for title, answer in _ANSWERS.items()
        if question.workspace or answer is not ConsentAnswer.WORKSPACE
    }
    return offered.get(await _choose(session, text, list(offered)) or "", ConsentAnswer.NOT_NOW)


async def may_cost(session: Session, what: str, tokens: int, micro_usd: int) -> str:
    """Say what a review may cost at most, and ask where that is much. Returns why not, empty where it may go on."""
    usd = micro_usd / 1_000_000
    cost = f"Reviewing {what} may cost up to {usd:.2f} USD ({tokens:,} tokens)"
    if usd <= ASK_ABOVE_USD:
        if micro_usd:
            session.say(types.MessageType.Info, f"{cost}.")
        return ""
    chosen = await _choose(session, f"{cost}. Review it?", [_REVIEW, _CANCEL])
    if chosen == _REVIEW:
        return ""
    if chosen is None:
        return f"{cost}, and nobody agreed to that. Review parts of it, or a smaller file, instead."
    return f"{cost}; it was not wanted."


async def _choose(session: Session, text: str, titles: list[str]) -> str | None:
    """The title that the user chose; None when the message was closed or the client cannot show it."""
    params = types.ShowMessageRequestParams(
        type=types.MessageType.Info, message=text, actions=[types.MessageActionItem(title) for title in titles]
    )
    answer = await session.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    return answer.title if isinstance(answer, types.MessageActionItem) else None
