"""Which hosts may receive source, and the one question that is asked about it.

A loopback server needs no leave. Any other host needs the user's: in the configuration (`privacy.allow_hosts`), by
`aiops-lsp allow`, or by answering the question, which is asked once per workspace and host in a session, when there is
something to send. Leave that is given elsewhere meanwhile, in another window or on the command line, counts as well.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiops_lsp.engine.host import ConsentAnswer, ConsentQuestion
from aiops_lsp.engine.tasks import TaskGroup
from aiops_lsp.store.database import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.engine.host import Folder, Host
    from aiops_lsp.engine.models import Route
    from aiops_lsp.store.decisions import Decisions
    from aiops_lsp.store.worker import StoreWorker

logger = logging.getLogger(__name__)

_WHAT = (
    "Changed functions and the signatures that they use are sent for review, with secrets replaced by placeholders. "
    "Without this the offline rules review, and nothing leaves this machine."
)


class Consents:
    """What was allowed. `is_allowed` returns at once; a question that it starts ends in `changed`."""

    def __init__(
        self, host: Host, decisions: Decisions | None, worker: StoreWorker, changed: Callable[[], None]
    ) -> None:
        self._host = host
        self._decisions = decisions
        self._worker = worker
        self._changed = changed
        self._allowed: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        self._everywhere: set[str] = set()
        self._open: set[tuple[str, str]] = set()
        self._declined: set[tuple[str, str]] = set()
        self._looking: set[tuple[str, str]] = set()
        self._closed = False
        self._tasks = TaskGroup()

    @property
    def waiting_for(self) -> str:
        """The host that the user is being asked about; empty when no question is open."""
        return min(self._open)[1] if self._open else ""

    @property
    def declined(self) -> str:
        """The host that may not be sent anything in this session; empty when none was asked for, or one is allowed."""
        if not self._declined or self._allowed or self._everywhere:
            return ""
        return min(self._declined)[1]

    def is_allowed(self, folder: Folder, route: Route) -> bool:
        """Whether source of `folder` may go to the provider now. If that is not known yet, the question is asked."""
        if self._is_known(folder, route):
            return True
        key = (str(folder.root or ""), route.host)
        if key not in self._asked and not self._closed:
            self._asked.add(key)
            self._open.add(key)
            self._tasks.start(self._ask(key, route), f"ask about {route.host}")
        return False

    def is_withheld(self, folder: Folder, route: Route) -> bool:
        """Whether leave was asked for and not given yet. Unlike `is_allowed` this asks nothing.

        It looks up whether leave was given elsewhere meanwhile; that, too, ends in `changed`.
        """
        key = (str(folder.root or ""), route.host)
        if key not in self._asked or self.is_allowed(folder, route):
            return False
        if key not in self._looking and not self._closed:
            self._looking.add(key)
            self._tasks.start(self._look_up(key), f"look up leave for {route.host}")
        return True

    async def was_given(self, folder: Folder, route: Route) -> bool:
        """Whether leave was given, as far as it was written down anywhere. Asks nobody."""
        return self._is_known(folder, route) or await self._was_allowed(str(folder.root or ""), route.host)

    async def aclose(self) -> None:
        """Drop open questions."""
        self._closed = True
        await self._tasks.cancel()

    def _is_known(self, folder: Folder, route: Route) -> bool:
        if route.loopback or route.host in folder.settings.privacy.allow_hosts:
            return True
        return (str(folder.root or ""), route.host) in self._allowed or route.host in self._everywhere

    async def _ask(self, key: tuple[str, str], route: Route) -> None:
        workspace, host = key
        try:
            if await self._was_allowed(workspace, host):
                self._allowed.add(key)
                return
            self._changed()
            answer = await self._host.ask_consent(ConsentQuestion(host, route.provider, workspace, _WHAT))
            if answer is ConsentAnswer.NOT_NOW:
                self._declined.add(key)
                return
            if answer is ConsentAnswer.EVERYWHERE:
                self._everywhere.add(host)
                await self._remember(host, None)
                return
            self._allowed.add(key)
            if workspace:  # leave for files without a folder cannot be told from leave for all: it ends with us
                await self._remember(host, workspace)
        finally:
            self._open.discard(key)
            if not self._closed:
                self._changed()

    async def _look_up(self, key: tuple[str, str]) -> None:
        workspace, host = key
        try:
            if await self._was_allowed(workspace, host):
                self._allowed.add(key)
                self._open.discard(key)
                self._changed()
        finally:
            self._looking.discard(key)

    async def _was_allowed(self, workspace: str, host: str) -> bool:
        if self._decisions is None:
            return False
        try:
            return await self._worker.run(self._decisions.is_allowed, host, workspace)
        except StoreUnavailable as problem:
            logger.warning("earlier decisions could not be read: %s", problem)
            return False

    async def _remember(self, host: str, workspace: str | None) -> None:
        if self._decisions is None:
            return
        try:
            await self._worker.run(self._decisions.allow, host, workspace)
        except StoreUnavailable as problem:
            logger.warning("the decision could not be remembered: %s", problem)
