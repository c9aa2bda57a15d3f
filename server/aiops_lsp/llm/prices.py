"""What a call costs, in micro-dollars: the user's own table first, then the published prices.

A model without a known price is never taken for free: only a loopback server is. Published prices come with the
package `genai-prices` and are used as installed; nothing is fetched.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from aiops_lsp.llm.client import ModelName, Usage


class PriceEntry(Protocol):
    """A row of the user's table: USD per million tokens."""

    @property
    def input(self) -> float:
        """Of input."""

    @property
    def output(self) -> float:
        """Of output, hidden reasoning included."""


class NoPrice(LookupError):
    """The price of a remote model is not known, so it must not be asked. `str()` says what to do."""


class PriceTable:
    """Prices by model. `own` maps `provider:model` to the user's prices.

    The published prices are loaded by `load`, or else when one is first asked for.
    """

    def __init__(self, own: Mapping[str, PriceEntry]) -> None:
        self._own = dict(own)
        self._unpublished: set[str] = set()

    @staticmethod
    def load() -> None:
        """Load the published prices, once in a process. Takes about a third of a second: not for the event loop."""
        _published()

    def cost(self, model: ModelName, input_tokens: int, output_tokens: int, *, loopback: bool) -> int:
        """The most that so many tokens can cost, in micro-dollars, rounded up.

        No input counts as cached, and where writing to the provider's prompt cache costs extra, all of it is written.
        Raises `NoPrice`.
        """
        plain = self._price(model, input_tokens, output_tokens, 0, 0, loopback=loopback)
        written = self._price(model, input_tokens, output_tokens, 0, input_tokens, loopback=loopback)
        return max(plain, written)

    def billed(self, model: ModelName, usage: Usage, *, loopback: bool) -> int:
        """What a call did cost, in micro-dollars, rounded up. Raises `NoPrice`."""
        read = min(usage.cache_read_tokens, usage.input_tokens)
        written = min(usage.cache_write_tokens, usage.input_tokens - read)
        return self._price(model, usage.input_tokens, usage.output_tokens, read, written, loopback=loopback)

    def _price(self, model: ModelName, given: int, taken: int, read: int, written: int, *, loopback: bool) -> int:
        """`given` includes what was `read` from and `written` to the provider's cache."""
        entry = self._own.get(str(model))
        if entry is not None:
            return _whole(Decimal(str(entry.input)) * given + Decimal(str(entry.output)) * taken)
        if str(model) not in self._unpublished:
            published = _published()
            usage = published.Usage(
                input_tokens=given, output_tokens=taken, cache_read_tokens=read, cache_write_tokens=written
            )
            try:
                return _whole(
                    published.calc_price(usage, model.model, provider_id=model.provider).total_price * 1_000_000
                )
            except LookupError:
                self._unpublished.add(str(model))  # to find that out takes as long as all the rest of a reservation
        if loopback:
            return 0
        raise NoPrice(
            f"the price of {model} is not known, so nothing is sent to it; add it to the user configuration file "
            f'as [prices."{model}"] with input and output in USD per million tokens'
        )


@cache
def _published() -> ModuleType:
    import genai_prices  # noqa: PLC0415 - slow and large, and a server without a model needs no prices

    with suppress(LookupError):
        genai_prices.calc_price(genai_prices.Usage(), "")  # it reads its tables when it is first asked
    return genai_prices


def _whole(micro_dollars: Decimal) -> int:
    return int(micro_dollars.to_integral_value(rounding=ROUND_CEILING))
