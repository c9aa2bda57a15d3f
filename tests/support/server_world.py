"""The language server in lockstep, seen as a client sees it: what it sends is checked against our own text."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aiops_lsp.engine.review import Reviewer
from aiops_lsp.lsp.server import create_server
from aiops_lsp.settings.folders import config_file
from tests.support.client import MODERN, Client, Refused
from tests.support.clock import FakeClock
from tests.support.engine_world import NOWHERE, code
from tests.support.lockstep import Lockstep, stores_inline
from tests.support.scripted_model import MARK, ScriptedModel

if TYPE_CHECKING:
    import pytest

    from tests.support.buffer import Buffer


def configuration_for(base_url: str, *, quick: bool = False) -> str:
    """A user's file whose models are all at `base_url`; `quick` without the waits for whoever is still typing."""
    waits = "debounce_ms = 0\nsettle_ms = 0\n" if quick else ""
    return f"""\
[models]
simple = "test:small"
medium = "test:middle"
complex = "test:large"
[providers.test]
base_url = "{base_url}"
[review]
scope = "file"
second_opinion = "off"
language = "en"
{waits}[limits]
reviews_per_document_per_minute = 600
requests_per_minute = 1000
[rules]
ruff = "off"
"""


WITH_A_MODEL = configuration_for(NOWHERE)

_CONTENT_MODIFIED = -32801

Message = dict[str, Any]


