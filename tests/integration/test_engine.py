"""The whole engine over real stores and real HTTP to a scripted provider: what is sent, paid, kept and shown."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.engine.host import State
from tests.support.clock import until
from tests.support.engine import RecordingHost, desk, settings_for
from tests.support.provider import Provider, Reply, Stop, answer, finding, findings_where

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.core.findings import Finding
    from tests.support.provider import Exchange

SHOP = """\
import math


def price_of(order):
    return order.total / order.count


def discount(percent):
    return 1 - percent / 100


class Cart:
    def add(self, item):
        self.items.append(item)
"""

BUG = "return order.total / order.count"
DIVIDES = findings_where({"/ order.count": {"title": "Divides by zero", "focus": "order.count", "confidence": 95}})


def of_model(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if one.origin is Origin.MODEL]


async def test_a_bug_is_shown_at_its_exact_words() -> None:
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_shown(document, of_model)
        (shown,) = of_model(at.shown(document))
        assert shown.title == "Divides by zero"
        assert shown.evidence == "order.count"
        assert document.snapshot().slice(shown.range) == "order.count"
        assert at.host.publications[-1].version == 1
        await at.until_quiet(document)
        (status,) = at.reviewer.status().documents
        assert status.reviewed == status.regions


async def test_what_was_paid_for_is_never_paid_for_again() -> None:
    async with Provider(DIVIDES) as provider:
        settings = settings_for(provider.base_url)
        async with desk(settings) as at:
            document = at.open(SHOP)
            await at.until_shown(document, of_model)
            await at.until_quiet(document)
            asked = len(provider.journal)
            copy = at.open(SHOP, uri="file:///tmp/project/renamed.py")
            await at.until_shown(copy, of_model)
            await at.until_quiet(copy)
        async with desk(settings) as later:
            document = later.open("# moved\n\n\n" + SHOP)
            await later.until_shown(document, of_model)
            await later.until_quiet(document)
            (shown,) = of_model(later.shown(document))
            assert shown.range.start.line == 7
        assert len(provider.journal) == asked


async def test_comments_and_blanks_cost_nothing() -> None:
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_shown(document, of_model)
        await at.until_quiet(document)
        asked = len(provider.journal)
        at.replace(document, "    return order.total", "    # the mean\n\n    return order.total")
        await at.until_shown(document, lambda found: of_model(found) and of_model(found)[0].range.start.line == 6)
        await at.until_quiet(document)
        assert len(provider.journal) == asked
        assert not of_model(at.shown(document))[0].rechecking


def commit(root: Path) -> None:
    for arguments in ("init -q", "add .", "-c user.name=a -c user.email=a@b.c commit -q -m a"):
        subprocess.run(["git", *arguments.split()], cwd=root, check=True)


@pytest.mark.parametrize("committed", [True, False], ids=["in a repository", "elsewhere"])
async def test_comments_blanks_and_deletions_cost_nothing_in_code_that_no_model_has_seen(
    tmp_path: Path, committed: bool
) -> None:
    root = tmp_path / "work"
    root.mkdir()
    text = "\n\n".join(f"def f{n}(order):\n    return order.total / order.count_{n}\n" for n in range(5))
    (root / "shop.py").write_text(text)
    if committed:
        commit(root)
    async with (
        Provider() as provider,
        desk(settings_for(provider.base_url, review={"scope": "changed"}), root=root) as at,
    ):
        document = at.open(text, uri=(root / "shop.py").as_uri())
        await at.until_quiet(document)
        for old, new in (
            ("def f1(order):\n", "def f1(order):\n    # the mean\n\n"),
            ("def f3(order):\n    return order.total / order.count_3\n\n\n", ""),
        ):
            at.replace(document, old, new)
            await at.until_quiet(document)
            at.reviewer.saved(document.uri)
            await at.until_quiet(document)
        assert provider.journal == []
        at.replace(document, "order.count_1", "order.size")
        await until(lambda: provider.journal)
        await at.until_quiet(document)
        (request,) = provider.journal
        assert [lines[0] for lines in request.regions.values()] == ["def f1(order):"]


async def test_only_the_region_that_changed_is_sent() -> None:
    async with Provider() as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_quiet(document)
        first = len(provider.journal)
        at.replace(document, "percent / 100", "percent / 1000")
        await until(lambda: len(provider.journal) > first)
        await at.until_quiet(document)
        (request,) = provider.journal[first:]
        sent = [line for lines in request.regions.values() for line in lines if line]
        assert sent == ["def discount(percent):", "    return 1 - percent / 1000"]


async def test_an_edit_never_cancels_what_was_sent() -> None:
    release = asyncio.Event()

    async def hold(piece: int) -> None:
        await release.wait()

    def script(exchange: Exchange) -> Reply:
        reply = DIVIDES(exchange)
        return Reply(reply.text, gate=hold)

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await until(lambda: provider.journal)
        at.replace(document, "order.count", "order.number")
        release.set()
        await at.until_quiet(document)
        assert all(exchange.state == "answered" for exchange in provider.journal)
        asked = len(provider.journal)
        at.replace(document, "order.number", "order.count")
        await at.until_shown(document, of_model)
        await at.until_quiet(document)
        assert len(provider.journal) == asked


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=429, headers={"retry-after": "0"}),
        Reply(status=500),
        Reply(disconnect_after=-1),
        Reply(raw="<html>no</html>", content_type="text/html"),
        Reply("no JSON at all"),
        Reply('{"regions": [', stop=Stop.TRUNCATED),
    ],
    ids=["429", "500", "disconnect", "html", "garbage", "truncated"],
)
async def test_a_passing_fault_is_retried(fault: Reply) -> None:
    faults = [fault]

    def script(exchange: Exchange) -> Reply:
        return faults.pop() if faults else DIVIDES(exchange)

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_shown(document, of_model)
        await at.until_quiet(document)
        assert at.reviewer.status().state is State.IDLE


async def test_regions_that_were_complete_when_the_stream_broke_are_kept() -> None:
    broken: list[Exchange] = []

    def script(exchange: Exchange) -> Reply:
        whole = DIVIDES(exchange).text
        assert whole is not None
        if not broken and len(exchange.regions) > 1:
            broken.append(exchange)
            return Reply(whole, piece=len(whole) - 30, disconnect_after=1)
        return Reply(whole)

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_shown(document, of_model)
        await at.until_quiet(document)
        again = [name for exchange in provider.journal[1:] for name in exchange.regions.values()]
        assert broken
        assert len(again) < len(broken[0].regions)
        (status,) = at.reviewer.status().documents
        assert status.reviewed == status.regions


async def test_without_consent_nothing_leaves_and_the_question_comes_once() -> None:
    host = RecordingHost()
    settings = settings_for(
        "https://models.example.com/v1",
        providers={"test": {"base_url": "https://models.example.com/v1", "api_key_env": "TEST_KEY"}},
        prices={"test:small": {"input": 1, "output": 1}},
    )
    async with desk(settings, host=host, environ={"TEST_KEY": "k" * 20}) as at:
        document = at.open(SHOP)
        await until(lambda: host.questions)
        await at.until_quiet(document)
        at.replace(document, "percent / 100", "percent / 10")
        await at.until_quiet(document)
        assert [question.host for question in host.questions] == ["models.example.com"]
        (status,) = at.reviewer.status().documents
        assert status.reviewed == 0
        assert any("was not allowed" in reason for reason in status.not_reviewed)


async def test_over_budget_the_rules_go_on_and_nothing_is_sent() -> None:
    async with Provider() as provider:
        settings = settings_for(provider.base_url, budget={"daily_token_budget": 100})
        async with desk(settings) as at:
            document = at.open("def load(data, into=[]):\n    into.append(data)\n    return into\n")
            await at.until_quiet(document)
            assert provider.journal == []
            (status,) = at.reviewer.status().documents
            assert status.reviewed == 0
            assert all("daily limit" in reason for reason in status.not_reviewed)
            assert at.reviewer.status().state is State.OVER_BUDGET
            assert len(at.host.messages) == 1
            assert [one.origin for one in at.shown(document)] == [Origin.RULE]


async def test_half_written_code_waits() -> None:
    async with Provider() as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open("def price_of(order:\n    return order.total /\n")
        await at.until_quiet(document)
        assert provider.journal == []
        (status,) = at.reviewer.status().documents
        assert any("does not parse" in reason for reason in status.not_reviewed)


async def test_closing_clears_and_reopening_shows_cached_findings_at_once() -> None:
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open(SHOP)
        await at.until_shown(document, of_model)
        await at.until_quiet(document)
        at.reviewer.close(document.uri)
        assert at.host.publications[-1].findings == ()
        before = len(at.host.publications)
        again = at.open(SHOP)
        await at.until_shown(again, of_model)
        assert of_model(at.host.publications[before].findings)


async def test_a_command_reports_each_region() -> None:
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url, review={"trigger": "manual"})) as at:
        document = at.open(SHOP)
        await at.until_quiet(document)
        assert provider.journal == []
        tokens, _ = await at.reviewer.estimate(document.uri)
        report = await at.reviewer.review(document.uri)
        assert [one.title for one in report.findings if one.origin is Origin.MODEL] == ["Divides by zero"]
        assert {region.outcome for region in report.regions} == {"reviewed"}
        assert 0 < report.tokens <= tokens
        again = await at.reviewer.review(document.uri)
        assert {region.outcome for region in again.regions} == {"cached"}
        assert again.tokens == 0


async def test_a_finding_without_a_place_is_dropped_and_the_region_counts_as_reviewed() -> None:
    script = [Reply(answer({"r1": [finding("this line does not exist", 2)]}))] * 20

    async with Provider(script) as provider, desk(settings_for(provider.base_url)) as at:
        document = at.open("def a():\n    return 1\n")
        await until(lambda: provider.journal)
        await at.until_quiet(document)
        assert of_model(at.shown(document)) == []
        assert at.reviewer.status().documents[0].reviewed == 1


async def test_a_command_while_the_first_look_is_under_way_still_reviews() -> None:
    async with Provider(DIVIDES) as provider, desk(settings_for(provider.base_url, review={"trigger": "manual"})) as at:
        document = at.open(SHOP)
        report = await at.reviewer.review(document.uri)
        assert {region.outcome for region in report.regions} == {"reviewed"}
