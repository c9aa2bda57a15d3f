"""The VS Code extension, packed and installed, in real VS Code against the real server and a scripted provider."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.clock import until
from tests.support.editors import VSCode, asking, find_vscode
from tests.support.meta_model import read_recording
from tests.support.provider import Exchange, Provider, Reply, findings_where
from tests.support.recorded import TEE, faults, recorded_program
from tests.support.vscode import EXTENSION, TESTS, Window, build_extension, npm_run, server_program

pytestmark = pytest.mark.timeout(400)

CODE = "def mean(values):\n    note = '👍 漢字\t'; return sum(values) / len(values)\n"
FIXED = CODE.replace("len(values)", "(len(values) or 1)")
OTHER = (
    "import subprocess\n\n\ndef archive(folder):\n"
    '    subprocess.run("tar czf x.tgz " + folder, shell=True)\n\n\n' + CODE.replace("mean", "average")
)
BUG = findings_where(
    {
        "/ len(values)": {
            "title": "Divides by zero",
            "why": "The mean of no values is undefined.",
            "trigger": "mean([])",
            "focus": "/ len(values)",
            "fix": {"new_lines": ["    note = '👍 漢字\t'; return sum(values) / (len(values) or 1)"]},
        }
    }
)
KEY = "sk-ant-test-0123456789abcdefghijklmnop"


@pytest.fixture(scope="session")
def code() -> VSCode:
    return find_vscode()


@pytest.fixture(scope="session")
def vsix(code: VSCode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_extension(code, tmp_path_factory.mktemp("vsix"))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server as a package."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    subprocess.run(build, check=True)
    return folder


def window(code: VSCode, vsix: Path, home: Path, provider: Provider | None, **settings: object) -> Window:
    """A window on a folder with two files, whose server asks `provider`; without one, a vendor on another machine."""
    work = home / "work"
    work.mkdir(exist_ok=True)
    (work / "shop.py").write_text(CODE, "utf-8")
    (work / "other.py").write_text(OTHER, "utf-8")
    subprocess.run(["git", "init", "--quiet", work], check=True)
    known = {"aiops.server.path": str(recorded_program(home / "session.jsonl", server_program()))}
    return Window(code, vsix, home, asking(provider), {**known, **settings})


def servers(of: Window) -> list[psutil.Process]:
    """The language servers that this VS Code has started."""
    found = []
    for process in psutil.Process(of.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # of one that ends just now, or has ended
            words = process.cmdline()
            if str(server_program()) in words and "serve" in words and str(TEE) not in words:
                found.append(process)
    return found


def told_settings(recording: Path) -> set[str]:
    """Every set of settings that the client told the server, asked or not."""
    messages = [entry["msg"] for entry in read_recording(recording)]
    asked = {message["id"] for message in messages if message.get("method") == "workspace/configuration"}
    answers = [message["result"] for message in messages if "result" in message and message["id"] in asked]
    changes = [m["params"] for m in messages if m.get("method") == "workspace/didChangeConfiguration"]
    pushed = [settings for params in changes if (settings := params["settings"]) is not None]
    return {json.dumps(settings) for settings in [*(one for answer in answers for one in answer), *pushed]}


async def test_the_extension_host(code: VSCode, vsix: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    async with Provider(BUG) as provider:
        one = window(code, vsix, tmp_path, provider)
        one.environment = {**one.environment, "RESULTS": str(results)}
        async with one.serving(test_driver=True):
            try:
                await one.script("host.mjs", 300, SUITE=str(TESTS / "suite"), HOST=str(TESTS / "host"))
            except AssertionError as error:
                told = json.loads(results.read_text("utf-8")) if results.exists() else {}
                failures = [f"{f['fullTitle']}: {f['err'].get('message')}" for f in told.get("failures", ())]
                raise AssertionError("\n".join([*failures, str(error)])) from None
    assert json.loads(results.read_text("utf-8"))["stats"]["passes"] >= 13
    assert faults(tmp_path / "session.jsonl") == []
    # The suite sets these two and nothing else. What VS Code gives as defaults is not for the server.
    assert told_settings(tmp_path / "session.jsonl") == {
        "{}",
        '{"review": {"minSeverity": "critical"}}',
        '{"review": {"enabled": false}}',
    }


async def test_what_a_person_sees_and_does(code: VSCode, vsix: Path, tmp_path: Path) -> None:
    async with Provider(BUG) as provider:
        one = window(code, vsix, tmp_path, provider)
        async with one.serving():
            seen = await one.drive("open finding problems fix ignore status menu review walkthrough")

    assert "Divides by zero" in seen["problem"]
    # VS Code counts UTF-16, from 1.
    column = len(CODE.splitlines()[1].partition("/ len")[0].encode("utf-16-le")) // 2 + 1
    assert f"[Ln 2, Col {column}]" in seen["problem"]
    assert seen["fixed"] == FIXED
    assert seen["ignored"] == CODE.replace("    note", "    # aiops: ignore[bug]\n    note")
    assert any(action.startswith("Ignore with a comment") for action in seen["actions"])
    assert "1 of 1 regions reviewed" in seen["status"]
    assert "0.00 USD today" in seen["status"]
    assert any("Review Workspace" in entry for entry in seen["menu"])
    assert "test:small" in seen["usage"]
    assert "aiops: 1 finding; 1 of 1 region reviewed" in seen["review"]
    assert seen["walkthrough"][0] == "See the first findings"
    assert faults(tmp_path / "session.jsonl") == []


async def test_an_outage_and_a_crash(code: VSCode, vsix: Path, tmp_path: Path) -> None:
    up = True

    def script(exchange: Exchange) -> Reply:
        return BUG(exchange) if up else Reply(status=503)

    async with Provider(script) as provider:
        one = window(code, vsix, tmp_path, provider)
        async with one.serving():
            driving = asyncio.create_task(one.drive("open finding outage crash"))
            await until(lambda: one.reached("down") or driving.done(), 180)
            up = False
            one.answer("down")
            await until(lambda: one.reached("up") or driving.done(), 180)
            up = True
            one.answer("up")
            await until(lambda: one.reached("crash") or driving.done(), 180)
            for process in servers(one):
                process.send_signal(signal.SIGKILL)
            one.answer("crash")
            seen = await driving
    assert "degraded" in seen["outage"]
    assert "idle" in seen["healed"]
    assert "idle" in seen["recovered"]
    assert faults(tmp_path / "session.jsonl") == []


async def test_a_key_reaches_the_server_in_its_environment_and_nothing_else(
    code: VSCode, vsix: Path, tmp_path: Path
) -> None:
    def keys() -> list[str]:
        found = []
        for process in servers(one):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(process.environ().get("ANTHROPIC_API_KEY", ""))
        return found

    async with Provider(BUG) as provider:
        one = window(code, vsix, tmp_path, provider)
        async with one.serving():
            driving = asyncio.create_task(one.drive("open finding key", KEY=KEY))
            await until(lambda: one.reached("key") or driving.done(), 180)
            await until(lambda: keys() == [KEY] or driving.done(), 60, keys)
            one.answer("key")
            await driving
    assert "aiops-lsp" in one.logs()
    assert one.files_with(KEY) == []
    assert faults(tmp_path / "session.jsonl") == []


async def test_nothing_is_sent_to_another_machine_before_the_user_agrees(
    code: VSCode, vsix: Path, tmp_path: Path
) -> None:
    one = window(code, vsix, tmp_path, None)
    async with one.serving():
        seen = await one.drive("open consent")
    assert f"code of {one.work} to models.invalid" in seen["consent"]
    assert '"review.enabled"' in seen["consent"]
    assert seen["answers"] == ["This workspace", "Everywhere", "Not now"]
    assert "sending code to models.invalid was not allowed" in seen["declined"]
    assert faults(tmp_path / "session.jsonl") == []


async def test_nothing_of_a_folder_that_is_not_trusted_is_run_or_sent(code: VSCode, vsix: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    async with Provider(BUG) as provider:
        settings = {
            "aiops.server.path": "",
            "security.workspace.trust.enabled": True,
            "security.workspace.trust.startupPrompt": "never",
        }
        one = window(code, vsix, tmp_path, provider, **settings)
        own = one.work / ".venv" / "bin"
        own.mkdir(parents=True)
        program = own / "aiops-lsp"
        program.write_text(f'#!/bin/sh\ntouch {ran}\nexec {server_program()} "$@"\n', "utf-8")
        program.chmod(0o755)
        (one.work / "shop.py").write_text(OTHER, "utf-8")
        # VS Code takes the search path from the user's login shell.
        path = f"{own}:{server_program().parent}:$PATH"
        for name in (".profile", ".bash_profile"):
            (tmp_path / name).write_text(f'export PATH="{path}"\n', "utf-8")
        async with one.serving():
            seen = await one.drive("open restricted")
        assert provider.journal == []
    assert not ran.exists()
    assert "aiops" in seen["restricted"]


async def test_without_a_server_it_says_so_and_can_install_it(
    code: VSCode, vsix: Path, wheels: Path, tmp_path: Path
) -> None:
    async with Provider(BUG) as provider:
        one = window(code, vsix, tmp_path, provider, **{"aiops.server.path": ""})
        one.environment = {**one.environment, "PIP_FIND_LINKS": f"{wheels} {os.environ.get('PIP_FIND_LINKS', '')}"}
        # VS Code takes the search path from the user's login shell. This one has a Python and no server.
        path = f"{Path(sys.base_prefix, 'bin')}:/usr/bin:/bin"
        for name in (".profile", ".bash_profile"):
            (tmp_path / name).write_text(f'export PATH="{path}"\n', "utf-8")
        async with one.serving():
            seen = await one.drive("open missing install")
    assert "found nowhere" in seen["missing"]
    assert "Install Server" in seen["missing"]
    assert "not installed" in seen["missing_status"]
    assert "idle" in seen["installed"]


async def test_a_program_that_is_named_and_is_not_there(code: VSCode, vsix: Path, tmp_path: Path) -> None:
    async with Provider(BUG) as provider:
        one = window(code, vsix, tmp_path, provider, **{"aiops.server.path": str(tmp_path / "nowhere")})
        async with one.serving():
            seen = await one.drive("open missing")
    assert "nowhere" in seen["missing"]


def test_the_linter_of_the_extension_has_nothing_to_say(code: VSCode) -> None:
    npm_run(code, EXTENSION, "lint")


def test_a_server_that_crashes_is_started_again_later_each_time_and_not_for_ever(code: VSCode, tmp_path: Path) -> None:
    esbuild = EXTENSION / "node_modules" / "esbuild" / "bin" / "esbuild"
    module, script = tmp_path / "backoff.mjs", tmp_path / "script.mjs"
    build = [str(esbuild), str(EXTENSION / "src" / "backoff.ts"), "--format=esm", f"--outfile={module}"]
    subprocess.run(build, env=code.environment, check=True, capture_output=True)
    script.write_text(
        """
        import { Backoff } from "./backoff.mjs";
        const backoff = new Backoff();
        const waits = [0, 1, 2, 3, 4, 5, 179_999, 180_000, 180_001].map((now) => backoff.next(now) ?? null);
        backoff.reset();
        console.log(JSON.stringify([...waits, backoff.next(180_002)]));
        """,
        "utf-8",
    )
    said = subprocess.run([code.node, script], check=True, capture_output=True, text=True).stdout
    assert json.loads(said) == [500, 1000, 2000, 4000, 8000, None, None, 8000, 8000, 500]


def test_the_settings_are_those_of_the_server(code: VSCode) -> None:
    schema = subprocess.run([server_program(), "config", "schema"], capture_output=True, check=True).stdout
    done = subprocess.run(
        [code.node, "editors/vscode/scripts/settings.mjs", "--check"], input=schema, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_commands_of_the_extension_and_of_the_server_have_different_ids() -> None:
    from aiops_lsp.lsp.capabilities import COMMANDS

    assert contributed("commands", "command").isdisjoint(COMMANDS)


def test_every_language_with_regions_starts_the_extension() -> None:
    from aiops_lsp.core.languages import LANGUAGES

    shells = {"sh", "bash"}  # other editors' names of shellscript
    started = {event.partition(":")[2] for event in manifest()["activationEvents"]}
    assert set(LANGUAGES) - shells <= started


def contributed(what: str, name: str) -> set[str]:
    return {entry[name] for entry in manifest()["contributes"][what]}


def manifest() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    return read
