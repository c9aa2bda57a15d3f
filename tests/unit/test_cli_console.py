"""Text of others is made harmless before it reaches a terminal, and columns stay what they are."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.cli.console import neutral, open_console, print_line, print_prose, prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]8;;http://e/\x07link", "␛]8;;http://e/␇link"),
        ("\x9b31m", "\ufffd31m"),
        ("a\rb\nc\x00", "a␍b␊c␀"),
        ("if \u202eresu\u202c:", "if \ufffdresu\ufffd:"),
        ("\udcff.py", "\ufffd.py"),
        ("über 漢字 👩‍👩‍👧 é", "über 漢字 👩‍👩‍👧 é"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_a_sign(text: str, shown: str) -> None:
    assert neutral(text) == shown


@given(st.text(alphabet=st.characters()))
def test_nothing_is_left_to_obey_and_no_column_moves(text: str) -> None:
    shown = neutral(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert not any(
        unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI") for character in shown
    )


def test_prose_is_one_paragraph() -> None:
    assert prose("  one\r\n\ttwo \x1b[2J ") == "one two ␛[2J"


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_only_on_a_terminal_that_wants_them(
    terminal: bool, environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]  # a terminal without a pseudo-terminal
    print_line(open_console(stream), ("red", "bold red"), " [bold]plain[/bold] :smile:")
    assert ("\x1b[" in stream.getvalue()) is coloured
    assert "[bold]plain[/bold] :smile:" in stream.getvalue()


def test_a_line_for_other_programs_is_never_wrapped_and_prose_is() -> None:
    stream = io.StringIO()
    console = open_console(stream)
    print_line(console, "path " * 60)
    print_prose(console, "word " * 60, indent=4)
    first, *rest = stream.getvalue().splitlines()
    assert len(first) == 300
    assert len(rest) > 1
    assert all(len(line) <= 100 and line.startswith("    word") for line in rest)
