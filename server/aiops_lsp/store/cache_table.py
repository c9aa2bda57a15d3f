"""diskcache's table as the result cache uses it: strings only, and many rows at a time.

On reading, diskcache unpickles whatever a row asks it to: its `Disk` is replaced by one that knows strings in the row
itself and nothing else, neither pickles nor files.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import diskcache

from aiops_lsp.store.database import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnsafeRow(Exception):
    """A row that we did not write."""


class TextDisk(diskcache.Disk):  # type: ignore[misc] # diskcache has no types
    """Strings in their rows, and nothing else: no pickle is loaded, no file read or removed for a row's sake."""

    def store(self, value: object, read: bool, key: object = diskcache.UNKNOWN) -> tuple[int, int, None, str]:
        if read or not isinstance(value, str):
            raise TypeError(f"the result cache keeps strings, not {type(value).__name__}")
        size, mode, _filename, stored = super().store(value, read, key=key)
        return size, mode, None, stored

    def get(self, key: Any, raw: Any) -> Any:  # noqa: ARG002 - a key that claims to be a pickle is taken as it is
        return key

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> str:
        if mode != diskcache.core.MODE_RAW or filename is not None or read or not isinstance(value, str):
            raise UnsafeRow
        return value

    def remove(self, file_path: str) -> None:
        """Nothing: a row of ours has no file, and one that names a file is not to be trusted with removing it."""


class CacheTable(diskcache.Cache):  # type: ignore[misc] # diskcache has no types
    """The cache's table, read and marked as used many rows at a time: row by row a file's results take 20 ms."""

    def rows(self, keys: Iterable[str]) -> dict[str, str | None]:
        """The values of those of `keys` that there is a row for; None for one that we did not write.

        Takes no lock that a writer would wait for, and waits for no writer.
        """
        found: dict[str, str | None] = {}
        for some, marks in chunks(keys):
            for key, mode, filename, value in self._sql(
                f"SELECT key, mode, filename, value FROM Cache WHERE raw = 1 AND key IN ({marks})",  # noqa: S608 - marks only
                some,
            ):
                try:
                    found[key] = self.disk.fetch(mode, filename, value, False)
                except UnsafeRow:
                    found[key] = None
        return found

    def use(self, keys: Iterable[str]) -> None:
        """Note that the rows of `keys` are used now: those unused longest go first."""
        for some, marks in chunks(keys):
            update = f"UPDATE Cache SET access_time = ? WHERE raw = 1 AND key IN ({marks})"  # noqa: S608 - marks only
            self._sql(update, [time.time(), *some])
