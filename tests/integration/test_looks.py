"""A look at a document: what it does not wait for, and what it does not do twice."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core.text import PositionEncoding, TextDocument
from aiops_lsp.engine.examine import examine
from aiops_lsp.engine.host import State
from aiops_lsp.engine.knowledge import known_standings
from aiops_lsp.engine.rulebook import rule_findings
from aiops_lsp.rules.ruff import RuffReport
from aiops_lsp.store.cache import ResultCache
from tests.support.clock import settle, until
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, answer, findings_where

if TYPE_CHECKING:
    from tests.support.provider import Exchange

CODE = """\
def plain(value):
    return value + 1


def other(value):
    return value
"""
EVAL = "py/code-injection"


async def test_rule_findings_do_not_wait_for_the_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        await stores.wait()
        return await known_standings(*arguments)

    async with desk(settings_for(None)) as at:
        document = at.open(CODE)
        await at.until_quiet(document)
        monkeypatch.setattr("aiops_lsp.engine.look.known_standings", slow)
        at.replace(document, "value + 1", "eval(input())")
        await at.until_shown(document, lambda found: [one.code for one in found] == [EVAL])
        stores.set()
        await at.until_quiet(document)
        assert [one.code for one in at.shown(document)] == [EVAL]


@pytest.mark.parametrize(("seconds", "waits"), [(60.0, True), (0.0, False)])
async def test_a_text_that_mostly_changed_is_split_after_ruff_has_ended_or_has_taken_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, waits: bool
) -> None:
    ended, split = asyncio.Event(), list[str]()

    async def slow(*_: Any, **__: Any) -> RuffReport:
        await ended.wait()
        return RuffReport()

    def counted(snapshot: Any, *rest: Any) -> Any:
        split.append(snapshot.text)
        return examine(snapshot, *rest)

    monkeypatch.setattr("aiops_lsp.engine.look._RUFF_SECONDS", seconds)
    async with desk(settings_for(None, rules={"ruff": "on"})) as at:
        document = at.open(CODE)
        await at.until_quiet(document)
        monkeypatch.setattr("aiops_lsp.engine.rulebook.check_with_ruff", slow)
        monkeypatch.setattr("aiops_lsp.engine.look.examine", counted)
        at.replace(document, CODE, CODE.replace("value + 1", "eval(input())").replace("value", "given"))
        await at.until_shown(document, lambda found: [one.code for one in found] == [EVAL])
        if waits:
            await settle(50)
            assert not split
            ended.set()
        await until(lambda: bool(split))
        ended.set()
        await at.until_quiet(document)
        assert len(split) == 1


async def test_a_document_that_is_opened_again_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    split: list[str] = []

    def counted(snapshot: Any, *rest: Any) -> Any:
        split.append(snapshot.text)
        return examine(snapshot, *rest)

    monkeypatch.setattr("aiops_lsp.engine.look.examine", counted)
    async with desk(settings_for(None)) as at:
        text = CODE.replace("value + 1", "eval(input())")
        document = at.open(text)
        await at.until_quiet(document)
        at.reviewer.close(document.uri)
        await until(lambda: at.shown(document) == ())
        document = at.open(text)
        await at.until_quiet(document)
        assert [one.code for one in at.shown(document)] == [EVAL]
        assert split == [text]
        at.reviewer.close(document.uri)
        document = at.open(text + "\nx = 1\n")  # changed by another program meanwhile
        await at.until_quiet(document)
        assert split == [text, text + "\nx = 1\n"]
        assert [one.code for one in at.shown(document)] == [EVAL]


async def test_the_stores_are_asked_only_for_what_is_not_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    get_many = ResultCache.get_many

    def counted(cache: ResultCache, wanted: Any) -> Any:
        asked.extend(keys.exact for keys in wanted)
        return get_many(cache, wanted)

    monkeypatch.setattr(ResultCache, "get_many", counted)
    async with Provider() as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(CODE)
        await at.until_quiet(document)
        first = set(asked)
        asked.clear()
        at.replace(document, "value + 1", "value + 2")
        await at.until_quiet(document)
        assert len(first) == 2
        assert asked
        assert not set(asked) & first


async def test_a_look_that_fails_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    async with desk(settings_for(None)) as at:
        with monkeypatch.context() as patch:
            patch.setattr("aiops_lsp.engine.look.examine", broken)
            document = at.open(CODE)
            await until(lambda: at.reviewer.status().state is State.DEGRADED)
        status = at.reviewer.status()
        assert status.reason == status.documents[0].note
        assert "looking at the text" in status.reason
        await until(lambda: "ZeroDivisionError" in caplog.text)
        at.replace(document, "value + 1", "eval(input())")
        await at.until_shown(document, bool)
        await until(lambda: at.reviewer.status().documents[0].note == "")
        assert at.reviewer.status().state is State.OFFLINE


async def test_a_save_counts_although_the_text_goes_on_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a text that is no more is not taken over, and the next one is made for the same reason."""
    stores, waiting = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        waiting.set()
        await stores.wait()
        return await known_standings(*arguments)

    async with Provider() as provider, desk(settings_for(provider.base_url, review={"trigger": "save"})) as at:
        document = at.open(CODE)
        await at.until_quiet(document)
        assert not provider.journal
        monkeypatch.setattr("aiops_lsp.engine.look.known_standings", slow)
        at.reviewer.saved(document.uri)
        await waiting.wait()
        at.replace(document, "value + 1", "value + 2")
        stores.set()
        await until(lambda: any("value + 2" in str(exchange.regions) for exchange in provider.journal))


