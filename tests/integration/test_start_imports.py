"""The server's start is what every editor waits for: until `initialize` is answered nothing heavy is imported."""

from __future__ import annotations

import json
import subprocess
import sys

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
print(json.dumps({"foreign": foreign, "ours": Writer.ours}))
"""


def test_nothing_heavy_is_imported_before_initialize_is_answered() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    imported = json.loads(result.stdout)
    foreign = {name for name in imported["foreign"] if not name.startswith("_")}
    assert foreign - LIGHT == set()
    assert foreign & HEAVY == set()
    assert "pygls" in foreign
    settings = [name for name in imported["ours"] if name.startswith("aiops_lsp.settings.")]
    assert settings == ["aiops_lsp.settings.folders"]
    assert "aiops_lsp.engine.review" not in imported["ours"]
