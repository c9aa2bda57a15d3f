"""A ledger that does not work: said in words, nothing lost, no limit crossed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.store.database import Database, StoreFault, StoreUnavailable
from aiops_lsp.store.ledger import LEDGER_FILE, LedgerUnavailable, Limits
from aiops_lsp.store.ledger_schema import MIGRATIONS
from tests.support.ledger import DAY, WallClock, asking, commit, held, opened, pending, refused, used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMITS = Limits(daily_tokens=1000, monthly_micro_usd=1000)
SIDES = ("", "-wal", "-shm")


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


def remove(folder: Path, sides: tuple[str, ...] = SIDES) -> None:
    for side in sides:
        (folder / f"{LEDGER_FILE}{side}").unlink(missing_ok=True)


def test_folder_and_files_are_the_user_s_alone(tmp_path: Path, clock: WallClock) -> None:
    folder = tmp_path / "state" / "aiops-lsp"
    ledger = opened(folder, clock)
    held(ledger.reserve(asking(1), LIMITS))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert {file.name for file in files} >= {LEDGER_FILE, f"{LEDGER_FILE}-wal"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_laxer_file_is_made_private_again(tmp_path: Path, clock: WallClock) -> None:
    opened(tmp_path, clock).close()
    (tmp_path / LEDGER_FILE).chmod(0o644)
    opened(tmp_path, clock).close()
    assert stat.S_IMODE((tmp_path / LEDGER_FILE).stat().st_mode) == 0o600


def _a_file_instead_of_the_folder(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")


def _a_folder_instead_of_the_file(folder: Path) -> None:
    (folder / LEDGER_FILE).mkdir()


def _garbage(folder: Path) -> None:
    (folder / LEDGER_FILE).write_bytes(b"this is no database " * 500)


def _cut_in_half(folder: Path) -> None:
    opened(folder, WallClock()).close()
    path = folder / LEDGER_FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _someone_else_s(folder: Path) -> None:
    with sqlite3.connect(folder / LEDGER_FILE) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_a_file_instead_of_the_folder, StoreFault.UNWRITABLE),
        (_a_folder_instead_of_the_file, StoreFault.UNWRITABLE),
        (_garbage, StoreFault.CORRUPT),
        (_cut_in_half, StoreFault.CORRUPT),
        (_someone_else_s, StoreFault.CORRUPT),
    ],
)
def test_an_unusable_ledger_is_said_in_words_and_kept(
    tmp_path: Path, clock: WallClock, spoil: Callable[[Path], None], fault: StoreFault
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    spoil(folder)
    path = folder / LEDGER_FILE
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerUnavailable) as caught:
        held(opened(folder, clock).reserve(asking(1), LIMITS))
    assert caught.value.fault is fault
    assert str(path) in str(caught.value)
    if before is not None:
        assert path.read_bytes() == before


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Root may write everywhere, so what a folder forbids is tried as somebody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_an_unwritable_folder_is_said_in_words(tmp_path: Path, clock: WallClock) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o555)
    with an_ordinary_user(), pytest.raises(LedgerUnavailable, match="writable for you") as caught:
        opened(folder, clock)
    assert caught.value.fault is StoreFault.UNWRITABLE


def test_a_newer_ledger_is_refused_without_harm(tmp_path: Path, clock: WallClock) -> None:
    opened(tmp_path, clock).close()
    path = tmp_path / LEDGER_FILE
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerUnavailable, match="newer version of aiops-lsp") as caught:
        opened(tmp_path, clock)
    assert caught.value.fault is StoreFault.NEWER
    assert path.read_bytes() == before


def test_a_ledger_that_a_newer_version_migrates_under_us_is_refused(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    reservation = held(ledger.reserve(asking(10), LIMITS))
    with sqlite3.connect(tmp_path / LEDGER_FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerUnavailable, match="newer"):
        ledger.reserve(asking(10), LIMITS)
    with pytest.raises(LedgerUnavailable, match="newer"):
        commit(ledger, reservation, 10)


def test_a_locked_ledger_is_unavailable_until_it_is_let_go(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock, busy_seconds=0.05)
    blocker = sqlite3.connect(tmp_path / LEDGER_FILE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="locked") as caught:
        ledger.reserve(asking(10), LIMITS)
    assert caught.value.fault is StoreFault.LOCKED
    assert used(ledger) == (0, 0)  # reading waits for nobody
    blocker.execute("ROLLBACK")
    held(ledger.reserve(asking(10), LIMITS))
    blocker.close()


def test_a_full_disk_books_nothing_by_halves_and_heals(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    connection = ledger._database._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    request = asking(1, model="m" * 200)
    with pytest.raises(LedgerUnavailable, match="disk is full") as caught:
        all(held(ledger.reserve(request, LIMITS)) for _ in range(500))
    assert caught.value.fault is StoreFault.FULL
    reserved = pending(tmp_path)
    assert ledger.spend().day.reserved_tokens == reserved > 0
    connection.execute("PRAGMA max_page_count = 100000")
    held(ledger.reserve(request, LIMITS))
    assert ledger.spend().day.reserved_tokens == reserved + 1


def test_damage_done_while_it_is_open_fails_closed(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    reservation = held(ledger.reserve(asking(10), LIMITS))
    with sqlite3.connect(tmp_path / LEDGER_FILE) as connection:
        connection.execute("UPDATE totals SET hard_tokens = 0, expected_tokens = 0")
    with pytest.raises(LedgerUnavailable, match="damaged"):
        commit(ledger, reservation, 10)
    with sqlite3.connect(tmp_path / LEDGER_FILE) as connection:
        connection.execute("DROP TABLE totals")
    with pytest.raises(LedgerUnavailable, match="damaged"):
        ledger.reserve(asking(10), LIMITS)


@pytest.mark.parametrize("sides", [SIDES, ("",)], ids=["all its files", "the main file alone"])
def test_a_ledger_deleted_while_open_is_written_anew(tmp_path: Path, clock: WallClock, sides: tuple[str, ...]) -> None:
    windows = [opened(tmp_path, clock) for _ in range(3)]
    commit(windows[0], held(windows[0].reserve(asking(700, project="/p"), LIMITS)), 700)
    under_way = held(windows[1].reserve(asking(100, 30), LIMITS))
    windows[0].lease(["a"], "one", 60)
    windows[0].learn("m", "python", 100, 150)
    remove(tmp_path, sides)

    # A new window is first: to it the ledger is empty. The others bring over what they know, once.
    fresh = opened(tmp_path, clock)
    commit(fresh, held(fresh.reserve(asking(50), LIMITS)), 50)
    assert windows[2].lease(["a"], "three", 60) == set()
    assert refused(windows[0].reserve(asking(151), LIMITS)).in_flight
    for ledger in (*windows, fresh):
        assert used(ledger) == (750, 750)
        assert ledger.spend().day.reserved_tokens == 30
        assert ledger.spend(project="/p").day.tokens == 700
        assert ledger.ratio("m", "python") == pytest.approx(1.5)
    assert commit(windows[1], under_way, 20)
    assert sum(row.tokens for row in fresh.usage()) == used(fresh)[0] == 770
    notices = [notice for ledger in windows for notice in ledger.take_notices()]
    assert notices
    assert all("carried over" in notice for notice in notices)
    assert windows[0].take_notices() == []
    for ledger in (*windows, fresh):
        ledger.close()


def test_a_backup_put_back_while_open_forgets_nothing(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    commit(ledger, held(ledger.reserve(asking(200), LIMITS)), 200)
    ledger.close()
    shutil.copy(tmp_path / LEDGER_FILE, tmp_path / "copy")
    commit(ledger, held(ledger.reserve(asking(500), LIMITS)), 500)
    remove(tmp_path)
    (tmp_path / "copy").rename(tmp_path / LEDGER_FILE)
    assert used(ledger) == (700, 700)
    refused(ledger.reserve(asking(301), LIMITS))


def test_an_unreadable_predecessor_is_given_up_and_said(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    with sqlite3.connect(tmp_path / LEDGER_FILE) as connection:
        connection.execute("DROP TABLE totals")
    remove(tmp_path)
    held(ledger.reserve(asking(10), LIMITS))
    assert "cannot be read" in ledger.take_notices()[0]


def test_a_deleted_ledger_that_cannot_be_made_again_is_carried_over_later(tmp_path: Path, clock: WallClock) -> None:
    folder = tmp_path / "state"
    ledger = opened(folder, clock)
    commit(ledger, held(ledger.reserve(asking(700), LIMITS)), 700)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            ledger.reserve(asking(10), LIMITS)
    folder.unlink()
    assert used(ledger) == (700, 700)


def test_a_reservation_that_the_ledger_lost_is_booked_all_the_same(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    reservation = held(ledger.reserve(asking(10), LIMITS))
    ledger.close()
    remove(tmp_path)
    assert commit(ledger, reservation, 7)
    assert not commit(ledger, reservation, 7)
    assert used(ledger) == (7, 7)
    clock.now += 2 * DAY
    ledger.compact()
    assert not commit(ledger, reservation, 7)


def _second(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE usage ADD COLUMN note TEXT NOT NULL DEFAULT 'new'")


def _failing(connection: sqlite3.Connection) -> None:
    _second(connection)
    connection.execute("INSERT INTO no_such_table VALUES (1)")


def migrated(folder: Path, migrations: tuple[Callable[[sqlite3.Connection], None], ...]) -> Database:
    database = Database(
        folder / LEDGER_FILE, label="spending ledger", migrations=migrations, unavailable=StoreUnavailable
    )
    database.open()
    return database


def test_an_older_ledger_is_migrated_with_a_backup_beside_it(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    commit(ledger, held(ledger.reserve(asking(10), LIMITS)), 10)

    newer = migrated(tmp_path, (*MIGRATIONS, _second))
    with newer.read() as connection:
        assert connection.execute("SELECT input_tokens, note FROM usage").fetchall() == [(10, "new")]
    newer.close()
    backup = tmp_path / f"{LEDGER_FILE}.v1.backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with pytest.raises(LedgerUnavailable, match="newer"):  # the older program that still runs stops
        ledger.reserve(asking(10), LIMITS)
    ledger.close()

    remove(tmp_path)
    backup.rename(tmp_path / LEDGER_FILE)
    restored = opened(tmp_path, clock)
    assert used(restored) == (10, 10)
    restored.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, clock: WallClock) -> None:
    ledger = opened(tmp_path, clock)
    commit(ledger, held(ledger.reserve(asking(10), LIMITS)), 10)
    with pytest.raises(StoreUnavailable):
        migrated(tmp_path, (*MIGRATIONS, _failing))
    assert used(ledger) == (10, 10)
    commit(ledger, held(ledger.reserve(asking(10), LIMITS)), 10)