async def test_an_answer_that_comes_while_the_stores_are_asked_is_not_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the stores said was true before it: the earlier result would show again."""
    answered, asked, goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        known = await known_standings(*arguments)
        asked.set()
        await goes_on.wait()
        return known

    async def hold(_piece: int) -> None:
        await answered.wait()

    async def script(exchange: Exchange) -> Reply:
        if len(provider.journal) == 1:
            return findings_where({"value + 1": {"title": "Adds one"}})(exchange)
        return Reply(answer({name: [] for name in exchange.regions}), gate=hold)

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(CODE)
        await at.until_shown(document, bool)
        await at.until_quiet(document)
        deeper = asyncio.ensure_future(at.reviewer.review(document.uri, deep=True))
        await until(lambda: len(provider.journal) == 2)
        monkeypatch.setattr("aiops_lsp.engine.look.known_standings", slow)
        at.reviewer.look_again(document.uri)
        await asked.wait()
        answered.set()
        await at.until_shown(document, lambda found: not found)
        goes_on.set()
        await deeper
        await at.until_quiet(document)
        assert at.shown(document) == ()


async def test_what_is_reviewed_on_command_is_sent_while_the_rules_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, looks = threading.Event(), list[bool]()

    def while_sent(*arguments: Any) -> Any:
        looks.append(sent.wait(20))
        return rule_findings(*arguments)

    def script(exchange: Exchange) -> Reply:
        sent.set()
        return findings_where({"return value\n": {"title": "Returns"}})(exchange)

    monkeypatch.setattr("aiops_lsp.engine.look.rule_findings", while_sent)
    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        text = CODE.replace("value + 1", "eval(input())")
        document = TextDocument("file:///tmp/project/shop.py", 0, "python", text, PositionEncoding.UTF32)
        at.reviewer.open(document, look=False)
        await at.reviewer.estimate(document.uri)
        assert looks == []
        report = await at.reviewer.review(document.uri)
        assert looks == [True]
        assert EVAL in [one.code for one in report.findings]
        asked = len(provider.journal)
        again = await at.reviewer.review(document.uri)
        assert again.findings == report.findings
        assert len(provider.journal) == asked


async def test_what_stands_twice_is_sent_once() -> None:
    async with Provider() as provider, desk(settings_for(provider.base_url)) as at:
        twice = CODE.replace("other", "plain").replace("value + 1", "value")
        document = at.open(twice)
        await at.until_quiet(document)
        assert [len(exchange.regions) for exchange in provider.journal] == [1]
        (status,) = at.reviewer.status().documents
        assert status.reviewed == status.regions == 2


async def test_broken_code_without_a_word_counts_as_not_reviewed() -> None:
    async with Provider() as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open("((((\n")
        await at.until_quiet(document)
        (status,) = at.reviewer.status().documents
        assert (status.regions, status.reviewed) == (1, 0)
