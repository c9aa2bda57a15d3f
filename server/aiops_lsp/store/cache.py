"""The result cache: what was paid for once, by content, shared by all processes and bounded in size.

A cache that fails costs hits and never more: every fault ends as a miss, with its reason in `ResultCache.problem`.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import diskcache

from aiops_lsp.store.cache_table import CacheTable, TextDisk
from aiops_lsp.store.database import file_identity
from aiops_lsp.store.reviews import (
    CachedClaim,
    CachedReview,
    CachedVerdict,
    decode,
    encode,
    stale_age,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aiops_lsp.core.regions import RegionKeys

__all__ = [
    "CacheStats",
    "CachedClaim",
    "CachedReview",
    "CachedVerdict",
    "Hit",
    "ResultCache",
    "stale_age",
]

RESULTS_FOLDER = "results"
_DATABASE = "cache.db"  # diskcache's own name for it
_INLINE = 2**31  # bytes below which a value stays in its row: all of them
_EXACT, _LOOSE = "exact:", "loose:"
_MOST_USED = 5_000
"""Rows that were read, and of which that is not written down yet."""
_FAULTS = (sqlite3.Error, OSError, diskcache.Timeout)

_log = logging.getLogger(__name__)


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
        self._cache: CacheTable | None = None
        self._used: set[str] = set()  # what was read since the last result was kept
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
                self._cache.use(self._used)
            with suppress(*_FAULTS):
                self._cache.close()
            self._cache = None
        self._used.clear()

    def get(self, keys: RegionKeys) -> Hit | None:
        """The result for a region with these keys."""
        return self.get_many([keys])[0]

    def get_many(self, wanted: Sequence[RegionKeys]) -> list[Hit | None]:
        """The results for several regions, in their order."""
        hits: list[Hit | None] = [None] * len(wanted)
        cache = self._in_place()
        if cache is not None and wanted:
            try:
                hits = self._find(cache, wanted)
            except _FAULTS as error:
                self._recover(error)
        if cache is not None and len(self._used) > _MOST_USED:
            with suppress(*_FAULTS), cache.transact():
                cache.use(self._used)
            self._used.clear()
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
                cache.use(self._used)
                cache.set(_EXACT + record.exact, text)
                cache.set(_LOOSE + record.loose, record.exact)
        except _FAULTS as error:
            self._recover(error)
            return False
        self._used.clear()
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

    def _in_place(self) -> CacheTable | None:
        """The cache, opened anew where its file was deleted or replaced while it was open."""
        if self._cache is not None and self._identity != file_identity(self._folder / _DATABASE):
            self.close()
            self._connect()
        return self._cache

    def _find(self, cache: CacheTable, wanted: Sequence[RegionKeys]) -> list[Hit | None]:
        records = self._read(cache, (keys.exact for keys in wanted))
        others = (_LOOSE + keys.loose for keys in wanted if keys.exact not in records)
        targets = {key.removeprefix(_LOOSE): target for key, target in self._rows(cache, others)}
        loose_records = self._read(cache, targets.values())
        hits: list[Hit | None] = []
        for keys in wanted:
            record, target = records.get(keys.exact), targets.get(keys.loose)
            loose = loose_records.get(target) if target is not None else None
            if record is not None:
                hits.append(Hit(record, exact=True))
            elif loose is not None and loose.loose == keys.loose:
                hits.append(Hit(loose, exact=False))
            else:
                hits.append(None)
                if target is not None:
                    cache.delete(_LOOSE + keys.loose)
        return hits

    def _read(self, cache: CacheTable, exact_keys: Iterable[str]) -> dict[str, CachedReview]:
        """The records that there are, by their exact keys."""
        found: dict[str, CachedReview] = {}
        for key, text in self._rows(cache, (_EXACT + exact for exact in exact_keys)):
            record = decode(text)
            if record is None or _EXACT + record.exact != key:
                self._reject(cache, key)
            else:
                found[record.exact] = record
        return found

    def _rows(self, cache: CacheTable, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        for key, value in cache.rows(keys).items():
            if value is None:
                self._reject(cache, key)
            else:
                self._used.add(key)
                yield key, value

    def _reject(self, cache: CacheTable, key: str) -> None:
        self._rejected += 1
        _log.warning("a row of the result cache is not valid and was removed: %s", key)
        cache.delete(key)

    def _entries(self, cache: CacheTable) -> int:
        return sum(isinstance(key, str) and key.startswith(_EXACT) for key in cache.iterkeys())

    def _connect(self) -> None:
        """Open the files or say in `problem` why they cannot be."""
        try:
            _make_private(self._folder)
            self._probe()
            self._cache = CacheTable(
                str(self._folder),
                timeout=self._busy_seconds,
                disk=TextDisk,
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
