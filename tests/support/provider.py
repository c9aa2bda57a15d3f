"""A scripted model provider on loopback: real HTTP, three APIs, and every way a provider can misbehave.

It answers `chat/completions`, `responses` and `messages`, streamed or in one piece, and keeps a journal of what it
was sent. What it answers is decided per request by a *script*: a callable from the `Exchange` to a `Reply`, or a
list of replies of which each request takes the next. Without a script, and for what a script leaves open, the
answer has no findings for each region in the request, and confirms each finding put to it for a second opinion.

    async with Provider(findings_where({"eval(": {"title": "Evaluates input"}})) as provider:
        ...                                 # base URL: provider.base_url
        await provider.until(lambda: len(provider.journal) == 2)

As a process: `python -m tests.support.provider --port 0 --script script.json` prints its port, then serves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import inspect
import json
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from tests.support.provider_wire import Billed, Payload, Stop, Style, document, error_body, frames

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from ssl import SSLContext

__all__ = ["Billed", "Exchange", "Provider", "Reply", "Stop", "Style", "answer", "finding", "findings_where"]

_OPENING = re.compile(r'id="([rf]\d+)"')
_NUMBERED = re.compile(r"(\d+)\| ?(.*)")
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(slots=True)
class Exchange:
    """One request as it came, and what became of it.

    `arrived` is when its last byte was read, in monotonic seconds: before the provider makes anything of it. `state`
    is "open", then "answered", or "dropped" when the client or the script broke the connection.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    arrived: float = 0.0
    state: str = "open"
    billed: Billed | None = None

    @property
    def style(self) -> Style:
        """The API that was asked."""
        return next(style for style in Style if self.path.endswith(style))

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.body.get("model", ""))

    @property
    def streamed(self) -> bool:
        """Whether the answer is to come piece by piece."""
        return bool(self.body.get("stream"))

    @property
    def system(self) -> str:
        """The instructions that hold for the whole request."""
        if self.style is Style.MESSAGES:
            return _plain(self.body.get("system"))
        if self.style is Style.RESPONSES:
            return _plain(self.body.get("instructions"))
        return "\n".join(_plain(m["content"]) for m in self.body["messages"] if m["role"] in ("system", "developer"))

    @property
    def user(self) -> str:
        """What is to be reviewed."""
        if self.style is Style.RESPONSES:
            given = self.body.get("input")
            return given if isinstance(given, str) else "\n".join(_plain(m["content"]) for m in given or ())
        return "\n".join(_plain(m["content"]) for m in self.body["messages"] if m["role"] == "user")

    @property
    def regions(self) -> dict[str, list[str]]:
        """The numbered lines of each region in the request, by the region's id."""
        return {name: lines for name, lines in self._blocks().items() if name.startswith("r")}

    @property
    def finding_ids(self) -> list[str]:
        """The findings that are put to a second opinion."""
        return [name for name in self._blocks() if name.startswith("f")]

    @property
    def max_output_tokens(self) -> int | None:
        """The bound that the request sets on the answer."""
        names = ("max_output_tokens", "max_completion_tokens", "max_tokens")
        return next((self.body[name] for name in names if self.body.get(name)), None)

    def _blocks(self) -> dict[str, list[str]]:
        blocks: dict[str, list[str]] = {}
        current: list[str] = []
        for line in self.user.split("\n"):
            numbered = _NUMBERED.fullmatch(line)
            opening = None if numbered else _OPENING.search(line)
            if opening:
                current = blocks.setdefault(opening[1], [])
            elif numbered:
                current.append(numbered[2])
        return blocks


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request gets.

    `text` is the model's answer (None: no findings), sent in pieces of `piece` characters. `raw` replaces the whole
    body, as `content_type`. `status` other than 200 sends an error with `message`. `gate` is awaited before each
    piece with the piece's number from 0, and once with -1 before anything is sent: let it wait for an event to hold
    an answer back, for ever to hang. `disconnect_after` breaks the connection after so many pieces, -1 before
    anything is sent. `billed` is what the usage says (None: computed), `report_usage` whether there is one.
    """

    text: str | None = None
    status: int = 200
    message: str = "scripted"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | bytes | None = None
    content_type: str = "application/json"
    stop: Stop = Stop.COMPLETE
    piece: int = 24
    gate: Callable[[int], Awaitable[object]] | None = None
    disconnect_after: int | None = None
    billed: Billed | None = None
    report_usage: bool = True


Script = "Callable[[Exchange], Reply | Awaitable[Reply] | None] | Sequence[Reply]"


def finding(quote: str, line: int, **more: object) -> dict[str, object]:
    """A finding as the contract has it, on `line` (from 1 in its region), sure and severe unless `more` differs."""
    base: dict[str, object] = {
        "quote": quote,
        "focus": "",
        "start_line": line,
        "end_line": line,
        "trigger": "any call",
        "why": "It fails.",
        "title": "Fails",
        "category": "bug",
        "severity": "high",
        "confidence": 95,
        "needs_outside_context": False,
        "fix": None,
    }
    return base | more


def answer(regions: Mapping[str, Iterable[Mapping[str, object]]]) -> str:
    """The answer's text for findings by region id."""
    entries = [{"region": name, "findings": list(found)} for name, found in regions.items()]
    return json.dumps({"regions": entries})


