"""The Neovim plugin in real Neovim, against the real server and a scripted provider."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import until
from tests.support.editors import asking, find_nvim
from tests.support.provider import Exchange, Provider, Reply, findings_where
from tests.support.recorded import faults, recorded_command
from tests.support.vscode import server_program

pytestmark = pytest.mark.timeout(300)

SCRIPT = "tests/e2e/neovim/plugin.lua"
PLUGIN = Path("editors/nvim").resolve()
CODE = "def mean(values):\n    note = '👍 漢字'; return sum(values) / len(values)\n"
BUG = findings_where(
    {
        "/ len(values)": {
            "title": "Divides by zero",
            "why": "The mean of no values is undefined.",
            "trigger": "mean([])",
            "focus": "/ len(values)",
            "fix": {"new_lines": ["    note = '👍 漢字'; return sum(values) / (len(values) or 1)"]},
        }
    }
)
BOTH = pytest.mark.parametrize("version", ["0.12", "0.10"])


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A copy of the plugin, since its help is indexed in place."""
    return Path(shutil.copytree(PLUGIN, tmp_path / "plugin"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "shop.py").write_text(CODE, "utf-8")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


async def run(
    nvim: Path, plugin: Path, work: Path, provider: Provider | None, steps: str
) -> asyncio.subprocess.Process:
    """Start Neovim with the plugin, to do `steps` on a file of `work`; without a provider, one on another machine."""
    home = work.parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
        "PLUGIN": str(plugin),
        "SERVER": " ".join(recorded_command(home / "session.jsonl")),
        "FILE": str(work / "shop.py"),
        "STEPS": steps,
        "OUT": str(home / "seen.json"),
        "XDG_STATE_HOME": str(home / "nvim-state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AIOPS_STATE_DIR": str(home / "state"),
        "AIOPS_CACHE_DIR": str(home / "cache"),
        **asking(provider),
    }
    return await asyncio.create_subprocess_exec(
        str(nvim),
        *("--clean", "--headless", "-c", f"luafile {SCRIPT}"),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finish(process: asyncio.subprocess.Process, work: Path) -> dict[str, Any]:
    """What was seen. Fails when a step was not done."""
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 200)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode(errors="replace")
    seen: dict[str, Any] = json.loads((work.parent / "seen.json").read_text("utf-8"))
    return seen


@BOTH
async def test_findings_hints_commands_status_and_help(version: str, plugin: Path, work: Path) -> None:
    nvim = find_nvim(version)
    async with Provider(BUG) as provider:
        steps = "enable finding status review workspace deeper complete usage fix ignore question health help stop"
        seen = await finish(await run(nvim, plugin, work, provider, steps), work)

    assert seen["root"] == str(work)
    assert seen["finding"] == "/ len(values)"
    assert seen["hint"] == "▲ Divides by zero"
    assert seen["statusline"] == ["aiops starting"]
    assert "1 of 1 regions reviewed" in seen["status"]
    assert "of 1,000,000 tokens" in seen["status"]
    assert seen["summary"].startswith("aiops: 1 finding; 1 of 1 region reviewed")
    assert seen["quickfix"] == {"file": str(work / "shop.py"), "line": 2, "text": "Divides by zero [bug]"}
    assert seen["deeper"].startswith("aiops: 1 finding")
    assert seen["complete"] == ["changes", "deeper", "file", "workspace"]
    assert any(line.startswith("test:small") for line in seen["usage"])
    assert seen["fixed"] == CODE.replace("len(values)", "(len(values) or 1)")
    assert seen["ignored"] == CODE.rstrip().replace("    note", "    # aiops: ignore[bug]\n    note")
    assert seen["asked_while_typing"] is False
    assert seen["asked"]["mode"] == "n"
    assert seen["answer"] == "Yes"
    assert "ERROR" not in seen["health"]
    assert "client 1 serves 1 buffer" in seen["health"]
    assert seen["help"] == "aiops.txt"
    assert seen["stays_stopped"]
    assert faults(work.parent / "session.jsonl") == []


@BOTH
async def test_a_provider_that_goes_and_comes_back_and_a_server_that_crashes(
    version: str, plugin: Path, work: Path
) -> None:
    nvim = find_nvim(version)
    up = True

    def script(exchange: Exchange) -> Reply:
        return BUG(exchange) if up else Reply(status=503)

    async with Provider(script) as provider:
        process = await run(nvim, plugin, work, provider, "enable finding outage crash stop")
        running = asyncio.create_task(finish(process, work))
        out, noticed = work.parent / "seen.json.out", work.parent / "seen.json.seen"
        await until(lambda: out.exists() or running.done(), 120)
        up = False
        out.with_suffix(".gone").touch()
        await until(lambda: noticed.exists() or running.done(), 120)
        up = True
        out.with_suffix(".back").touch()
        seen = await running

    assert "degraded" in seen["outage"]
    assert seen["killed"] == 0
    assert seen["stays_stopped"]
    assert any("signal 9" in message for message in seen["messages"])
    assert faults(work.parent / "session.jsonl") == []


@BOTH
async def test_nothing_is_sent_to_another_machine_before_the_user_agrees(
    version: str, plugin: Path, work: Path
) -> None:
    nvim = find_nvim(version)
    process = await run(nvim, plugin, work, None, "decline enable asked stop")
    seen = await finish(process, work)

    assert f"code of {work}" in seen["consent"]["prompt"]
    assert "models.invalid" in seen["consent"]["prompt"]
    assert "review.enabled" in seen["consent"]["prompt"]
    assert seen["consent"]["titles"] == ["This workspace", "Everywhere", "Not now"]
    assert "sending code to models.invalid was not allowed" in seen["status"]
    assert faults(work.parent / "session.jsonl") == []


@BOTH
async def test_a_program_that_does_not_start_is_not_started_for_ever(version: str, plugin: Path, work: Path) -> None:
    nvim = find_nvim(version)
    seen = await finish(await run(nvim, plugin, work, None, "broken"), work)
    assert "aiops crashed 6 times within minutes and stays off" in seen["given_up"]


@pytest.mark.parametrize(("version", "heading"), [("0.12", "Neovim 0.11 or later"), ("0.10", "Neovim 0.10:")])
async def test_the_readme_alone_leads_to_a_finding(version: str, heading: str, tmp_path: Path) -> None:
    nvim = find_nvim(version)
    home, sample, out = tmp_path / "home", tmp_path / "work" / "orders.py", tmp_path / "seen.json"
    (home / ".config" / "nvim").mkdir(parents=True)
    (home / "src").mkdir()
    (home / "src" / "aiops-lsp").symlink_to(Path.cwd())
    readme = (PLUGIN / "README.md").read_text("utf-8")
    found = re.search(rf"^   {heading}.*?```lua\n(.*?)   ```", readme, re.DOTALL | re.MULTILINE)
    assert found
    (home / ".config" / "nvim" / "init.lua").write_text(textwrap.dedent(found[1]), "utf-8")
    sample.parent.mkdir()
    sample.write_text('import os\n\n\ndef remove(name):\n    os.system(f"rm {name}")\n', "utf-8")
    strange = ("AIOPS_", "XDG_", "NVIM", "VIM")
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    environment = {
        **{key: value for key, value in kept.items() if not key.startswith(strange)},
        "HOME": str(home),
        "PATH": f"{server_program().parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "OUT": str(out),
    }
    process = await asyncio.create_subprocess_exec(
        str(nvim),
        *("-n", "--headless", str(sample), "-c", "luafile tests/e2e/neovim/new_user.lua"),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    seen = await finish(process, sample.parent)

    assert seen["finding"] == 'os.system(f"rm {name}")'
    assert seen["message"].partition("\n")[0] in seen["hint"]
    assert seen["commands"]


def test_the_server_has_no_command_that_the_plugin_misnames() -> None:
    from aiops_lsp.lsp.capabilities import COMMANDS

    source = (PLUGIN / "lua" / "aiops" / "review.lua").read_text("utf-8")
    named = {word.strip('"') for word in source.replace(",", " ").split() if word.startswith('"aiops.')}
    assert {name for name in named if name != "aiops.client"} <= set(COMMANDS)
