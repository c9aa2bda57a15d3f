"""The texts that servers are measured on.

The standard library's datetime module in Python is a real file of about 2,600 lines that is small enough to be put to
a model. The report names its digest, since it differs between versions of Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path


def long_file() -> str:
    """About 2,600 lines of real Python, under 100,000 characters."""
    for name in ("_pydatetime", "datetime"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            return Path(spec.origin).read_text("utf-8")
    raise RuntimeError("this Python has no datetime module in Python")


def of_lines(count: int) -> str:
    """Real Python, cut and repeated to `count` lines."""
    lines = long_file().splitlines(keepends=True)
    repeated = lines * (count // len(lines) + 1)
    return "".join(repeated[:count])


def digest(text: str) -> str:
    """The first characters of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def small_module(number: int, functions: int = 1) -> str:
    """A module of a few functions that differs from every other one."""
    return "\n\n".join(_FUNCTION.format(n=f"{number}_{index}") for index in range(functions))


def of_300_lines(number: int) -> str:
    """A module of 300 lines that differs from every other one."""
    text = small_module(number, 28)
    return text + "\n" * (300 - text.count("\n"))


_FUNCTION = """\
def total_{n}(orders, rate):
    amount = 0
    for order in orders:
        if order.paid:
            amount += order.price * rate
        elif order.refunded:
            amount -= order.price
    return amount
"""
