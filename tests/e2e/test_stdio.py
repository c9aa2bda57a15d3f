"""The server as clients start it: a process on stdio, driven by pytest-lsp, with a scripted and with a real model."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities, make_test_lsp_client

from tests.support.clock import until
from tests.support.process import serving
from tests.support.provider import Provider, findings_where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pytest_lsp import LanguageClient

URI = "file:///tmp/project/shop.py"
SHOP = """\
def mean(values):
    note = "👍 漢字"; return sum(values) / len(values)


def discount(percent):
    return 1 - percent / 100
"""
DIVIDES = findings_where(
    {
        "/ len(values)": {
            "title": "Divides by zero",
            "focus": "len(values)",
            "fix": {"new_lines": ['    note = "👍 漢字"; return sum(values) / (len(values) or 1)']},
        }
    }
)


@asynccontextmanager
async def session(folder: Path, base_url: str, client_name: str = "neovim") -> AsyncIterator[LanguageClient]:
    """A client of that name, initialized, with the models at `base_url`."""
    client = make_test_lsp_client()
    await client.start_io(
        *(sys.executable, "-m", "aiops_lsp", "serve", "--stdio"),
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "AIOPS_STATE_DIR": str(folder / "state"),
            "AIOPS_CACHE_DIR": str(folder / "cache"),
            "AIOPS_PROVIDERS__TEST__BASE_URL": base_url,
            "AIOPS_MODELS__SIMPLE": "test:small",
            "AIOPS_MODELS__MEDIUM": "test:middle",
            "AIOPS_MODELS__COMPLEX": "test:large",
            "AIOPS_REVIEW__SCOPE": "file",
            "AIOPS_REVIEW__DEBOUNCE_MS": "20",
            "AIOPS_REVIEW__SETTLE_MS": "0",
            "AIOPS_REVIEW__LANGUAGE": "en",
            "AIOPS_RULES__RUFF": "off",
        },
    )
    capabilities = client_capabilities(client_name)
    try:
        await client.initialize_session(
            types.InitializeParams(capabilities=capabilities, process_id=os.getpid(), root_uri=None)
        )
        yield client
    finally:
        await client.shutdown_session()
        await client.stop()  # type: ignore[no-untyped-call]  # pygls has no types for it


def open_document(client: LanguageClient, text: str) -> None:
    item = types.TextDocumentItem(uri=URI, language_id="python", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))


def shown(client: LanguageClient) -> list[types.Diagnostic]:
    return list(client.diagnostics.get(URI, ()))


async def test_a_finding_its_fix_and_its_hover_over_stdio(tmp_path: Path) -> None:
    async with Provider(DIVIDES) as provider, session(tmp_path, provider.base_url) as client:
        open_document(client, SHOP)
        await until(lambda: shown(client), 60)
        (found,) = shown(client)
        assert found.source == "aiops"
        assert found.code == "bug"
        assert "Divides by zero" in found.message
        line = SHOP.splitlines()[found.range.start.line].encode()
        assert line[found.range.start.character : found.range.end.character].decode() == "len(values)"
        where = types.TextDocumentIdentifier(URI)
        hover = await client.text_document_hover_async(types.HoverParams(where, found.range.start))
        assert hover is not None
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(where, found.range, types.CodeActionContext(diagnostics=[]))
        )
        (fix,) = [one for one in actions or () if isinstance(one, types.CodeAction) and one.title.startswith("Fix: ")]
        resolved = fix if fix.edit is not None else await client.code_action_resolve_async(fix)
        assert resolved.edit is not None
        assert "(len(values) or 1)" in str(resolved.edit)


async def test_each_client_that_pytest_lsp_knows_gets_its_findings(tmp_path: Path) -> None:
    async with Provider(DIVIDES) as provider:
        for name in ("neovim", "emacs", "visual_studio_code"):
            async with session(tmp_path / name, provider.base_url, name) as client:
                open_document(client, SHOP)
                await until(partial(shown, client), 60)
                assert len(shown(client)) == 1


@pytest.mark.timeout(300)
async def test_with_a_real_model_the_server_stays_right_whatever_it_says(tmp_path: Path) -> None:
    async with (
        serving([sys.executable, "-m", "tests.support.smollm_server"]) as origin,
        session(tmp_path, f"{origin}/v1") as client,
    ):
        statuses: list[Any] = []

        def keep(params: Any) -> None:
            statuses.append(params)

        client.feature("aiops/status")(keep)

        open_document(client, SHOP)

        def answered() -> bool:
            last = statuses[-1] if statuses else None
            return bool(last and last.documents and last.spend.todayTokens > 0 and not last.documents[0].reviewing)

        await until(answered, 240, lambda: statuses[-3:])
        (document,) = statuses[-1].documents
        assert document.reviewed + sum(document.notReviewed) == document.regions == 2
        lines = SHOP.splitlines()
        for one in shown(client):
            line = lines[one.range.start.line].encode()
            assert line[one.range.start.character : one.range.end.character].decode()
        where = types.TextDocumentIdentifier(URI)
        await client.text_document_hover_async(types.HoverParams(where, types.Position(1, 4)))
