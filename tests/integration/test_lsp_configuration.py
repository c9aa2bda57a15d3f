"""Where settings come from, and when they are read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client import MODERN, Client, connected
from tests.support.clock import until
from tests.support.fake_reviewer import FakeReviewer, fake

if TYPE_CHECKING:
    from pathlib import Path

PUSHING: dict[str, Any] = {**MODERN, "workspace": {**MODERN["workspace"], "configuration": False}}


@pytest.fixture(autouse=True)
def no_user_file(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


def review(client: Client, uri: str = "file:///elsewhere.py") -> Any:
    return client.server.session.configuration.folder_of(uri).settings.review


def said(client: Client) -> list[str]:
    return [message["message"] for message in client.received("window/showMessage")]


def pulled(*values: object) -> Any:
    return lambda params: [*values, *[None] * len(params["items"])][: len(params["items"])]


async def test_options_of_initialize_hold() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize({}, initializationOptions={"review": {"debounce_ms": 123}})
        await client.ready()
        assert review(client).debounce_ms == 123
        assert fake(client).settings is not None
        assert said(client) == []


async def test_what_is_pulled_wins_option_by_option() -> None:
    async with connected(FakeReviewer) as client:
        client.answers["workspace/configuration"] = pulled({"review": {"scope": "file"}})
        await client.initialize(MODERN, initializationOptions={"review": {"debounce_ms": 5, "scope": "changed"}})
        await client.ready()
        assert (review(client).debounce_ms, review(client).scope) == (5, "file")
        assert client.asked("workspace/configuration") == [{"items": [{"section": "aiops"}]}]


@pytest.mark.parametrize("answer", [None, [], "x", [5, 6, 7], [None]])
async def test_an_answer_without_sense_is_none(answer: object) -> None:
    async with connected(FakeReviewer) as client:
        client.answers["workspace/configuration"] = lambda _params: answer
        await client.initialize(MODERN)
        await client.ready()
        assert review(client).debounce_ms == 600


@pytest.mark.parametrize("settings", [{"aiops": {"review": {"debounce_ms": 7}}}, {"review": {"debounce_ms": 7}}])
async def test_settings_may_be_pushed(settings: object) -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(PUSHING)
        await client.ready()
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        await until(lambda: fake(client).called("settings_changed"))
        assert review(client).debounce_ms == 7
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        await until(lambda: len(fake(client).called("settings_changed")) == 2)
        assert review(client).debounce_ms == 600


async def test_a_change_is_pulled_where_the_client_can_be_asked() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        await client.ready()
        client.answers["workspace/configuration"] = pulled({"review": {"debounce_ms": 9}})
        client.notify("workspace/didChangeConfiguration", {"settings": {"aiops": {"review": {"debounce_ms": 1}}}})
        await until(lambda: fake(client).called("settings_changed"))
        assert review(client).debounce_ms == 9


async def test_each_folder_has_its_own_settings(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "aiops.toml").write_text('[review]\ntrigger = "save"\n')
    (outer / "aiops-baseline.json").write_text(
        '{"version": 1, "findings": [{"path": "a.py", "id": "abc", "rule": "bug", "title": "t"}]}'
    )
    async with connected(FakeReviewer) as client:
        client.answers["workspace/configuration"] = pulled({}, {"review": {"debounce_ms": 11}})
        folders = [{"uri": path.as_uri(), "name": path.name} for path in (outer, inner)]
        await client.initialize(MODERN, workspaceFolders=folders)
        await client.ready()
        of_outer, of_inner = review(client, (outer / "a.py").as_uri()), review(client, (inner / "a.py").as_uri())
        assert (of_outer.debounce_ms, of_outer.trigger) == (11, "change")
        assert (of_inner.debounce_ms, of_inner.trigger) == (600, "save")
        folder_of = client.server.session.configuration.folder_of
        assert folder_of((outer / "a.py").as_uri()).root == outer
        assert folder_of((outer / "a.py").as_uri()).baseline == {"abc"}
        assert folder_of((inner / "a.py").as_uri()).root == inner
        assert folder_of("untitled:Untitled-1").root is None
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folders[1]]}})
        await until(lambda: fake(client).called("settings_changed"))
        assert folder_of((inner / "a.py").as_uri()).root == outer


@pytest.mark.parametrize("form", ["rootUri", "rootPath"])
async def test_an_old_client_names_one_root(tmp_path: Path, form: str) -> None:
    root = tmp_path.as_uri() if form == "rootUri" else str(tmp_path)
    async with connected(FakeReviewer) as client:
        await client.initialize({}, **{form: root})
        await client.ready()
        assert client.server.session.configuration.folder_of((tmp_path / "a.py").as_uri()).root == tmp_path


@pytest.mark.parametrize(("options", "trusted"), [({}, True), ({"trusted": False}, False), (None, True), ([1], True)])
async def test_trust_is_what_the_client_says(tmp_path: Path, options: object, trusted: bool) -> None:
    async with connected(FakeReviewer) as client:
        folders = [{"uri": tmp_path.as_uri(), "name": "w"}]
        await client.initialize({}, initializationOptions=options, workspaceFolders=folders)
        await client.ready()
        assert client.server.session.configuration.folder_of((tmp_path / "a.py").as_uri()).trusted is trusted
        assert not any("trusted" in text for text in said(client))


async def test_a_problem_is_told_once_in_words(tmp_path: Path) -> None:
    (tmp_path / "aiops.toml").write_text("[providers.openai]\nbase_url = 'http://evil.example'\n")
    async with connected(FakeReviewer) as client:
        client.answers["workspace/configuration"] = pulled({"review": {"debounce": 5}})
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        (message,) = said(client)
        assert "debounce" in message
        assert "a repository cannot set this" in message
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        await until(lambda: fake(client).called("settings_changed"))
        assert len(said(client)) == 1


async def test_a_key_in_the_editors_settings_is_refused_and_not_repeated() -> None:
    async with connected(FakeReviewer) as client:
        secret = "sk-abcdefghijklmnopqrstuvwxyz0123456789"
        await client.initialize({}, initializationOptions={"providers": {"openai": {"api_key": secret}}})
        await client.ready()
        await until(lambda: said(client))
        assert not any(secret in text for text in said(client))
        assert fake(client).settings is not None
        assert secret not in repr(fake(client).settings)


async def test_changes_of_files_and_settings_are_registered_for() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        await until(lambda: client.asked("client/registerCapability"))
        (asked,) = client.asked("client/registerCapability")
        methods = {one["method"] for one in asked["registrations"]}
        assert methods == {"workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration"}


async def test_a_watched_file_is_read_again(tmp_path: Path) -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN, workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "w"}])
        await client.ready()
        file = tmp_path / "aiops.toml"
        file.write_text('[review]\ntrigger = "manual"\n')
        client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": file.as_uri(), "type": 1}]})
        await until(lambda: fake(client).called("settings_changed"))
        assert review(client, (tmp_path / "a.py").as_uri()).trigger == "manual"


async def test_many_changes_are_read_together() -> None:
    async with connected(FakeReviewer) as client:
        await client.initialize(MODERN)
        await client.ready()
        before = len(client.asked("workspace/configuration"))
        for _ in range(50):
            client.notify("workspace/didChangeConfiguration", {"settings": None})
        await until(lambda: fake(client).called("settings_changed"))
        task = client.server.session._reloading
        assert task is not None
        await task
        assert len(client.asked("workspace/configuration")) - before < 50
