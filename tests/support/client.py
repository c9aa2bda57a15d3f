"""A client for a server in the same process: speaks plain JSON, keeps everything that it receives, waits for states.

It answers the server's requests as `answers` says; a method that is not there is refused as unknown, which is what
clients do that have never heard of it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from aiops_lsp.lsp.framing import FrameReader, frame
from aiops_lsp.lsp.server import ReviewServer, create_server
from aiops_lsp.lsp.serving import exit_code, serve_stream
from tests.support.clock import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiops_lsp.engine.host import Folder, Host

Message = dict[str, Any]

MODERN: Message = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceFolders": True,
        "inlayHint": {"refreshSupport": True},
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {"groupsOnLabel": True}},
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "publishDiagnostics": {
            "versionSupport": True,
            "dataSupport": True,
            "codeDescriptionSupport": True,
            "relatedInformation": True,
            "tagSupport": {"valueSet": [1, 2]},
        },
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "source"]}},
            "isPreferredSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "tagSupport": {"valueSet": [1]},
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "inlayHint": {},
    },
    "window": {"workDoneProgress": True, "showMessage": {}},
}
"""What a client of today announces."""


class Refused(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Message) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]


class Client:
    """The client's end. `notifications` and `requests` are what the server sent, in order."""

    def __init__(self, server: ReviewServer) -> None:
        self.server = server
        self.notifications: list[Message] = []
        self.requests: list[Message] = []
        self.stray: list[Message] = []
        self.answers: dict[str, Callable[[Any], Any]] = {
            "workspace/configuration": lambda params: [None for _ in params["items"]],
            "client/registerCapability": lambda _params: None,
            "window/workDoneProgress/create": lambda _params: None,
            "workspace/inlayHint/refresh": lambda _params: None,
        }
        self.unanswered: set[str] = set()
        self.exit_code: int | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self._frames = FrameReader()
        self._serving = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        await serve_stream(self.server, self._incoming.get, self)
        self.exit_code = exit_code(self.server)

    def write(self, data: bytes) -> None:
        """What the server sends."""
        for body in self._frames.feed(data):
            message = json.loads(body)
            if "method" not in message:
                self._answered(message)
            elif "id" in message:
                self.requests.append(message)
                self._answer(message)
            else:
                self.notifications.append(message)

    def _answered(self, message: Message) -> None:
        future = self._waiting.pop(message["id"], None)
        if future is None:
            self.stray.append(message)
        elif future.done():
            return
        elif "error" in message:
            future.set_exception(Refused(message["error"]))
        else:
            future.set_result(message["result"])

    def _answer(self, message: Message) -> None:
        method = message["method"]
        if method in self.unanswered:
            return
        if method not in self.answers:
            error = {"code": -32601, "message": f"{method} is not known"}
            self.send({"id": message["id"], "error": error})
            return
        self.send({"id": message["id"], "result": self.answers[method](message.get("params"))})

    def send(self, message: Message) -> None:
        """Send a message as it is."""
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_bytes(self, body: bytes) -> None:
        """Send anything in a frame."""
        self._incoming.put_nowait(frame(body))

    def notify(self, method: str, params: object = None) -> None:
        """Send a notification."""
        self.send({"method": method} if params is None else {"method": method, "params": params})

    def start_request(self, method: str, params: object = None) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; its id and the answer to come, which raises Refused for an error."""
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self.send({"id": number, "method": method} | ({} if params is None else {"params": params}))
        return number, future

    async def request(self, method: str, params: object = None) -> Any:
        """Send a request and wait for the answer."""
        _, answer = self.start_request(method, params)
        return await asyncio.wait_for(answer, 20)

    async def initialize(self, capabilities: Message | None = None, **params: object) -> Message:
        """The first two messages. Without capabilities the client announces nothing."""
        fields = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **params}
        result = await self.request("initialize", fields)
        self.notify("initialized", {})
        return cast("Message", result)

    async def ready(self) -> None:
        """Wait until the engine has started."""
        await until(lambda: self.server.session.reviewer is not None)

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        """`textDocument/didOpen`."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: Message) -> None:
        """`textDocument/didChange`."""
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    def published(self, uri: str) -> list[Message]:
        """The params of what was published for a document, oldest first."""
        return [params for params in self.received("textDocument/publishDiagnostics") if params["uri"] == uri]

    async def diagnostics(self, uri: str, version: int) -> list[Message]:
        """Wait for what is published for a version of a document."""
        await until(lambda: any(params.get("version") == version for params in self.published(uri)))
        found = [params for params in self.published(uri) if params.get("version") == version]
        return cast("list[Message]", found[-1]["diagnostics"])

    def received(self, method: str) -> list[Any]:
        """The params of the server's notifications of one method."""
        return [message.get("params") for message in self.notifications if message["method"] == method]

    def asked(self, method: str) -> list[Any]:
        """The params of the server's requests of one method."""
        return [message.get("params") for message in self.requests if message["method"] == method]

    async def leave(self) -> int | None:
        """`shutdown` and `exit`; the exit code."""
        await self.request("shutdown")
        self.notify("exit")
        await asyncio.wait_for(self._serving, 20)
        return self.exit_code

    async def hang_up(self) -> int | None:
        """End the connection without a word; the exit code."""
        self._incoming.put_nowait(b"")
        await asyncio.wait_for(self._serving, 20)
        return self.exit_code


@asynccontextmanager
async def connected(make_reviewer: Callable[[Host, Callable[[str], Folder]], Any] | None) -> AsyncIterator[Client]:
    """A client connected to a new server, which is gone afterwards. None: with the real engine."""
    client = Client(create_server(make_reviewer))
    try:
        yield client
    finally:
        await client.hang_up()


def at(line: int, character: int, end_line: int | None = None, end_character: int | None = None) -> Message:
    """A range as JSON; empty where only its start is given."""
    end = {
        "line": line if end_line is None else end_line,
        "character": character if end_character is None else end_character,
    }
    return {"start": {"line": line, "character": character}, "end": end}
