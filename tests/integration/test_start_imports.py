"""The server's start is what every editor waits for: until `initialize` is answered nothing heavy is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = {"aiops_lsp", "attr", "attrs", "cattr", "cattrs", "lsprotocol", "platformdirs", "pygls", "typing_extensions"}
HEAVY = {"pydantic", "openai", "anthropic", "diskcache", "ast_grep_py", "yaml", "keyring", "pathspec", "genai_prices"}

SCRIPT = """
import asyncio, json, sys
before = set(sys.modules)
from aiops_lsp.lsp.framing import FrameReader, frame
from aiops_lsp.lsp.server import create_server
from aiops_lsp.lsp.serving import serve_stream

class Writer:
    answered = None
    def write(self, data):
        (body,) = FrameReader().feed(data)
        if json.loads(body).get("id") == 1:
            Writer.answered = {name.partition(".")[0] for name in set(sys.modules) - before}
            Writer.web = [name for name in ("http.client", "email", "urllib.request") if name in sys.modules]
            Writer.ours = sorted(name for name in sys.modules if name.startswith("aiops_lsp"))

async def main():
    params = {"capabilities": {}, "workspaceFolders": [{"uri": "file:///w", "name": "w"}]}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    chunks = asyncio.Queue()
    chunks.put_nowait(frame(json.dumps(message).encode()))
    chunks.put_nowait(b"")
    await serve_stream(create_server(), chunks.get, Writer())

asyncio.run(main())
foreign = sorted(Writer.answered - set(sys.stdlib_module_names))
print(json.dumps({"foreign": foreign, "ours": Writer.ours, "web": Writer.web}))
"""


def test_nothing_heavy_is_imported_before_initialize_is_answered() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    imported = json.loads(result.stdout)
    foreign = {name for name in imported["foreign"] if not name.startswith("_")}
    assert foreign - LIGHT == set()
    assert foreign & HEAVY == set()
    assert imported["web"] == []
    assert "pygls" in foreign
    settings = [name for name in imported["ours"] if name.startswith("aiops_lsp.settings.")]
    assert settings == ["aiops_lsp.settings.folders"]
    assert "aiops_lsp.engine.review" not in imported["ours"]


@pytest.mark.parametrize("models", [False, True])
def test_prices_are_loaded_with_the_services_only_where_a_model_can_be_asked(tmp_path: Path, models: bool) -> None:
    script = """
import sys
from aiops_lsp.engine.clock import SystemClock
from aiops_lsp.engine.services import Services
from tests.support.engine import settings_for
services = Services.open(settings_for(sys.argv[1] or None), SystemClock(), {})
print("genai_prices" in sys.modules)
"""
    address = "http://127.0.0.1:9/v1" if models else ""
    environ = {**os.environ, "AIOPS_STATE_DIR": str(tmp_path / "state"), "AIOPS_CACHE_DIR": str(tmp_path / "cache")}
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", script, address], capture_output=True, text=True, check=True, timeout=60, env=environ
    )
    assert result.stdout.strip() == str(models)
