"""Code as a terminal shows it, with a finding's span underlined exactly.

Columns of findings count code points; a terminal counts cells, of which a tab takes up to four, a wide character two
and a combining one none. Carets are placed by cells, and on a terminal with colours the text itself is underlined too.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from aiops_lsp.cli.console import counted, neutral
from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.core.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.findings import Fix
    from aiops_lsp.core.text import Range, Snapshot

_TAB_CELLS = 4
_MOST_LINES = 5
_CELLS_BEFORE_SPAN = 24
_ELLIPSIS = "…"
_MASK = "•"
_MOST_FIX_LINES = 30


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of code as it is displayed, and the part of it that is underlined.

    `start` up to and not including `end` are its cells, `first` up to and not including `last` its code points.
    """

    text: str
    start: int
    end: int
    first: int
    last: int


@lru_cache(maxsize=8)
def masked(text: str) -> str:
    """`text` with every secret in it as dots, one for each character: what is printed ends up in logs of CI jobs."""
    parts, end = [], 0
    for span in find_secrets(text):
        secret = text[span.start : span.end]
        parts += [text[end : span.start], "".join(one if one in "\r\n\t" else _MASK for one in secret)]
        end = span.end
    return "".join((*parts, text[end:]))


def show_line(line: str, start: int, end: int, width: int) -> ShownLine:
    """`line` for display in at most `width` cells, with the code points `start` to `end` underlined.

    An empty span underlines one cell. A line that is too long is cut around the start of the span.
    """
    code = neutral(line.rstrip("\r\n"), keep_tabs=True)
    before, span, after = code[:start], code[start:end], code[end:]
    left = _expand(before, 0)
    middle = _expand(span, cell_len(left))
    right = _expand(after, cell_len(left) + cell_len(middle))
    start_cell = cell_len(left)
    end_cell = start_cell + max(1, cell_len(middle))
    whole = ShownLine(left + middle + right, start_cell, end_cell, len(left), len(left) + len(middle))
    return whole if cell_len(whole.text) <= width else _clip(whole, width)


def excerpt(snapshot: Snapshot, span: Range, width: int, style: str) -> list[Text]:
    """The lines that `span` covers, with line numbers from 1 and carets under the span; long spans are shortened.

    `width` is in cells, `style` colours the carets. Secrets are masked.
    """
    numbers = list(range(span.start.line, _last_line(snapshot, span) + 1))
    skipped = len(numbers) - _MOST_LINES
    if skipped > 0:
        numbers = [*numbers[: _MOST_LINES - 1], numbers[-1]]
    gutter = len(str(numbers[-1] + 1))
    lines = split_lines(masked(snapshot.text))
    shown: list[Text] = []
    for number in numbers:
        if skipped > 0 and number == numbers[-1]:
            shown.append(Text.assemble((f"{_ELLIPSIS:>{gutter}} │ ", "dim"), (counted(skipped, "more line"), "dim")))
        line = lines[number].rstrip("\r\n")
        start = span.start.column if number == span.start.line else len(line) - len(line.lstrip())
        end = span.end.column if number == span.end.line else len(line)
        view = show_line(line, start, max(start, end), width - gutter - 3)
        shown += _numbered(number, gutter, view, style)
    return shown


def fix_diff(snapshot: Snapshot, fix: Fix, width: int) -> list[Text]:
    """What applying `fix` does to the lines that it touches: removed ones with `-`, added ones with `+`."""
    first, last = fix.edits[0].range.start.line, fix.edits[-1].range.end.line
    start = snapshot.line_starts[first]
    old = "".join(snapshot.lines[first : last + 1])
    new = old
    for edit in reversed(fix.edits):
        begin = snapshot.offset_at(edit.range.start) - start
        new = new[:begin] + edit.new_text + new[begin + len(edit.old_text) :]
    rows = _diff(split_lines(masked(old)), split_lines(masked(new)))
    shown = [_diff_row(sign, line, width) for sign, line in rows[:_MOST_FIX_LINES]]
    if len(rows) > _MOST_FIX_LINES:
        shown.append(Text(f"  {counted(len(rows) - _MOST_FIX_LINES, 'more line')}", style="dim"))
    return shown


def _expand(text: str, cells: int) -> str:
    """`text`, which begins in cell `cells` of its line, with its tabs as blanks."""
    if "\t" not in text:
        return text
    shown = ""
    for index, part in enumerate(text.split("\t")):
        if index:
            shown += " " * (_TAB_CELLS - (cells + cell_len(shown)) % _TAB_CELLS)
        shown += part
    return shown


def _clip(line: ShownLine, width: int) -> ShownLine:
    """The part of a line that fits, around the start of the span."""
    text, cells, points = line.text, 0, 0
    if line.end > width - 1 and line.start > _CELLS_BEFORE_SPAN:
        text, cells = _without_first(text, line.start - _CELLS_BEFORE_SPAN)
        points = len(line.text) - len(text) - 1
        text = _ELLIPSIS + text
        cells -= 1
    if cell_len(text) > width:
        text = _first_cells(text, width - 1) + _ELLIPSIS
    shown = cell_len(text)
    start = min(line.start - cells, shown - 1)
    end = max(start + 1, min(line.end - cells, shown))
    return ShownLine(text, start, end, min(line.first - points, len(text)), min(line.last - points, len(text)))


def _without_first(text: str, cells: int) -> tuple[str, int]:
    """`text` without its first characters, which fill at least `cells` cells, and how many cells these fill."""
    taken = 0
    for index, character in enumerate(text):
        if taken >= cells and cell_len(character):
            return text[index:], taken
        taken += cell_len(character)
    return "", taken


def _first_cells(text: str, cells: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += cell_len(character)
        if taken > cells:
            return text[:index]
    return text


def _numbered(number: int, gutter: int, view: ShownLine, style: str) -> list[Text]:
    parts = (view.text[: view.first], (view.text[view.first : view.last], "underline"), view.text[view.last :])
    code = Text.assemble((f"{number + 1:>{gutter}} │ ", "dim"), *parts)
    carets = Text.assemble((f"{'':>{gutter}} │ ", "dim"), " " * view.start, ("^" * (view.end - view.start), style))
    return [code, carets]


def _last_line(snapshot: Snapshot, span: Range) -> int:
    """A span that ends at the start of a line does not cover that line."""
    ends_before = span.end.column == 0 and span.end.line > span.start.line
    return min(span.end.line - ends_before, len(snapshot.lines) - 1)


def _diff(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            rows += [(" ", line) for line in old[old_from:old_to]]
            continue
        rows += [("-", line) for line in old[old_from:old_to]]
        rows += [("+", line) for line in new[new_from:new_to]]
    while rows and rows[-1] == (" ", ""):
        rows.pop()
    return rows


def _diff_row(sign: str, line: str, width: int) -> Text:
    view = show_line(line, 0, 0, width - 2)
    return Text(f"{sign} {view.text}".rstrip(), style={"-": "red", "+": "green"}.get(sign, "dim"))
