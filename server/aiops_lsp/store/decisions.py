"""What the user decided: which hosts may receive source, and which findings are dismissed. Shared by all processes.

It has a file of its own beside the ledger: a ledger that is thrown away because it is damaged must not take the
user's decisions with it, nor the other way round. Reading fails closed: while the file cannot be read no host is
allowed and nothing is dismissed, and `problem` says why. Writing raises `DecisionsUnavailable`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops_lsp.store.database import Database, StoreUnavailable, storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

DECISIONS_FILE = "decisions.sqlite3"
_EVERYWHERE = ""
_LONGEST_TITLE = 300

_log = logging.getLogger(__name__)


class DecisionsUnavailable(StoreUnavailable):
    """A decision cannot be written down; `str()` says why, in words."""


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host that may receive source, from one workspace folder or (None) from everywhere."""

    host: str
    workspace: str | None
    allowed_at: float


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding that the user does not want to see again in a workspace folder."""

    workspace: str
    finding_id: str
    title: str
    dismissed_at: float


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE allowed_hosts (host TEXT NOT NULL, workspace TEXT NOT NULL, allowed_at REAL NOT NULL, "
        "PRIMARY KEY (host, workspace)) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE dismissals (workspace TEXT NOT NULL, finding_id TEXT NOT NULL, title TEXT NOT NULL, "
        "dismissed_at REAL NOT NULL, PRIMARY KEY (workspace, finding_id)) WITHOUT ROWID"
    )


class Decisions:
    """The user's decisions in one state folder. Safe to use from several threads and processes.

    Workspaces are folders as the caller writes them, the same each time; hosts are compared without case.
    """

    def __init__(self, folder: Path | str, now: Callable[[], float], *, busy_seconds: float = 5.0) -> None:
        self._now = now
        self._database = Database(
            Path(folder) / DECISIONS_FILE,
            label="record of your decisions",
            migrations=(_first,),
            unavailable=DecisionsUnavailable,
            busy_seconds=busy_seconds,
        )
        self.problem: str | None = None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def allow(self, host: str, workspace: str | None = None) -> None:
        """Let `host` receive source from `workspace`, None: from everywhere.

        Raises ValueError for an empty host or workspace, DecisionsUnavailable when it cannot be written down.
        """
        name = _host(host)
        if not name or workspace == _EVERYWHERE:
            raise ValueError("a host is allowed by its name, and for a workspace folder that has one")
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO allowed_hosts VALUES (?, ?, ?)",
                (name, _place(workspace), self._now()),
            )

    def revoke(self, host: str, workspace: str | None = None) -> bool:
        """Take back what `allow` with the same arguments gave. Returns whether there was anything to take back.

        Raises DecisionsUnavailable.
        """
        with self._database.write() as connection:
            cursor = connection.execute(
                "DELETE FROM allowed_hosts WHERE host = ? AND workspace = ?",
                (_host(host), _place(workspace)),
            )
            return cursor.rowcount > 0

    def is_allowed(self, host: str, workspace: str) -> bool:
        """Whether `host` may receive source from `workspace`. False when nobody can tell."""
        rows = self._read(
            "SELECT 1 FROM allowed_hosts WHERE host = ? AND workspace IN (?, ?)",
            (_host(host), _place(workspace), _EVERYWHERE),
        )
        return bool(rows)

    def allowed_hosts(self) -> list[AllowedHost]:
        """All hosts that are allowed, by name."""
        rows = self._read("SELECT host, workspace, allowed_at FROM allowed_hosts ORDER BY host, workspace", ())
        return [AllowedHost(host, workspace or None, allowed_at) for host, workspace, allowed_at in rows]

    def dismiss(self, workspace: str, finding_id: str, title: str = "") -> None:
        """Hide the finding with this id in `workspace` for good; `title` is for the list.

        Raises DecisionsUnavailable.
        """
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO dismissals VALUES (?, ?, ?, ?)",
                (_place(workspace), finding_id, storable(title[:_LONGEST_TITLE]), self._now()),
            )

    def undismiss(self, workspace: str, finding_id: str) -> bool:
        """Show a dismissed finding again. Returns whether it was dismissed. Raises DecisionsUnavailable."""
        with self._database.write() as connection:
            cursor = connection.execute(
                "DELETE FROM dismissals WHERE workspace = ? AND finding_id = ?", (_place(workspace), finding_id)
            )
            return cursor.rowcount > 0

    def dismissed(self, workspace: str) -> frozenset[str]:
        """The ids of the findings that are dismissed in `workspace`. Empty when nobody can tell."""
        return frozenset(
            row[0] for row in self._read("SELECT finding_id FROM dismissals WHERE workspace = ?", (_place(workspace),))
        )

    def dismissals(self) -> list[Dismissal]:
        """All dismissals, by workspace, oldest first."""
        query = (
            "SELECT workspace, finding_id, title, dismissed_at FROM dismissals "
            "ORDER BY workspace, dismissed_at, finding_id"
        )
        return [Dismissal(*row) for row in self._read(query, ())]

    def _read(self, query: str, arguments: tuple[str, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._database.read() as connection:
                rows: list[tuple[Any, ...]] = connection.execute(query, arguments).fetchall()
        except DecisionsUnavailable as error:
            if str(error) != self.problem:
                _log.warning("%s; no host is allowed and nothing dismissed until that is mended", error)
            self.problem = str(error)
            return []
        self.problem = None
        return rows


def _host(host: str) -> str:
    return storable(host.strip().rstrip(".").lower())


def _place(workspace: str | None) -> str:
    return _EVERYWHERE if workspace is None else storable(workspace)
