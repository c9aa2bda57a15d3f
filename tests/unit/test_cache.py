"""The result cache: what was paid for is found again, nothing planted is believed, and faults only cost hits."""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core.anchors import AnchorHint
from aiops_lsp.core.findings import Category, Claim, ClaimedFix, Confirmation, Severity
from aiops_lsp.core.regions import RegionKeys
from aiops_lsp.store.cache import RESULTS_FOLDER, CachedClaim, CachedReview, CachedVerdict, Hit, ResultCache
from aiops_lsp.store.reviews import encode, stale_age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLAIM = Claim(
    quote="while i <= len(items):",
    focus="<=",
    start_line=3,
    end_line=3,
    trigger="items is empty: \x0b \u2028 'Grüße' 日本",
    why="reads past the end",
    title="off by one",
    category=Category.BUG,
    severity=Severity.HIGH,
    confidence=92,
    needs_outside_context=False,
    fix=ClaimedFix(3, 3, ("while i <= len(items):",), ("while i < len(items):",)),
)
CACHED = CachedClaim(
    CLAIM,
    AnchorHint(2, "i = 0", "use(items[i])"),
    Confirmation.CONFIRMED,
    fix_verified=True,
    verdict=CachedVerdict(refuted=False, fix_correct=True, confidence=95, reason="it does"),
)
PLAIN = CachedClaim(replace(CLAIM, fix=None), None, Confirmation.NOT_DUE)


def keys(name: str, loose: str | None = None) -> RegionKeys:
    return RegionKeys(name, loose or f"loose-{name}")


def review(name: str, *claims: CachedClaim, loose: str | None = None, **changes: object) -> CachedReview:
    region = keys(name, loose)
    made = CachedReview(
        exact=region.exact,
        loose=region.loose,
        claims=claims,
        provider="openai",
        model="openai:gpt-6-luna",
        tier="simple",
        made_at=1000.5,
        security_sensitive=False,
        under_pressure=True,
        tokens=321,
        micro_usd=45,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResultCache]:
    cache = ResultCache.open(tmp_path)
    assert cache.problem is None
    yield cache
    cache.close()


@pytest.mark.parametrize("claims", [(), (CACHED,), (CACHED, PLAIN)], ids=["clean", "one", "two"])
def test_a_result_is_found_again_by_another_process(
    tmp_path: Path, cache: ResultCache, claims: tuple[CachedClaim, ...]
) -> None:
    assert cache.put(review("a", *claims))
    other = ResultCache.open(tmp_path)
    assert other.get(keys("a")) == Hit(review("a", *claims), exact=True)
    other.close()


def test_the_same_code_with_other_comments_is_a_loose_hit(cache: ResultCache) -> None:
    cache.put(review("a", CACHED, loose="same"))
    cache.put(review("b", loose="same"))
    assert cache.get_many([keys("a", "same"), keys("c", "same"), keys("d"), keys("b", "same")]) == [
        Hit(review("a", CACHED, loose="same"), exact=True),
        Hit(review("b", loose="same"), exact=False),
        None,
        Hit(review("b", loose="same"), exact=True),
    ]
    stats = cache.stats()
    assert (stats.entries, stats.hits, stats.loose_hits, stats.misses, stats.rejected) == (2, 2, 1, 1, 0)
    assert cache.get_many([]) == []


def test_a_later_result_takes_the_place_of_an_earlier_one(cache: ResultCache) -> None:
    cache.put(review("a"))
    cache.put(review("a", CACHED, tier="complex"))
    hit = cache.get(keys("a"))
    assert hit is not None
    assert hit.record.tier == "complex"
    assert cache.stats().entries == 1


@pytest.mark.parametrize(
    ("age", "sensitive", "stale"),
    [(0, False, False), (100, False, False), (101, False, True), (11, True, True), (10, True, False)],
)
def test_results_age_by_our_own_clock(age: float, sensitive: bool, stale: bool) -> None:
    found = stale_age(review("a", security_sensitive=sensitive), 1000.5 + age, 100, 10)
    assert found == (age if stale else None)


def test_a_result_from_the_future_is_stale() -> None:
    assert stale_age(review("a"), 0, 100, 10) == 0
    assert stale_age(review("a"), 1000, 100, 10) is None


def test_folder_and_file_are_the_user_s_alone(tmp_path: Path, cache: ResultCache) -> None:
    folder = tmp_path / RESULTS_FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


class _Exploit:
    """What a planted pickle would run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self._path),)


def plant(folder: Path, **columns: object) -> None:
    """Change the row of exact key `a` behind the cache's back."""
    changes = ", ".join(f"{name} = ?" for name in columns)
    with closing(sqlite3.connect(folder / RESULTS_FOLDER / "cache.db")) as connection, connection:
        cursor = connection.execute(f"UPDATE Cache SET {changes} WHERE key = 'exact:a'", tuple(columns.values()))
        assert cursor.rowcount == 1