def findings_where(table: Mapping[str, Mapping[str, object]]) -> Callable[[Exchange], Reply]:
    """A script that reports, for each substring, one finding at every line of a region that holds it.

    The table's values override parts of the finding; a fix given as `{"new_lines": [...]}` replaces that line.
    """

    def script(exchange: Exchange) -> Reply:
        if exchange.finding_ids:
            return Reply()
        return Reply(answer({name: _matches(lines, table) for name, lines in exchange.regions.items()}))

    return script


def default_text(exchange: Exchange) -> str:
    """No findings for each region, or every finding upheld with its fix."""
    if exchange.finding_ids:
        verdicts = [
            {"finding": name, "reason": "It does fail.", "refuted": False, "fix_correct": True, "confidence": 95}
            for name in exchange.finding_ids
        ]
        return json.dumps({"verdicts": verdicts})
    return answer({name: [] for name in exchange.regions})


class Provider:
    """The provider as an asynchronous context manager.

    `bill_factor` multiplies what a computed usage says. With `tls` it speaks https.
    """

    def __init__(
        self, script: object = None, *, port: int = 0, bill_factor: float = 1.0, tls: SSLContext | None = None
    ) -> None:
        self._script = script
        self.journal: list[Exchange] = []
        self._port = port
        self._bill_factor = bill_factor
        self._tls = tls
        self._taken = 0
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=16 * 1024 * 1024, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def script(self) -> object:
        """What decides on the replies; a list that is set anew is taken from its start."""
        return self._script

    @script.setter
    def script(self, script: object) -> None:
        self._script = script
        self._taken = 0

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def origin(self) -> str:
        """The base URL for the Anthropic SDK."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """The base URL for the OpenAI SDK."""
        return f"{self.origin}/v1"

    @property
    def billed(self) -> Billed:
        """All that was billed so far, of broken answers as well."""
        bills = [exchange.billed for exchange in self.journal if exchange.billed]
        return Billed(sum(bill.input_tokens for bill in bills), sum(bill.output_tokens for bill in bills))

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until `condition` holds; it is tried whenever a request came, was answered or was dropped."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        arrived = time.monotonic()
        if method == "GET" and path == "/__journal":
            entries = [{"path": e.path, "headers": e.headers, "body": e.body, "state": e.state} for e in self.journal]
            return await _send(writer, 200, {}, "application/json", json.dumps(entries).encode())
        if not any(path.endswith(style) for style in Style):
            return await _send(writer, 404, {}, "text/plain", b"no such API")
        exchange = Exchange(path, headers, json.loads(content), arrived)
        self.journal.append(exchange)
        await self._notify()
        return await self._reply_while_connected(exchange, reader, writer)

    async def _reply_while_connected(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        replying = asyncio.ensure_future(self._reply(exchange, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({replying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            answered = replying.done() and replying.result()
        except ConnectionError:
            answered = False
        finally:
            for task in (replying, leaving):
                task.cancel()
            await asyncio.gather(replying, leaving, return_exceptions=True)
            if exchange.state == "open":
                exchange.state = "dropped"
            await self._notify()
        return answered

    async def _decide(self, exchange: Exchange) -> Reply:
        if callable(self._script):
            decided = self._script(exchange)
            if inspect.isawaitable(decided):
                decided = await decided
            return cast("Reply", decided) if decided is not None else Reply()
        replies = cast("Sequence[Reply]", self._script or ())
        self._taken += 1
        return replies[self._taken - 1] if self._taken <= len(replies) else Reply()

    async def _reply(self, exchange: Exchange, writer: asyncio.StreamWriter) -> bool:
        reply = await self._decide(exchange)
        gate = reply.gate or _open_gate
        await gate(-1)
        if reply.disconnect_after == -1:
            exchange.state = "dropped"
            return False
        if reply.raw is not None or reply.status != 200:
            raw = reply.raw
            if raw is None:
                raw = json.dumps(error_body(exchange.style, reply.status, reply.message))
            body = raw.encode() if isinstance(raw, str) else raw
            exchange.state = "answered"
            return await _send(writer, reply.status, reply.headers, reply.content_type, body)
        payload = self._payload(exchange, reply)
        if exchange.streamed:
            return await self._send_events(exchange, reply, payload, writer)
        await gate(0)
        exchange.state = "answered"
        body = json.dumps(document(payload)).encode()
        if reply.disconnect_after is not None:
            exchange.state = "dropped"
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body[: reply.disconnect_after * reply.piece])
            await writer.drain()
            return False
        return await _send(writer, 200, reply.headers, "application/json", body)

    def _payload(self, exchange: Exchange, reply: Reply) -> Payload:
        """Cut the answer to the request's bound, as a provider does, and say what it costs."""
        text = default_text(exchange) if reply.text is None else reply.text
        stop, bound = reply.stop, exchange.max_output_tokens
        if bound is not None and _tokens(text) > bound:
            text, stop = text.encode()[: bound * 4].decode(errors="ignore"), Stop.TRUNCATED
        given = _tokens(exchange.system) + _tokens(exchange.user)
        counted = Billed(round(given * self._bill_factor), round(_tokens(text) * self._bill_factor))
        exchange.billed = reply.billed or counted
        options = exchange.body.get("stream_options") or {}
        pieces = tuple(text[at : at + reply.piece] for at in range(0, len(text), reply.piece))
        shown = exchange.billed if reply.report_usage else None
        return Payload(
            exchange.style, exchange.model, pieces, stop, shown, include_usage=bool(options.get("include_usage"))
        )

    async def _send_events(
        self, exchange: Exchange, reply: Reply, payload: Payload, writer: asyncio.StreamWriter
    ) -> bool:
        gate = reply.gate or _open_gate
        head = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked"]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
        sent = 0
        for is_piece, event in frames(payload):
            if is_piece:
                if sent == reply.disconnect_after:
                    await writer.drain()
                    exchange.state = "dropped"
                    return False
                await gate(sent)
                sent += 1
            data = event.encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        exchange.state = "answered"
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _send(
    writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], content_type: str, body: bytes
) -> bool:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", f"content-type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + f"\r\ncontent-length: {len(body)}\r\n\r\n").encode() + body)
    await writer.drain()
    return True


