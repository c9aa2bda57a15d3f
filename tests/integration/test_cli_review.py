"""`aiops-lsp review` from its words to its exit code: the real engine, real stores, a provider on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.cli import main
from tests.support.homes import private_home
from tests.support.provider import Reply, findings_where
from tests.support.served import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.provider import Provider

Captured = pytest.CaptureFixture[str]

MUTABLE = "def total(prices=[]):\n    prices.append(1)\n    return sum(prices)\n"
CLEAN = "def double(number):\n    return 2 * number\n"
DIVIDES = "def mean(values):\n    # 漢字 👍\n    return sum(values) / len(values)\n"

BY_MODEL = findings_where(
    {
        "/ len(values)": {
            "title": "Divides by zero",
            "why": "An empty list has length zero.",
            "trigger": "mean([])",
            "fix": {"new_lines": ["    return sum(values) / max(1, len(values))"]},
        }
    }
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return private_home(tmp_path, monkeypatch)


def _set_up_model(work: Path, provider: Provider, *, price: float | None = None) -> None:
    """Make the provider the user's model, on loopback, at `price` USD per million tokens."""
    config = work.parent / "config" / "aiops-lsp" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    lines = ["[review]", 'second_opinion = "off"', "[models]"]
    lines += [f'{tier} = "test:model"' for tier in ("simple", "medium", "complex")]
    lines += ["[providers.test]", f'base_url = "{provider.base_url}"']
    if price is not None:
        lines += ['[prices."test:model"]', f"input = {price}", f"output = {price}"]
    config.write_text("\n".join(lines) + "\n")


def _json(capsys: Captured, *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["review", "--format", "json", *words])
    return code, json.loads(capsys.readouterr().out)


def _git(work: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=work, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("source", "fail_on", "code"),
    [(MUTABLE, "medium", 1), (MUTABLE, "high", 1), (MUTABLE, "critical", 0), (CLEAN, "low", 0)],
)
def test_exit_codes_by_severity(work: Path, capsys: Captured, source: str, fail_on: str, code: int) -> None:
    (work / "a.py").write_text(source)
    assert main(["review", "--offline", "--fail-on", fail_on]) == code
    shown = capsys.readouterr().out
    assert ("a.py:1:18  high  Default value is shared and changed" in shown) is (source == MUTABLE)
    assert "By rules only; no model has seen the code: --offline was given." in shown


def test_offline_sends_nothing_and_looks_no_key_up(work: Path, capsys: Captured) -> None:
    (work / "a.py").write_text(DIVIDES)
    with served(BY_MODEL) as provider:
        _set_up_model(work, provider)
        code, report = _json(capsys, "--offline")
        assert not provider.journal
    assert code == 0
    assert report["findings"] == []
    assert report["not_reviewed"] == [{"path": "a.py", "reason": "reviewed by rules only: --offline was given"}]


def test_offline_needs_no_state_folder(work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "in-the-way").write_text("")
    for variable in ("AIOPS_STATE_DIR", "AIOPS_CACHE_DIR"):
        monkeypatch.setenv(variable, str(work / "in-the-way" / "folder"))
    (work / "a.py").write_text(MUTABLE)
    code, report = _json(capsys, "--offline", "a.py")
    assert code == 1
    assert [found["rule"] for found in report["findings"]] == ["py/mutable-default"]


def test_a_model_reviews_whole_files_and_is_asked_once(work: Path, capsys: Captured) -> None:
    (work / "a.py").write_text(DIVIDES)
    (work / "b.py").write_text(CLEAN)
    with served(BY_MODEL) as provider:
        _set_up_model(work, provider, price=1.0)
        code, first = _json(capsys)
        asked = len(provider.journal)
        again, second = _json(capsys)
        assert len(provider.journal) == asked == 2
    assert (code, again) == (1, 1)
    (found,) = first["findings"]
    assert found["path"] == "a.py"
    assert found["start"] == {"line": 3, "column": 24}
    assert (found["rule"], found["severity"], found["title"]) == ("bug", "high", "Divides by zero")
    assert found["fix"]["edits"][0]["new_text"].strip().startswith("return sum(values) / max(1,")
    assert first["not_reviewed"] == []
    assert first["usage"]["tokens"] > 0
    assert first["usage"]["usd"] > 0
    assert second["findings"] == first["findings"]
    assert second["usage"]["tokens"] == 0
    assert second["usage"]["regions"]["cached"] == first["usage"]["regions"]["reviewed"] == 2


