"""The forms of a review's output."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from aiops_lsp.cli.console import open_console
from aiops_lsp.cli.formats import github, sarif, text
from aiops_lsp.cli.formats import json as json_format
from aiops_lsp.cli.outcome import Outcome, ReviewedFile, UnreadFile
from aiops_lsp.core.findings import Category, Confirmation, Origin, Severity
from aiops_lsp.engine.host import RegionReport
from tests.support.outcomes import SAMPLE, finding, reviewed, snapshot

HOSTILE = "\x1b[2J\x1b]0;owned\x07::error::\r\n%0A,\u202e"


def _text(outcome: Outcome) -> str:
    stream = io.StringIO()
    text.render(outcome, open_console(stream))
    return stream.getvalue()


def _partly(path: str = "src/app.py") -> ReviewedFile:
    regions = (
        RegionReport("a", 0, 4, "reviewed"),
        RegionReport("b", 4, 9, "not_reviewed", "the budget is used up"),
        RegionReport("c", 9, 10, "not_reviewed", "the budget is used up"),
        RegionReport("d", 12, 13, "not_reviewed", "too large for one request"),
        RegionReport("e", 13, 20, "cached"),
    )
    return ReviewedFile(path, snapshot(), (), regions, tokens=1500, micro_usd=12_300)


def _rules_only() -> ReviewedFile:
    regions = (RegionReport("a", 0, 4, "not_reviewed", "no language model is set up"),)
    return ReviewedFile("b.py", snapshot(), (), regions, not_sent="no language model is set up")


def test_text_shows_place_severity_code_reason_and_fix() -> None:
    found = finding(snapshot(), replacement="None", confirmation=Confirmation.UNCONFIRMED, age_seconds=200_000)
    assert _text(Outcome((reviewed(found),))).startswith(
        "src/app.py:1:18  high  Mutable default argument  [bug, 92 %, unconfirmed, result of 2 days ago]\n"
        "  1 │ def total(prices=[]):\n"
        "    │                  ^^\n"
        "  Why      The list is shared by all calls.\n"
        "  Trigger  Call it twice.\n"
        "  Fix      Use None (verified)\n"
        "           - def total(prices=[]):\n"
        "           + def total(prices=None):\n"
        "\n"
        "1 finding in 1 of 1 file: 1 high.\n"
    )


def test_text_never_calls_clean_what_no_model_has_seen() -> None:
    shown = _text(Outcome((_rules_only(),), (UnreadFile("x.bin", "it is binary"),), ("A note.",)))
    assert shown == (
        "No findings in 1 file.\n"
        "By rules only; no model has seen the code: no language model is set up.\n"
        "Not reviewed at all:\n"
        "  it is binary: x.bin\n"
        "A note.\n"
    )


def test_text_tells_which_lines_a_model_has_not_seen_and_what_it_cost() -> None:
    shown = _text(Outcome((_partly(), reviewed())))
    assert "By rules and by a model: 1 of 2 files in full (1 of 2 regions from the cache).\n" in shown
    assert "  the budget is used up: src/app.py lines 5-10\n" in shown
    assert "  too large for one request: src/app.py line 13\n" in shown
    assert "Spent 1,500 tokens, 0.0123 USD.\n" in shown


def test_text_groups_files_by_what_kept_them_from_a_model() -> None:
    other = ReviewedFile("z.md", snapshot(), (), not_sent="It is prose.")
    shown = _text(Outcome((_rules_only(), other, replace(other, path="y.md"))))
    assert shown.endswith(
        "By rules only; no model has seen the code.\n"
        "Reviewed by rules only:\n"
        "  It is prose: z.md, y.md\n"
        "  no language model is set up: b.py\n"
    )


def test_text_of_a_run_without_files() -> None:
    assert _text(Outcome(())) == "Nothing was reviewed.\n"


def test_text_neutralises_what_others_wrote() -> None:
    code = snapshot(f"eval({HOSTILE.splitlines()[0]!s})\n")
    found = finding(code, "eval", title=HOSTILE, why=HOSTILE, trigger=HOSTILE)
    shown = _text(Outcome((reviewed(found, text=code, path=f"a{HOSTILE}.py"),)))
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(shown)
    assert not any(line.startswith("::") for line in shown.splitlines())


def test_json_counts_from_one_and_says_what_was_not_reviewed() -> None:
    found = finding(snapshot(), replacement="None")
    outcome = Outcome((reviewed(found), _partly("p.py"), _rules_only()), (UnreadFile("x.bin", "it is binary"),))
    assert json.loads(json_format.render(outcome)) == {
        "findings": [
            {
                "path": "src/app.py",
                "start": {"line": 1, "column": 18},
                "end": {"line": 1, "column": 20},
                "id": "0123456789abcdef",
                "rule": "bug",
                "category": "bug",
                "severity": "high",
                "confidence": 92,
                "title": "Mutable default argument",
                "why": "The list is shared by all calls.",
                "trigger": "Call it twice.",
                "fix": {
                    "title": "Use None",
                    "verified": True,
                    "edits": [
                        {
                            "start": {"line": 1, "column": 18},
                            "end": {"line": 1, "column": 20},
                            "old_text": "[]",
                            "new_text": "None",
                        }
                    ],
                },
            }
        ],
        "not_reviewed": [
            {"path": "x.bin", "reason": "it is binary"},
            {"path": "p.py", "reason": "lines 5-10 reviewed by rules only: the budget is used up"},
            {"path": "p.py", "reason": "line 13 reviewed by rules only: too large for one request"},
            {"path": "b.py", "reason": "reviewed by rules only: no language model is set up"},
        ],
        "usage": {
            "tokens": 1500,
            "usd": 0.0123,
            "files": 3,
            "regions": {"reviewed": 1, "cached": 1, "not_reviewed": 4},
        },
    }


def test_json_is_ascii_whatever_it_holds() -> None:
    found = finding(snapshot(), title=HOSTILE + "\udcff漢")
    rendered = json_format.render(Outcome((reviewed(found),)))
    assert rendered.isascii()
    assert json.loads(rendered)["findings"][0]["title"] == HOSTILE + "\udcff漢"


@pytest.mark.parametrize(
    ("severity", "github_command", "sarif_level"),
    [
        (Severity.CRITICAL, "error", "error"),
        (Severity.HIGH, "error", "error"),
        (Severity.MEDIUM, "warning", "warning"),
        (Severity.LOW, "notice", "note"),
    ],
)
def test_severities_in_the_words_of_others(severity: Severity, github_command: str, sarif_level: str) -> None:
    outcome = Outcome((reviewed(finding(snapshot(), severity=severity)),))
    assert github.render(outcome).startswith(f"::{github_command} file=src/app.py,")
    assert json.loads(sarif.render(outcome, Path("/w")))["runs"][0]["results"][0]["level"] == sarif_level


def test_github_escapes_as_its_toolkit_does() -> None:
    found = finding(snapshot(), title="100%, a:b", why="first\nsecond", trigger="50%")
    assert github.render(Outcome((reviewed(found, path="a,b:c%.py"),))) == (
        "::error file=a%2Cb%3Ac%25.py,line=1,endLine=1,col=18,endColumn=20,"
        "title=100%25%2C a%3Ab (bug%2C high)::first second%0ATrigger: 50%25\n"
    )


def test_github_leaves_columns_out_over_several_lines() -> None:
    code = snapshot()
    annotation = github.render(Outcome((reviewed(finding(code, SAMPLE.strip())),)))
    assert "line=1,endLine=2,title=" in annotation


def test_github_says_what_was_not_reviewed_and_keeps_one_command_a_line() -> None:
    found = finding(snapshot(), title=HOSTILE, why=HOSTILE, trigger=HOSTILE)
    outcome = Outcome((reviewed(found, path=HOSTILE), _rules_only()), (UnreadFile(HOSTILE, HOSTILE),), (HOSTILE,))
    lines = github.render(outcome).split("\n")
    assert [line[: line.find(" ")] for line in lines if line] == ["::error", "::notice", "::notice"]
    assert "b.py: reviewed by rules only" in lines[1]


def test_sarif_has_rules_results_regions_and_fingerprints() -> None:
    code = snapshot()
    by_model = finding(code, replacement="None")
    by_rule = finding(
        code,
        "sum",
        code="py/sum",
        origin=Origin.RULE,
        category=Category.SECURITY,
        severity=Severity.CRITICAL,
        url="https://example.org/py-sum",
    )
    log = json.loads(sarif.render(Outcome((reviewed(by_model, by_rule, path="a b/é.py"),)), Path("/w/x")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["bug", "py/sum"]
    assert rules[1]["properties"]["security-severity"] == "9.5"
    assert rules[1]["helpUri"] == "https://example.org/py-sum"
    first, second = run["results"]
    assert [rules[result["ruleIndex"]]["id"] for result in (first, second)] == [first["ruleId"], second["ruleId"]]
    place = second["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b/%C3%A9.py", "uriBaseId": "SRCROOT"}
    assert place["region"] == {
        "startLine": 2,
        "startColumn": 9,
        "endLine": 2,
        "endColumn": 12,
        "snippet": {"text": "sum"},
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///w/x/"
    assert first["partialFingerprints"] == {"aiopsFindingId/v1": "0123456789abcdef"}
    replacement = first["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["insertedContent"]["text"] == "None"
    assert replacement["deletedRegion"]["startColumn"] == 18


def test_sarif_says_what_was_not_reviewed() -> None:
    log = json.loads(sarif.render(Outcome((_rules_only(),), (UnreadFile("/abs/x.bin", "it is binary"),)), Path("/w")))
    (run,) = log["runs"]
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [one["message"]["text"] for one in told] == [
        "it is binary",
        "reviewed by rules only: no language model is set up",
    ]
    assert told[0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///abs/x.bin"}


@pytest.mark.parametrize(
    ("severity", "threshold", "fails"),
    [
        (Severity.LOW, "medium", False),
        (Severity.MEDIUM, "medium", True),
        (Severity.MEDIUM, "high", False),
        (Severity.CRITICAL, "critical", True),
        (Severity.LOW, "low", True),
    ],
)
def test_whether_a_run_fails(severity: Severity, threshold: str, fails: bool) -> None:
    assert Outcome((reviewed(finding(snapshot(), severity=severity)),)).fails(threshold) is fails
