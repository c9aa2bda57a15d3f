"""The quality harness runs the real engine: requests as files, answers from files, records and replays."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.quality.__main__ import ROOT, main
from tests.support.clock import until
from tests.support.homes import private_home
from tests.support.provider import Provider, answer, finding, findings_where

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUGGY = "def last_item(items):\n    return items[0]\n"
CORRECT = "def last_item(items):\n    return items[-1]\n"
TWINS = {
    "python-last": (BUGGY, CORRECT, "assert last_item([1, 2]) == 2"),
    "python-total": (
        "def add_up(numbers):\n    total = 1\n    for number in numbers:\n        total += number\n    return total\n",
        "def add_up(numbers):\n    total = 0\n    for number in numbers:\n        total += number\n    return total\n",
        "assert add_up([1, 2]) == 3",
    ),
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_home(tmp_path, monkeypatch)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, parts in TWINS.items():
        own = tmp_path / "data" / name
        own.mkdir(parents=True)
        for part, text in zip(("buggy", "correct", "test"), parts, strict=True):
            (own / f"{part}.py").write_text(text, "utf-8")
    return tmp_path / "data"


def requests_in(folder: Path) -> list[Path]:
    return sorted((folder / "requests").rglob("*.txt"))


def answer_all(folder: Path, say: Callable[[str], list[dict[str, object]]]) -> None:
    """Answer each request with what `say` finds in its text."""
    (folder / "answers").mkdir(exist_ok=True)
    for path in requests_in(folder):
        (folder / "answers" / path.name).write_text(answer({"r1": say(path.read_text("utf-8"))}), "utf-8")


def find_first_item(text: str) -> list[dict[str, object]]:
    """Finds the bug of one pair, with its fix, and raises a false alarm on the correct twin of the other."""
    if "items[0]" in text:
        line = "    return items[0]"
        fix = {"start_line": 2, "end_line": 2, "old_lines": [line], "new_lines": ["    return items[-1]"]}
        return [finding(line, 2, fix=fix), finding("no such line", 2)]
    return [finding("    total = 0", 2)] if "total = 0" in text else []


def report(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "quality.json").read_text("utf-8"))
    return content


def hits(content: dict[str, Any], name: str) -> tuple[int, int]:
    rate = content["figures"]["all"][name]
    return rate["hits"], rate["of"]


def test_all_requests_are_written_before_any_answer_and_tell_nothing(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "asked"
    assert main(["requests", str(folder), "--data", str(data)]) == 0
    paths = requests_in(folder)
    assert len(paths) == 4
    assert sorted({path.parent.name for path in paths}) == ["batch-1", "batch-2"]
    for batch in ("batch-1", "batch-2"):
        together = "".join(path.read_text("utf-8") for path in (folder / "requests" / batch).iterdir())
        assert ("items[0]" in together) != ("items[-1]" in together)
        assert ("total = 0" in together) != ("total = 1" in together)
    for path in paths:
        text = path.read_text("utf-8")
        assert re.fullmatch(r"[0-9a-f]{16}\.txt", path.name)
        assert text.startswith("##### system message #####\nYou review code")
        shown = text.partition("##### user message #####")[2].lower()
        assert not re.search(r"buggy|correct|twin|python-|assert|\.py\b|test", shown)
    assert not (folder / "answers").exists()


def test_writing_them_again_changes_nothing(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "asked"
    main(["requests", str(folder), "--data", str(data)])
    before = {path: path.read_bytes() for path in requests_in(folder)}
    main(["requests", str(folder), "--data", str(data)])
    assert {path: path.read_bytes() for path in requests_in(folder)} == before


def test_answers_from_files_are_scored(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "asked", tmp_path / "out"
    main(["requests", str(folder), "--data", str(data)])
    answer_all(folder, find_first_item)
    assert main(["run", "--file", str(folder), "--data", str(data), "--out", str(out)]) == 0
    content = report(out)
    assert hits(content, "detected") == (1, 2)
    assert hits(content, "any_finding") == (1, 2)
    assert hits(content, "false_twins") == hits(content, "false_regions") == (1, 2)
    assert hits(content, "false_lines") == (1, 7)
    assert hits(content, "precise") == (1, 2)
    assert hits(content, "rejected") == (1, 3)
    for name in ("fixes_offered", "fixes_apply", "fixes_parse", "fixes_pass"):
        assert hits(content, name) == (1, 1)
    assert hits(content, "cured") == (1, 2)
    assert len(content["calls"]) == 4
    assert all(call["estimated"] and call["input_tokens"] > 0 for call in content["calls"])
    assert (out / "quality.md").read_text("utf-8") in capsys.readouterr().out


def test_a_replay_gives_the_same_figures(data: Path, tmp_path: Path) -> None:
    folder, first, second = tmp_path / "asked", tmp_path / "first", tmp_path / "second"
    main(["requests", str(folder), "--data", str(data)])
    answer_all(folder, find_first_item)
    main(["run", "--file", str(folder), "--data", str(data), "--out", str(first)])
    assert main(["replay", str(folder), "--data", str(data), "--out", str(second)]) == 0
    assert report(first)["cases"] == report(second)["cases"]
    assert (first / "quality.md").read_text("utf-8") == (second / "quality.md").read_text("utf-8")


def test_what_nobody_answered_is_told_and_not_counted_as_clean(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "asked", tmp_path / "out"
    main(["requests", str(folder), "--data", str(data)])
    answer_all(folder, find_first_item)
    missing = next(path for path in requests_in(folder) if "items[-1]" in path.read_text("utf-8"))
    (folder / "answers" / missing.name).unlink()
    assert main(["replay", str(folder), "--data", str(data), "--out", str(out)]) == 1
    assert missing.name in capsys.readouterr().err
    content = report(out)
    assert hits(content, "false_twins") == (1, 1)
    assert hits(content, "unanswered") == (1, 4)
    assert list(content["figures"]["all"]["not_reviewed"].values()) == [1]


async def test_a_run_waits_for_the_files(data: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "asked", tmp_path / "out"
    arguments = ["run", "--file", str(folder), "--wait", "60", "--data", str(data), "--out", str(out)]
    run = asyncio.create_task(asyncio.to_thread(main, arguments))
    await until(lambda: len(requests_in(folder)) == 4, 60)
    answer_all(folder, find_first_item)
    assert await run == 0
    assert hits(report(out), "detected") == (1, 2)


def test_answers_to_other_instructions_do_not_count_unless_allowed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "asked", tmp_path / "out"
    main(["requests", str(folder), "--data", str(data)])
    answer_all(folder, find_first_item)
    for path in requests_in(folder):
        path.write_text(path.read_text("utf-8").replace("You review", "You looked at"), "utf-8")
    arguments = ["replay", str(folder), "--data", str(data), "--out", str(out)]
    assert main(arguments) == 2
    assert "other instructions" in capsys.readouterr().err
    assert main([*arguments, "--other-prompts"]) == 0
    assert "4 requests in" in capsys.readouterr().err
    assert hits(report(out), "detected") == (1, 2)
    assert report(out)["about"]["prompts"].startswith("others than ")


async def test_a_provider_s_run_is_recorded_and_replayed_with_its_bill(data: Path, tmp_path: Path) -> None:
    folder, first, second = tmp_path / "kept", tmp_path / "first", tmp_path / "second"
    config = tmp_path / "config.toml"
    async with Provider(findings_where({"return items[0]": {"title": "First item"}})) as provider:
        tiers = "".join(f'{tier} = "near:model"\n' for tier in ("simple", "medium", "complex"))
        prices = '[prices."near:model"]\ninput = 1.0\noutput = 2.0\n'
        config.write_text(f'[models]\n{tiers}[providers.near]\nbase_url = "{provider.base_url}"\n{prices}', "utf-8")
        arguments = ["run", "--config", str(config), "--record", str(folder), "--data", str(data), "--out", str(first)]
        assert await asyncio.to_thread(main, arguments) == 0
        assert len(provider.journal) == 5  # four reviews and, as configured by default, one second opinion
    arguments = ["replay", str(folder), "--data", str(data), "--second-opinion", "high", "--out", str(second)]
    assert await asyncio.to_thread(main, arguments) == 0
    measured, replayed = report(first), report(second)
    assert hits(measured, "detected") == (1, 2)
    assert measured["figures"] == replayed["figures"]
    assert sorted(map(str, measured["calls"])) == sorted(map(str, replayed["calls"]))
    assert all(call["seconds"] > 0 and call["micro_usd"] > 0 and not call["estimated"] for call in replayed["calls"])


def test_a_second_opinion_is_asked_in_a_second_round(data: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "asked", tmp_path / "out"
    options = ["--data", str(data), "--second-opinion", "all"]
    main(["requests", str(folder), *options])
    answer_all(folder, find_first_item)
    first = set(requests_in(folder))
    main(["requests", str(folder), *options])
    raised = set(requests_in(folder)) - first
    assert len(raised) == 2
    for path in raised:
        refuted = "items[0]" not in path.read_text("utf-8")
        verdict = {"finding": "f1", "reason": "r", "refuted": refuted, "fix_correct": True, "confidence": 95}
        (folder / "answers" / path.name).write_text(json.dumps({"verdicts": [verdict]}), "utf-8")
    assert main(["replay", str(folder), *options, "--out", str(out)]) == 0
    content = report(out)
    assert hits(content, "detected") == (1, 2)
    assert hits(content, "false_twins") == (0, 2)


def test_pairs_whose_test_does_not_tell_them_apart_are_left_out(data: Path, tmp_path: Path) -> None:
    (data / "python-last" / "test.py").write_text("", "utf-8")
    folder, out = tmp_path / "asked", tmp_path / "out"
    assert main(["requests", str(folder), "--data", str(data)]) == 0
    assert len(requests_in(folder)) == 2
    answer_all(folder, find_first_item)
    main(["replay", str(folder), "--data", str(data), "--out", str(out)])
    assert report(out)["pairs_left_out"] == 1


def test_data_that_is_none_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", str(tmp_path / "asked"), "--data", str(tmp_path)]) == 2
    assert "holds no cases" in capsys.readouterr().err


TRANSCRIPTS = ROOT / "tests" / "data" / "quality" / "transcripts"
RECORDED = {
    "ebf3e522f3f7": {
        "detected": (13, 14),
        "any_finding": (14, 14),
        "false_twins": (0, 14),
        "false_regions": (0, 45),
        "false_lines": (0, 343),
        "precise": (13, 14),
        "rejected": (0, 14),
        "fixes_offered": (14, 14),
        "fixes_parse": (14, 14),
        "fixes_pass": (13, 13),
        "cured": (14, 14),
        "unanswered": (0, 90),
    },
    "8a51b2ed23dd": {
        "detected": (14, 14),
        "any_finding": (14, 14),
        "false_twins": (0, 14),
        "false_regions": (0, 45),
        "false_lines": (0, 343),
        "precise": (14, 14),
        "rejected": (0, 14),
        "fixes_offered": (14, 14),
        "fixes_parse": (14, 14),
        "fixes_pass": (14, 14),
        "cured": (14, 14),
        "unanswered": (0, 90),
    },
}
"""What was measured of a language model's answers over the project's own cases, by the version of its prompts."""


def test_every_recorded_run_has_its_figures() -> None:
    assert sorted(path.name for path in TRANSCRIPTS.iterdir()) == sorted(RECORDED)


@pytest.mark.parametrize("prompts", RECORDED)
def test_a_language_model_s_answers_come_to_what_was_measured(prompts: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["replay", str(TRANSCRIPTS / prompts), "--other-prompts", "--out", str(out)]) == 0
    content = report(out)
    assert len(content["calls"]) == 28
    assert {name: hits(content, name) for name in RECORDED[prompts]} == RECORDED[prompts]
