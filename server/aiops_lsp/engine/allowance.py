"""What one command may cost: said before, agreed to, and then kept to request by request.

The bound holds in the same way as a limit of the ledger (see store/budget.py): a request passes only if what was
billed, what those under way may be billed at most and what it may be billed at most are within it together.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiops_lsp.store.budget import Fit, fit


@dataclass(slots=True)
class Allowance:
    """At most so many tokens and micro-dollars (millionths of a US dollar)."""

    most_tokens: int
    most_micro_usd: int
    _billed: tuple[int, int] = (0, 0)
    _under_way: tuple[int, int] = (0, 0)

    def take(self, tokens: int, micro_usd: int) -> Fit:
        """Set aside what a request may be billed at most. Nothing is set aside unless it fits."""
        of_tokens = fit(self.most_tokens, self._billed[0], self._under_way[0], tokens)
        of_money = fit(self.most_micro_usd, self._billed[1], self._under_way[1], micro_usd)
        for verdict in (Fit.NO, Fit.AFTER_IN_FLIGHT):
            if verdict in (of_tokens, of_money):
                return verdict
        self._under_way = (self._under_way[0] + tokens, self._under_way[1] + micro_usd)
        return Fit.FITS

    def settle(self, taken: tuple[int, int], billed: tuple[int, int]) -> None:
        """Put what was billed in the place of what `take` set aside."""
        self._under_way = (self._under_way[0] - taken[0], self._under_way[1] - taken[1])
        self._billed = (self._billed[0] + billed[0], self._billed[1] + billed[1])
