"""JSON-RPC as the specification wants it, on top of pygls.

pygls brings the message types, requests to the client and the writing. What it receives is dispatched here instead,
because pygls 2.1

- answers neither requests with invalid params nor requests after `shutdown`, and accepts a second `initialize`;
- splits and clamps documents by Python's line breaks before a handler sees the change;
- runs `async def` handlers a moment later, when the document may have moved on;
- keeps a future per notification with an async handler, and a type per request that the client refused;
- fails on an answer to a request that was cancelled meanwhile;
- refuses a client whose capabilities hold a value that lsprotocol does not know.

Handlers are plain functions. What they read of a document they read before they return; one that returns an
awaitable has it run as a task.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from enum import Enum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcMethodNotFound, JsonRpcRequestCancelled
from pygls.protocol import LanguageServerProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future

    from aiops_lsp.lsp.server import ReviewServer

    Handler = Callable[[Any], Any]

logger = logging.getLogger(__name__)

MessageId = int | str

_UNTYPED = frozenset({types.INITIALIZE})
"""Methods whose params are taken as they come: a client may announce what this version has never heard of."""

_BEFORE_INITIALIZE = frozenset({types.INITIALIZE, types.EXIT})


class Stage(Enum):
    """How far the session has come."""

    NEW = "new"
    RUNNING = "running"
    SHUT_DOWN = "shut_down"


class RequestRefused(JsonRpcException):
    """A request that is answered with an error, in words for the user. Nothing is wrong with the server."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message=message, code=code)


def invalid_params(message: str) -> RequestRefused:
    """The params do not fit the method."""
    return RequestRefused(types.ErrorCodes.InvalidParams, message)


