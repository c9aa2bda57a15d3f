"""Puts the parts of a started engine together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.engine.consent import Consents
from aiops_lsp.engine.dispatch import Dispatcher
from aiops_lsp.engine.governor import Governor
from aiops_lsp.engine.overview import Overview
from aiops_lsp.engine.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.host import Host
    from aiops_lsp.engine.packing import Job
    from aiops_lsp.engine.results import Sink
    from aiops_lsp.engine.services import Services
    from aiops_lsp.settings import Settings


@dataclass(frozen=True, slots=True)
class Assembly:
    """A started engine."""

    services: Services
    consents: Consents
    overview: Overview
    sending: Sending
    governor: Governor
    dispatcher: Dispatcher

    async def aclose(self) -> None:
        """End requests, settle what they reserved, close stores and connections."""
        await self.sending.aclose()
        await self.dispatcher.aclose()
        await self.consents.aclose()
        await self.services.aclose()


def assemble(
    services: Services,
    settings: Settings,
    host: Host,
    clock: Clock,
    sink: Sink,
    *,
    wanted: Callable[[Job], bool],
    look_again: Callable[[str, float], None],
    consent_changed: Callable[[], None],
) -> Assembly:
    """Build the parts upon open services."""
    consents = Consents(host, services.decisions, services.worker, consent_changed)
    governor = Governor(
        clock=clock,
        ledger=services.ledger,
        worker=services.worker,
        prices=services.prices,
        consent=consents.is_allowed,
    )
    dispatcher = Dispatcher(
        clock=clock,
        governor=governor,
        cache=services.cache,
        ledger=services.ledger,
        worker=services.worker,
        texts=services.texts,
        sink=sink,
    )
    overview = Overview(services, settings, host, clock, governor)
    sending = Sending(
        clock=clock,
        services=services,
        overview=overview,
        consents=consents,
        dispatcher=dispatcher,
        wanted=wanted,
        look_again=look_again,
    )
    return Assembly(services, consents, overview, sending, governor, dispatcher)
