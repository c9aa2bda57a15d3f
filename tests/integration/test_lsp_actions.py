"""Code actions: what is offered where, and that no edit is ever offered for text that is not there."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.core.findings import Edit, Fix
from aiops_lsp.core.text import Position, Range
from tests.support.client import MODERN, Client, Refused, at, connected
from tests.support.clock import until
from tests.support.fake_reviewer import FakeReviewer, fake, finding

if TYPE_CHECKING:
    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Snapshot

URI = "file:///w/a.py"
TEXT = "x = BUG\ny = SAFEBUG\nz = SAFEBUG; w = BUG\n"


def without(*path: str) -> dict[str, Any]:
    """The capabilities of a client of today, but for one."""
    capabilities = copy.deepcopy(MODERN)
    node: Any = capabilities
    for name in path[:-1]:
        node = node[name]
    del node[path[-1]]
    return capabilities


NO_RESOLVE = without("textDocument", "codeAction", "resolveSupport")
NO_LITERALS = without("textDocument", "codeAction", "codeActionLiteralSupport")


async def actions(client: Client, span: dict[str, Any], **context: object) -> list[Any]:
    params = {"textDocument": {"uri": URI}, "range": span, "context": {"diagnostics": [], **context}}
    found: list[Any] = await client.request("textDocument/codeAction", params)
    return found


def titled(found: list[Any], start: str) -> Any:
    return next(action for action in found if action["title"].startswith(start))


async def ready(client: Client, capabilities: dict[str, Any], text: str = TEXT) -> None:
    await client.initialize(capabilities)
    client.open(URI, text)
    await client.diagnostics(URI, 1)


def applied(text: str, edit: dict[str, Any]) -> str:
    """`text` after a workspace edit of the one document, in ASCII and with line ends of one character."""
    changes = edit["changes"][URI] if "changes" in edit else edit["documentChanges"][0]["edits"]
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    for change in sorted(
        changes, key=lambda one: -starts[one["range"]["start"]["line"]] - one["range"]["start"]["character"]
    ):
        start, end = (starts[place["line"]] + place["character"] for place in change["range"].values())
        text = text[:start] + change["newText"] + text[end:]
    return text


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (at(0, 0), {"Replace", "Ignore", "Dismiss", "Review"}),
        (at(0, 6), {"Replace", "Ignore", "Dismiss", "Review"}),
        (at(1, 2), {"Replace", "Fix", "Ignore", "Dismiss", "Review"}),
        (at(3, 0), set()),
        (at(9, 9), set()),
    ],
)
async def test_actions_are_chosen_by_the_line(span: dict[str, Any], expected: set[str]) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        found = await actions(client, span, only=["quickfix"])
        assert {action["title"].split()[0] for action in found} == expected


@pytest.mark.parametrize(
    "diagnostics",
    [
        [],
        [{"range": at(7, 7), "message": "another server's", "severity": 77, "code": {"value": 1}}],
        [{"nonsense": True}],
    ],
)
async def test_the_diagnostics_that_a_client_sends_do_not_matter(diagnostics: list[Any]) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        assert titled(await actions(client, at(0, 0), diagnostics=diagnostics), "Replace")


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (None, {"quickfix", "source.fixAll.aiops"}),
        (["quickfix"], {"quickfix"}),
        (["quickfix.aiops"], set()),
        (["source"], {"source.fixAll.aiops", "source.aiops.reviewDeeper"}),
        (["source.fixAll"], {"source.fixAll.aiops"}),
        (["source.fixAll.aiops"], {"source.fixAll.aiops"}),
        (["source.fix"], set()),
        (["source.organizeImports"], set()),
        (["refactor"], set()),
        ([""], {"quickfix", "source.fixAll.aiops", "source.aiops.reviewDeeper"}),
    ],
)
async def test_only_the_kinds_that_are_asked_for(only: list[str] | None, kinds: set[str]) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        context = {} if only is None else {"only": only}
        assert {action["kind"] for action in await actions(client, at(0, 0), **context)} == kinds


async def test_only_verified_fixes_are_preferred_and_only_a_models_fix_says_so() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        model = titled(await actions(client, at(0, 0)), "Replace")
        rule = titled(await actions(client, at(1, 0)), "Replace")
        assert (model.get("isPreferred"), model.get("tags")) == (None, [1])
        assert (rule.get("isPreferred"), rule.get("tags")) == (True, None)
        assert model["diagnostics"] == [(await client.diagnostics(URI, 1))[0]]


async def test_an_edit_is_made_when_it_is_resolved() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        offered = titled(await actions(client, at(0, 0)), "Replace")
        assert "edit" not in offered
        client.change(URI, 2, {"range": at(0, 0), "text": "# moved\n"})
        resolved = await client.request("codeAction/resolve", offered)
        (change,) = resolved["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": URI, "version": 2}
        assert change["edits"] == [{"range": at(1, 4, 1, 7), "newText": "FIX", "annotationId": "aiops"}]
        assert resolved["edit"]["changeAnnotations"]["aiops"]["description"] == "Proposed by a language model"


@pytest.mark.parametrize(
    "edit",
    [
        {"range": at(0, 5, 0, 6), "text": "o"},
        {"range": at(0, 4, 0, 7), "text": ""},
        {"text": "something else"},
    ],
)
@pytest.mark.parametrize("title", ["Replace", "Ignore"])
async def test_an_edit_of_text_that_has_gone_is_refused_in_words(edit: dict[str, Any], title: str) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        offered = titled(await actions(client, at(0, 0)), title)
        client.change(URI, 2, edit)
        with pytest.raises(Refused) as caught:
            await client.request("codeAction/resolve", offered)
        assert caught.value.code == -32801
        assert "changed" in caught.value.message


async def test_an_edit_of_a_document_that_was_closed_is_refused() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        offered = titled(await actions(client, at(0, 0)), "Replace")
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        with pytest.raises(Refused) as caught:
            await client.request("codeAction/resolve", offered)
        assert caught.value.code == -32801


async def test_no_edit_is_offered_that_does_not_fit_the_text() -> None:
    """Even where the engine would carry a finding wrongly."""
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        reviewer = fake(client)
        for found in reviewer._found[URI]:
            assert found.fix is not None
        client.server.session.documents[URI].apply([], 2)
        document = client.server.session.documents[URI]
        changed = type(document)(URI, 3, "python", "x = OTHER\n" + TEXT, document.encoding)
        client.server.session.documents[URI] = changed
        titles = {action["title"].split()[0] for action in await actions(client, at(0, 0), only=["quickfix"])}
        assert titles == {"Ignore", "Dismiss", "Review"}


@pytest.mark.parametrize("data", [{"uri": URI, "what": "fix", "name": 5}, {"what": "fixAll"}, {"uri": 3, "what": "x"}])
async def test_data_that_is_not_ours_is_refused(data: dict[str, Any]) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        with pytest.raises(Refused) as caught:
            await client.request("codeAction/resolve", {"title": "x", "data": data})
        assert caught.value.code == -32801


async def test_an_action_of_another_server_comes_back_as_it_is() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        action = {"title": "x", "data": {"foreign": 1}}
        assert await client.request("codeAction/resolve", action) == action


async def test_fix_all_takes_the_verified_fixes_alone() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        (offered,) = await actions(client, at(0, 0), only=["source.fixAll"])
        resolved = await client.request("codeAction/resolve", offered)
        assert applied(TEXT, resolved["edit"]) == "x = BUG\ny = FIX\nz = FIX; w = BUG\n"
        same = titled(await actions(client, at(1, 0)), "Fix all 2 of bug")
        assert same["kind"] == "quickfix"
        assert (await client.request("codeAction/resolve", same))["edit"] == resolved["edit"] | {
            "changeAnnotations": {"aiops": {"label": same["title"], "description": "A fix of aiops"}}
        }


@pytest.mark.parametrize(
    ("spans", "applied_to"),
    [
        ([(0, 2), (2, 4)], "XX"),
        ([(0, 2), (1, 3)], "Xcd"),
        ([(0, 4), (1, 2), (2, 3)], "X"),
        ([(1, 1), (1, 1)], "aXbcd"),
        ([(1, 1), (1, 2)], "aXbcd"),
        ([(0, 1), (1, 1)], "Xbcd"),
        ([(0, 1), (2, 2), (3, 4)], "XbXcX"),
    ],
)
async def test_fixes_that_overlap_are_not_applied_together(spans: list[tuple[int, int]], applied_to: str) -> None:
    text = "abcd"

    def find(_snapshot: Snapshot) -> list[Finding]:
        made = []
        for number, (start, end) in enumerate(spans):
            span = Range(Position(0, start), Position(0, end))
            fix = Fix("fix", (Edit(span, text[start:end], "X"),), verified=True)
            made.append(finding(Range(Position(0, 0), Position(0, 1)), "a", ordinal=number, fix=fix))
        return made

    async with connected(FakeReviewer) as client:
        await client.initialize(NO_RESOLVE)
        await client.ready()
        fake(client).find = find
        client.open(URI, text)
        await client.diagnostics(URI, 1)
        (offered,) = await actions(client, at(0, 0), only=["source.fixAll"])
        assert applied(text, offered["edit"]) == applied_to


async def test_the_edit_comes_at_once_to_a_client_that_does_not_resolve() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, NO_RESOLVE)
        found = await actions(client, at(0, 0))
        assert all("data" not in action for action in found)
        assert applied(TEXT, titled(found, "Replace")["edit"]) == TEXT.replace("BUG", "FIX", 1)
        assert applied(TEXT, titled(found, "Ignore")["edit"]) == "# aiops: ignore[bug]\n" + TEXT


async def test_plain_changes_for_a_client_without_document_changes() -> None:
    capabilities = copy.deepcopy(NO_RESOLVE)
    capabilities["workspace"]["workspaceEdit"] = {}
    async with connected(FakeReviewer) as client:
        await ready(client, capabilities)
        edit = titled(await actions(client, at(0, 0)), "Replace")["edit"]
        assert edit == {"changes": {URI: [{"range": at(0, 4, 0, 7), "newText": "FIX"}]}}


async def test_an_ignore_comment_is_put_in_when_it_is_resolved() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        offered = titled(await actions(client, at(1, 0)), "Ignore")
        edit = (await client.request("codeAction/resolve", offered))["edit"]
        assert applied(TEXT, edit) == TEXT.replace("y =", "# aiops: ignore[bug]\ny =")


@pytest.mark.parametrize("name", ["Replace", "Ignore", "Dismiss"])
async def test_a_client_that_knows_only_commands_gets_commands(name: str) -> None:
    async with connected(FakeReviewer) as client:
        client.answers["workspace/applyEdit"] = lambda _params: {"applied": True}
        await ready(client, NO_LITERALS)
        found = await actions(client, at(0, 0))
        assert all(isinstance(action["command"], str) for action in found)
        command = titled(found, name)
        result = await client.request(
            "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
        )
        if name == "Dismiss":
            assert result == {"dismissed": "0" * 16}
            assert len(client.published(URI)[-1]["diagnostics"]) == 3
            return
        assert result == {"applied": True}
        (asked,) = client.asked("workspace/applyEdit")
        expected = TEXT.replace("BUG", "FIX", 1) if name == "Replace" else "# aiops: ignore[bug]\n" + TEXT
        assert applied(TEXT, asked["edit"]) == expected


async def test_no_edits_for_a_client_that_can_take_none() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, {})
        assert {action["title"].split()[0] for action in await actions(client, at(0, 0))} == {"Dismiss", "Review"}


async def test_an_edit_that_the_client_does_not_apply_is_told() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, NO_LITERALS)
        command = titled(await actions(client, at(0, 0)), "Replace")
        assert command["command"] == "aiops.applyFix"
        params = {"command": "aiops.applyFix", "arguments": command["arguments"]}
        assert await client.request("workspace/executeCommand", params) == {"applied": False}


async def test_dismissing_takes_the_finding_away() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        command = titled(await actions(client, at(0, 0)), "Dismiss")["command"]
        params = {"command": command["command"], "arguments": command["arguments"]}
        await client.request("workspace/executeCommand", params)
        await until(lambda: len(client.published(URI)[-1]["diagnostics"]) == 3)
        assert fake(client).called("dismiss") == [(URI, "0" * 16)]


@pytest.mark.parametrize("where", [at(0, 0), at(0, 0, 0, 3), at(2, 0), at(0, 0, 2, 3)])
async def test_a_list_of_all_kinds_offers_a_stronger_model_once(where: dict[str, Any]) -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        titles = [action["title"] for action in await actions(client, where)]
        assert titles.count("Review this code with a stronger model") == 1


async def test_a_selection_can_be_reviewed_deeper() -> None:
    async with connected(FakeReviewer) as client:
        await ready(client, MODERN)
        found = await actions(client, at(0, 0, 2, 3), only=["source"])
        command = titled([action for action in found if "reviewDeeper" in action["kind"]], "Review")["command"]
        params = {"command": command["command"], "arguments": command["arguments"]}
        await client.request("workspace/executeCommand", params)
        assert fake(client).called("review") == [(URI, True, (0, 2), False)]