@pytest.mark.parametrize("place", ["row", "file"])
def test_a_planted_pickle_is_not_loaded(tmp_path: Path, cache: ResultCache, place: str) -> None:
    cache.put(review("a"))
    target, payload = tmp_path / "pwned", pickle.dumps(_Exploit(tmp_path / "pwned"))
    if place == "row":
        plant(tmp_path, mode=4, value=payload)
    else:
        (tmp_path / RESULTS_FOLDER / "x.val").write_bytes(payload)
        plant(tmp_path, mode=4, value=None, filename="x.val")
    assert cache.get(keys("a")) is None
    assert not target.exists()
    assert cache.stats().rejected == 1
    assert cache.get(keys("a")) is None
    assert cache.stats().rejected == 1


def test_a_planted_key_is_not_unpickled_either(tmp_path: Path, cache: ResultCache) -> None:
    cache.put(review("a"))
    plant(tmp_path, key=pickle.dumps(_Exploit(tmp_path / "pwned")), raw=0)
    assert cache.stats().entries == 0
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_a_planted_file_name_is_neither_read_nor_removed(tmp_path: Path, cache: ResultCache, mode: int) -> None:
    text = encode(review("a"))
    assert text is not None
    outside = tmp_path / "precious"
    outside.write_text(text)
    cache.put(review("a"))
    plant(tmp_path, mode=mode, value=None, filename="../precious")
    assert cache.get(keys("a")) is None
    plantable = cache.put(review("a"))
    assert plantable
    plant(tmp_path, mode=mode, value=None, filename=str(outside))
    cache.clear()
    assert outside.read_text() == text


def altered(old: str, new: str) -> str:
    """A valid row, but for one thing."""
    text = encode(review("a", CACHED))
    assert text is not None
    assert old in text
    return text.replace(old, new)


INVALID: dict[str, object] = {
    "empty": "",
    "no JSON": "no json",
    "no fields": "{}",
    "null": "null",
    "deep": "[" * 100_000,
    "bytes": b"bytes",
    "number": 7,
    "another format": altered('"format":1', '"format":2'),
    "another region": altered('"exact":"a"', '"exact":"b"'),
    "another type": altered('"tokens":321', '"tokens":"321"'),
    "negative": altered('"tokens":321', '"tokens":-1'),
    "astronomical": altered('"micro_usd":45', '"micro_usd":1' + "0" * 40),
    "no number": altered('"made_at":1000.5', '"made_at":NaN'),
    "field missing": altered('"tier":"simple",', ""),
    "unknown severity": altered('"severity":"high"', '"severity":"fatal"'),
    "confidence": altered('"confidence":92', '"confidence":101'),
    "lines": altered('"start_line":3,"end_line":3,"trigger"', '"start_line":3,"end_line":2,"trigger"'),
    "fix": altered('"start_line":3,"end_line":3,"old_lines"', '"start_line":0,"end_line":3,"old_lines"'),
    "hint": altered('"offset":2', '"offset":"2"'),
    "long string": altered('"off by one"', '"' + "x" * 30_000 + '"'),
    "long row": altered('"off by one"', '"' + "x" * 3_000_000 + '"'),
}


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID.keys())
def test_a_row_that_is_not_valid_is_a_miss_and_goes(tmp_path: Path, cache: ResultCache, value: object) -> None:
    cache.put(review("a", CACHED))
    plant(tmp_path, value=value)
    assert cache.get(keys("a")) is None
    assert cache.stats().rejected == 1
    assert cache.stats().entries == 0
    cache.put(review("a", CACHED))
    assert cache.get(keys("a")) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": (replace(CACHED, claim=replace(CLAIM, quote="\ud800")),)},
        {"claims": (replace(CACHED, claim=replace(CLAIM, confidence=101)),)},
        {"claims": (CACHED,) * 201},
        {"made_at": float("nan")},
    ],
)
def test_what_could_not_be_read_back_is_not_written(cache: ResultCache, changes: dict[str, Any]) -> None:
    assert not cache.put(review("a", **changes))
    assert cache.get(keys("a")) is None


def test_size_is_bounded_and_what_is_used_stays(tmp_path: Path) -> None:
    cache = ResultCache.open(tmp_path, 400_000)
    big = replace(PLAIN, claim=replace(PLAIN.claim, why="w" * 15_000))
    cache.put(review("used", big))
    for number in range(100):
        cache.put(review(f"r{number}", big))
        assert cache.get(keys("used")) is not None
    assert cache.get(keys("r0")) is None
    assert cache.get(keys("r99")) is not None
    assert cache.stats().bytes < 600_000
    cache.close()