class ServerWorld:
    """A client, its server with the real engine behind it, and the model behind that."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        encoding: str,
        *,
        model: ScriptedModel | None = None,
        capabilities: Message = MODERN,
        configuration: str = WITH_A_MODEL,
        options: Message | None = None,
    ) -> None:
        """`configuration` is the user's file, `options` what the editor sends along when it connects."""
        self.steps = Lockstep()
        self.clock = FakeClock()
        self.encoding = encoding
        self.model = model or ScriptedModel()
        self.buffers: dict[str, Buffer] = {}
        self.shown: dict[str, list[Message]] = {}
        self.shown_version: dict[str, int] = {}
        self.said: list[str] = []
        self._read = 0
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("aiops_lsp.engine.models.open_client", lambda *_: self.model)
        monkeypatch.setattr("aiops_lsp.engine.dispatch.secrets.randbelow", lambda _: 0)
        config_file().parent.mkdir(parents=True, exist_ok=True)
        config_file().write_text(configuration, "utf-8")
        server = create_server(lambda host, folder_of: Reviewer(host, folder_of, self.clock))
        self.client = self.steps.call(lambda: Client(server))
        self.steps.run(self._initialize(capabilities, options or {}))
        assert server.session.reviewer is not None
        stores_inline(server.session.reviewer)

    async def _initialize(self, capabilities: Message, options: Message) -> None:
        general = {"positionEncodings": [self.encoding]}
        result = await self.client.initialize({**capabilities, "general": general}, initializationOptions=options)
        assert result["capabilities"]["positionEncoding"] == self.encoding
        await self.client.ready()

    def close(self) -> None:
        self.steps.run(self.client.hang_up())
        self.steps.close()

    # What a client does.

    def open(self, buffer: Buffer) -> None:
        self.buffers[buffer.uri] = buffer
        self.shown[buffer.uri] = []
        self.steps.call(self.client.open, buffer.uri, buffer.text, buffer.language, buffer.version)

    def change(self, buffer: Buffer, changes: list[Message]) -> None:
        self.steps.call(self.client.change, buffer.uri, buffer.told(), *changes)

    def save(self, buffer: Buffer) -> None:
        self.steps.call(self.client.notify, "textDocument/didSave", {"textDocument": {"uri": buffer.uri}})

    def shut(self, buffer: Buffer) -> None:
        self.steps.call(self.client.notify, "textDocument/didClose", {"textDocument": {"uri": buffer.uri}})
        self.turns(20)
        assert self.shown.pop(buffer.uri) == []
        del self.buffers[buffer.uri]

    def review(self, buffer: Buffer, *, deep: bool) -> None:
        """Ask for a review and do not wait for it. It may be refused when the document is closed meanwhile."""
        command = "aiops.reviewDeeper" if deep else "aiops.reviewDocument"
        params = {"command": command, "arguments": [{"uri": buffer.uri}]}
        self.steps.call(self.client.start_request, "workspace/executeCommand", params)

    def turns(self, count: int) -> None:
        self.steps.turns(count)
        self._receive()

    def advance(self, seconds: float) -> None:
        self.steps.run(self.clock.advance(seconds))
        self._receive()

    def fixes(self, buffer: Buffer) -> list[tuple[str, int, list[tuple[int, int, str]]]]:
        """The fixes that are offered now: title, line of the finding, and edits as offsets, checked."""
        end = dict(zip(("line", "character"), buffer.place(len(buffer.text)), strict=True))
        params = {
            "textDocument": {"uri": buffer.uri},
            "range": {"start": {"line": 0, "character": 0}, "end": end},
            "context": {"diagnostics": [], "only": ["quickfix"]},
        }
        found = []
        for action in self.ask("textDocument/codeAction", params) or []:
            if (action.get("data") or {}).get("what") != "fix":
                continue
            resolved = self.ask("codeAction/resolve", action)
            if resolved is not None:
                (diagnostic,) = action["diagnostics"]
                line = diagnostic["range"]["start"]["line"]
                found.append((_title(diagnostic), line, self.edits_of(buffer, resolved["edit"])))
        return found

    def ask(self, method: str, params: Message) -> Any:
        """The answer to a request; None when it is refused because the text went on."""
        try:
            answer = self.steps.run(self.client.request(method, params))
        except Refused as refused:
            if refused.code != _CONTENT_MODIFIED:
                raise
            answer = None
        self._receive()
        return answer

    def edits_of(self, buffer: Buffer, edit: Message) -> list[tuple[int, int, str]]:
        """Edits of one document as offsets, bound to the text as it is now where the client can do that."""
        if "documentChanges" in edit:
            (change,) = edit["documentChanges"]
            assert change["textDocument"] == {"uri": buffer.uri, "version": buffer.version}
            texts = change["edits"]
        else:
            texts = edit["changes"][buffer.uri]
        edits = [(*buffer.span(one["range"]), one["newText"]) for one in texts]
        assert all(one[1] <= other[0] for one, other in pairwise(edits))
        return edits

    # What must hold.

    def check(self, uri: str) -> None:
        """What is published is checked as it comes; nothing went wrong so that the user had to be told."""
        assert self.said == []

    def shown_titles(self, buffer: Buffer) -> set[tuple[int, str]]:
        """What is shown, by line."""
        return {(one["range"]["start"]["line"], _title(one)) for one in self.shown[buffer.uri]}

    def shown_places(self, buffer: Buffer) -> set[tuple[object, ...]]:
        return {(buffer.uri, str(one["range"]), _title(one)) for one in self.shown[buffer.uri]}

    def _receive(self) -> None:
        news = self.client.notifications[self._read :]
        self._read += len(news)
        for message in news:
            if message["method"] == "textDocument/publishDiagnostics":
                self._published(message["params"])
            if message["method"] == "window/showMessage":
                self.said.append(message["params"]["message"])

    def _published(self, params: Message) -> None:
        buffer = self.buffers[params["uri"]]
        if "version" not in params:
            assert params["diagnostics"] == []
        for one in params["diagnostics"]:
            text = buffer.versions[params["version"]]
            start, end = buffer.span(one["range"], params["version"])
            assert start < end, one
            mark = _title(one).removeprefix("Fails ")
            assert mark == _title(one) or mark in text[start:end], (text[start:end], one)
        self.shown[buffer.uri] = params["diagnostics"]
        self.shown_version[buffer.uri] = params.get("version", buffer.version)

    def check_complete(self, buffer: Buffer) -> None:
        """What is in the hints and hovers is what is shown, and of a text that was reviewed wholly nothing lacks."""
        shown = [one for one in self.shown[buffer.uri] if _title(one).startswith("Fails ")]
        for one in shown:
            params = {"textDocument": {"uri": buffer.uri}, "position": one["range"]["start"]}
            hover = self.ask("textDocument/hover", params)
            assert (
                _title(one).replace("_", r"\_") in hover["contents"]["value"]
                or _title(one) in hover["contents"]["value"]
            )
        status = self.client.server.session.status()
        assert status is not None
        (document,) = (one for one in status.documents if one.uri == buffer.uri)
        if document.reviewed == document.regions:
            lines = buffer.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            expected = {
                (number, f"Fails {mark[0]}") for number, line in enumerate(lines) for mark in MARK.finditer(code(line))
            }
            assert expected <= {(one["range"]["start"]["line"], _title(one)) for one in shown}


def _title(diagnostic: Message) -> str:
    return str(diagnostic["message"].split("\n")[0])
