"""Real Neovim, real server, real HTTP to a scripted provider: what a person sees and does."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clock import until
from tests.support.editors import asking, find_nvim
from tests.support.provider import Provider, findings_where
from tests.support.recorded import faults, recorded_command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

SCRIPT = "tests/e2e/neovim/drive.lua"
CLEAN = "import math\n\n\ndef area(radius):\n    return math.pi * radius**2\n"
BUG = findings_where(
    {
        "/ len(values)": {
            "title": "Divides by zero",
            "why": "The mean of no values is undefined.",
            "trigger": "mean([])",
            "focus": "/ len(values)",
            "severity": "high",
            "confidence": 95,
            "fix": {"new_lines": ["    note = '👍 漢字\t'; return sum(values) / (len(values) or 1)"]},
        }
    }
)


class Window:
    """One Neovim."""

    def __init__(self, nvim: Path, folder: Path, provider: Provider, name: str, steps: str) -> None:
        self.out = folder / f"{name}.json"
        self.recording = folder / f"{name}.jsonl"
        self._nvim = nvim
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")},
            "SERVER": " ".join(recorded_command(self.recording)),
            "FILE": str(folder / "work" / "shop.py"),
            "STEPS": steps,
            "OUT": str(self.out),
            "XDG_STATE_HOME": str(folder / "nvim-state"),
            "AIOPS_STATE_DIR": str(folder / "state"),
            "AIOPS_CACHE_DIR": str(folder / "cache"),
            **asking(provider),
        }

    async def run(self) -> dict[str, Any]:
        """Do the steps and return what was seen."""
        process = await asyncio.create_subprocess_exec(
            str(self._nvim),
            *("--clean", "--headless", "-c", f"luafile {SCRIPT}"),
            env=self._environment,
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
        seen: dict[str, Any] = json.loads(self.out.read_text("utf-8"))
        return seen

    def release(self) -> None:
        """Let a window that holds go on."""
        self.out.with_name(self.out.name + ".release").touch()


@pytest.mark.parametrize("version", ["0.12", "0.10"])
async def test_type_a_bug_see_it_fix_it_undo_and_see_it_elsewhere_at_no_cost(version: str, tmp_path: Path) -> None:
    nvim = find_nvim(version)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "shop.py").write_text(CLEAN, "utf-8")
    async with Provider(BUG) as provider:
        first = Window(nvim, tmp_path, provider, "first", "attach type finding hint fix undo finding write hold stop")
        running = asyncio.create_task(first.run())
        await until(lambda: first.out.exists() or running.done(), 180)
        if running.done():
            await running
        asked = len(provider.journal)
        second = await Window(nvim, tmp_path, provider, "second", "attach finding stop").run()
        first.release()
        seen = await running
        restarted = await Window(nvim, tmp_path, provider, "third", "attach finding hint stop").run()
        assert len(provider.journal) == asked

    assert seen["encoding"] == {"0.12": "utf-8", "0.10": "utf-16"}[version]
    assert seen["finding"]["text"] == "/ len(values)"
    assert "Divides by zero" in seen["finding"]["message"]
    assert seen["typed"][-1] == "    note = '👍 漢字\t'; return sum(values) / len(values)"
    assert seen["hint"]["line"] == seen["finding"]["line"]
    assert "Divides by zero" in json.dumps(seen["hint"]["label"])
    assert seen["fixed"][-1] == "    note = '👍 漢字\t'; return sum(values) / (len(values) or 1)"
    assert seen["fixed"][:-1] == seen["typed"][:-1]
    assert seen["undone"] == seen["typed"]
    assert second["finding"] == seen["finding"]
    assert restarted["finding"] == seen["finding"]
    for name in ("first", "second", "third"):
        assert faults(tmp_path / f"{name}.jsonl") == []
