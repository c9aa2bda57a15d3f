from __future__ import annotations

from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core import line_list
from aiops_lsp.core.line_list import LineList
from aiops_lsp.core.text import (
    AppliedEdit,
    Change,
    Position,
    PositionEncoding,
    Range,
    Snapshot,
    TextDocument,
    carry,
    character_of,
    column_of,
    common_lines,
    line_content,
    split_lines,
)

UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32

PIECES = [
    *["a", "bc", " ", "\t", "\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "\u2029", "\x00"],
    *["é", "e\u0301", "漢", "😀", "\U0001f469\u200d\U0001f4bb", "\ud83d", "\ude00"],
]
ENDS = st.sampled_from(["a", "\r", "\n", "\ud83d", "\ude00"])
texts = (st.lists(ENDS, max_size=6) | st.lists(st.sampled_from(PIECES), max_size=25)).map("".join)
positions = st.builds(Position, st.integers(0, 3) | st.integers(0, 9), st.integers(0, 3) | st.integers(0, 14))


def document(text: str, encoding: PositionEncoding = UTF16) -> TextDocument:
    return TextDocument("file:///x.py", 1, "python", text, encoding)


def span(start_line: int, start: int, end_line: int, end: int) -> Range:
    return Range(Position(start_line, start), Position(end_line, end))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("\n\n", ["\n", "\n", ""]),
        ("a\rb", ["a\r", "b"]),
        ("a\r\nb", ["a\r\n", "b"]),
        ("a\n\rb", ["a\n", "\r", "b"]),
        ("\r\r\n\n", ["\r", "\r\n", "\n", ""]),
        ("a\fb\vc\x85d\u2028e\u2029f\x1cg", ["a\fb\vc\x85d\u2028e\u2029f\x1cg"]),
    ],
)
def test_only_lf_crlf_and_cr_end_a_line(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines


@given(texts)
def test_lines_join_to_the_text_and_each_has_one_end(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert line_content(lines[-1]) == lines[-1]
    assert all(line[len(line_content(line)) :] in ("\n", "\r", "\r\n") for line in lines[:-1])
    assert not any(before.endswith("\r") and after.startswith("\n") for before, after in pairwise(lines))


# Each row: the line, then for characters -1, 0, 1, ... the columns in UTF-8, UTF-16 and UTF-32.
COLUMNS = [
    ("abc\n", {UTF8: [0, 0, 1, 2, 3, 3, 3], UTF16: [0, 0, 1, 2, 3, 3, 3], UTF32: [0, 0, 1, 2, 3, 3, 3]}),
    ("ab\r\n", {UTF8: [0, 0, 1, 2, 2, 2], UTF16: [0, 0, 1, 2, 2, 2], UTF32: [0, 0, 1, 2, 2, 2]}),
    ("aé\r", {UTF8: [0, 0, 1, 1, 2, 2], UTF16: [0, 0, 1, 2, 2], UTF32: [0, 0, 1, 2, 2]}),
    ("漢b", {UTF8: [0, 0, 0, 0, 1, 2, 2], UTF16: [0, 0, 1, 2, 2], UTF32: [0, 0, 1, 2, 2]}),
    ("a😀b", {UTF8: [0, 0, 1, 1, 1, 1, 2, 3, 3], UTF16: [0, 0, 1, 1, 2, 3, 3], UTF32: [0, 0, 1, 2, 3, 3]}),
    ("a\ud83db", {UTF8: [0, 0, 1, 1, 1, 2, 3, 3], UTF16: [0, 0, 1, 2, 3, 3], UTF32: [0, 0, 1, 2, 3, 3]}),
    ("e\u0301\t", {UTF8: [0, 0, 1, 1, 2, 3, 3], UTF16: [0, 0, 1, 2, 3, 3], UTF32: [0, 0, 1, 2, 3, 3]}),
    ("", {UTF8: [0, 0, 0], UTF16: [0, 0, 0], UTF32: [0, 0, 0]}),
]


@pytest.mark.parametrize("encoding", list(PositionEncoding))
@pytest.mark.parametrize(("line", "columns"), COLUMNS)
def test_characters_become_columns(
    line: str, columns: dict[PositionEncoding, list[int]], encoding: PositionEncoding
) -> None:
    assert [column_of(line, at, encoding) for at in range(-1, len(columns[encoding]) - 1)] == columns[encoding]


@pytest.mark.parametrize(
    ("line", "encoding", "characters"),
    [
        ("abc\n", UTF16, [0, 0, 1, 2, 3, 3, 3]),
        ("a😀é\r\n", UTF8, [0, 0, 1, 5, 7, 7, 7]),
        ("a😀é\r\n", UTF16, [0, 0, 1, 3, 4, 4, 4]),
        ("a😀é\r\n", UTF32, [0, 0, 1, 2, 3, 3, 3]),
        ("\ude00b", UTF8, [0, 0, 3, 4, 4]),
        ("\ude00b", UTF16, [0, 0, 1, 2, 2]),
    ],
)
def test_columns_become_characters(line: str, encoding: PositionEncoding, characters: list[int]) -> None:
    assert [character_of(line, column, encoding) for column in range(-1, len(characters) - 1)] == characters


@given(texts, st.sampled_from(PositionEncoding))
def test_columns_come_back_from_characters(text: str, encoding: PositionEncoding) -> None:
    for line in document(text).snapshot().lines:
        content = line_content(line)
        columns = range(len(content) + 1)
        assert [column_of(line, character_of(line, column, encoding), encoding) for column in columns] == list(columns)


class Utf16Model:
    """What a client holds that counts in UTF-16: code units, and an edit by their offsets."""

    def __init__(self, text: str) -> None:
        self.units = self._units(text)

    @staticmethod
    def _units(text: str) -> list[int]:
        data = text.encode("utf-16-le", "surrogatepass")
        return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]

    @property
    def text(self) -> str:
        return b"".join(unit.to_bytes(2, "little") for unit in self.units).decode("utf-16-le", "surrogatepass")

    def offset(self, position: Position) -> int:
        starts = [0]
        for at, unit in enumerate(self.units):
            followed = at + 1 < len(self.units) and self.units[at + 1] == 0x0A
            if unit == 0x0A or (unit == 0x0D and not followed):
                starts.append(at + 1)
        if position.line >= len(starts):
            return len(self.units)
        start = starts[position.line]
        stop = starts[position.line + 1] if position.line + 1 < len(starts) else len(self.units)
        offset = min(start + position.column, stop)
        while offset > start and self.units[offset - 1] in (0x0A, 0x0D):
            offset -= 1
        return offset

    def apply(self, change: Change) -> None:
        if change.range is None:
            self.units = self._units(change.text)
            return
        start, end = sorted((change.range.start, change.range.end))
        self.units[self.offset(start) : self.offset(end)] = self._units(change.text)


changes = st.builds(Change, st.none() | st.builds(Range, positions, positions), texts)
edits_only = st.builds(Change, st.builds(Range, positions, positions), texts)


@given(texts, st.lists(changes, max_size=6))
def test_edits_agree_with_a_client_in_utf16(text: str, batch: list[Change]) -> None:
    ours, model = document(text), Utf16Model(text)
    for version, change in enumerate(batch, start=2):
        ours.apply([change], version)
        model.apply(change)
        snapshot = ours.snapshot()
        assert snapshot.text == model.text
        assert list(snapshot.lines) == split_lines(snapshot.text)
        assert ours.line_count == len(snapshot.lines)
        assert (snapshot.version, ours.version) == (version, version)


@given(texts, st.lists(changes, max_size=6), st.sampled_from(PositionEncoding))
def test_what_was_applied_is_what_is_reported(text: str, batch: list[Change], encoding: PositionEncoding) -> None:
    ours = document(text, encoding)
    for change in batch:
        before = ours.snapshot()
        reported = ours.apply([change], 2)
        after = ours.snapshot()
        if not reported:
            assert before.text == after.text
            continue
        (edit,) = reported
        start, end = before.offset_at(edit.range.start), before.offset_at(edit.range.end)
        assert before.text[:start] + edit.text + before.text[end:] == after.text
        assert after.offset_at(edit.new_end) == start + len(edit.text)
        assert edit.new_end == after.position_at(start + len(edit.text))
        assert before.text[start:end] != edit.text


@given(texts, edits_only, positions, positions, st.sampled_from(PositionEncoding))
def test_a_carried_span_covers_the_same_text(
    text: str, change: Change, one: Position, other: Position, encoding: PositionEncoding
) -> None:
    ours = document(text, encoding)
    before = ours.snapshot()
    start, end = sorted((ours.from_client(one.line, one.column), ours.from_client(other.line, other.column)))
    reported = ours.apply([change], 2)
    after = ours.snapshot()
    for edit in reported:
        carried = carry(Range(start, end), edit)
        first, last = before.offset_at(start), before.offset_at(end)
        low, high = before.offset_at(edit.range.start), before.offset_at(edit.range.end)
        apart = high <= first or low >= last
        assert (carried is not None) == apart
        if carried is not None:
            moved = len(edit.text) - (high - low) if high <= first else 0
            assert after.offset_at(carried.start) == first + moved
            assert after.slice(carried) == before.slice(Range(start, end))


EDIT = AppliedEdit(span(2, 4, 3, 2), Position(2, 9), "five!")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (span(1, 0, 2, 4), span(1, 0, 2, 4)),
        (span(3, 2, 3, 5), span(2, 9, 2, 12)),
        (span(3, 2, 6, 1), span(2, 9, 5, 1)),
        (span(4, 2, 4, 3), span(3, 2, 3, 3)),
        (span(2, 3, 2, 5), None),
        (span(3, 1, 3, 5), None),
        (span(2, 5, 3, 1), None),
        (span(2, 0, 4, 0), None),
        (span(2, 4, 3, 2), None),
    ],
)
def test_carry_past_a_replacement(before: Range, after: Range | None) -> None:
    assert carry(before, EDIT) == after


