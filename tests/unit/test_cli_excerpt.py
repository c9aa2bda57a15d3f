"""Excerpts underline exactly the span, whatever stands before it on the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aiops_lsp.cli.excerpt import excerpt, fix_diff, masked, show_line
from aiops_lsp.core.findings import Edit, Fix
from aiops_lsp.core.text import Position, Range
from tests.support.outcomes import finding, snapshot, span_of


@pytest.mark.parametrize(
    ("line", "words", "shown", "before"),
    [
        ("x = eval(y)", "eval", "x = eval(y)", 4),
        ("\tx = eval(y)", "eval", "    x = eval(y)", 8),
        ("ab\tx = eval(y)", "eval", "ab  x = eval(y)", 8),
        ("漢字\teval(y)", "eval", "漢字    eval(y)", 8),
        ("s = '👍'; eval(y)", "eval", "s = '👍'; eval(y)", 10),
        ("s = 'e\u0301'; eval(y)", "eval", "s = 'e\u0301'; eval(y)", 9),
        ("\x1b[2J eval(y)", "eval", "␛[2J eval(y)", 5),
        ("漢字", "字", "漢字", 2),
    ],
)
def test_the_carets_stand_under_the_words(line: str, words: str, shown: str, before: int) -> None:
    start = line.index(words)
    view = show_line(line + "\r\n", start, start + len(words), 80)
    assert (view.text, view.start, view.end) == (shown, before, before + cell_len(words))


def test_an_empty_span_is_underlined_by_one_caret() -> None:
    view = show_line("x", 1, 1, 80)
    assert (view.start, view.end) == (1, 2)


@given(
    st.text(alphabet="ab\t漢👍é\u0301\x1b", max_size=60),
    st.text(alphabet="ab漢", min_size=1, max_size=10),
    st.text(alphabet="xy\t", max_size=200),
)
def test_a_line_keeps_its_width_and_shows_the_start_of_the_span(before: str, span: str, after: str) -> None:
    view = show_line(before + span + after, len(before), len(before) + len(span), 40)
    assert cell_len(view.text) <= 40
    assert 0 <= view.start < view.end <= max(cell_len(view.text), view.start + 1)
    shown = view.text[view.first : view.last].rstrip("…")
    assert span.startswith(shown)
    assert shown
    cells = 0
    for index, character in enumerate(view.text):
        if cells >= view.start and character in "ab漢":
            assert view.text[index:].startswith(span[:3])
            break
        cells += cell_len(character)


def test_a_span_of_many_lines_is_shortened() -> None:
    text = snapshot("".join(f"line{n}\n" for n in range(20)))
    span = Range(Position(2, 1), Position(13, 0))
    shown = [line.plain for line in excerpt(text, span, 80, "red")]
    assert shown[:2] == [" 3 │ line2", "   │  ^^^^"]
    assert " … │ 6 more lines" in shown
    assert shown[-2:] == ["13 │ line12", "   │ ^^^^^^"]


def test_a_span_at_the_end_of_the_file() -> None:
    text = snapshot("x\n")
    shown = [line.plain for line in excerpt(text, Range(Position(1, 0), Position(1, 0)), 80, "red")]
    assert shown == ["2 │ ", "  │ ^"]


def test_a_fix_shows_as_removed_and_added_lines() -> None:
    text = snapshot()
    fix = finding(text, replacement="None").fix
    assert fix is not None
    assert [line.plain for line in fix_diff(text, fix, 80)] == ["- def total(prices=[]):", "+ def total(prices=None):"]


def test_a_fix_of_several_edits_shows_what_stays_between_them() -> None:
    text = snapshot("a = 1\nkept\nb = 2\n")
    edits = tuple(Edit(span_of(text, old), old, new) for old, new in (("1", "3"), ("2\n", "4\nc = 5\n")))
    shown = [line.plain for line in fix_diff(text, Fix("", edits, verified=False), 80)]
    assert shown == ["- a = 1", "+ a = 3", "  kept", "- b = 2", "+ b = 4", "+ c = 5"]


def test_secrets_are_masked_and_columns_stay() -> None:
    secret = "hunter2" * 4
    text = snapshot(f'password = "{secret}"\nuse(password)\n')
    assert masked(text.text) == text.text.replace(secret, "•" * len(secret))
    shown = [line.plain for line in excerpt(text, span_of(text, "password"), 80, "red")]
    assert shown == [f'1 │ password = "{"•" * len(secret)}"', "  │ ^^^^^^^^"]
    fix = Fix("", (Edit(span_of(text, "password"), "password", "passphrase"),), verified=False)
    assert secret not in "".join(line.plain for line in fix_diff(text, fix, 80))


def test_a_long_fix_is_shortened() -> None:
    text = snapshot("x\n")
    edits = (Edit(span_of(text, "x"), "x", "y\n" * 60),)
    shown = [line.plain for line in fix_diff(text, Fix("", edits, verified=False), 80)]
    assert len(shown) == 31
    assert shown[-1].endswith("more lines")
