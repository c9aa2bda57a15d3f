"""Windows as real processes: engines that edit documents as fast as they can, to be killed at any moment.

`python -m tests.support.engine_process` imports everything once, then forks a window for each line on its standard
input, `NUMBER SEED BASE_URL DAILY_TOKENS MONTHLY_USD`, and prints its process id. A window ends by being killed, or by
itself, in good order, on SIGTERM. All windows edit the same few functions, so that they want the same regions.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import signal
import sys

from tests.support.engine import desk, settings_for

FUNCTIONS = 12
VARIANTS = 60
CONCURRENT_REQUESTS = 2
PRICE = 1.0  # USD per million tokens, in and out


def text_of(variants: list[int]) -> str:
    return "\n\n".join(
        f"def share_{index}(amount, count):\n    return amount / count * {variant}\n"
        for index, variant in enumerate(variants)
    )


async def work(number: int, seed: int, base_url: str, daily_tokens: int, monthly_usd: float) -> None:
    """Edit until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    chance = random.Random(seed)
    names = ("small", "middle", "large")
    settings = settings_for(
        base_url,
        budget={"daily_token_budget": daily_tokens, "monthly_cost_limit": monthly_usd},
        limits={
            "reviews_per_document_per_minute": 600,
            "requests_per_minute": 6000,
            "concurrent_requests": CONCURRENT_REQUESTS,
        },
        prices={f"test:{name}": {"input": PRICE, "output": PRICE} for name in names},
    )
    while not stop.is_set():
        async with desk(settings) as at:
            document = at.open(text_of([0] * FUNCTIONS), uri=f"file:///tmp/project/window_{number}.py")
            for _ in range(chance.randint(5, 60)):
                if stop.is_set():
                    break
                index, variant = chance.randrange(FUNCTIONS), chance.randrange(VARIANTS)
                line = document.snapshot().lines[4 * index + 1].rstrip("\n")
                at.replace(
                    document,
                    f"def share_{index}(amount, count):\n{line}",
                    f"def share_{index}(amount, count):\n    return amount / count * {variant}",
                )
                await asyncio.sleep(chance.choice((0.0, 0.01, 0.1)))  # how fast a hand is, not a wait for a state
            await at.until_quiet(document)


def main() -> None:
    """Fork a window per line; windows end with us."""
    for module in ("openai", "genai_prices", "diskcache", "ast_grep_py", "aiops_lsp.rules.engine"):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    for line in sys.stdin:
        number, seed, base_url, daily_tokens, monthly_usd = line.split()
        window = os.fork()
        if window == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            asyncio.run(work(int(number), int(seed), base_url, int(daily_tokens), float(monthly_usd)))
            os._exit(0)
        print(window, flush=True)


if __name__ == "__main__":
    main()