def test_no_more_is_spent_than_max_cost(work: Path, capsys: Captured) -> None:
    for name in ("a", "b", "c"):
        (work / f"{name}.py").write_text(DIVIDES.replace("mean", f"mean_{name}"))
    with served(BY_MODEL) as provider:
        _set_up_model(work, provider, price=100.0)
        _, report = _json(capsys, "--max-cost", "0")
        assert not provider.journal
    assert len(report["not_reviewed"]) == 3
    assert all("--max-cost" in one["reason"] for one in report["not_reviewed"])
    assert report["usage"]["usd"] == 0


def test_a_run_that_may_cost_much_stops_at_half_a_dollar_where_nobody_can_be_asked(
    work: Path, capsys: Captured
) -> None:
    (work / "a.py").write_text(DIVIDES)
    with served(BY_MODEL) as provider:
        _set_up_model(work, provider, price=1000.0)
        assert main(["review"]) == 0
        assert not provider.journal
    captured = capsys.readouterr()
    assert "This review costs at most" in captured.err
    shown = " ".join(captured.out.split())
    assert "this run spends at most 0.50 USD" in shown
    assert "no model has seen the code" in shown


def test_a_remote_host_gets_nothing_before_it_is_allowed(
    work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "a.py").write_text(DIVIDES)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-a-real-key")
    assert main(["review"]) == 0
    captured = capsys.readouterr()
    assert "aiops-lsp allow api.anthropic.com" in captured.out
    assert "By rules only" in captured.out
    assert "sk-ant" not in captured.out + captured.err


def test_a_provider_that_fails_leaves_the_rules_findings_and_says_so(work: Path, capsys: Captured) -> None:
    (work / "a.py").write_text(MUTABLE)
    with served(lambda _exchange: Reply(status=400, message="no")) as provider:
        _set_up_model(work, provider)
        code, report = _json(capsys)
        assert provider.journal
    assert code == 1
    assert [found["rule"] for found in report["findings"]] == ["py/mutable-default"]
    assert [one["path"] for one in report["not_reviewed"]] == ["a.py"]


def test_diff_reports_on_changed_lines_only_and_asks_for_no_more(work: Path, capsys: Captured) -> None:
    (work / "a.py").write_text(MUTABLE + "\n\n" + DIVIDES)
    _git(work, "init", "-q")
    _git(work, "add", ".")
    _git(work, "commit", "-qm", "first")
    with served(BY_MODEL) as provider:
        _set_up_model(work, provider)
        assert _json(capsys, "--diff") == (
            0,
            {
                "findings": [],
                "not_reviewed": [],
                "usage": {
                    "tokens": 0,
                    "usd": 0,
                    "files": 0,
                    "regions": {"reviewed": 0, "cached": 0, "not_reviewed": 0},
                },
            },
        )
        (work / "a.py").write_text(MUTABLE + "\n\n" + DIVIDES.replace("len(values)", "len(values) + 0"))
        code, report = _json(capsys, "--diff", "HEAD", "a.py")
        sent = "\n".join(line for exchange in provider.journal for lines in exchange.regions.values() for line in lines)
    assert code == 1
    assert [found["title"] for found in report["findings"]] == ["Divides by zero"]
    assert "def mean(values):" in sent
    assert "prices.append" not in sent


