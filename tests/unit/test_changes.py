"""What a review of changes is told of them, and how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.regions import Region, RegionKind
from aiops_lsp.core.text import Snapshot
from aiops_lsp.engine import changes, git
from aiops_lsp.engine.changes import Hunk, changes_since_commit, fitting
from aiops_lsp.engine.line_diff import comparable, unified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FIRST = Hunk(0, 4, ("@@ -1,4 +1,4 @@", "-a", "+b"))
SECOND = Hunk(20, 24, ("@@ -20,4 +20,4 @@", "-c", "+d"))
THIRD = Hunk(40, 44, ("@@ -40,4 +40,4 @@", "-e " + "long " * 400, "+f"))


def region(start: int, end: int) -> Region:
    return Region(RegionKind.FUNCTION, "f", start, end, ("x",) * (end - start), (0,) * (end - start), "", "x")


@pytest.mark.parametrize(
    ("tokens", "spans", "told"),
    [
        (1000, [(0, 4)], FIRST.lines + SECOND.lines + THIRD.lines),
        (100, [(0, 4)], FIRST.lines + SECOND.lines),
        (14, [(0, 4)], FIRST.lines),
        (14, [(18, 30)], SECOND.lines),
        (14, [(42, 50)], FIRST.lines),  # its own does not fit
        (3, [(0, 4)], ()),
        (-5, [(0, 4)], ()),
    ],
)
def test_what_there_is_room_for(tokens: int, spans: list[tuple[int, int]], told: tuple[str, ...]) -> None:
    regions = [region(*span) for span in spans]
    assert fitting([THIRD, FIRST, SECOND], regions, tokens, "test:m") == told


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Sets what HEAD holds: a text, or None where there is no repository."""

    def holds(text: str | None) -> None:
        async def diff(
            path: Path, lines: Sequence[str], prepared: Callable[[Sequence[str]], Sequence[str]]
        ) -> str | None:
            assert path.name == "a.py"
            old = comparable(text.split("\n")) if text is not None else []
            return None if text is None else unified(prepared(old), prepared(comparable(lines)), path.name)

        monkeypatch.setattr(git, "diff_against_head", diff)

    return holds


def snapshot(text: str) -> Snapshot:
    return Snapshot("file:///tmp/a.py", 1, "python", text)


async def test_hunks_say_where_they_are(committed: Callable[[str | None], None]) -> None:
    old = "\n".join(f"x{number} = {number}" for number in range(40))
    committed(old)
    first, second = await changes_since_commit(snapshot(old.replace("x3 = 3", "y").replace("x30 = 30\n", "")), ())
    assert (first.start, first.end, first.lines[4:6]) == (0, 7, ("-x3 = 3", "+y"))
    assert (second.start, second.end) == (27, 33)
    assert "-x30 = 30" in second.lines


@pytest.mark.parametrize("head", [None, "", "x = 1\n"])
async def test_where_there_is_nothing_to_tell(head: str | None, committed: Callable[[str | None], None]) -> None:
    committed(head)
    assert await changes_since_commit(snapshot("x = 1\n"), ()) == ()


async def test_what_is_not_a_file_has_no_changes() -> None:
    assert await changes_since_commit(Snapshot("untitled:1", 1, "python", "x"), ()) == ()


async def test_a_secret_that_changed_is_no_difference(committed: Callable[[str | None], None]) -> None:
    committed("key = 'acme-111'\nx = 1  # Claude: skip this\n")
    (hunk,) = await changes_since_commit(snapshot("key = 'acme-222'\nx = 2\n"), (r"acme-\d+",))
    assert hunk.lines == ("@@ -1,2 +1,2 @@", " key = 'REDACTED_USER_PATTERN_0'", "-x = 1", "+x = 2")


def test_redacted_lines_are_as_many() -> None:
    lines = ["a", "-----BEGIN PRIVATE " + "KEY-----", "A1b2" * 16, "C3d4" * 16, "-----END PRIVATE " + "KEY-----", ""]
    made = changes._redacted(lines, ())
    assert len(made) == len(lines)
    assert made[2:4] == ["REDACTED_PRIVATE_KEY_0", ""]
    assert changes._redacted([], ()) == []
