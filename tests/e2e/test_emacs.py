"""Real Emacs with eglot, which counts columns in code points: the set-up of editors/README.md, as it stands there."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import until
from tests.support.editors import asking, find_emacs
from tests.support.provider import Exchange, Provider, Reply, findings_where
from tests.support.recorded import faults, kill_recorded, recorded_command

pytestmark = pytest.mark.timeout(300)

SCRIPT = "tests/e2e/emacs/drive.el"
README = Path("editors/README.md")


def snippet(heading: str) -> str:
    """The configuration that stands under a heading of the document."""
    found = re.search(rf"^## {heading}\n.*?```elisp\n(.*?)```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


@pytest.mark.parametrize("indent", ["\t", "    "])
async def test_emoji_cjk_and_tabs_before_a_finding(indent: str, tmp_path: Path) -> None:
    emacs = find_emacs()
    body = f"{indent}note = '👍🏽 漢字\t'; return sum(values) / len(values)"
    fixed = body.replace("len(values)", "(len(values) or 1)")
    work = tmp_path / "work"
    work.mkdir()
    (work / "shop.py").write_text(f"def mean(values):\n{body}\n", "utf-8")
    (tmp_path / "setup.el").write_text(snippet("Emacs"), "utf-8")
    finding = {
        "title": "Divides by zero",
        "why": "The mean of no values is undefined.",
        "trigger": "mean([])",
        "focus": "/ len(values)",
        "fix": {"new_lines": [fixed]},
    }
    async with Provider(findings_where({"/ len(values)": finding})) as provider:
        seen = await drive(emacs, tmp_path, provider, "open finding hint ignore fix")

    assert seen["encoding"] == "utf-32"
    assert seen["finding"] == "/ len(values)"
    assert "Divides by zero" in seen["message"]
    assert "Divides by zero" in seen["hint"]
    assert seen["ignored"] == f"def mean(values):\n{indent}# aiops: ignore[bug]\n{body}\n"
    assert seen["fixed"] == f"def mean(values):\n{fixed}\n"
    assert (work / "shop.py").read_text("utf-8") == seen["fixed"]
    assert faults(tmp_path / "session.jsonl") == []


async def test_a_provider_that_goes_and_comes_back_and_a_server_that_crashes(tmp_path: Path) -> None:
    emacs = find_emacs()
    up = True
    bug = findings_where({"/ len(values)": {"title": "Divides by zero", "focus": "/ len(values)"}})
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "shop.py").write_text("def mean(values):\n    return sum(values) / len(values)\n", "utf-8")
    (tmp_path / "setup.el").write_text(snippet("Emacs"), "utf-8")

    def script(exchange: Exchange) -> Reply:
        return bug(exchange) if up else Reply(status=503)

    async def meet(step: str) -> None:
        await until(lambda: (tmp_path / f"seen.json.{step}").exists() or driving.done(), 150)

    def go_on(step: str) -> None:
        (tmp_path / f"seen.json.{step}.done").touch()

    async with Provider(script) as provider:
        driving = asyncio.create_task(drive(emacs, tmp_path, provider, "open finding outage crash"))
        await meet("down")
        up = False
        go_on("down")
        await meet("up")
        up = True
        go_on("up")
        await meet("crash")
        kill_recorded(tmp_path / "session.jsonl")
        go_on("crash")
        seen = await driving

    assert seen["outage"] == " aiops: degraded"
    assert seen["recovered"]
    assert faults(tmp_path / "session.jsonl") == []


async def test_nothing_is_sent_to_another_machine_before_the_user_agrees(tmp_path: Path) -> None:
    emacs = find_emacs()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "shop.py").write_text("def mean(values):\n    return sum(values) / len(values)\n", "utf-8")
    (tmp_path / "setup.el").write_text(snippet("Emacs"), "utf-8")

    seen = await drive(emacs, tmp_path, None, "decline open asked")

    assert "to models.invalid" in seen["consent"]
    assert "review.enabled" in seen["consent"]
    assert seen["answers"] == ["This workspace", "Everywhere", "Not now"]
    assert faults(tmp_path / "session.jsonl") == []


async def drive(emacs: Path, home: Path, provider: Provider | None, steps: str) -> dict[str, Any]:
    """Do the steps and return what was seen."""
    out = home / "seen.json"
    process = await asyncio.create_subprocess_exec(
        str(emacs),
        *("--batch", "-Q", "-l", SCRIPT),
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "SERVER": " ".join(recorded_command(home / "session.jsonl")),
            "SETUP": str(home / "setup.el"),
            "FILE": str(home / "work" / "shop.py"),
            "STEPS": steps,
            "OUT": str(out),
            "AIOPS_STATE_DIR": str(home / "state"),
            "AIOPS_CACHE_DIR": str(home / "cache"),
            **asking(provider),
            "AIOPS_REVIEW__SCOPE": "file",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 200)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode(errors="replace")
    seen: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return seen