@pytest.mark.parametrize(
    ("at", "after"),
    [
        (Position(1, 2), span(1, 4, 1, 7)),
        (Position(1, 3), None),
        (Position(1, 4), None),
        (Position(1, 5), span(1, 2, 1, 5)),
    ],
)
def test_carry_past_an_insertion_in_and_at_the_borders(at: Position, after: Range | None) -> None:
    inserted = AppliedEdit(Range(at, at), Position(1, at.column + 2), "xy")
    assert carry(span(1, 2, 1, 5), inserted) == after


@pytest.mark.parametrize(
    ("text", "change", "result", "edit"),
    [
        # An insertion that makes a \r\n covers both of its characters, from either side.
        ("a\rb", (span(1, 0, 1, 0), "\n"), "a\r\nb", (span(0, 1, 1, 0), (1, 0), "\r\n")),
        ("a\nb", (span(0, 1, 0, 1), "\r"), "a\r\nb", (span(0, 1, 1, 0), (1, 0), "\r\n")),
        # Deleting what stood between them does too.
        ("\rx\ny", (span(1, 0, 1, 1), ""), "\r\ny", (span(0, 0, 2, 0), (1, 0), "\r\n")),
        # A place between \r and \n is the place before both.
        ("a\r\nb", (span(0, 2, 0, 2), "x"), "ax\r\nb", (span(0, 1, 0, 1), (0, 2), "x")),
        ("a\r\nb", (span(0, 2, 1, 0), ""), "ab", (span(0, 1, 1, 0), (0, 1), "")),
        # A line that only begins after a \r, or with a \n, makes none.
        ("a\rb", (span(1, 0, 1, 0), "x"), "a\rxb", (span(1, 0, 1, 0), (1, 1), "x")),
        ("a\rbc", (span(1, 1, 1, 1), "\n"), "a\rb\nc", (span(1, 1, 1, 1), (2, 0), "\n")),
        ("a\nb", (span(1, 0, 1, 0), "\n"), "a\n\nb", (span(1, 0, 1, 0), (2, 0), "\n")),
        ("a\nb", (span(0, 0, 0, 0), "\n"), "\na\nb", (span(0, 0, 0, 0), (1, 0), "\n")),
        ("\nb", (span(0, 0, 0, 0), "x"), "x\nb", (span(0, 0, 0, 0), (0, 1), "x")),
        ("a\rb", (span(0, 1, 0, 1), "\r"), "a\r\rb", (span(0, 1, 0, 1), (1, 0), "\r")),
        # Beyond the end of the line, of the text; turned round.
        ("a\nb", (span(0, 9, 0, 99), "x"), "ax\nb", (span(0, 1, 0, 1), (0, 2), "x")),
        ("a\nb", (span(7, 0, 9, 9), "x"), "a\nbx", (span(1, 1, 1, 1), (1, 2), "x")),
        ("a\nb", (span(1, 1, 0, 0), "x"), "x", (span(0, 0, 1, 1), (0, 1), "x")),
        ("😀b", (span(-1, 1, 0, 0), "x"), "x😀b", (span(0, 0, 0, 0), (0, 1), "x")),
        ("ab", (span(0, 2, 0, 1), ""), "a", (span(0, 1, 0, 2), (0, 1), "")),
        # Other line breaks of Unicode are characters like any other.
        ("a\fb\u2028c\n", (span(0, 3, 0, 4), "\n"), "a\fb\nc\n", (span(0, 3, 0, 4), (1, 0), "\n")),
        # Inside a surrogate pair: the halves are kept.
        ("a😀b", (span(0, 2, 0, 3), ""), "a\ud83db", (span(0, 1, 0, 2), (0, 2), "\ud83d")),
        ("a😀b", (span(0, 2, 0, 2), "x"), "a\ud83dx\ude00b", (span(0, 1, 0, 2), (0, 4), "\ud83dx\ude00")),
        ("a😀b", (span(0, 0, 0, 2), ""), "\ude00b", (span(0, 0, 0, 2), (0, 1), "\ude00")),
        ("a\ud83db", (span(0, 2, 0, 2), "x"), "a\ud83dxb", (span(0, 2, 0, 2), (0, 3), "x")),
        ("a\ude00b", (span(0, 1, 0, 1), "x"), "ax\ude00b", (span(0, 1, 0, 1), (0, 2), "x")),
        # Two halves that come together become one character.
        ("a\ud83db", (span(0, 2, 0, 2), "\ude00"), "a😀b", (span(0, 1, 0, 2), (0, 2), "😀")),
        ("a\ude00b", (span(0, 1, 0, 1), "\ud83d"), "a😀b", (span(0, 1, 0, 2), (0, 2), "😀")),
        ("a\ude00b", (span(0, 1, 0, 1), "x\ud83d"), "ax😀b", (span(0, 1, 0, 2), (0, 3), "x😀")),
        ("a\udfffb", (span(0, 1, 0, 1), "\udbff"), "a\U0010ffffb", (span(0, 1, 0, 2), (0, 2), "\U0010ffff")),
        ("a\udbffb", (span(0, 2, 0, 2), "\udfffx"), "a\U0010ffffxb", (span(0, 1, 0, 2), (0, 3), "\U0010ffffx")),
        ("\ud83dx\ude00", (span(0, 1, 0, 2), ""), "😀", (span(0, 0, 0, 3), (0, 1), "😀")),
        ("\ud800x\udc00", (span(0, 1, 0, 2), ""), "\U00010000", (span(0, 0, 0, 3), (0, 1), "\U00010000")),
        ("\udbffx\udfff", (span(0, 1, 0, 2), ""), "\U0010ffff", (span(0, 0, 0, 3), (0, 1), "\U0010ffff")),
        ("\ud7ffx\udc00", (span(0, 1, 0, 2), ""), "\ud7ff\udc00", (span(0, 1, 0, 2), (0, 1), "")),
        ("\ud800x\ue000", (span(0, 1, 0, 2), ""), "\ud800\ue000", (span(0, 1, 0, 2), (0, 1), "")),
        # The whole text: only the lines that differ count.
        ("a\nb\nc", (None, "a\nX\nY\nc"), "a\nX\nY\nc", (span(1, 0, 2, 0), (3, 0), "X\nY\n")),
        ("b\nc", (None, "a\nb\nc"), "a\nb\nc", (span(0, 0, 0, 0), (1, 0), "a\n")),
        ("a\na\n", (None, "a\n"), "a\n", (span(1, 0, 2, 0), (1, 0), "")),
        ("a\nb", (None, "a\nc"), "a\nc", (span(1, 0, 1, 1), (1, 1), "c")),
        ("a", (None, ""), "", (span(0, 0, 0, 1), (0, 0), "")),
        # Nothing changes: nothing is reported.
        ("a\nb", (None, "a\nb"), "a\nb", None),
        ("a\nb", (span(0, 0, 1, 1), "a\nb"), "a\nb", None),
        ("a\nb", (span(1, 0, 1, 0), ""), "a\nb", None),
    ],
)
def test_edits(
    text: str, change: tuple[Range | None, str], result: str, edit: tuple[Range, tuple[int, int], str] | None
) -> None:
    ours = document(text)
    reported = ours.apply([Change(*change)], 2)
    assert ours.snapshot().text == result
    assert reported == ([] if edit is None else [AppliedEdit(edit[0], Position(*edit[1]), edit[2])])


