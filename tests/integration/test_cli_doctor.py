"""`aiops-lsp doctor`: what is set up, and why a file is or is not put to a model."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.cli import main
from tests.support.homes import private_home
from tests.support.served import served

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]

SOURCE = (
    "import os\n\n\ndef total(prices):\n    return sum(prices)\n\n\ndef run(command):\n    return os.system(command)\n"
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = private_home(tmp_path, monkeypatch)
    (work / "a.py").write_text(SOURCE)
    return work


def _configure(work: Path, text: str) -> None:
    config = work.parent / "config" / "aiops-lsp" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text)


def _model_at(base_url: str) -> str:
    models = "".join(f'{tier} = "test:{tier}-model"\n' for tier in ("simple", "medium", "complex"))
    return f'[review]\nscope = "file"\n[models]\n{models}[providers.test]\nbase_url = "{base_url}"\n'


def _words(capsys: Captured) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_without_any_set_up_it_says_what_is_missing(work: Path, capsys: Captured) -> None:
    assert main(["doctor"]) == 0
    shown = _words(capsys)
    assert f"Project {work}" in shown
    assert "(there is none)" in shown
    assert "no API key was found and no local model is set up; the offline rules review" in shown
    assert "0 of 1,000,000 tokens" in shown
    assert "aiops-lsp allow HOST" in shown


def test_keys_are_named_by_their_place_and_never_shown(
    work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-to-be-shown")
    main(["allow", "api.anthropic.com"])
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    shown = " ".join(captured.out.split())
    assert "api.anthropic.com, key from environment variable ANTHROPIC_API_KEY" in shown
    assert "simple anthropic:claude-haiku-5-5: " in shown
    assert "per million tokens" in shown
    assert "allowed api.anthropic.com" in shown
    assert "not-to-be-shown" not in captured.out + captured.err


def test_what_is_wrong_is_told_in_words(work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "file").write_text("in the way")
    monkeypatch.setenv("AIOPS_STATE_DIR", str(work / "file" / "state"))
    _configure(
        work,
        '[models]\nsimple = "openai:no-such-model"\n[providers.openai]\napi_key_file = "/nowhere/key"\n'
        '[review]\ntriger = "save"\n',
    )
    (work / "aiops.toml").write_text("[review]\nmin_confidence = 95\n")
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    shown = " ".join(captured.out.split())
    assert "the key file /nowhere/key cannot be read" in shown
    assert "the price of openai:no-such-model is not known" in shown
    assert "Nothing paid is sent." in shown
    assert "Did you mean review.trigger?" in shown
    assert "review.min_confidence = 95" in shown
    assert "Traceback" not in captured.err


def test_a_file_is_explained_region_by_region_and_nothing_is_sent(work: Path, capsys: Captured) -> None:
    with served() as provider:
        _configure(work, _model_at(provider.base_url))
        assert main(["doctor", "a.py"]) == 0
        assert not provider.journal
    shown = _words(capsys)
    assert "a.py python, 10 lines" in shown
    assert "total (function) simple: short and plain" in shown
    assert "would be sent to test:simple-model" in shown.replace("lines) ", "")
    assert "run (function) medium: " in shown
    assert "would be sent to test:medium-model" in shown
    assert "nothing to review" in shown
    assert "When saved, 2 of 3 regions would be sent" in shown


def test_regions_that_did_not_change_are_not_in_scope(work: Path, capsys: Captured) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *identity, *words], cwd=work, check=True)
    (work / "a.py").write_text(SOURCE.replace("sum(prices)", "sum(prices) + 0"))
    with served() as provider:
        _configure(work, _model_at(provider.base_url).replace('"file"', '"changed"'))
        assert main(["doctor", "a.py"]) == 0
    shown = _words(capsys)
    assert "not in scope: unchanged since the last commit" in shown
    assert "When saved, 1 of 3 regions would be sent" in shown


def test_without_leave_it_says_what_is_in_the_way(
    work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-at-all")
    monkeypatch.setenv("AIOPS_REVIEW__SCOPE", "file")
    assert main(["doctor", "a.py"]) == 0
    shown = _words(capsys)
    assert "sending code to api.openai.com was not allowed" in shown
    assert "When saved, nothing would be sent. The offline rules review all of it." in shown


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (".env", b"KEY=1\n", "hold secrets, so it is never sent"),
        ("empty.py", b"", "It is empty"),
        ("notes.md", b"# Notes\n", "Not put to a model: "),
        ("big.py", b"x = 1\n" * 20_000, "Not put to a model: "),
        ("made/out.py", b"x = 1\n", "ignored by .gitignore, line 1"),
        ("data.py", b"\0\1", "is binary, so it is not reviewed at all"),
        ("latin.py", "x = 'é'\n".encode("latin-1"), "is not valid UTF-8 (line 1)"),
        ("node_modules/m.js", b"var x = 1\n", "other people's code"),
    ],
)
def test_a_file_that_is_not_sent_says_why(work: Path, capsys: Captured, name: str, content: bytes, told: str) -> None:
    (work / ".git").mkdir()
    (work / ".gitignore").write_text("made/\n")
    path = work / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with served() as provider:
        _configure(work, _model_at(provider.base_url))
        assert main(["doctor", name]) == 0
    assert told in _words(capsys)


@pytest.mark.parametrize(("name", "told"), [("nowhere.py", "there is no file"), (".", "is a folder")])
def test_what_is_no_file_is_refused(work: Path, capsys: Captured, name: str, told: str) -> None:
    assert main(["doctor", name]) == 2
    assert told in capsys.readouterr().err


def test_a_function_that_is_too_large_is_shown_in_its_parts(work: Path, capsys: Captured) -> None:
    steps = "".join(f"    total_{number} = step(order, {number})\n" for number in range(398))
    (work / "long.py").write_text(f"def settle(order):\n{steps}    return order\n")
    with served() as provider:
        _configure(work, _model_at(provider.base_url))
        assert main(["doctor", "long.py"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "settle (function)" in line]
    assert len(rows) > 3
    assert not any("too large" in row for row in rows)
    places = [tuple(map(int, row.split()[0].split("-"))) for row in rows]
    assert places[0][0] == 1
    assert places[-1][1] == 401
    assert all(left[1] + 1 == right[0] for left, right in pairwise(places))
