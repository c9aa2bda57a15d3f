"""Real VS Code for tests: the extension built and installed as a user would, and a browser as the window."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.support.editors import VSCode

EXTENSION = Path("editors/vscode").resolve()
TESTS = Path("tests/e2e/vscode").resolve()

QUIET: dict[str, object] = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "telemetry.telemetryLevel": "off",
    "extensions.ignoreRecommendations": True,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "update.mode": "none",
    "window.restoreWindows": "none",
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "editor.autoIndent": "keep",
    "editor.fontFamily": "DejaVu Sans Mono",
    "files.autoSave": "off",
    "git.enabled": False,
}
"""Settings without which VS Code talks of itself in a window that tests look at."""


def build_extension(code: VSCode, folder: Path) -> Path:
    """The .vsix, built by the extension's own script, from a copy, since others may build it at the same time."""
    source, vsix = folder / "extension", folder / "aiops-lsp.vsix"
    shutil.copytree(EXTENSION, source, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    (source / "node_modules").symlink_to(EXTENSION / "node_modules")
    npm_run(code, source, "package", "--out", str(vsix))
    return vsix


def npm_run(code: VSCode, folder: Path, script: str, *arguments: str) -> str:
    """Run a script of a package.json to its end; returns what it printed. Fails when it does."""
    done = subprocess.run(
        [code.node.with_name("npm"), "run", script, *(["--", *arguments] if arguments else [])],
        cwd=folder,
        env=code.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Window:
    """A VS Code with the extension installed. `home` holds all that it and the server write."""

    code: VSCode
    vsix: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    url: str = ""
    pid: int = 0

    @property
    def work(self) -> Path:
        """The folder that is opened."""
        return self.home / "work"

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in self.code.environment.items() if not k.startswith(("AIOPS_", "VSCODE_", "XDG_"))}
        kept = {k: v for k, v in kept.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
        own = {
            "HOME": str(self.home),
            "AIOPS_STATE_DIR": str(self.home / "state"),
            "AIOPS_CACHE_DIR": str(self.home / "cache"),
        }
        return {**kept, **own, **self.environment}

    @contextlib.asynccontextmanager
    async def serving(self, *, test_driver: bool = False) -> AsyncIterator[None]:
        """VS Code's server, as long as the block runs.

        With `test_driver` it can be told by a page how tests in the extension host ended; it then shows no messages.
        """
        data, extensions = self.home / "vscode", self.home / "extensions"
        settings = json.dumps({**QUIET, **self.settings})
        for scope in ("Machine", "User"):
            (data / "data" / scope).mkdir(parents=True, exist_ok=True)
            (data / "data" / scope / "settings.json").write_text(settings, "utf-8")
        places = ["--server-data-dir", str(data), "--extensions-dir", str(extensions)]
        await self._run(*places, "--accept-server-license-terms", "--install-extension", str(self.vsix), "--force")
        process = await asyncio.create_subprocess_exec(
            str(self.code.node),
            str(self.code.program),
            *("--host", "127.0.0.1", "--port", "0", *places),
            *("--without-connection-token", "--accept-server-license-terms"),
            *(["--enable-smoke-test-driver"] if test_driver else []),
            *("--telemetry-level", "off"),
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        self.pid = process.pid
        draining: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(120):
                port = None
                while port is None:
                    line = (await process.stdout.readline()).decode(errors="replace")
                    assert line, "VS Code's server ended"
                    port = re.search(r"listening on (\d+)", line)
            self.url = f"http://127.0.0.1:{port[1]}"
            draining = asyncio.create_task(_drain(process.stdout))
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            if draining is not None:
                await draining

    async def _run(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            self.code.node,
            self.code.program,
            *arguments,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode(errors="replace")

    async def script(self, name: str, seconds: float, **variables: str) -> str:
        """Run a script of tests/e2e/vscode to its end; returns what it printed. Fails when it does."""
        process = await asyncio.create_subprocess_exec(
            self.code.node,
            str(TESTS / name),
            env={
                **self._environment(),
                "URL_": self.url,
                "CHROMIUM": str(self.code.browser),
                "FOLDER": str(self.work),
                "FAILED": str(self.home / "failed.png"),
                **variables,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        text = output.decode(errors="replace")
        assert process.returncode == 0, f"{text}\n{self.logs()}"
        return text

    async def drive(self, steps: str, **variables: str) -> dict[str, Any]:
        """Do `steps` of drive.mjs and return what was seen."""
        out = self.home / "seen.json"
        shots = os.environ.get("AIOPS_TEST_PICTURES", "")
        pictures = {"SHOTS": shots} if shots else {}
        await self.script("drive.mjs", 330, FILE="shop.py", STEPS=steps, OUT=str(out), **pictures, **variables)
        seen: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return seen

    def files_with(self, text: str) -> list[Path]:
        """All files below `home` that hold `text`."""
        files = (file for file in self.home.rglob("*") if file.is_file())
        return [file for file in files if text.encode() in file.read_bytes()]

    def reached(self, what: str) -> bool:
        """Whether the driver waits at `what`."""
        return (self.home / f"seen.json.{what}").exists()

    def answer(self, what: str) -> None:
        """Let the driver go on."""
        (self.home / f"seen.json.{what}.done").touch()

    def logs(self) -> str:
        """What the extension and the server logged, which failures are explained by."""
        files = [*(self.home / "vscode").rglob("*aiops*.log"), *(self.home / "state" / "logs").glob("*.jsonl")]
        return "\n".join(file.read_text("utf-8", "replace")[-4000:] for file in sorted(files))


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


def server_program() -> Path:
    """The server under test."""
    beside = Path(sys.executable).with_name("aiops-lsp")
    return beside if beside.exists() else Path(shutil.which("aiops-lsp") or beside)
