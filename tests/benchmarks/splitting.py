"""How long splitting takes: milliseconds per 1,000 lines, for each language.

    python tests/benchmarks/splitting.py [--lines 5000] [--times 5] [FILE...]

Without files, the sources of tests/data/languages are repeated, under other names each time, up to that many lines.
The time is the processor's for one whole split (parse, regions, context blocks, loose forms), the best of several.
The sources are made of very small regions, so they show the worst; real files have about ten lines in a region.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from aiops_lsp.core.languages import identifier_of
from aiops_lsp.core.regions import region_keys
from aiops_lsp.core.splitting import split
from aiops_lsp.core.text import Snapshot

DATA = Path(__file__).parent.parent / "data" / "languages"
DEFINED = re.compile(r"\b(?:def|class|function|func|fn|fun|interface|struct|trait|object)\s+([a-zA-Z_]\w*)")


def repeated(source: str, lines: int) -> str:
    """`source` again and again, with the names that it defines made new each time."""
    names = sorted(set(DEFINED.findall(source)))
    pattern = re.compile(rf"\b(?:{'|'.join(names)})\b")
    head, *rest = source.splitlines(keepends=True)
    body = "".join(rest)
    count = max(1, lines // (len(rest) + 1))
    return head + "".join(pattern.sub(rf"\g<0>_{number}", body) for number in range(count))


def measured(language: str, text: str, times: int) -> str:
    """One line of figures."""
    best = best_keys = float("inf")
    count = 0
    for number in range(times):
        snapshot = Snapshot("file:///benchmark", number, language, text)
        began = time.process_time()
        regions = split(snapshot).regions
        done = time.process_time()
        for region in regions:
            region_keys(region, language, "")
        count = len(regions)
        best, best_keys = min(best, done - began), min(best_keys, time.process_time() - done)
    lines = text.count("\n")
    return (
        f"{language:16} {lines:6} lines {count:5} regions {1000 * best:7.1f} ms"
        f" = {1e6 * best / max(1, lines):5.1f} ms per 1,000 lines; keys {1000 * best_keys:4.1f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    for path in options.files:
        print(
            measured(identifier_of(path.name) or "plaintext", path.read_text(encoding="utf-8"), options.times),
            path.name,
        )
    for path in [] if options.files else sorted(DATA.glob("*.txt")):
        source = path.read_text(encoding="utf-8").partition("~~~~ regions")[0]
        print(measured(path.stem, repeated(source, options.lines), options.times))


if __name__ == "__main__":
    main()