@pytest.mark.parametrize(
    ("encoding", "change", "result"),
    [
        (UTF8, span(0, 3, 0, 5), "a!b"),
        (UTF8, span(0, 1, 0, 5), "a!b"),
        (UTF8, span(0, 5, 0, 6), "a😀!"),
        (UTF32, span(0, 1, 0, 2), "a!b"),
        (UTF16, span(0, 1, 0, 3), "a!b"),
    ],
)
def test_edits_count_in_the_clients_units(encoding: PositionEncoding, change: Range, result: str) -> None:
    ours = document("a😀b", encoding)
    ours.apply([Change(change, "!")], 2)
    assert ours.snapshot().text == result


def test_changes_of_one_batch_follow_on_each_other() -> None:
    ours = document("one\ntwo\n")
    reported = ours.apply([Change(span(0, 0, 0, 0), "zero\n"), Change(span(2, 0, 2, 3), "2")], 7)
    assert ours.snapshot() == Snapshot("file:///x.py", 7, "python", "zero\none\n2\n")
    assert [edit.range for edit in reported] == [span(0, 0, 0, 0), span(2, 0, 2, 3)]


def test_the_snapshot_stays_the_same_until_the_next_version() -> None:
    ours = document("a")
    first = ours.snapshot()
    assert ours.snapshot() is first
    ours.apply([], 2)
    assert ours.snapshot() is not first
    assert (first.version, ours.snapshot().version) == (1, 2)
    ours.apply([Change(span(0, 1, 0, 1), "b")], 3)
    assert (first.text, ours.snapshot().text) == ("a", "ab")


