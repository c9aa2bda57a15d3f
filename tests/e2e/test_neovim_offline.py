"""Real Neovim, real server, no key and no provider: what a new user sees of a file with bugs, and can mend at once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.editors import find_nvim

if TYPE_CHECKING:
    from pathlib import Path

# Three bugs. That the mean of no values is undefined is for a model to say; the other two are for rules.
LINES = [
    "import asyncio",
    "",
    "",
    "async def poll(client):",
    "    asyncio.sleep(1)",
    "    return await client.read()",
    "",
    "",
    "def is_paid(order):",
    '    return order.state is "paid"',
    "",
    "",
    "def mean(values):",
    "    return sum(values) / len(values)",
]
pytestmark = pytest.mark.timeout(300)
TITLES = {"py/coroutine-not-awaited": "Await it", "F632": "Replace `is` with `==`"}


def _environment(folder: Path) -> dict[str, str]:
    """A new user's: no key, no settings of this program, and nothing else from the home of who runs the test."""
    strange = ("_API_KEY", "_TOKEN")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(strange) and not name.startswith(("AIOPS_", "XDG_"))
    }
    return {
        **inherited,
        "HOME": str(folder / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "SERVER": f"{sys.executable} -m aiops_lsp serve --stdio",
        "FILE": str(folder / "work" / "shop.py"),
        "STEPS": "attach diagnostics quickfix stop",
        "CODES": " ".join(TITLES),
        "TITLES": json.dumps(TITLES),
        "OUT": str(folder / "seen.json"),
    }


async def _drive(nvim: Path, folder: Path) -> dict[str, Any]:
    """Open the file in a Neovim, do the steps, and return what was seen."""
    process = await asyncio.create_subprocess_exec(
        str(nvim),
        *("--clean", "--headless", "-c", "luafile tests/e2e/neovim/drive.lua"),
        env=_environment(folder),
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
    seen: dict[str, Any] = json.loads((folder / "seen.json").read_text("utf-8"))
    return seen


async def test_without_a_key_the_bugs_that_rules_can_find_are_shown_and_mended(tmp_path: Path) -> None:
    nvim = find_nvim("0.12")
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "work" / "shop.py").write_text("\n".join([*LINES, ""]), "utf-8")

    seen = await _drive(nvim, tmp_path)

    assert [(one["code"], one["line"], one["text"]) for one in seen["diagnostics"]] == [
        ("py/coroutine-not-awaited", 4, "asyncio.sleep(1)"),
        ("F632", 9, 'order.state is "paid"'),
    ]
    assert "Coroutine is never awaited" in seen["diagnostics"][0]["message"]
    mended = LINES.copy()
    mended[4] = "    await asyncio.sleep(1)"
    mended[9] = '    return order.state == "paid"'
    assert seen["fixed"] == mended
