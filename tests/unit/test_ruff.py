from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Category, Origin, Severity
from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules import ruff
from aiops_lsp.rules.ruff import RuffUnavailable, run_ruff
from aiops_lsp.rules.ruff_config import selected_by_workspace
from aiops_lsp.rules.ruff_rules import CHECKED
from tests.support.clock import until

if TYPE_CHECKING:
    from pathlib import Path


def snapshot(text: str) -> Snapshot:
    return Snapshot("file:///tmp/x.py", 1, "python", text)


async def test_a_finding_is_at_its_exact_place_after_wide_characters_and_odd_line_ends() -> None:
    text = "x = '👍🏽'\rif x is '日本':\r\n    pass\n"
    (found,) = await run_ruff(snapshot(text), None)
    assert found.code == "F632"
    assert found.origin is Origin.RUFF
    assert found.evidence == "x is '日本'"
    assert found.category is Category.BUG
    assert found.fix is not None
    assert found.fix.verified
    edit = found.fix.edits[0]
    assert snapshot(text).slice(edit.range) == edit.old_text
    assert found.url
    assert found.url.startswith("https://docs.astral.sh/ruff/")


async def test_every_code_that_is_asked_for_exists_and_has_no_default_configuration_beside_it() -> None:
    assert await run_ruff(snapshot("import os\nimport sys\nx=1\n"), None) == []
    assert len(CHECKED) > 80


async def test_a_syntax_error_is_left_to_the_editor() -> None:
    assert await run_ruff(snapshot("def f(:\n"), None) == []


async def test_what_the_user_already_sees_is_left_out() -> None:
    text = "if 1 is 'a':\n    undefined_name()\n"
    assert {one.code for one in await run_ruff(snapshot(text), None)} == {"F632", "F821"}
    assert {one.code for one in await run_ruff(snapshot(text), None, leave=("F6",))} == {"F821"}
    assert await run_ruff(snapshot(text), None, leave=("",)) == []


async def test_severities_can_be_set_and_rules_switched_off() -> None:
    text = "if 1 is 'a':\n    undefined_name()\n"
    (found,) = await run_ruff(snapshot(text), None, severity={"F632": "off", "F821": "low"})
    assert (found.code, found.severity) == ("F821", Severity.LOW)


async def test_a_ruff_that_is_missing_or_hangs_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ruff, "_program", lambda: str(tmp_path / "none"))
    with pytest.raises(RuffUnavailable, match="cannot be started"):
        await run_ruff(snapshot("x = 1\n"), None)
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(ruff, "_program", lambda: str(hanging))
    monkeypatch.setattr(ruff, "TIMEOUT_SECONDS", 0.1)
    with pytest.raises(RuffUnavailable, match="took longer"):
        await run_ruff(snapshot("x = 1\n"), None)


async def test_cancelling_ends_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    program = tmp_path / "slow"
    program.write_text(f"#!/bin/sh\necho $$ > {started}.part && mv {started}.part {started}\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(ruff, "_program", lambda: str(program))
    task = asyncio.create_task(run_ruff(snapshot("x = 1\n"), None))
    await until(started.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int(started.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("ruff.toml", 'lint.select = ["B", "F6"]\n', ("B", "F6")),
        ("ruff.toml", 'lint.extend-select = ["B"]\n', ("B", "E4", "E7", "E9", "F")),
        (".ruff.toml", 'select = ["ALL"]\n', ("",)),
        ("pyproject.toml", '[tool.ruff.lint]\nselect = ["S"]\nignore = ["F821"]\n', ("F821", "S")),
        ("pyproject.toml", "[tool.black]\n", ()),
        ("ruff.toml", "this is no TOML\n", ()),
        ("ruff.toml", "lint = 3\n", ("E4", "E7", "E9", "F")),
    ],
)
def test_the_nearest_configuration_decides(tmp_path: Path, name: str, content: str, expected: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(content)
    file = tmp_path / "package" / "module.py"
    assert selected_by_workspace(file, tmp_path) == expected


def test_a_configuration_outside_the_workspace_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('select = ["ALL"]\n')
    root = tmp_path / "work"
    assert selected_by_workspace(root / "a" / "b.py", root) == ()