@pytest.mark.parametrize(
    ("client", "position", "back"),
    [
        ((0, 0), Position(0, 0), (0, 0)),
        ((0, 3), Position(0, 2), (0, 3)),
        ((0, 2), Position(0, 1), (0, 1)),
        ((0, 99), Position(0, 3), (0, 4)),
        ((1, 99), Position(1, 1), (1, 1)),
        ((2, 0), Position(1, 1), (1, 1)),
        ((-1, 5), Position(0, 0), (0, 0)),
        ((1, -5), Position(1, 0), (1, 0)),
    ],
)
def test_positions_from_and_to_the_client(client: tuple[int, int], position: Position, back: tuple[int, int]) -> None:
    ours = document("a😀b\r\nc")
    assert ours.from_client(*client) == position
    assert ours.to_client(position) == back


@pytest.mark.parametrize(
    ("position", "client"),
    [
        (Position(2, 0), (1, 1)),
        (Position(9, 0), (1, 1)),
        (Position(-1, 4), (0, 0)),
        (Position(0, 9), (0, 4)),
        (Position(0, -1), (0, 0)),
    ],
)
def test_positions_outside_the_text_are_clamped_for_the_client(position: Position, client: tuple[int, int]) -> None:
    assert document("a😀b\r\nc").to_client(position) == client