class ReviewProtocol(LanguageServerProtocol):
    """Receives, dispatches and answers messages."""

    _server: ReviewServer

    def __init__(self, server: Any, converter: Any) -> None:
        super().__init__(server, converter)
        self.stage = Stage.NEW
        self.handlers: dict[str, Handler] = {}
        self._running: dict[MessageId, asyncio.Task[Any]] = {}

    def _register_builtin_features(self) -> None:
        """None of pygls' own handlers is used."""

    @property
    def pending(self) -> int:
        """How many messages are waited for, in both directions."""
        return len(self._running) + len(self._request_futures) + len(self._result_types)

    def receive(self, body: bytes | str) -> None:
        """Handle one message as it came from the client. Never raises for anything that a client can send."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._refuse(None, types.ErrorCodes.ParseError, "the message is not valid JSON")
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            self._refuse(None, types.ErrorCodes.InvalidRequest, "the message is not a JSON-RPC 2.0 object")
        elif "method" not in message:
            self._receive_answer(message)
        elif not isinstance(message["method"], str):
            self._refuse(_id_of(message), types.ErrorCodes.InvalidRequest, "the method is not a string")
        elif "id" in message:
            self._receive_request(message)
        else:
            self._receive_notification(message)

    async def ask(self, method: str, params: object) -> Any:
        """Send a request and wait for the client's answer.

        Raises JsonRpcException when the client refuses. When the waiting is cancelled a late answer is dropped.
        """
        message_id = str(uuid.uuid4())
        answer = asyncio.wrap_future(self.send_request(method, params, msg_id=message_id))
        try:
            return await asyncio.shield(answer)
        finally:
            self._request_futures.pop(message_id, None)
            self._result_types.pop(message_id, None)

    async def cancel_requests(self) -> None:
        """Cancel the requests of the client that are under way, except `shutdown`, and wait until they have ended."""
        others = [task for task in self._running.values() if task.get_name() != types.SHUTDOWN]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _receive_request(self, message: dict[str, Any]) -> None:
        message_id, method = _id_of(message), message["method"]
        if message_id is None:
            self._refuse(None, types.ErrorCodes.InvalidRequest, "the id of a request must be a string or an integer")
            return
        try:
            self._check_stage(method)
            if (handler := self.handlers.get(method)) is None:
                raise JsonRpcMethodNotFound.of(method)  # noqa: TRY301 - one place answers every error
            result = handler(self._params(message))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes the answer, and is logged
            self._answer_error(message_id, method, error)
            return
        if isawaitable(result):
            task = asyncio.get_running_loop().create_task(self._finish(message_id, method, result), name=method)
            self._running[message_id] = task
        else:
            self._send_response(message_id, result)

    async def _finish(self, message_id: MessageId, method: str, result: Awaitable[Any]) -> None:
        try:
            answer = await result
        except asyncio.CancelledError:
            self._refuse(message_id, types.LSPErrorCodes.RequestCancelled, "the request was cancelled")
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes the answer, and is logged
            self._answer_error(message_id, method, error)
        else:
            self._send_response(message_id, answer)
        finally:
            if self._running.get(message_id) is asyncio.current_task():
                del self._running[message_id]

    def _receive_notification(self, message: dict[str, Any]) -> None:
        method = message["method"]
        if method == types.CANCEL_REQUEST:
            self._cancel(message.get("params"))
            return
        if self.stage is not Stage.RUNNING and method != types.EXIT:
            return
        handler = self.handlers.get(method)
        if handler is None:
            return
        try:
            handler(self._params(message))
        except Exception as error:  # noqa: BLE001 - a notification has no answer, so its failure is reported
            self._server.notification_failed(method, message.get("params"), error)

    def _receive_answer(self, message: dict[str, Any]) -> None:
        message_id = _id_of(message)
        if message_id is None:
            logger.warning("an answer without a usable id was dropped")
            return
        future: Future[Any] | None = self._request_futures.pop(message_id, None)
        answer_type = self._result_types.pop(message_id, None)
        if future is None or future.done():
            return
        if message.get("error") is not None:
            future.set_exception(_as_exception(message["error"]))
            return
        try:
            structured = self._converter.structure(message, answer_type) if answer_type else None
            future.set_result(structured.result if structured is not None else message.get("result"))
        except Exception as error:  # noqa: BLE001 - cattrs raises groups of anything; whoever asked must hear of it
            logger.warning("the client's answer does not have the form that the protocol wants: %s", type(error))
            future.set_exception(invalid_params("the client's answer has another form than the protocol wants"))

    def _check_stage(self, method: str) -> None:
        if self.stage is Stage.NEW and method not in _BEFORE_INITIALIZE:
            raise RequestRefused(types.ErrorCodes.ServerNotInitialized, "the first request must be initialize")
        if self.stage is Stage.SHUT_DOWN:
            raise RequestRefused(types.ErrorCodes.InvalidRequest, "the server was shut down")
        if self.stage is Stage.RUNNING and method == types.INITIALIZE:
            raise RequestRefused(types.ErrorCodes.InvalidRequest, "the server is initialized already")

    def _params(self, message: Mapping[str, Any]) -> Any:
        """The params as lsprotocol's type, or as they are where it has none."""
        method = message["method"]
        message_type = None if method in _UNTYPED else self.get_message_type(method)
        if message_type is None:
            return message.get("params")
        if method == types.TEXT_DOCUMENT_CODE_ACTION:
            message = _without_diagnostics(message)
        try:
            return self._converter.structure(message, message_type).params
        except Exception as error:
            # cattrs raises groups of anything, and its words quote the params, which may be source text.
            raise invalid_params(f"the params do not fit {method}") from error

    def _cancel(self, params: object) -> None:
        message_id = params.get("id") if isinstance(params, dict) else None
        task = self._running.get(message_id) if isinstance(message_id, int | str) else None
        if task is not None:
            task.cancel()

    def _answer_error(self, message_id: MessageId, method: str, error: Exception) -> None:
        if isinstance(error, JsonRpcException):
            self._send_response(message_id, error=error.to_response_error())
            return
        self._server.request_failed(method, error)
        words = f"internal error in {method}; the log says more"
        self._refuse(message_id, types.ErrorCodes.InternalError, words)

    def _refuse(self, message_id: MessageId | None, code: int, words: str) -> None:
        # Not by pygls: it leaves out the id where that is null, as it must be for what cannot be told apart.
        error = {"code": int(code), "message": words}
        self._send_data({"jsonrpc": self.VERSION, "id": message_id, "error": error})


def _id_of(message: Mapping[str, Any]) -> MessageId | None:
    message_id = message.get("id")
    return message_id if isinstance(message_id, int | str) and not isinstance(message_id, bool) else None


def _as_exception(error: object) -> JsonRpcException:
    details = error if isinstance(error, dict) else {}
    code, words = details.get("code"), details.get("message")
    if code == types.LSPErrorCodes.RequestCancelled:
        return JsonRpcRequestCancelled(str(words))
    return JsonRpcException(str(words), code if isinstance(code, int) else None)


def _without_diagnostics(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Clients send diagnostics back changed or with values of other servers; nothing here reads them."""
    params = message.get("params")
    context = params.get("context") if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(context, dict):
        return message
    return {**message, "params": {**params, "context": {**context, "diagnostics": []}}}
