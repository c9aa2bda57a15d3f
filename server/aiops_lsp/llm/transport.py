"""The HTTP client that both SDKs are given, and what it must not do with keys and code.

Certificates are always verified, against the system's store. Redirects are not followed, since they would carry code
to a host that nobody agreed to. A loopback server is reached without the proxies of the environment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiops_lsp.llm.hosts import host_of, is_loopback, official_vendor

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import httpx2

CONNECT_SECONDS = 3.0
MOST_CONNECTIONS = 100
"""Well above the concurrent requests that settings allow: waiting for a free connection would look like a timeout."""

_LOGGERS = ("openai", "anthropic", "httpx2", "httpcore2")
_BASE_URL_VARIABLES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")
_OWN_HEADERS = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "content-type",
        "content-length",
        "anthropic-version",
    }
)


def cap_loggers() -> None:
    """Keep the libraries' DEBUG and INFO logs off, which hold request bodies. Call after importing an SDK."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)


def read_certificates() -> ssl.SSLContext:
    """The system's store, by which servers are verified. Takes as long as a request, so not for the event loop."""
    import httpx2  # noqa: PLC0415 - comes with the SDKs, and is as slow to load

    return httpx2.create_ssl_context(verify=True)


def http_client(base_url: str, key: str | None, certificates: ssl.SSLContext) -> httpx2.AsyncClient:
    """A pooled client for `base_url` that sends `key` and nothing else that the environment holds."""
    import httpx2  # noqa: PLC0415 - as above

    limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=10, keepalive_expiry=60.0)
    transport = httpx2.AsyncHTTPTransport(verify=certificates, limits=limits) if is_loopback(base_url) else None
    return httpx2.AsyncClient(
        verify=certificates,
        limits=limits,
        transport=transport,
        follow_redirects=False,
        event_hooks={"request": [_guard(base_url, key)]},
    )


@asynccontextmanager
async def rehearsal(answer: str) -> AsyncGenerator[str]:
    """A server on loopback that gives `answer`, a stream of events, to one request; yields its base URL.

    HTTP libraries load parts of themselves when they first connect, so a rehearsal needs a real connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)
        body = answer.encode()
        lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def time_limits(seconds: float) -> httpx2.Timeout:
    """At most `seconds` between two pieces of an answer."""
    import httpx2  # noqa: PLC0415 - as above

    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def tells_of_the_machine(header: str) -> bool:
    """Whether the SDKs say with this header what system, Python and versions they run on. Nobody asked for that."""
    return header.lower().startswith("x-stainless-")


def _guard(base_url: str, key: str | None) -> Callable[[httpx2.Request], Awaitable[None]]:
    """Bind the key to its host: no header that the SDKs take from the environment goes to a server it is not for.

    And none that tells of the machine goes to anyone.
    """
    vendors_own = official_vendor(base_url) is not None or host_of(base_url) in {
        host_of(os.environ.get(variable, "")) for variable in _BASE_URL_VARIABLES
    }

    async def guard(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name not in _OWN_HEADERS and (tells_of_the_machine(name) or not vendors_own):
                del request.headers[name]
        request.headers.pop("authorization", None)
        if key is not None:
            request.headers["authorization"] = f"Bearer {key}"

    return guard