@given(texts)
def test_offsets_and_positions_of_a_snapshot(text: str) -> None:
    snapshot = document(text).snapshot()
    for offset in range(len(snapshot.text) + 1):
        position = snapshot.position_at(offset)
        assert snapshot.offset_at(position) == offset
        assert snapshot.slice(Range(Position(0, 0), position)) == snapshot.text[:offset]


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_a_line_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        document("a\nb").line(index)


SMALL = 16


def test_a_line_list_keeps_its_chunks_neither_small_nor_large() -> None:
    with patch.object(line_list, "CHUNK", SMALL):
        lines = LineList([str(number) for number in range(8 * SMALL)])
        for index in range(8):
            lines.replace(2 * index, 2 * index + SMALL - 1, ["x"])
        assert len(lines) == 8 * 2
        assert len(lines._chunks) == 1
        for _ in range(6 * SMALL):
            lines.replace(3, 4, ["y", "y"])
        assert all(SMALL // 4 <= len(chunk) <= 2 * SMALL for chunk in lines._chunks)


@given(
    st.integers(1, 6 * SMALL),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 3 * SMALL)), max_size=6),
)
def test_a_line_list_is_a_list(length: int, replacements: list[tuple[float, float, int]]) -> None:
    plain = [str(number) for number in range(length)]
    with patch.object(line_list, "CHUNK", SMALL):
        lines = LineList(plain)
        for number, (at, share, count) in enumerate(replacements):
            start = min(int(at * len(plain)), len(plain) - 1)
            stop = start + 1 + int(share * (len(plain) - start - 1))
            new = [f"{number}:{index}" for index in range(count)]
            plain[start:stop] = new
            lines.replace(start, stop, list(new))
            assert len(lines) == len(plain)
            assert list(lines) == [lines[index] for index in range(len(plain))] == plain
            sizes = [len(chunk) for chunk in lines._chunks]
            assert max(sizes) <= 2 * SMALL
            assert len(sizes) == 1 or min(sizes) >= SMALL // 4


