"""Which models can be asked: the settings' tiers, the keys that were found for them, and one client per provider."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.routing import Tier
from aiops_lsp.llm.client import ModelName
from aiops_lsp.llm.hosts import base_url_of, host_of, insecure_reason, is_loopback
from aiops_lsp.llm.keys import find_key
from aiops_lsp.llm.providers import open_client
from aiops_lsp.observability.logs import PROCESS_KEYS
from aiops_lsp.settings import VENDOR_VARIABLES, Provider, effective_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lsp.llm.client import ModelClient
    from aiops_lsp.settings import Models, Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """How one provider is reached. `problem` says in words why it cannot be; `warning` is about its key."""

    provider: str
    base_url: str | None
    host: str
    loopback: bool
    key: str | None
    key_source: str
    problem: str = ""
    warning: str = ""

    def __repr__(self) -> str:
        return f"Route({self.provider!r}, host={self.host!r}, key={'found' if self.key else 'none'})"


class ModelPool:
    """The providers that the settings name, looked up once, and their clients, opened on first use.

    `routes` has one entry per provider that a tier names. Build it with `ModelPool.find`, which reads keys and so
    must not run on the event loop.
    """

    def __init__(self, models: Models, routes: Mapping[str, Route]) -> None:
        self.models = models
        self.routes = routes
        self._clients: dict[str, ModelClient] = {}
        self._opening = asyncio.Lock()
        self._highest = {model: tier for tier in Tier for model in self.chain(tier)}

    @classmethod
    def find(cls, settings: Settings, environ: Mapping[str, str]) -> ModelPool:
        """Look up the keys. Blocks: files and keyrings are read."""
        vendors = {name: _route(name, settings, environ) for name in VENDOR_VARIABLES}
        usable = {name for name, route in vendors.items() if route.key}
        models = effective_models(settings, usable)
        named = {ModelName.parse(model).provider for tier in Tier for model in models.chain(tier.value)}
        routes = {name: vendors.get(name) or _route(name, settings, environ) for name in sorted(named)}
        return cls(models, routes)

    @property
    def usable(self) -> bool:
        """Whether any model can be asked at all."""
        return any(not route.problem for route in self.routes.values())

    @property
    def free(self) -> bool:
        """Whether one of the providers is a server on this machine, which may cost nothing."""
        return any(route.loopback for route in self.routes.values())

    @property
    def problem(self) -> str:
        """Why none can be asked, in words; empty when one can."""
        if self.usable:
            return ""
        problems = [route.problem for route in self.routes.values() if route.problem]
        return problems[0] if problems else "no API key was found and no local model is set up"

    def chain(self, tier: Tier) -> tuple[str, ...]:
        """The models of `tier`, the preferred one first."""
        return self.models.chain(tier.value)

    def tier_of(self, model: str) -> Tier | None:
        """The highest tier whose models include `model`; None when today's settings do not name it."""
        return self._highest.get(model)

    async def client(self, route: Route) -> ModelClient:
        """The one client of a provider, made when it is asked for first; its module is loaded off the loop."""
        async with self._opening:
            if route.provider not in self._clients:
                client = await asyncio.to_thread(open_client, route.provider, route.base_url, route.key)
                self._clients[route.provider] = client
        return self._clients[route.provider]

    async def prepare(self) -> None:
        """Load what the first request to each provider would have to wait for. Sends nothing."""
        for route in self.routes.values():
            if not route.problem:
                await (await self.client(route)).prepare()

    async def aclose(self) -> None:
        """Close all connections."""
        clients = list(self._clients.values())
        self._clients.clear()
        for result in await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True):
            if isinstance(result, BaseException):
                logger.warning("closing a connection failed: %s", type(result).__name__)


def _route(name: str, settings: Settings, environ: Mapping[str, str]) -> Route:
    provider = settings.providers.get(name) or Provider()
    base_url = base_url_of(name, provider.base_url)
    if base_url is None:
        words = f'provider "{name}" has no base_url; set it under [providers.{name}] in the user configuration file'
        return Route(name, None, "", loopback=False, key=None, key_source="", problem=words)
    loopback = is_loopback(base_url)
    found = find_key(name, provider, environ)
    if found.key is not None:
        PROCESS_KEYS.add(found.key)
    problem = insecure_reason(base_url) or ("" if found.key or loopback else found.problem)
    return Route(name, base_url, host_of(base_url), loopback, found.key, found.source, problem, found.warning)
