"""The server's text beside the reference implementation of LSP's text documents, on random texts and edits."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PACKAGE = "vscode-languageserver-textdocument"
PIECES = [
    *["a", "bc", "def x():", " ", "\t", "\n", "\n\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "\u2029", "\x00"],
    *["é", "e\u0301", "漢字", "😀", "\U0001f469\u200d\U0001f4bb", "\ud83d", "\ude00"],
]
ENDS = st.sampled_from(["a", "\r", "\n", "\ud83d", "\ude00"])
texts = (st.lists(ENDS, max_size=6) | st.lists(st.sampled_from(PIECES), max_size=30)).map("".join)
positions = st.builds(Position, st.integers(0, 3) | st.integers(0, 9), st.integers(0, 3) | st.integers(0, 14))
changes = st.builds(Change, st.none() | st.builds(Range, positions, positions), texts)
batches = st.lists(changes, max_size=6)
thorough = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class Reference:
    """The reference implementation in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, text: str, batch: list[Change], probes: list[Position]) -> dict[str, Any]:
        question = {"text": text, "changes": [_wire(change) for change in batch], "probes": [_place(p) for p in probes]}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _place(position: Position) -> dict[str, int]:
    return {"line": position.line, "character": position.column}


def _wire(change: Change) -> dict[str, Any]:
    if change.range is None:
        return {"text": change.text}
    return {"range": {"start": _place(change.range.start), "end": _place(change.range.end)}, "text": change.text}


def _install(npm: str, folder: Path) -> None:
    """Install the locked packages beside the driver, in one step that several processes may take at once."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=100)
    try:
        (folder / "node_modules").rename(HERE / "node_modules")
    except OSError:
        assert (HERE / "node_modules" / PACKAGE).is_dir()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm, which are not installed")
    if not (HERE / "node_modules" / PACKAGE).is_dir():
        _install(npm, tmp_path_factory.mktemp("npm"))
    with subprocess.Popen(
        [node, "driver.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield Reference(process)
        assert process.stdin is not None
        process.stdin.close()


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _line_starts(lines: tuple[str, ...]) -> list[int]:
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(_utf16(line)) // 2
    return starts


@thorough
@given(text=texts, batch=batches, probes=st.lists(positions, max_size=8))
def test_utf16_agrees_in_texts_lines_and_positions(
    reference: Reference, text: str, batch: list[Change], probes: list[Position]
) -> None:
    expected = reference.ask(text, batch, probes)
    ours = TextDocument("file:///x", 1, "python", text, PositionEncoding.UTF16)
    for version, (change, step) in enumerate(zip(batch, expected["steps"], strict=True), start=2):
        ours.apply([change], version)
        assert ours.snapshot().text == step
    snapshot = ours.snapshot()
    starts = _line_starts(snapshot.lines)
    assert starts == expected["lineStarts"]

    for offset, place in enumerate(expected["positions"]):
        before = _utf16(snapshot.text)[: 2 * offset].decode("utf-16-le", "surrogatepass")
        if _utf16(snapshot.text).startswith(_utf16(before)) and snapshot.text.startswith(before):
            assert ours.to_client(snapshot.position_at(len(before))) == (place["line"], place["character"])
        else:  # Inside a pair there is no position of ours.
            assert ours.to_client(snapshot.position_at(len(before) - 1)) == (place["line"], place["character"] - 1)

    for probe, offset in zip(probes, expected["offsets"], strict=True):
        column = ours.from_client(probe.line, probe.column)
        before = snapshot.text[: snapshot.offset_at(column)]
        inside = len(before) < len(snapshot.text) and snapshot.text[len(before)] > "\uffff"
        assert offset - len(_utf16(before)) // 2 in ((0, 1) if inside else (0,))


def _kept_inside(change: Change, last_line: int) -> Change:
    if change.range is None:
        return change
    start, end = (
        Position(min(place.line, last_line), place.column) for place in (change.range.start, change.range.end)
    )
    return Change(Range(start, end), change.text)


@thorough
@given(text=texts, batch=batches)
def test_a_batch_agrees_with_one_call_of_update(reference: Reference, text: str, batch: list[Change]) -> None:
    # The reference's own index of lines goes wrong when a range lies beyond the last line, so it does not here.
    ours = TextDocument("file:///x", 1, "python", text, PositionEncoding.UTF16)
    inside = []
    for change in batch:
        inside.append(_kept_inside(change, ours.line_count - 1))
        ours.apply(inside[-1:], 2)
    together = TextDocument("file:///x", 1, "python", text, PositionEncoding.UTF16)
    together.apply(inside, 2)
    expected = reference.ask(text, inside, [])
    assert together.snapshot().text == ours.snapshot().text == expected["batch"]


def _converted(place: Position, text: str, encoding: PositionEncoding) -> tuple[Position, Position]:
    """`place`, given in UTF-16, at the start of its character: in UTF-16 again, and in `encoding`."""
    lines = split_lines(text)
    if place.line >= len(lines):
        return place, place
    content = lines[place.line].rstrip("\r\n")
    units = 0
    for index, character in enumerate(content):
        width = len(_utf16(character)) // 2
        if units + width > place.column:
            before = content[:index]
            break
        units += width
    else:
        before = content
    beyond = max(0, place.column - len(_utf16(content)) // 2)
    name, width = {"utf-8": ("utf-8", 1), "utf-32": ("utf-32-le", 4)}[encoding.value]
    there = len(before.encode(name, "surrogatepass")) // width
    return Position(place.line, units + beyond), Position(place.line, there + beyond)


@pytest.mark.parametrize("encoding", [PositionEncoding.UTF8, PositionEncoding.UTF32])
@thorough
@given(text=texts, batch=batches)
def test_the_other_encodings_agree_on_the_same_places(
    reference: Reference, encoding: PositionEncoding, text: str, batch: list[Change]
) -> None:
    ours = TextDocument("file:///x", 1, "python", text, encoding)
    for change in batch:
        before = ours.snapshot().text
        in_utf16, in_ours = change, change
        if change.range is not None:
            start, end = sorted((change.range.start, change.range.end))
            starts, ends = _converted(start, before, encoding), _converted(end, before, encoding)
            in_utf16 = Change(Range(starts[0], ends[0]), change.text)
            in_ours = Change(Range(starts[1], ends[1]), change.text)
        expected = reference.ask(before, [in_utf16], [])
        ours.apply([in_ours], 2)
        assert ours.snapshot().text == expected["steps"][0]
        assert _line_starts(ours.snapshot().lines) == expected["lineStarts"]
