"""The baseline file: written to be read in a diff, read without trust."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.engine.baseline import BASELINE_FILE, BaselineEntry, read_baseline, write_baseline

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = [
    BaselineEntry("b.py", "2" * 16, "py/rule", "Title"),
    BaselineEntry("a.py", "1" * 16, "bug", "漢字 \x1b[2J"),
    BaselineEntry("a.py", "1" * 16, "bug", "漢字 \x1b[2J"),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert write_baseline(tmp_path, ENTRIES) == tmp_path / BASELINE_FILE
    baseline = read_baseline(tmp_path)
    assert baseline.entries == frozenset(ENTRIES)
    assert baseline.problem == ""
    assert [path.name for path in tmp_path.iterdir()] == [BASELINE_FILE]


def test_the_file_is_sorted_and_ascii_so_that_its_diff_reads_well(tmp_path: Path) -> None:
    text = write_baseline(tmp_path, ENTRIES).read_text()
    assert text.isascii()
    assert "\x1b" not in text
    assert [one["path"] for one in json.loads(text)["findings"]] == ["a.py", "b.py"]
    assert write_baseline(tmp_path, reversed(ENTRIES)).read_text() == text


def test_a_finding_is_put_up_with_in_its_own_file_only(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    write_baseline(tmp_path, ENTRIES)
    baseline = read_baseline(tmp_path)
    assert baseline.ids_in("a.py") == {"1" * 16}
    assert baseline.ids_in("b.py") == {"2" * 16}
    assert baseline.ids_in("c.py") == frozenset()


def test_entries_follow_a_file_that_was_renamed(tmp_path: Path) -> None:
    (tmp_path / "b.py").touch()
    write_baseline(tmp_path, ENTRIES)
    assert read_baseline(tmp_path).ids_in("renamed.py") == {"1" * 16}


def test_without_a_file_nothing_is_hidden(tmp_path: Path) -> None:
    baseline = read_baseline(tmp_path)
    assert (baseline.ids_in("a.py"), baseline.problem) == (frozenset(), "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"\0",
        b'{"version": 2, "findings": []}',
        b'{"version": 1, "findings": {}}',
        b'{"version": 1, "findings": [1]}',
        b'{"version": 1, "findings": [{"path": "a.py", "id": 1, "rule": "bug", "title": "t"}]}',
        b'{"version": 1, "findings": [{"path": "a.py"}]}',
        b"[" * 100_000,
    ],
)
def test_what_we_did_not_write_hides_nothing_and_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / BASELINE_FILE).write_bytes(content)
    baseline = read_baseline(tmp_path)
    assert not baseline.entries
    assert BASELINE_FILE in baseline.problem


def test_a_path_that_no_file_can_have_is_gone(tmp_path: Path) -> None:
    write_baseline(tmp_path, [BaselineEntry("a\0b", "1" * 16, "bug", "t")])
    assert read_baseline(tmp_path).moved == {"1" * 16}


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / BASELINE_FILE).mkdir()
    assert "folder" in read_baseline(tmp_path).problem
