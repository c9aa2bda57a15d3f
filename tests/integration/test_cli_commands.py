"""The commands beside `review`, on real stores in a folder of their own."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.cli import main
from aiops_lsp.store.budget import Limits, Reservation, ReservationRequest
from aiops_lsp.store.ledger import Ledger
from tests.support.homes import private_home

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return private_home(tmp_path, monkeypatch)


def _book(
    state: Path,
    *,
    model: str = "anthropic:claude-sonnet-5-5",
    tier: str = "medium",
    tokens: int = 1000,
    project: str = "/src/shop",
) -> None:
    ledger = Ledger.open(state, time.time)
    request = ReservationRequest(2000, 9000, 5000, 30000, model=model, tier=tier, project=project, language="python")
    reservation = ledger.reserve(request, Limits())
    assert isinstance(reservation, Reservation)
    ledger.commit(
        reservation,
        input_tokens=tokens,
        output_tokens=200,
        cache_read_tokens=0,
        cache_write_tokens=0,
        micro_usd=4_500,
    )
    ledger.add_saved(7_000, 21_000, project=project, language="python")
    ledger.close()


def test_a_host_is_allowed_here_and_listed_and_taken_back(work: Path, capsys: Captured) -> None:
    assert main(["allow", "https://API.OpenAI.com/v1"]) == 0
    assert main(["allow", "localhost", "--everywhere"]) == 0
    capsys.readouterr()
    assert main(["allow"]) == 0
    listed = capsys.readouterr().out
    assert f"api.openai.com  from {work}, since " in listed
    assert "localhost  from everywhere, since " in listed
    assert main(["allow", "api.openai.com", "--revoke"]) == 0
    assert main(["allow", "api.openai.com", "--revoke"]) == 2
    assert "was not allowed" in capsys.readouterr().err


def test_what_still_allows_a_host_is_told(work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_PRIVACY__ALLOW_HOSTS", "api.openai.com")
    main(["allow", "api.openai.com"])
    main(["allow"])
    assert "by privacy.allow_hosts (AIOPS_PRIVACY__ALLOW_HOSTS)" in capsys.readouterr().out
    assert main(["allow", "api.openai.com", "--revoke"]) == 0
    assert "still allowed by privacy.allow_hosts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["allow", "a b"], "is not a host"),
        (["allow", "https://"], "is not a host"),
        (["allow", "http://[::1"], "is not a host"),
        (["allow", "--revoke"], "name the host"),
        (["rule", "py/no-such-rule-at-all"], "there is no rule"),
        (["rule", "any/secrt"], "did you mean any/secret?"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(work: Path, capsys: Captured, words: list[str], told: str) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("aiops-lsp: ")
    assert told in captured.err


@pytest.mark.parametrize(
    ("words", "variable", "told"),
    [
        (["allow", "api.openai.com"], "AIOPS_STATE_DIR", "cannot be used"),
        (["usage"], "AIOPS_STATE_DIR", "cannot be used"),
        (["cache", "stats"], "AIOPS_CACHE_DIR", "not cached"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told_once(
    work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, words: list[str], variable: str, told: str
) -> None:
    (work / "file").write_text("in the way")
    monkeypatch.setenv(variable, str(work / "file" / "folder"))
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err


def test_a_ledger_of_a_newer_version_is_told_and_left_alone(work: Path, capsys: Captured) -> None:
    state = work.parent / "state"
    _book(state)
    with sqlite3.connect(state / "ledger.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 999")
    assert main(["usage"]) == 2
    assert "newer version" in capsys.readouterr().err


def test_usage_says_where_tokens_and_money_went_and_what_the_cache_saved(work: Path, capsys: Captured) -> None:
    state = work.parent / "state"
    _book(state)
    _book(state, model="anthropic:claude-haiku-5-5", tier="simple", tokens=300)
    assert main(["usage"]) == 0
    shown = capsys.readouterr().out
    assert "1,700 of 1,000,000 tokens" in shown
    assert "0.01 of 500.00 USD" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["anthropic:claude-sonnet-5-5", "1", "1,200", "0.0045", "50%"] in rows
    assert ["simple", "1", "500", "0.0045", "50%"] in rows
    assert ["shop", "2", "1,700", "0.0090", "100%"] in rows
    assert ["python", "2", "1,700", "0.0090", "100%"] in rows
    assert "1,700 tokens and 0.01 USD spent; the cache saved 14,000 tokens and 0.04 USD." in " ".join(shown.split())


def test_projects_of_the_same_name_are_told_apart_by_the_folders_above_them(work: Path, capsys: Captured) -> None:
    for project in ("/src/shop", "/old/src/shop", "/src/site", ""):
        _book(work.parent / "state", project=project)
    assert main(["usage"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name in (["/src/shop"], ["old/src/shop"], ["site"], ["(no", "folder)"]):
        assert [*name, "1", "1,200", "0.0045", "25%"] in rows


def test_usage_as_json_has_every_row(work: Path, capsys: Captured) -> None:
    _book(work.parent / "state")
    assert main(["usage", "--json", "--days", "7"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["days"] == 7
    assert report["spend"]["today_tokens"] == 1200
    assert report["spend"]["saved_tokens"] == 7000
    assert [(row["model"], row["tier"], row["requests"]) for row in report["usage"]] == [
        ("anthropic:claude-sonnet-5-5", "medium", 1)
    ]
    assert report["saved"][0]["micro_usd"] == 21_000


def test_usage_before_any_request(work: Path, capsys: Captured) -> None:
    assert main(["usage"]) == 0
    assert "No model was asked in the last 30 days." in capsys.readouterr().out


def test_the_cache_is_measured_and_cleared(work: Path, capsys: Captured) -> None:
    assert main(["cache", "stats"]) == 0
    assert capsys.readouterr().out == f"0 results, 0.0 of at most 512 MB, in {work.parent / 'cache'}\n"
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == "Forgot 0 results.\n"


def test_settings_are_shown_with_origins_and_what_is_wrong_is_told(
    work: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOPS_REVIEW__SCOPE", "file")
    monkeypatch.setenv("AIOPS_REVIEW__TRIGGER", "sometimes")
    (work / "aiops.toml").write_text('[review]\nmin_confidence = 95\n[models]\nsimple = "evil:model"\n')
    assert main(["config", "show"]) == 0
    captured = capsys.readouterr()
    assert 'scope = "file"  # AIOPS_REVIEW__SCOPE' in captured.out
    assert "min_confidence = 95" in captured.out
    assert "evil:model" not in captured.out
    assert "AIOPS_REVIEW__TRIGGER" in captured.err
    assert "a repository cannot set this" in captured.err


def test_the_schema_is_json(work: Path, capsys: Captured) -> None:
    assert main(["config", "schema"]) == 0
    assert "review" in json.loads(capsys.readouterr().out)["properties"]


def test_rules_are_listed_and_have_pages(work: Path, capsys: Captured) -> None:
    assert main(["rule"]) == 0
    listed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert "any/secret" in listed
    assert main(["rule", "ANY/SECRET"]) == 0
    assert capsys.readouterr().out.startswith("# any/secret: ")