def test_diff_takes_what_follows_for_a_path_when_it_is_one(work: Path, capsys: Captured) -> None:
    (work / "src").mkdir()
    (work / "src" / "a.py").write_text(CLEAN)
    _git(work, "init", "-q")
    _git(work, "commit", "-qm", "first", "--allow-empty")
    code, report = _json(capsys, "--offline", "--diff", "src")
    assert (code, report["usage"]["files"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.py"], "there is no file or folder nowhere.py"),
        (["--diff", "no-such-branch"], "no-such-branch"),
        (["--diff", "--write-baseline"], "leave --diff out"),
    ],
)
def test_a_review_that_cannot_run_says_why_and_exits_with_2(
    work: Path, capsys: Captured, words: list[str], told: str
) -> None:
    (work / "a.py").write_text(CLEAN)
    _git(work, "init", "-q")
    _git(work, "commit", "-qm", "first", "--allow-empty")
    assert main(["review", "--offline", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err


def test_a_baseline_hides_what_was_there_and_shows_what_is_new(work: Path, capsys: Captured) -> None:
    (work / ".git").mkdir()
    (work / "a.py").write_text(MUTABLE)
    assert main(["review", "--offline", "--write-baseline"]) == 0
    written = json.loads((work / "aiops-baseline.json").read_text())
    assert [(one["path"], one["rule"]) for one in written["findings"]] == [("a.py", "py/mutable-default")]
    capsys.readouterr()
    assert _json(capsys, "--offline", "a.py")[1]["findings"] == []
    (work / "a.py").write_text("\n\n" + MUTABLE)
    (work / "b.py").write_text(MUTABLE.replace("prices", "costs"))
    code, report = _json(capsys, "--offline")
    assert (code, [found["path"] for found in report["findings"]]) == (1, ["b.py"])
    assert main(["review", "--offline", "--write-baseline", "b.py"]) == 0
    written = json.loads((work / "aiops-baseline.json").read_text())
    assert [one["path"] for one in written["findings"]] == ["a.py", "b.py"]


def test_a_baseline_that_cannot_be_read_hides_nothing_and_is_told(work: Path, capsys: Captured) -> None:
    (work / ".git").mkdir()
    (work / "a.py").write_text(MUTABLE)
    (work / "aiops-baseline.json").write_text("{")
    assert main(["review", "--offline"]) == 1
    assert "is no baseline" in " ".join(capsys.readouterr().out.split())


def test_files_that_cannot_be_reviewed_are_told_and_the_rest_is(work: Path, capsys: Captured) -> None:
    (work / "binary.py").write_bytes(b"\0\1")
    (work / "latin.py").write_bytes("x = 'é'".encode("latin-1"))
    (work / "a.py").write_text(MUTABLE)
    code, report = _json(capsys, "--offline")
    assert code == 1
    reasons = {one["path"]: one["reason"] for one in report["not_reviewed"]}
    assert reasons["binary.py"] == "it is binary"
    assert reasons["latin.py"].startswith("it is not valid UTF-8")


def test_what_others_wrote_cannot_drive_the_terminal(work: Path, capsys: Captured) -> None:
    name = "a\x1b[2Jb.py" if os.name == "posix" else "ab.py"
    (work / name).write_text(MUTABLE.replace("prices=[]", "prices=[], x='\x1b]0;owned\x07'"))
    assert main(["review", "--offline"]) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "\x07" not in captured.out


def test_a_repository_cannot_choose_where_code_goes(work: Path, capsys: Captured) -> None:
    (work / ".git").mkdir()
    (work / "a.py").write_text(DIVIDES)
    with served(BY_MODEL) as provider:
        (work / "aiops.toml").write_text(
            f'[models]\nsimple = "evil:model"\n[providers.evil]\nbase_url = "{provider.base_url}"\n'
        )
        assert main(["review"]) == 0
        assert not provider.journal
    assert "a repository cannot set this" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error(work: Path) -> None:
    for number in range(40):
        (work / f"f{number}.py").write_text(MUTABLE * 3)
    command = [sys.executable, "-m", "aiops_lsp", "review", "--offline", "--format", "json"]
    process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(60) in (0, 1)
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


def test_serving_imports_nothing_of_the_other_commands(work: Path) -> None:
    code = (
        "import sys; from aiops_lsp.cli.arguments import parse; import aiops_lsp.cli; parse(['--stdio']);"
        "print([name for name in ('rich', 'pydantic', 'aiops_lsp.engine', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
