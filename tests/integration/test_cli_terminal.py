"""What a terminal sees beside the output: progress and the question about costs, both on standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.homes import private_home
from tests.support.served import served

if TYPE_CHECKING:
    from pathlib import Path

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")

SOURCE = "def mean(values):\n    return sum(values) / len(values)\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = private_home(tmp_path, monkeypatch)
    monkeypatch.setenv("TERM", "xterm-256color")
    (work / "a.py").write_text(SOURCE)
    return work


def _on_terminal(work: Path, typed: bytes, *words: str) -> tuple[int, str, str]:
    """Run `aiops-lsp review` with input and errors on a terminal. Returns exit code, output, and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aiops_lsp", "review", *words],
        cwd=work,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    return process.wait(60), output, shown.decode()


def test_progress_shows_on_the_terminal_and_never_in_the_output(work: Path) -> None:
    code, output, shown = _on_terminal(work, b"", "--offline", "--format", "json")
    assert code == 0
    assert "Reviewing" in shown
    assert "1/1" in shown
    assert json.loads(output)["findings"] == []


@pytest.mark.parametrize(("answer", "requests"), [(b"n\n", 0), (b"\n", 0), (b"y\n", 1)])
def test_a_run_that_may_cost_much_asks_first(work: Path, answer: bytes, requests: int) -> None:
    config = work.parent / "config" / "aiops-lsp" / "config.toml"
    config.parent.mkdir(parents=True)
    models = "".join(f'{tier} = "test:model"\n' for tier in ("simple", "medium", "complex"))
    with served() as provider:
        config.write_text(
            f'[models]\n{models}[providers.test]\nbase_url = "{provider.base_url}"\n'
            '[prices."test:model"]\ninput = 1000\noutput = 1000\n'
        )
        code, output, shown = _on_terminal(work, answer, "--format", "json")
        assert len(provider.journal) == requests
    assert code == 0
    assert "Go on? [y/N]" in shown
    reasons = [one["reason"] for one in json.loads(output)["not_reviewed"]]
    assert reasons == ([] if requests else ["reviewed by rules only: you did not agree to what it may cost"])
