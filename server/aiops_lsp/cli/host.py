"""The command line as the engine's host: nothing is asked, and what the engine tells is kept for the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.engine.host import ConsentAnswer, ConsentQuestion, Publication, Urgency

if TYPE_CHECKING:
    from collections.abc import Iterable


class CommandLineHost:
    """Implements `Host`. Findings are taken from the reports, so publications and states are let pass."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._refused: dict[str, None] = {}

    @property
    def notes(self) -> Iterable[str]:
        """What the user should know at the end, each once."""
        asked = [f"No code is sent to {host} before you allow it: aiops-lsp allow {host}" for host in self._refused]
        return (*self._notes, *asked)

    def publish(self, publication: Publication) -> None:
        """Let pass."""

    def status_changed(self) -> None:
        """Let pass."""

    def show_message(self, urgency: Urgency, text: str) -> None:  # noqa: ARG002 - all of it is told alike
        """Keep it."""
        self._notes[text] = None

    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        """Nobody is asked here: a script must not be talked into it. The summary names the command that allows."""
        self._refused[question.host] = None
        return ConsentAnswer.NOT_NOW