async def _open_gate(_piece: int) -> None:
    return None


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // 4)


def _plain(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return "" if content is None else str(content)


def _matches(lines: Sequence[str], table: Mapping[str, Mapping[str, object]]) -> list[dict[str, object]]:
    found = []
    for number, line in enumerate(lines, 1):
        for part, more in table.items():
            if part not in line:
                continue
            entry = finding(line, number, focus=part) | dict(more)
            if isinstance(entry["fix"], dict):
                entry["fix"] = {"start_line": number, "end_line": number, "old_lines": [line], **entry["fix"]}
            found.append(entry)
    return found


def script_from_file(path: Path) -> Callable[[Exchange], Awaitable[Reply]]:
    """Read a script from JSON: `{"findings": {substring: parts of a finding}, "delay_seconds": 0, "replies": [...]}`.

    `replies` are keyword arguments of `Reply`, taken by the first requests; `delay_seconds` passes before each piece.
    """
    content = json.loads(path.read_text("utf-8"))
    by_text = findings_where(content.get("findings", {}))
    delay = float(content.get("delay_seconds", 0))
    first = [Reply(**arguments) for arguments in content.get("replies", ())]

    async def pace(_piece: int) -> None:
        await asyncio.sleep(delay)

    async def script(exchange: Exchange) -> Reply:
        if first:
            return first.pop(0)
        reply = by_text(exchange)
        return Reply(reply.text, gate=pace if delay else None)

    return script


async def _serve(port: int, script: Path | None) -> None:
    async with Provider(script_from_file(script) if script else None, port=port) as provider:
        print(provider.port, flush=True)
        await asyncio.Event().wait()


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port; the port is printed")
    parser.add_argument("--script", type=Path, help="a JSON file, see script_from_file")
    options = parser.parse_args(arguments)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, options.script))


if __name__ == "__main__":
    main(sys.argv[1:])
