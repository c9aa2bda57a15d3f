"""A sqlite file of our own in the state folder: private, shared by processes, and failing in words.

The ledger and the user's decisions each live in one. What both need is here: the file is made private to the user,
its schema is migrated forward with a backup beside it, a newer schema is left alone, and each failure of sqlite
becomes one `StoreUnavailable` that says what is wrong. Correctness rests on sqlite's locks alone (`BEGIN IMMEDIATE`);
write-ahead logging is asked for because readers then never wait, and done without where the file system cannot.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    Migration = Callable[[sqlite3.Connection], None]
    Carry = Callable[[sqlite3.Connection, sqlite3.Connection], None]

_MOST_PARAMETERS = 500
_APPLICATION_ID = 0x41494F50  # "AIOP", in the file's header: tells our files from any other sqlite file


class StoreFault(StrEnum):
    """Why a store cannot be used."""

    UNWRITABLE = "unwritable"
    CORRUPT = "corrupt"
    NEWER = "newer"
    FULL = "full"
    LOCKED = "locked"
    FAILED = "failed"


class StoreUnavailable(Exception):
    """A store cannot be used now. `str()` says in words which file, what is wrong and what to do about it."""

    def __init__(self, message: str, fault: StoreFault = StoreFault.FAILED) -> None:
        super().__init__(message)
        self.fault = fault


class Database:
    """One sqlite file, used from any thread, one at a time.

    `label` names it in messages ("spending ledger"). `migrations[n]` brings the schema from version n to n + 1.
    Failures are raised as `unavailable`. Every call tries anew, so that a cause which goes away heals by itself.

    A file that was deleted or replaced while it was open is noticed before anything is written: the file that now
    stands there is opened (or made), and `carry(old, new)` may bring over what the old one held, since its
    content stays readable for as long as it is open.
    """

    def __init__(
        self,
        path: Path,
        *,
        label: str,
        migrations: Sequence[Migration],
        unavailable: type[StoreUnavailable],
        busy_seconds: float = 5.0,
        carry: Carry | None = None,
    ) -> None:
        self.path = path.absolute()
        self._label = label
        self._migrations = migrations
        self._unavailable = unavailable
        self._busy_seconds = busy_seconds
        self._carry = carry
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._orphan: sqlite3.Connection | None = None
        self._under_way: sqlite3.Connection | None = None
        self._durable: bool | None = None  # how the connection writes; None while nobody has told it
        self._identity: tuple[int, int] | None = None

    def open(self) -> None:
        """Open the file, make or migrate it if need be. Raises `unavailable`."""
        with self._lock, self._in_words():
            self._current()

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            for connection in (self._connection, self._orphan):
                if connection is not None:
                    connection.close()
            self._connection = self._orphan = None

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; rolled back when the block raises.

        One that is `durable` is on the disk when it ends. Any other may be gone after a loss of power, though not after
        a crash of the process: it spares a wait for the disk where nothing is lost but a little precision.
        """
        with self._transaction("BEGIN IMMEDIATE", durable=durable) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the file and waits for no writer.

        Within another transaction of the same thread it is a part of that one.
        """
        with self._lock:
            if self._under_way is not None:
                yield self._under_way
                return
            with self._transaction("BEGIN") as connection:
                yield connection

    @contextmanager
    def outside_transaction(self) -> Iterator[sqlite3.Connection]:
        """The bare connection, for the statements that sqlite runs outside a transaction only."""
        with self._lock, self._in_words():
            yield self._current()

    @contextmanager
    def _transaction(self, begin: str, *, durable: bool | None = None) -> Iterator[sqlite3.Connection]:
        with self._lock, self._in_words():
            connection = self._begin(begin, durable=durable)
            try:
                self._refuse_newer(connection)
                self._under_way = connection
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # sqlite has rolled back by itself after some failures (a full disk).
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._under_way = None

    def _begin(self, begin: str, *, durable: bool | None) -> sqlite3.Connection:
        for _attempt in range(5):
            connection = self._current()
            if durable is not None and self._durable is not durable:
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            connection.execute(begin)
            if self._in_place():
                return connection
            connection.execute("ROLLBACK")
        raise self._unavailable(f"the {self._label} {self.path} keeps being replaced by something else")

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that stands at the path now."""
        if self._connection is not None and not self._in_place():
            if self._orphan is None:
                self._orphan = self._connection
            else:  # what it held could not be carried over yet: the earlier one has the history
                self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection, self._durable = self._connect(), None
        if self._orphan is not None:
            if self._carry is not None:
                self._carry(self._orphan, self._connection)
            self._orphan.close()
            self._orphan = None
        return self._connection

    def _in_place(self) -> bool:
        """Whether the open file is still the one at its path."""
        return self._identity is not None and self._identity == file_identity(self.path)

    def _connect(self) -> sqlite3.Connection:
        self._make_private_file()
        before = file_identity(self.path)
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # Looked at before the first write: a file that is not for us stays as it is.
            self._refuse_newer(connection)
            self._refuse_foreign(connection)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            with suppress(sqlite3.OperationalError):  # busy at the first start of two processes: the next open does it
                connection.execute("PRAGMA journal_mode = WAL")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        # Replaced while it was being opened: an identity that never matches makes the next look open it again.
        self._identity = before if before == file_identity(self.path) else None
        return connection

    def _make_private_file(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path.exists():
            self._create_file()
        elif self.path.stat().st_mode & 0o077:
            with suppress(PermissionError):
                self.path.chmod(0o600)

    def _create_file(self) -> None:
        """Make the file, empty, after removing the log that a deleted predecessor may have left behind.

        sqlite would mix that log into the new file. An empty sqlite file is the mutex among processes: it is let go
        by the system when its holder dies.
        """
        mutex = self.path.with_name(self.path.name + ".lock")
        with suppress(FileExistsError):
            os.close(os.open(mutex, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        lock = sqlite3.connect(mutex, timeout=self._busy_seconds, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            if self.path.exists():
                return
            for suffix in ("-wal", "-shm", "-journal"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        finally:
            lock.close()

    def _refuse_newer(self, connection: sqlite3.Connection) -> None:
        version = _pragma(connection, "user_version")
        if version > len(self._migrations):
            raise self._unavailable(
                f"the {self._label} {self.path} was written by a newer version of aiops-lsp (schema {version}, this "
                f"version knows up to {len(self._migrations)}); it is left as it is, update aiops-lsp to use it",
                StoreFault.NEWER,
            )

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if _pragma(connection, "user_version") == len(self._migrations):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._refuse_newer(connection)
            version = _pragma(connection, "user_version")
            if 0 < version < len(self._migrations):
                self._back_up(version)
            for migration in self._migrations[version:]:
                migration(connection)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        # In this order: another process may be making the tables, and marks the file as it does.
        holds_tables = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
        if holds_tables and _pragma(connection, "application_id") != _APPLICATION_ID:
            raise self._unavailable(
                f"{self.path} is a sqlite file, but not a {self._label} of aiops-lsp; move it away to start anew",
                StoreFault.CORRUPT,
            )

    def _back_up(self, version: int) -> None:
        """Copy the file as it is before a migration, to `NAME.vN.backup`.

        Runs while the write lock is held, so it reads through a connection of its own.
        """
        target = self.path.with_name(f"{self.path.name}.v{version}.backup")
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        source, copy = sqlite3.connect(self.path), sqlite3.connect(partial)
        try:
            source.backup(copy)
        finally:
            source.close()
            copy.close()
        partial.replace(target)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            fault, words = _explain(error)
            raise self._unavailable(f"the {self._label} {self.path} {words}", fault) from error
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"the {self._label} {self.path} cannot be used: {reason}; make its folder writable for you"
            raise self._unavailable(message, StoreFault.UNWRITABLE) from error


def storable(text: str) -> str:
    """`text` as sqlite can keep it: half a surrogate pair, as in the path of an undecodable file name, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def chunks(keys: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    """`keys` in pieces that one statement can take, each with its parameter marks."""
    remaining = iter(dict.fromkeys(keys))
    while some := list(islice(remaining, _MOST_PARAMETERS)):
        yield some, ",".join("?" * len(some))


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at `path` from another that takes its place; None while there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _explain(error: sqlite3.Error) -> tuple[StoreFault, str]:
    """The fault behind an error of sqlite, and a predicate that says it."""
    name: str = getattr(error, "sqlite_errorname", "") or ""
    for prefixes, fault, words in _EXPLANATIONS:
        if name.startswith(prefixes):
            return fault, words
    return StoreFault.FAILED, f"cannot be used: {error}"


_DAMAGED = "is damaged; move it away to start anew, or put its backup in its place"
_EXPLANATIONS: tuple[tuple[tuple[str, ...], StoreFault, str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"),
        StoreFault.LOCKED,
        "is locked by another process; close what holds it",
    ),
    (("SQLITE_FULL",), StoreFault.FULL, "cannot be written: the disk is full; free some space"),
    (("SQLITE_CORRUPT", "SQLITE_NOTADB"), StoreFault.CORRUPT, _DAMAGED),
    # A table or column that is missing, or a row that breaks a rule of the schema: somebody else wrote to it.
    (("SQLITE_CONSTRAINT", "SQLITE_ERROR", "SQLITE_MISMATCH"), StoreFault.CORRUPT, _DAMAGED),
    (
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"),
        StoreFault.UNWRITABLE,
        "cannot be opened for writing; make its folder writable for you",
    ),
    (("SQLITE_IOERR",), StoreFault.FAILED, "cannot be read or written: the disk reports an error"),
)
