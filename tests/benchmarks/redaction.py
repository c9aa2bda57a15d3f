"""How fast secrets are looked for, and how often text without secrets is taken for one.

Run `python -m tests.benchmarks.redaction [FOLDER]`; without a folder, the standard library without its tests, which
holds no secrets, so that every span found in it is a false one.
"""

from __future__ import annotations

import sys
import sysconfig
import time
from pathlib import Path

from aiops_lsp.core.redaction import find_secrets

_TEST_FOLDERS = {"test", "tests", "idle_test", "site-packages"}


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if not _TEST_FOLDERS & set(path.relative_to(folder).parts))


def main() -> None:
    """Print one line per span and the totals."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_paths()["stdlib"])
    lines, found, seconds = 0, 0, 0.0
    for path in _sources(folder):
        text = path.read_text(encoding="utf-8", errors="replace")
        begun = time.perf_counter()
        spans = find_secrets(text)
        seconds += time.perf_counter() - begun
        lines += text.count("\n")
        found += len(spans)
        for span in spans:
            line = text.count("\n", 0, span.start) + 1
            print(f"{path}:{line}: {span.kind}, {span.end - span.start} characters")
    print(f"{lines} lines, {found} spans: {found * 100_000 / lines:.2f} per 100,000 lines")
    print(f"{seconds * 1e6 / lines:.2f} ms per 1,000 lines")


if __name__ == "__main__":
    main()
