"""Where the command line writes: terminals, pipes and files, and text that is made harmless on the way there.

Code, paths and findings are written by others. A terminal obeys escape sequences and a reader trusts the order of
characters, so whatever could move the cursor, hide text or reverse its order is replaced by a visible sign, one for
one: columns stay what they are.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PROSE_WIDTH = 100
"""Longer lines of prose are hard to read, on however wide a terminal."""

_REPLACEMENT = "\ufffd"
_BIDIRECTIONAL = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F)
_SEPARATORS = (0x2028, 0x2029)
_NEUTRAL: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), *_BIDIRECTIONAL, *_SEPARATORS, 0xFEFF), _REPLACEMENT),
}
_NEUTRAL_CODE = {code: sign for code, sign in _NEUTRAL.items() if code != 0x09}


def neutral(text: str, *, keep_tabs: bool = False) -> str:
    """`text` on one line, with every control, reversing and undecodable character replaced by one visible sign."""
    shown = text.translate(_NEUTRAL_CODE if keep_tabs else _NEUTRAL)
    return "".join(_REPLACEMENT if "\ud800" <= character <= "\udfff" else character for character in shown)


def prose(text: str) -> str:
    """`text` as one harmless paragraph: runs of blanks and line ends are single blanks."""
    return neutral(" ".join(text.split()))


def counted(number: int, noun: str) -> str:
    """As in `1 file` and `2,000 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def open_console(stream: TextIO | None = None) -> Console:
    """A console on `stream` (default: standard output): colours only on a terminal, and never where NO_COLOR is set.

    It interprets no markup, so text that looks like markup shows as it is.
    """
    from rich.console import Console  # noqa: PLC0415 - only commands that print pay for it

    stream = stream if stream is not None else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that lacks a character shows "?" and the command goes on
    plain = bool(os.environ.get("NO_COLOR")) or not stream.isatty()
    return Console(
        file=stream,
        color_system=None if plain else "auto",
        no_color=plain,
        force_terminal=None if stream.isatty() else False,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if stream.isatty() else PROSE_WIDTH,
    )


def print_line(console: Console, *parts: Text | str | tuple[str, str]) -> None:
    """Print `parts` (text, or text with a style) on one line; a terminal that is too narrow wraps it at a blank."""
    from rich.text import Text  # noqa: PLC0415

    console.print(Text.assemble(*parts), soft_wrap=not console.is_terminal)


def print_prose(
    console: Console, text: Text | str, *, indent: int = 0, style: str = "", label: Text | str = ""
) -> None:
    """Print one paragraph, wrapped to the console's width but not wider than `PROSE_WIDTH`, indented by `indent`.

    `label` stands before its first line, and the others are indented by as much.
    """
    from rich.text import Text  # noqa: PLC0415

    margin = Text.assemble(" " * indent, label)
    paragraph = Text(text, style) if isinstance(text, str) else text
    width = max(20, min(console.width, PROSE_WIDTH) - margin.cell_len)
    for line in paragraph.wrap(console, width):
        line.rstrip()
        console.print(Text.assemble(margin, line), soft_wrap=True)
        margin = Text(" " * margin.cell_len)
