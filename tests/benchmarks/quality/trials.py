"""Whether a text parses, and whether it passes its test, each in a process of its own.

A fix is code that a model wrote. It runs in an empty folder, with an empty environment and a bound on its time, and
with nothing else to hold it back: measure untrusted answerers in a container, or without tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.quality.cases import ENDINGS

SECONDS = 10.0
"""After so long a test has failed."""

_PARSE = "import sys; compile(open(sys.argv[1], encoding='utf-8').read(), 'case', 'exec')"
_STRICT_ASSERT = "console.assert = (held, ...words) => { if (!held) throw new Error(words.join(' ') || 'failed'); };"
"""In JavaScript's tests an assertion that fails only prints."""


class NoInterpreter(RuntimeError):
    """Node is needed to run the tests of JavaScript, and it is not installed."""


def parses(language: str, text: str) -> bool:
    """Whether `text` is valid code."""
    command = [sys.executable, "-I", "-c", _PARSE] if language == "python" else [_node(), "--check"]
    return _succeeds(command, language, text, SECONDS)


def passes(language: str, text: str, test: str, seconds: float = SECONDS) -> bool:
    """Whether `test`, appended to `text`, runs through."""
    if language == "python":
        return _succeeds([sys.executable, "-I"], language, f"{text}\n\n{test}\n", seconds)
    return _succeeds([_node()], language, f"{_STRICT_ASSERT}\n{text}\n;\n{test}\n", seconds)


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise NoInterpreter("the tests of JavaScript need node; install it, or leave tests out")
    return node


def _succeeds(command: list[str], language: str, text: str, seconds: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="aiops-trial-") as folder:
        path = Path(folder) / f"trial{ENDINGS[language]}"
        path.write_text(text, "utf-8")
        process = subprocess.Popen(
            [*command, str(path)],
            cwd=folder,
            env={"PATH": os.defpath, "HOME": folder, "TMPDIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):  # it has ended by itself and left nothing behind
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
