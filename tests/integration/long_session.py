"""A session with a long file in a process of its own, so that everything is cold: prints the slowest callbacks as JSON.

Where the provider is, the environment says.

    python -m tests.integration.long_session
"""

from __future__ import annotations

import asyncio
import json

from tests.support.client import MODERN, Client, Message, at, connected
from tests.support.clock import until
from tests.support.loop_guard import Slowest, slowest_callbacks

URI = "file:///tmp/project/long.py"
FUNCTION = """\
def mean_{n}(xs, k):
    t = 0
    for x in xs:
        if x > 9:
            t += x * k
        elif x < 0:
            t -= x
    return t / len(xs)


"""
FUNCTIONS = 500


async def session() -> Slowest:
    """Open, look, type, and ask for everything, with the first request's cold SDK under way."""
    text = "".join(FUNCTION.format(n=n) for n in range(FUNCTIONS))
    async with connected(None) as client:
        with slowest_callbacks() as slowest:
            await client.initialize(MODERN)
            client.open(URI, text)
            await client.diagnostics(URI, 1)
            for number in range(30):
                change = {"range": at(10 * number + 1, 0), "text": f"    k += {number}\n"}
                client.change(URI, number + 2, change)
                await asyncio.sleep(0)
            await until(lambda: any("Divides" in one["message"] for one in _shown(client)), 60)
            for method, more in (
                ("textDocument/hover", {"position": {"line": 8, "character": 6}}),
                ("textDocument/codeAction", {"range": at(0, 0, 100, 0), "context": {"diagnostics": []}}),
                ("textDocument/inlayHint", {"range": at(0, 0, 100, 0)}),
            ):
                await client.request(method, {"textDocument": {"uri": URI}, **more})
    return slowest


def _shown(client: Client) -> list[Message]:
    published = client.published(URI)
    return list(published[-1]["diagnostics"]) if published else []


if __name__ == "__main__":
    print(json.dumps(asyncio.run(session()).found))
