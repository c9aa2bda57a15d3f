import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TemporaryFailure(Exception):
    """Another attempt may succeed."""


def with_retries(
    action: Callable[[], T],
    attempts: int = 4,
    first_delay: float = 0.5,
    longest_delay: float = 8.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call `action` until it succeeds, at most `attempts` times in all, with growing pauses between the calls.

    The last failure is raised.
    """
    delay = first_delay
    for attempt in range(1, attempts):
        try:
            return action()
        except TemporaryFailure:
            if attempt == attempts:
                raise
        sleep(random.uniform(0.5, 1.0) * delay)
        delay = min(delay * 2, longest_delay)
    raise ValueError("attempts must be at least 1")