def test_an_index_past_the_last_chunk_is_an_error() -> None:
    with pytest.raises(IndexError, match="line 3 of 3"):
        LineList(["a", "b", "c"])[3]


@given(texts, st.integers(0, 30), st.integers(0, 30), st.data())
def test_parts_of_a_snapshot_are_what_their_offsets_say(text: str, first: int, last: int, data: st.DataObject) -> None:
    snapshot = document(text).snapshot()
    starts = [*snapshot.line_starts, len(snapshot.text)]
    low, high = (min(number, len(snapshot.lines)) for number in sorted((first, last)))
    assert snapshot.span_of(low, high) == (starts[low], starts[high])
    ends = sorted(data.draw(st.tuples(*[st.integers(0, len(snapshot.text))] * 2)))
    places = Range(*map(snapshot.position_at, ends))
    assert snapshot.slice(places) == snapshot.text[slice(*ends)]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n"]), max_size=12)


@given(LINES, LINES, LINES, LINES, st.booleans())
def test_common_lines_are_as_many_as_can_be(
    head: list[str], old: list[str], new: list[str], tail: list[str], tuples: bool
) -> None:
    before, now = [*head, *old, *tail], [*head, *new, *tail]
    common_head, common_tail = common_lines(tuple(before) if tuples else before, now)
    assert before[:common_head] == now[:common_head]
    assert before[len(before) - common_tail :] == now[len(now) - common_tail :]
    shorter = min(len(before), len(now))
    assert common_head + common_tail <= shorter
    assert common_head == shorter or before[common_head] != now[common_head]
    assert common_head + common_tail == shorter or before[-1 - common_tail] != now[-1 - common_tail]
