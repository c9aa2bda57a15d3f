"""What an edit costs in a document of 100 lines and in one of 100,000.

Run `python -m tests.benchmarks.text_edits`. Each figure is the best of several rounds of the mean over many edits in
alternation with their reverse, so that the document stays as long as it is; taking a snapshot is no part of it.
Exits with 1 when an edit costs more than three times as much in the long document.
"""

from __future__ import annotations

import sys
import time

from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument

LINE = "    result = compute(first, second)  # a line of the usual length\n"
EMOJI_LINE = "    result = compute('\U0001f600', second)  # a line with an emoji in it\n"
SIZES = (100, 100_000)
ROUNDS, EDITS = 15, 400


def _change(start: tuple[int, int], end: tuple[int, int], text: str) -> Change:
    return Change(Range(Position(*start), Position(*end)), text)


def _cases(lines: int) -> dict[str, tuple[Change, Change]]:
    """Each kind of edit with the one that takes it back."""
    middle, last = lines // 2, lines - 1
    return {
        "a letter in the middle of a line": (
            _change((middle, 9), (middle, 9), "x"),
            _change((middle, 9), (middle, 10), ""),
        ),
        "a letter in the last line": (_change((last, 9), (last, 9), "x"), _change((last, 9), (last, 10), "")),
        "a newline at the top": (_change((0, 0), (0, 0), "\n"), _change((0, 0), (1, 0), "")),
        "a newline in the middle": (
            _change((middle, 9), (middle, 9), "\n"),
            _change((middle, 9), (middle + 1, 0), ""),
        ),
        "ten lines deleted at the top": (_change((0, 0), (10, 0), ""), _change((0, 0), (0, 0), LINE * 10)),
        "ten lines deleted in the middle": (
            _change((middle, 0), (middle + 10, 0), ""),
            _change((middle, 0), (middle, 0), LINE * 10),
        ),
    }


def _seconds_per_edit(document: TextDocument, pair: tuple[Change, Change]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for version in range(EDITS // 2):
            document.apply((pair[0],), 2 * version)
            document.apply((pair[1],), 2 * version + 1)
        best = min(best, time.perf_counter() - begun)
    return best / EDITS


def _places_apart(document: TextDocument, lines: int) -> float:
    """Newlines put in and taken out at places all over the document, as a formatter or a search and replace does."""
    places = [(index * 7919) % (lines - 1) for index in range(EDITS // 2)]
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for version, line in enumerate(places):
            document.apply((_change((line, 4), (line, 4), "\n"),), version)
            document.apply((_change((line, 4), (line + 1, 0), ""),), version)
        best = min(best, time.perf_counter() - begun)
    return best / EDITS


def _measure(lines: int, line: str) -> dict[str, float]:
    document = TextDocument("file:///x.py", 1, "python", line * lines, PositionEncoding.UTF16)
    before = document.snapshot().text
    figures = {name: _seconds_per_edit(document, pair) for name, pair in _cases(lines).items() if line == LINE}
    figures["a newline here and there"] = _places_apart(document, lines)
    assert document.snapshot().text == before
    return figures


def main() -> int:
    """Print a line per kind of edit; the exit code."""
    worst = 0.0
    for title, line in (("ASCII", LINE), ("with an emoji in each line", EMOJI_LINE)):
        short, long = (_measure(lines, line) for lines in SIZES)
        print(f"{title}: microseconds per edit in {SIZES[0]:,} and {SIZES[1]:,} lines")
        for name in short:
            ratio = long[name] / short[name]
            worst = max(worst, ratio)
            print(f"  {name:36} {short[name] * 1e6:8.1f} {long[name] * 1e6:8.1f}   x {ratio:.2f}")
    print(f"worst ratio: {worst:.2f} (at most 3)")
    return int(worst > 3)


if __name__ == "__main__":
    sys.exit(main())