def accessed(folder: Path) -> dict[str, float]:
    """When each result was used last, by its exact key."""
    with closing(sqlite3.connect(folder / RESULTS_FOLDER / "cache.db")) as connection:
        rows = connection.execute("SELECT key, access_time FROM Cache WHERE key LIKE 'exact:%'").fetchall()
    return {key.removeprefix("exact:"): moment for key, moment in rows}


@pytest.mark.parametrize("how", ["kept", "closed", "many"])
def test_what_was_read_is_noted_as_used_when_there_is_something_to_write(
    tmp_path: Path, cache: ResultCache, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(review("a"))
    cache.put(review("b"))
    before = accessed(tmp_path)
    assert cache.get(keys("a")) is not None
    assert accessed(tmp_path) == before
    if how == "kept":
        cache.put(review("c"))
    elif how == "closed":
        cache.close()
    else:
        monkeypatch.setattr("aiops_lsp.store.cache._MOST_USED", 0)
        cache.get(keys("a"))
    after = accessed(tmp_path)
    assert after["a"] > before["a"]
    assert after["b"] == before["b"]


def test_many_regions_are_read_at_once(cache: ResultCache) -> None:
    for number in range(0, 1200, 3):
        cache.put(review(f"r{number}", loose=f"l{number}"))
    cache.put(review("elsewhere", loose="moved"))
    wanted = [keys(f"r{number}", f"l{number}") for number in range(1200)] + [keys("new", "moved")]
    hits = cache.get_many(wanted)
    assert [hit is not None for hit in hits] == [number % 3 == 0 for number in range(1200)] + [True]
    assert [hit.exact for hit in hits if hit is not None] == [True] * 400 + [False]
    assert (cache.stats().hits, cache.stats().loose_hits, cache.stats().misses) == (400, 1, 800)


def test_clearing_forgets_everything(cache: ResultCache) -> None:
    cache.put(review("a"))
    cache.put(review("b"))
    assert cache.clear() == 2
    assert cache.get(keys("a")) is None
    assert cache.stats().entries == 0


def _garbage(folder: Path) -> None:
    folder.mkdir()
    (folder / "cache.db").write_bytes(b"garbage" * 5000)


def _a_file(folder: Path) -> None:
    folder.write_text("in the way")


def _planted_settings(folder: Path) -> None:
    ResultCache.open(folder.parent).close()
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("INSERT INTO Settings VALUES ('disk_unheard_of', 1)")


def _somebody_else_s(folder: Path) -> None:
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    else:
        (folder / "cache.db").mkdir()


@pytest.mark.parametrize("spoil", [_garbage, _a_file, _planted_settings, _somebody_else_s])
def test_a_cache_that_cannot_be_opened_costs_hits_only(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / RESULTS_FOLDER)
    cache = ResultCache.open(tmp_path)
    assert cache.problem is not None
    assert str(tmp_path) in cache.problem
    assert not cache.put(review("a"))
    assert cache.get_many([keys("a"), keys("b")]) == [None, None]
    stats = cache.stats()
    assert (stats.misses, stats.entries, stats.problem) == (2, 0, cache.problem)


@pytest.mark.parametrize("spoil", [_garbage, _planted_settings])
def test_clearing_makes_a_damaged_cache_anew(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / RESULTS_FOLDER)
    cache = ResultCache.open(tmp_path)
    cache.clear()
    assert cache.problem is None
    assert cache.put(review("a"))
    assert cache.get(keys("a")) is not None
    cache.close()


def test_a_cache_that_another_writes_to_is_read_and_not_written(tmp_path: Path) -> None:
    cache = ResultCache.open(tmp_path, busy_seconds=0.05)
    cache.put(review("a"))
    with closing(sqlite3.connect(tmp_path / RESULTS_FOLDER / "cache.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        assert cache.get(keys("a")) is not None
        assert not cache.put(review("b"))
        assert ResultCache.open(tmp_path, busy_seconds=0.05).problem is not None
        blocker.execute("ROLLBACK")
    assert cache.get(keys("a")) is not None
    assert cache.put(review("b"))
    cache.close()


def test_a_cache_deleted_while_open_is_made_anew(tmp_path: Path, cache: ResultCache) -> None:
    cache.put(review("a"))
    shutil.rmtree(tmp_path / RESULTS_FOLDER)
    assert cache.get(keys("a")) is None
    assert cache.put(review("b"))
    other = ResultCache.open(tmp_path)
    assert other.get(keys("b")) is not None
    other.close()


def test_a_cache_damaged_while_open_costs_hits_only(tmp_path: Path, cache: ResultCache) -> None:
    cache.put(review("a"))
    for file in (tmp_path / RESULTS_FOLDER).iterdir():
        file.write_bytes(b"garbage" * 5000)
    cache.get(keys("a"))
    cache.put(review("b"))
    assert cache.get(keys("c")) is None
    cache.clear()
    assert cache.put(review("d"))
    assert cache.get(keys("d")) is not None
