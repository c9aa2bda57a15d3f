"""aimock, a mock of the providers' APIs that others wrote: what it understands is not only our own idea of them."""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from tests.support.process import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

FOLDER = Path(__file__).parents[1] / "integration" / "aimock"
_PROGRAM = FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"


class Aimock:
    """A running server. `origin` is its address."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    async def journal(self) -> list[dict[str, Any]]:
        """Every request it got, with path and body."""
        return await asyncio.to_thread(self._read_journal)

    def _read_journal(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.origin}/__aimock/journal") as answer:
            entries: list[dict[str, Any]] = json.load(answer)
        return entries


@asynccontextmanager
async def aimock(folder: Path, fixtures: Sequence[dict[str, Any]]) -> AsyncIterator[Aimock]:
    """Run aimock with `fixtures`, which are written into `folder`."""
    await asyncio.to_thread(_install)
    path = folder / "fixtures.json"
    path.write_text(json.dumps({"fixtures": list(fixtures)}))
    node = shutil.which("node")
    assert node is not None, "the tests need node"
    command = [node, str(_PROGRAM), "--port", "0", "--fixtures", str(path), "--strict"]
    async with serving(command) as origin:
        yield Aimock(origin)


def _install() -> None:
    """Install it from its lock file, once, whichever test process comes first."""
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _PROGRAM.exists():
            npm = shutil.which("npm")
            assert npm is not None, "the tests need npm"
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True)
