"""What one run may spend, shared by the files that are reviewed at the same time."""

from __future__ import annotations

import asyncio


class Allowance:
    """A bound in micro-dollars (millionths of a US dollar); None for none beside the budget's own.

    What a file may cost at most is set aside before it is sent, and replaced by what it did cost afterwards, so the
    bound holds as long as the estimates are upper bounds.
    """

    def __init__(self, most_micro_usd: int | None) -> None:
        self._most = most_micro_usd
        self._spent = 0
        self._set_aside = 0
        self._changed = asyncio.Condition()

    async def take(self, most: int) -> bool:
        """Set `most` aside. Waits while reviews under way may still leave enough; False when nothing more fits."""
        async with self._changed:
            while self._most is not None and self._spent + self._set_aside + most > self._most:
                if not self._set_aside or self._spent + most > self._most:
                    return False
                await self._changed.wait()
            self._set_aside += most
            return True

    async def settle(self, most: int, spent: int) -> None:
        """Replace what was set aside by what was spent."""
        async with self._changed:
            self._set_aside -= most
            self._spent += spent
            self._changed.notify_all()
