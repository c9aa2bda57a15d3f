"""The scripted provider as a process of its own, as editors' tests use it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING
from urllib.request import urlopen

from aiops_lsp.llm.answers import AnswerReader, RegionClosed
from aiops_lsp.llm.openai import OpenAIClient
from tests.support.model_calls import SOURCE, call, request

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_script_file_decides_by_what_stands_in_the_code(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    fix = {"new_lines": ["launch_codes = None"]}
    findings = {"compute()": {"title": "Computes", "fix": fix}, "elsewhere": {}}
    script.write_text(json.dumps({"findings": findings, "replies": [{"status": 503}], "delay_seconds": 0.001}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.provider", "--port", "0", "--script", str(script), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        origin = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        client = OpenAIClient(provider="openai", base_url=f"{origin}/v1", key=None)
        assert "503" in str((await call(client, request())).error)
        made = await call(client, request())
        await client.aclose()
        reader = AnswerReader(["r1"])
        closed = [event for event in reader.feed(made.text) if isinstance(event, RegionClosed)]
        (claim,) = closed[0].claims
        assert (claim.title, claim.quote, claim.focus, claim.start_line) == ("Computes", SOURCE, "compute()", 1)
        assert claim.fix is not None
        assert (claim.fix.old_lines, claim.fix.new_lines) == ((SOURCE,), ("launch_codes = None",))
        journal = await asyncio.to_thread(lambda: json.load(urlopen(f"{origin}/__journal")))
        assert [entry["state"] for entry in journal] == ["answered", "answered"]
    finally:
        process.kill()
        await process.communicate()
