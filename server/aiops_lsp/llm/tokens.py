"""How many tokens a text will be counted as, before it is sent.

Tokenizers need downloads and lag behind the models, so this is a regression on what a text is made of. Against
o200k it is within about 16 % for 95 of 100 source files. Budgets never rest on it alone: `reserve_tokens` adds a
margin, the ledger learns from what was billed, and no text has more tokens than bytes.
"""

from __future__ import annotations

import math
import re
import string
from functools import lru_cache

_LETTER_RUN = re.compile(rb"[A-Za-z]+")
_UPPER = string.ascii_uppercase.encode()
_DIGITS = string.digits.encode()
_PUNCTUATION = string.punctuation.encode()
_ASCII = bytes(range(128))
_CONTINUATION = bytes(range(0x80, 0xC0))

_PROVIDER_FACTOR = {"anthropic": 1.35}
RESERVE_MARGIN = 1.3
"""What a reservation is made for is the estimate times this."""


def most_tokens(text: str) -> int:
    """The bound that no byte-level tokenizer exceeds: the text's UTF-8 bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def estimate_tokens(text: str, model: str = "") -> int:
    """About how many tokens `text` is for `model` (`provider:model`): 0 for no text, never more than its bytes."""
    data = text.encode("utf-8", "surrogatepass")
    if not data:
        return 0
    beyond_ascii = data.translate(None, _ASCII)
    estimate = (
        0.075 * len(data)
        + 1.675 * data.count(b"\n")
        + 0.674 * len(_LETTER_RUN.findall(data))
        + 0.261 * _count(data, _PUNCTUATION)
        + 0.124 * _count(data, _UPPER)
        + 0.835 * _count(data, _DIGITS)
        + 0.149 * (len(beyond_ascii) - _count(beyond_ascii, _CONTINUATION))
        - 5
    )
    estimate *= _PROVIDER_FACTOR.get(model.partition(":")[0], 1.0)
    return min(len(data), max(1, math.ceil(estimate)))


def prompt_tokens(system: str, user: str, model: str = "") -> int:
    """The estimate for a request's two parts. That for `system`, which many requests share, is remembered."""
    return _of_system(system, model) + estimate_tokens(user, model)


def reserve_tokens(system: str, user: str, model: str = "", factor: float = 1.0) -> int:
    """What to reserve for a request: its estimate with a margin, times a learned `factor`, capped by the bytes."""
    estimate = prompt_tokens(system, user, model)
    return min(most_tokens(system + user), math.ceil(estimate * RESERVE_MARGIN * factor))


@lru_cache(maxsize=64)
def _of_system(system: str, model: str) -> int:
    return estimate_tokens(system, model)


def _count(data: bytes, kinds: bytes) -> int:
    return len(data) - len(data.translate(None, kinds))
