"""The result cache: what was paid for once, by content, shared by all processes and bounded in size.

Built on diskcache, which on reading unpickles whatever a row asks it to: its `Disk` is replaced by one that knows
strings in the row itself and nothing else, neither pickles nor files. A cache that fails costs hits and never more:
every fault ends as a miss, with its reason in `ResultCache.problem`.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diskcache

from aiops_lsp.store.database import file_identity
from aiops_lsp.store.reviews import (
    CachedClaim,
    CachedReview,
    CachedVerdict,
    Freshness,
    decode,
    encode,
    freshness,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.regions import RegionKeys

__all__ = [
    "CacheStats",
    "CachedClaim",
    "CachedReview",
    "CachedVerdict",
    "Freshness",
    "Hit",
    "ResultCache",
    "freshness",
]

RESULTS_FOLDER = "results"
_DATABASE = "cache.db"  # diskcache's own name for it
_INLINE = 2**31  # bytes below which a value stays in its row: all of them
_EXACT, _LOOSE = "exact:", "loose:"
_FEW = 8
"""Regions of which it is quicker to find out first whether any is known: after an edit none is, as a rule."""
_FAULTS = (sqlite3.Error, OSError, diskcache.Timeout)

_log = logging.getLogger(__name__)


class _UnsafeRow(Exception):
    """A row that we did not write."""


class _TextDisk(diskcache.Disk):  # type: ignore[misc] # diskcache has no types
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
            raise _UnsafeRow
        return value

    def remove(self, file_path: str) -> None:
        """Nothing: a row of ours has no file, and one that names a file is not to be trusted with removing it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A result from the cache; not `exact`: for the same code with other comments or blanks."""

    record: CachedReview
    exact: bool


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The cache's size, and how it fared in this process. `rejected` rows were not valid and were removed."""

    entries: int
    bytes: int
    hits: int
    loose_hits: int
    misses: int
    rejected: int
    problem: str | None


