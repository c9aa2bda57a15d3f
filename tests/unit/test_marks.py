"""Which lines were edited, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.text import AppliedEdit, Position, Range
from aiops_lsp.engine.marks import MOST_MARKS, EditMarks


def edit(first: int, old_last: int, new_last: int) -> AppliedEdit:
    return AppliedEdit(Range(Position(first, 0), Position(old_last, 0)), Position(new_last, 0), "")


def last_edit(marks: EditMarks, start: int, end: int) -> float | None:
    return marks.last_edits([-1, start, end]).get(1)


def test_a_line_that_was_never_edited_has_no_time() -> None:
    marks = EditMarks()
    marks.edited(edit(5, 5, 5), at=1.0)
    assert last_edit(marks, 0, 5) is None
    assert last_edit(marks, 5, 6) == 1.0
    assert last_edit(marks, 6, 9) is None


def test_marks_move_with_lines_inserted_and_removed_above() -> None:
    marks = EditMarks()
    marks.edited(edit(10, 10, 10), at=1.0)
    marks.edited(edit(2, 2, 5), at=2.0)
    assert last_edit(marks, 13, 14) == 1.0
    marks.edited(edit(0, 1, 0), at=3.0)
    assert last_edit(marks, 12, 13) == 1.0


def test_only_the_lines_of_an_edit_get_its_time() -> None:
    marks = EditMarks()
    marks.edited(edit(4, 8, 8), at=1.0)
    marks.edited(edit(6, 6, 7), at=2.0)
    assert [last_edit(marks, line, line + 1) for line in range(3, 11)] == [None, 1, 1, 2, 2, 1, 1, None]
    assert marks.latest() == (6, 7)


def test_lines_typed_one_after_the_other_keep_their_times() -> None:
    marks = EditMarks()
    for line in range(MOST_MARKS + 50):
        marks.edited(edit(line, line, line + 1), at=float(line))
    last = MOST_MARKS + 50
    assert marks.latest() == (last - 1, last)
    assert [last_edit(marks, line, line + 1) for line in range(100, last)] == list(range(100, last))
    assert last_edit(marks, 0, last + 1) == last - 1


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.integers(0, 3)), max_size=300))
def test_the_line_just_edited_is_always_marked_and_marks_stay_few(edits: list[tuple[int, int, int]]) -> None:
    marks = EditMarks()
    for at, (first, removed, added) in enumerate(edits):
        marks.edited(edit(first, first + removed, first + added), at=float(at))
        assert last_edit(marks, first, first + added + 1) == float(at)
        assert len(marks._marks) <= MOST_MARKS
        for before, after in zip(marks._marks, marks._marks[1:], strict=False):
            assert before.last < after.first
