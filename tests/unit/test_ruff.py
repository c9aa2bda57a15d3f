"""ruff's findings: exact places, fixes, what is left to the workspace's own ruff, and every way to fail."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules.ruff import check_with_ruff
from aiops_lsp.rules.ruff_config import codes_of_workspace
from aiops_lsp.rules.ruff_table import RUFF_RULES

if TYPE_CHECKING:
    from pathlib import Path


def _snapshot(text: str, uri: str = "file:///project/x.py") -> Snapshot:
    return Snapshot(uri, 1, "python", text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "é = '🎉'; ", "s = '\f'; "])
async def test_places_are_exact(before: str, end: str) -> None:
    text = f"class A:{end}    async def f(self, x):{end}        {before}assert (x, 1){end}"
    report = await check_with_ruff(_snapshot(text))
    assert report.problem is None
    (finding,) = report.findings
    assert (finding.code, finding.origin, finding.symbol) == ("F631", Origin.RUFF, "A.f")
    assert finding.evidence == _snapshot(text).slice(finding.range)
    assert finding.evidence.startswith("assert (x")
    assert finding.url is not None


async def test_a_byte_order_mark_does_not_shift() -> None:
    report = await check_with_ruff(_snapshot("\ufeffassert (1, 2)\n"))
    assert [finding.evidence for finding in report.findings] == ["assert (1, 2)"]


async def test_a_lone_surrogate_is_taken() -> None:
    report = await check_with_ruff(_snapshot("x = '\ud800'; assert (1, 2)\n"))
    assert [finding.evidence for finding in report.findings] == ["assert (1, 2)"]


@pytest.mark.parametrize(
    ("code", "line", "fixed", "verified"),
    [
        ("F632", "def f(x):\n    return x is 'a'\n", "def f(x):\n    return x == 'a'\n", True),
        (
            "PLW1507",
            "import copy, os\nx = copy.copy(os.environ)\n",
            "import copy, os\nx = os.environ.copy()\n",
            False,
        ),
    ],
)
async def test_fixes_are_edits_of_what_stands_there(code: str, line: str, fixed: str, *, verified: bool) -> None:
    snapshot = _snapshot(line)
    report = await check_with_ruff(snapshot)
    (finding,) = [item for item in report.findings if item.code == code]
    assert finding.fix is not None
    assert finding.fix.verified is verified
    text = line
    for edit in reversed(finding.fix.edits):
        assert snapshot.slice(edit.range) == edit.old_text
        start = snapshot.offset_at(edit.range.start)
        text = text[:start] + edit.new_text + text[start + len(edit.old_text) :]
    assert text == fixed


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("PLE1205", "import logging\nlogging.info('a', 1)\n", True),
        ("PLE1205", "import logging\nlog = logging.getLogger(__name__)\nlog.info('a', 1)\n", True),
        ("PLE1205", "import logging\nlog = logging.getLogger(__name__)\nlog.info('{0.size} of', 1)\n", False),
        ("PLE1205", "def f(log):\n    log.info('a', 1)\n", False),
        (
            "PLE1205",
            "import logging\nlog = logging.getLogger(__name__)\ndef f(self):\n    self.log.info('a', 1)\n",
            False,
        ),
        ("PLE0302", "class A:\n    def __eq__(other): ...\n", True),
        ("PLE0302", "from zope.interface import Interface\nclass A(Interface):\n    def __eq__(other): ...\n", False),
        ("S701", "import jinja2\nenv = jinja2.Environment()\npage = env.get_template('a.html')\n", True),
        ("S701", "import jinja2\nenv = jinja2.Environment()\nconfig = env.get_template('a.conf')\n", False),
        ("PLW1509", "import subprocess, threading\nsubprocess.Popen(a, preexec_fn=f)\n", True),
        ("PLW1509", "import subprocess\nsubprocess.Popen(a, preexec_fn=f)\n", False),
        ("PIE794", "class A:\n    x = 1\n    y = 2\n    x = 3\n", True),
        ("PIE794", "class A:\n    x: int\n\n    x = 3\n", False),
        (
            "RUF009",
            "from uuid import uuid4\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: A = uuid4()\n",
            True,
        ),
        ("RUF009", "from dataclasses import dataclass\n@dataclass\nclass A:\n    log: Logger = Logger()\n", False),
        ("B015", "a == 1\n", True),
        ("B015", "'a' in names\n", False),
        ("B015", "try:\n    a < b\nexcept TypeError:\n    a = b\n", False),
        ("PLE0101", "class A:\n    def __init__(self):\n        return 1\n", True),
        ("PLE0101", "class A(B):\n    def __init__(self):\n        return super().__init__()\n", False),
        ("PLE0302", "class A:\n    @cached\n    def __contains__(self): ...\n", False),
        ("RUF040", "assert a, 1\n", True),
        ("RUF040", "assert a, b'no a'\n", False),
        ("S701", "import jinja2\nenv = jinja2.Environment(**options)\nenv.get_template('a.html')\n", False),
        ("S113", "import requests\nrequests.get(a)\n", True),
        ("S113", "import requests\nrequests.get(a)  # nosec\n", False),
    ],
)
async def test_what_the_document_speaks_against_is_no_finding(code: str, text: str, *, found: bool) -> None:
    report = await check_with_ruff(_snapshot(text))
    assert [finding.code for finding in report.findings if finding.code == code] == ([code] if found else [])


async def test_half_written_code_has_no_findings() -> None:
    report = await check_with_ruff(_snapshot("assert (1, 2)\ndef f(:\n"))
    assert report == type(report)()


async def test_skipped_codes_are_left_out() -> None:
    report = await check_with_ruff(_snapshot("assert (1, 2)\n"), skip={"F631"})
    assert report.findings == ()
    assert (await check_with_ruff(_snapshot("assert (1, 2)\n"), skip=set(RUFF_RULES))).findings == ()


async def test_ruff_knows_all_codes_of_the_table() -> None:
    """An unknown code would make ruff refuse the whole call."""
    assert (await check_with_ruff(_snapshot("x = 1\n"))).problem is None


async def test_a_missing_program_is_named_in_words(tmp_path: Path) -> None:
    report = await check_with_ruff(_snapshot("x = 1\n"), program=str(tmp_path / "none"))
    assert report.problem is not None
    assert "ruff cannot be run" in report.problem


def _program(folder: Path, code: str) -> str:
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a script cannot stand for a program there")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('oh', file=sys.stderr); sys.exit(2)", "exit code 2: oh"),
        ("print('no json')", "ruff failed"),
        ("print('[{}]')", "ruff failed"),
        ('print(\'[{"code": "F631", "location": {"row": 9, "column": 1}}]\')', "ruff failed"),
    ],
)
async def test_a_failing_program_is_told_in_words(tmp_path: Path, code: str, words: str) -> None:
    report = await check_with_ruff(_snapshot("secret = 1\n"), program=_program(tmp_path, code))
    assert report.problem is not None
    assert words in report.problem
    assert "secret" not in report.problem


@pytest.mark.skipif(sys.platform == "win32", reason="a script cannot stand for a program there")
async def test_a_time_out_is_told_and_leaves_no_process(tmp_path: Path) -> None:
    report = await check_with_ruff(
        _snapshot("x = 1\n"), program=_program(tmp_path, "time.sleep(600)"), timeout_seconds=0.05
    )
    assert report.problem is not None
    assert "did not answer" in report.problem
    assert _children(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a script cannot stand for a program there")
async def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    os.mkfifo(marker)
    program = _program(tmp_path, f"open({str(marker)!r}, 'w').close(); time.sleep(600)")
    task = asyncio.create_task(check_with_ruff(_snapshot("x = 1\n"), program=program))
    await asyncio.to_thread(marker.read_text)  # returns once the program has written and closed
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children(tmp_path) == []


def _children(folder: Path) -> list[int]:
    return [
        child.pid for child in psutil.Process().children(recursive=True) if str(folder) in " ".join(child.cmdline())
    ]


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, set()),
        ({"pyproject.toml": "[tool.black]\n"}, set()),
        ({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}, {"F631"}),
        ({"ruff.toml": 'lint.select = ["B", "ASYNC"]\n'}, {"B012", "ASYNC251"}),
        ({"ruff.toml": 'select = ["B"]\n'}, {"B012"}),
        ({"pyproject.toml": '[tool.ruff.lint]\nextend-select = ["B"]\nignore = ["B012"]\n'}, {"F631"}),
        ({".ruff.toml": 'lint.select = ["ALL"]\nlint.ignore = ["ASYNC"]\n', "ruff.toml": ""}, {"F631", "B012", "S113"}),
        ({".ruff.toml": 'lint.select = ["B012"]\nlint.ignore = ["B"]\n'}, {"B012"}),
        ({"ruff.toml": "this is not toml ["}, set()),
        ({"src/ruff.toml": 'lint.select = ["S113"]\n', "ruff.toml": 'lint.select = ["ALL"]\n'}, {"S113"}),
        (
            {
                "src/ruff.toml": 'extend = "../base.toml"\nlint.extend-select = ["S113"]\n',
                "base.toml": 'lint.select = ["B"]\n',
            },
            {"S113", "B012"},
        ),
        ({"ruff.toml": 'extend = "../outside.toml"\n', "../outside.toml": 'lint.select = ["ALL"]\n'}, {"F631"}),
        ({"../ruff.toml": 'lint.select = ["ALL"]\n'}, set()),
    ],
)
def test_codes_that_the_workspace_reports_itself(tmp_path: Path, files: dict[str, str], left: set[str]) -> None:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    for name, content in files.items():
        (root / name).write_text(content, encoding="utf-8")
    codes = {"F631", "B012", "S113", "ASYNC251"}
    assert codes_of_workspace(root / "src" / "x.py", root, codes) == left