class ResultCache:
    """Reviews by their regions' keys. `problem` says in words why nothing is cached, None while all is well.

    To be called from one thread at a time; processes share it freely.
    """

    def __init__(self, folder: Path, size_limit: int, busy_seconds: float) -> None:
        self._folder = folder
        self._size_limit = size_limit
        self._busy_seconds = busy_seconds
        self._cache: diskcache.Cache | None = None
        self._identity: tuple[int, int] | None = None
        self._hits = self._loose_hits = self._misses = self._rejected = 0
        self.problem: str | None = None

    @classmethod
    def open(cls, folder: Path | str, size_limit: int = 512 * 2**20, *, busy_seconds: float = 2.0) -> ResultCache:
        """The cache in cache folder `folder`, kept below about `size_limit` bytes by dropping what was unused longest.

        Never fails: where there can be no cache every look is a miss, and `problem` says why.
        """
        cache = cls(Path(folder) / RESULTS_FOLDER, size_limit, busy_seconds)
        cache._connect()
        return cache

    def close(self) -> None:
        """Close the files."""
        if self._cache is not None:
            with suppress(*_FAULTS):
                self._cache.close()
            self._cache = None

    def get(self, keys: RegionKeys) -> Hit | None:
        """The result for a region with these keys."""
        return self.get_many([keys])[0]

    def get_many(self, wanted: Sequence[RegionKeys]) -> list[Hit | None]:
        """The results for several regions, in their order."""
        hits: list[Hit | None] = [None] * len(wanted)
        cache = self._in_place()
        if cache is not None and wanted:
            try:
                if len(wanted) > _FEW or any(_is_known(cache, keys) for keys in wanted):
                    with cache.transact():
                        hits = [self._find(cache, keys) for keys in wanted]
            except _FAULTS as error:
                self._recover(error)
        for hit in hits:
            self._hits += hit is not None and hit.exact
            self._loose_hits += hit is not None and not hit.exact
            self._misses += hit is None
        return hits

    def put(self, record: CachedReview) -> bool:
        """Keep `record`, in place of an earlier one with its exact key. Returns whether it is kept."""
        text, cache = encode(record), self._in_place()
        if cache is None or text is None:
            return False
        try:
            with cache.transact():
                cache.set(_EXACT + record.exact, text)
                cache.set(_LOOSE + record.loose, record.exact)
        except _FAULTS as error:
            self._recover(error)
            return False
        return True

    def clear(self) -> int:
        """Forget all results and return how many those were. A damaged cache is thrown away and made anew."""
        cache = self._in_place()
        if cache is not None:
            try:
                entries = self._entries(cache)
                cache.clear()
            except _FAULTS as error:
                _log.warning("the result cache cannot be cleared and is made anew: %s", error)
            else:
                return entries
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._connect()
        return 0

    def stats(self) -> CacheStats:
        """How large the cache is and how it fared."""
        entries = volume = 0
        cache = self._in_place()
        if cache is not None:
            try:
                entries, volume = self._entries(cache), int(cache.volume())
            except _FAULTS as error:
                self._recover(error)
        return CacheStats(entries, volume, self._hits, self._loose_hits, self._misses, self._rejected, self.problem)

    def _in_place(self) -> diskcache.Cache | None:
        """The cache, opened anew where its file was deleted or replaced while it was open."""
        if self._cache is not None and self._identity != file_identity(self._folder / _DATABASE):
            self.close()
            self._connect()
        return self._cache

    def _find(self, cache: diskcache.Cache, keys: RegionKeys) -> Hit | None:
        record = self._read(cache, keys.exact)
        if record is not None:
            return Hit(record, exact=True)
        target = self._row(cache, _LOOSE + keys.loose)
        if target is None:
            return None
        record = self._read(cache, target)
        if record is None or record.loose != keys.loose:
            cache.delete(_LOOSE + keys.loose)
            return None
        return Hit(record, exact=False)

    def _read(self, cache: diskcache.Cache, exact: str) -> CachedReview | None:
        text = self._row(cache, _EXACT + exact)
        if text is None:
            return None
        record = decode(text)
        if record is None or record.exact != exact:
            self._reject(cache, _EXACT + exact)
            return None
        return record

    def _row(self, cache: diskcache.Cache, key: str) -> str | None:
        try:
            value: str | None = cache.get(key)
        except _UnsafeRow:
            self._reject(cache, key)
            return None
        return value

    def _reject(self, cache: diskcache.Cache, key: str) -> None:
        self._rejected += 1
        _log.warning("a row of the result cache is not valid and was removed: %s", key)
        cache.delete(key)

    def _entries(self, cache: diskcache.Cache) -> int:
        return sum(isinstance(key, str) and key.startswith(_EXACT) for key in cache.iterkeys())

    def _connect(self) -> None:
        """Open the files or say in `problem` why they cannot be."""
        try:
            _make_private(self._folder)
            self._probe()
            self._cache = diskcache.Cache(
                str(self._folder),
                timeout=self._busy_seconds,
                disk=_TextDisk,
                disk_min_file_size=_INLINE,
                eviction_policy="least-recently-used",
                size_limit=self._size_limit,
                cull_limit=10,
                statistics=0,
                tag_index=0,
                sqlite_auto_vacuum=1,
                sqlite_journal_mode="wal",
                sqlite_mmap_size=0,  # with it, a file that somebody else cuts short kills the process
                sqlite_synchronous=1,
            )
        # A planted settings table can make diskcache's constructor fail in any way (TypeError, ValueError, ...).
        except Exception as error:  # noqa: BLE001 - whatever it is, it only costs hits; it is logged
            self._cache = None
            self.problem = f"results are not cached: {self._folder}: {error}; `aiops-lsp cache clear` makes it anew"
            _log.warning("%s", self.problem)
        else:
            self._identity = file_identity(self._folder / _DATABASE)
            self.problem = None

    def _probe(self) -> None:
        """Find out what stands in the way, soon: diskcache itself waits a minute for a locked file."""
        connection = sqlite3.connect(self._folder / _DATABASE, timeout=self._busy_seconds, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def _recover(self, error: Exception) -> None:
        """After a fault: busy files stay open, anything else is opened anew, once."""
        _log.warning("the result cache failed, which costs a hit: %r", error)
        try:
            self._probe()
        except sqlite3.OperationalError as problem:
            if getattr(problem, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                return
        except (sqlite3.Error, OSError) as problem:
            _log.warning("the result cache is damaged: %s", problem)
        self.close()
        self._connect()


def _is_known(cache: diskcache.Cache, keys: RegionKeys) -> bool:
    """Whether there is a row for a region with these keys. Unlike a transaction of diskcache it keeps no writer out."""
    return _EXACT + keys.exact in cache or _LOOSE + keys.loose in cache


def _make_private(folder: Path) -> None:
    """Make `folder` and the database in it for the user alone. Raises OSError for a folder that is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise PermissionError("the folder belongs to another user")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    with suppress(FileExistsError):
        os.close(os.open(folder / _DATABASE, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
