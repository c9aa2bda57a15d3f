"""What changes while requests run: settings, models, redaction, prices; and the end of the program."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.engine.host import ConsentAnswer, Folder
from aiops_lsp.llm.client import TextDelta
from aiops_lsp.llm.prices import NoPrice
from aiops_lsp.store.database import StoreUnavailable
from aiops_lsp.store.ledger import Ledger
from tests.support.clock import until
from tests.support.engine import RecordingHost, desk, settings_for
from tests.support.provider import Exchange, Provider, Reply, answer, default_text, finding, findings_where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiops_lsp.engine.host import ConsentQuestion, Publication
    from aiops_lsp.llm.client import ModelRequest, StreamEvent
    from aiops_lsp.settings import Settings
    from tests.support.engine import Desk

SHOP = "def price_of(order):\n    return order.total / order.count\n"
DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "focus": "order.count", "confidence": 95}})
PRICES = {f"test:{name}": {"input": 1, "output": 1} for name in ("small", "middle", "large")}
COMPARED = "def same(name):\n    return name is 'admin'\n"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))


async def change(at: Desk, settings: Settings) -> None:
    at.folder = Folder(at.folder.root, settings)
    await at.reviewer.settings_changed(settings, {})


async def test_what_is_tried_again_goes_to_the_models_of_today() -> None:
    release = asyncio.Event()

    async def hold(piece: int) -> None:
        await release.wait()

    def overloaded(exchange: Exchange) -> Reply:
        return Reply(status=503, gate=hold)

    async with Provider(overloaded) as earlier, Provider(DIVIDES) as today, desk(settings_for(earlier.base_url)) as at:
        document = at.open(SHOP)
        await until(lambda: earlier.journal)
        await change(at, settings_for(today.base_url))
        release.set()
        await at.until_shown(document, bool)
        await at.until_quiet(document)
        assert len(earlier.journal) == 1
        assert len(today.journal) == 1


async def test_a_second_opinion_is_not_asked_of_models_that_were_taken_out() -> None:
    release = asyncio.Event()

    async def hold(piece: int) -> None:
        await release.wait()

    def script(exchange: Exchange) -> Reply:
        return Reply(DIVIDES(exchange).text, gate=hold)

    review = {"second_opinion": "all"}
    async with (
        Provider(script) as earlier,
        Provider() as today,
        desk(settings_for(earlier.base_url, review=review)) as at,
    ):
        document = at.open(SHOP)
        await until(lambda: earlier.journal)
        await change(at, settings_for(today.base_url, review=review))
        release.set()
        await at.until_shown(document, bool)
        await at.until_quiet(document)
        assert len(earlier.journal) == 1


async def test_what_is_to_be_hidden_from_now_on_is_hidden_in_open_documents_too() -> None:
    text = "def connect(site):\n    return site.open('internal-name-4711')\n"
    async with Provider() as provider:
        off = settings_for(provider.base_url, review={"enabled": False})
        async with desk(off) as at:
            document = at.open(text)
            await at.until_quiet(document)
            await change(at, settings_for(provider.base_url, privacy={"redact_patterns": [r"internal-name-\d+"]}))
            await until(lambda: provider.journal)
            await at.until_quiet(document)
        assert all("4711" not in line for one in provider.journal for lines in one.regions.values() for line in lines)


async def test_a_price_that_was_taken_out_does_not_lose_an_answer() -> None:
    release = asyncio.Event()

    async def hold(piece: int) -> None:
        await release.wait()

    def script(exchange: Exchange) -> Reply:
        return Reply(DIVIDES(exchange).text, gate=hold)

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await until(lambda: provider.journal)
        assert at.reviewer._assembly is not None
        at.reviewer._assembly.governor.settings_changed(NoPrices())  # type: ignore[arg-type]  # only what is asked
        release.set()
        await at.until_quiet(document)
        (status,) = at.reviewer.status().documents
        assert status.reviewed == status.regions
        day = at.reviewer._assembly.services.ledger.spend().day
        assert day.tokens > 0
        assert day.reserved_tokens == 0


class NoPrices:
    def cost(self, *_: object, **__: object) -> int:
        raise NoPrice("the price is not known")

    billed = cost


async def test_a_tier_without_a_model_says_so_and_takes_no_other_with_it() -> None:
    def script(exchange: Exchange) -> Reply:
        lines = exchange.regions["r1"]
        return Reply(answer({"r1": [finding(lines[1], 2, confidence=95, severity="high")]}))

    long = "def long(x):\n" + "".join(f"    if x == {n}:\n        x += {n}\n" for n in range(40)) + "    return x\n"
    async with Provider(script) as provider:
        named: dict[str, list[str]] = {"medium": [], "complex": []}
        settings = settings_for(provider.base_url, models=named, review={"second_opinion": "all"})
        async with desk(settings) as at:
            document = at.open(f"{SHOP}\n\n{long}")
            await at.until_shown(document, bool)
            await at.until_quiet(document)
            (status,) = at.reviewer.status().documents
            assert status.reviewed == 1
            (words,) = status.not_reviewed
            assert "no model is set" in words


async def test_ruff_that_is_switched_off_shows_nothing_any_more() -> None:
    async with desk(settings_for(None, rules={"ruff": "on"})) as at:
        document = at.open(COMPARED)
        await at.until_shown(document, lambda found: any(one.origin is Origin.RUFF for one in found))
        await change(at, settings_for(None, rules={"ruff": "off"}))
        await at.until_shown(document, lambda found: all(one.origin is not Origin.RUFF for one in found))


async def test_a_severity_holds_for_what_ruff_has_found_already() -> None:
    async with desk(settings_for(None, rules={"ruff": "on"})) as at:
        document = at.open(COMPARED)
        await at.until_shown(document, lambda found: any(one.origin is Origin.RUFF for one in found))
        codes = {one.code for one in at.shown(document) if one.origin is Origin.RUFF}
        await change(at, settings_for(None, rules={"ruff": "on", "severity": dict.fromkeys(codes, "off")}))
        await at.until_shown(document, lambda found: all(one.origin is not Origin.RUFF for one in found))


async def test_a_dismissal_that_cannot_be_recorded_is_told() -> None:
    async with desk(settings_for(None)) as at:
        document = at.open(SHOP)
        assert at.reviewer._assembly is not None
        at.reviewer._assembly.services.decisions = None
        with pytest.raises(StoreUnavailable, match="not dismissed"):
            await at.reviewer.dismiss(document.uri, "id")


async def test_a_client_that_cannot_be_told_holds_no_region_for_good() -> None:
    class Broken(RecordingHost):
        broken = True

        def publish(self, publication: Publication) -> None:
            if self.broken and publication.findings:
                raise ConnectionError("gone")
            super().publish(publication)

    host = Broken()
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url), host=host) as at:
        document = at.open(SHOP)
        await until(lambda: provider.journal and provider.journal[0].state == "answered")
        await at.until_quiet(document)
        assert at.reviewer._assembly is not None
        assert not set(at.reviewer._assembly.dispatcher.in_flight) & set(_keys(at, document.uri))


def _keys(at: Desk, uri: str) -> list[str]:
    examined = at.reviewer._documents[uri].examined
    assert examined is not None
    return [keys.exact for keys in examined.keys]


class Silent:
    """A model that finds nothing, without a network."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[StreamEvent]:
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        yield TextDelta(default_text(Exchange("/chat/completions", {}, {"messages": messages})))

    async def prepare(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


class Undecided(RecordingHost):
    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        self.questions.append(question)
        await asyncio.Event().wait()
        raise AssertionError("never answered")


async def test_an_open_question_leaves_nothing_running_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    host = Undecided()
    url = "https://models.example.com/v1"
    settings = settings_for(url, providers={"test": {"base_url": url, "api_key_env": "TEST_KEY"}}, prices=PRICES)
    before = asyncio.all_tasks()
    async with desk(settings, host=host, environ={"TEST_KEY": "k" * 20}) as at:
        at.open(SHOP)
        await until(lambda: host.questions)
    assert asyncio.all_tasks() == before
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_leave_for_a_file_without_a_folder_is_no_leave_for_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiops_lsp.engine.models.open_client", lambda *_: Silent())
    host = RecordingHost(ConsentAnswer.WORKSPACE)
    url = "https://models.invalid/v1"
    settings = settings_for(url, providers={"test": {"base_url": url, "api_key_env": "TEST_KEY"}}, prices=PRICES)
    async with desk(settings, host=host, environ={"TEST_KEY": "k" * 20}) as at:
        document = at.open(SHOP)
        await until(lambda: host.questions)
        await at.until_quiet(document)
        host.consent = ConsentAnswer.NOT_NOW
        at.folder = at.folder._replace(root=tmp_path)
        at.reviewer.close(document.uri)
        document = at.open(SHOP.replace("order", "basket"), uri=(tmp_path / "shop.py").as_uri())
        await at.until_quiet(document)
        assert [question.workspace for question in host.questions] == ["", str(tmp_path)]


async def test_a_command_under_way_is_booked_before_the_stores_close(tmp_path: Path) -> None:
    async def hold(piece: int) -> None:
        await asyncio.Event().wait()

    async with Provider(lambda _: Reply(answer({}), gate=hold)) as provider:
        async with desk(settings_for(provider.base_url, review={"trigger": "manual"})) as at:
            document = at.open(SHOP)
            await at.until_quiet(document)
            review = asyncio.create_task(at.reviewer.review(document.uri))
            await until(lambda: provider.journal)
        await asyncio.gather(review, return_exceptions=True)
        assert len(provider.journal) == 1
    ledger = Ledger.open(tmp_path / "state", time.time)
    day = ledger.spend().day
    ledger.close()
    assert day.tokens > 0
    assert day.reserved_tokens == 0


RULE = "id: no-shout\nlanguage: python\nmessage: Do not shout\nseverity: error\nrule:\n  pattern: shout($A)\n"


@pytest.mark.parametrize("trusted", [True, False])
async def test_rules_inside_of_a_folder_run_only_where_it_is_trusted(tmp_path: Path, trusted: bool) -> None:
    root = tmp_path / "project"
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "shout.yml").write_text(RULE)
    settings = settings_for(None, rules={"rules_dir": "rules"})
    async with desk(settings, root=root) as at:
        at.folder = at.folder._replace(trusted=trusted)
        document = at.open("import os\n\nshout(os.name)\n", uri=(root / "a.py").as_uri())
        await at.until_quiet(document)
        assert [one.title for one in at.shown(document)] == ["Do not shout"] * trusted
