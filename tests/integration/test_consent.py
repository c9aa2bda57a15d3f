"""Nothing leaves unasked, nobody is asked for nothing, and leave that is given counts wherever it was given."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.engine.host import ConsentAnswer, State
from aiops_lsp.store.decisions import Decisions
from tests.support.clock import until
from tests.support.engine import RecordingHost, desk, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.engine.host import ConsentQuestion
    from aiops_lsp.settings import Settings

URL = "https://models.invalid/v1"
PRICES = {f"test:{name}": {"input": 1, "output": 1} for name in ("small", "middle", "large")}
KEY = {"TEST_KEY": "k" * 20}
SHOP = "def price_of(order):\n    return order.total / order.count\n"


class Undecided(RecordingHost):
    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        self.questions.append(question)
        await asyncio.Event().wait()
        raise AssertionError("never answered")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


def remote(**review: object) -> Settings:
    providers = {"test": {"base_url": URL, "api_key_env": "TEST_KEY"}}
    return settings_for(URL, providers=providers, prices=PRICES, review=review)


async def test_nobody_is_asked_while_there_is_nothing_to_send(tmp_path: Path) -> None:
    host = RecordingHost()
    async with desk(remote(scope="changed"), root=tmp_path, host=host, environ=KEY) as at:
        document = at.open(SHOP, uri=(tmp_path / "shop.py").as_uri())
        await at.until_quiet(document)
        assert host.questions == []
        assert at.reviewer.status().state is State.IDLE
        at.replace(document, "order.total", "order.sum")
        await until(lambda: host.questions)
        await at.until_quiet(document)
        assert len(host.questions) == 1


@pytest.mark.parametrize("host", [RecordingHost(), Undecided()], ids=["declined", "still open"])
async def test_leave_that_is_given_elsewhere_counts_without_a_restart(tmp_path: Path, host: RecordingHost) -> None:
    async with desk(remote(), root=tmp_path, host=host, environ=KEY) as at:
        document = at.open(SHOP, uri=(tmp_path / "shop.py").as_uri())
        await until(lambda: host.questions)
        await at.until_quiet(document)
        assert any("was not allowed" in words for words in at.reviewer.status().documents[0].not_reviewed)
        elsewhere = Decisions(tmp_path / "state", time.time)
        elsewhere.allow("models.invalid", str(tmp_path))
        elsewhere.close()
        at.replace(document, "order.total", "order.sum")
        await until(lambda: at.reviewer.status().state not in (State.OFFLINE, State.WAITING_FOR_CONSENT))
        await at.until_quiet(document)
        assert not any("allowed" in words for words in at.reviewer.status().documents[0].not_reviewed)
        assert len(host.questions) == 1
