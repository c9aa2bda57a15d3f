"""A function that is too large for one request, through the whole engine: reviewed in parts, shown as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, findings_where

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine import Desk

DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "focus": "order.count", "confidence": 95}})


def long_function(lines: int = 400) -> str:
    """A function of so many lines, with the bug in its last but one."""
    steps = "".join(f"    total_{number} = step_{number % 7}(order, {number})\n" for number in range(lines - 3))
    return f"def settle(order):\n{steps}    share = order.total / order.count\n    return share\n"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


def sent(provider: Provider) -> list[str]:
    """The lines that were sent, in the order of the function."""
    parts = [lines for exchange in provider.journal for lines in exchange.regions.values()]
    parts.sort(key=lambda lines: int(next(line for line in lines if "total_" in line).split("_")[1].split()[0]))
    return [line.strip() for lines in parts for line in lines if line]


def reviewed(at: Desk) -> tuple[int, int]:
    (status,) = at.reviewer.status().documents
    return status.reviewed, status.regions


async def test_a_long_function_is_reviewed_in_parts_and_its_last_line_is_found() -> None:
    text = long_function()
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url)
        assert settings.budget.max_tokens_per_request == 4000
        async with desk(settings) as at:
            document = at.open(text)
            await at.until_shown(document, bool)
            await at.until_quiet(document)
            done, regions = reviewed(at)
            assert done == regions > 3
            (shown,) = (one for one in at.shown(document) if one.origin is Origin.MODEL)
            assert document.snapshot().slice(shown.range) == shown.evidence == "order.count"
            assert (shown.range.start.line, shown.symbol) == (398, "settle")
            assert sent(provider) == [line.strip() for line in text.split("\n") if line]
            assert all("def settle(order):" in exchange.user for exchange in provider.journal)

            asked = len(provider.journal)
            at.replace(document, "    total_200 =", "    # why\n\n    total_200 =")
            await at.until_quiet(document)
            assert len(provider.journal) == asked

            at.replace(document, "total_200 = step_4", "total_200 = step_9")
            await at.until_quiet(document)
            again = [lines for exchange in provider.journal[asked:] for lines in exchange.regions.values()]
            assert len(again) == 1
            assert any("step_9" in line for line in again[0])
            assert reviewed(at) == (done, regions)


async def test_what_cannot_be_cut_is_said_to_be_too_large() -> None:
    table = "TABLE = {\n" + "".join(f"    'key {number}': {number},\n" for number in range(400)) + "}\n"
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(f"{table}\n\ndef share(order):\n    return order.total / order.count\n")
        await at.until_shown(document, bool)
        await at.until_quiet(document)
        (status,) = at.reviewer.status().documents
        assert status.not_reviewed == {"too large for one request": 1}
        assert not any("key 7" in exchange.user for exchange in provider.journal)
