"""The three wire formats that the scripted provider speaks, as pure functions from an answer to what goes out.

`frames` gives the server-sent events of a streamed answer, `document` the body of one in a single piece.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Style(StrEnum):
    """An API by the last part of its path."""

    CHAT = "chat/completions"
    RESPONSES = "responses"
    MESSAGES = "messages"


class Stop(StrEnum):
    """How an answer ends."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Billed:
    """Tokens of one call; `input_tokens` includes the cached ones."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Payload:
    """An answer as it is to go out. `billed` None leaves the usage out."""

    style: Style
    model: str
    pieces: tuple[str, ...]
    stop: Stop
    billed: Billed | None
    include_usage: bool = True

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)


_CHAT_REASON = {
    Stop.COMPLETE: "stop",
    Stop.TRUNCATED: "length",
    Stop.REFUSED: "stop",
    Stop.FILTERED: "content_filter",
}
_MESSAGES_REASON = {
    Stop.COMPLETE: "end_turn",
    Stop.TRUNCATED: "max_tokens",
    Stop.REFUSED: "refusal",
    Stop.FILTERED: "refusal",
}
_REFUSAL = "I cannot help with that."


def document(payload: Payload) -> dict[str, Any]:
    """The body of an answer that comes in one piece."""
    if payload.style is Style.CHAT:
        refused = payload.stop is Stop.REFUSED
        message = {
            "role": "assistant",
            "content": None if refused else payload.text,
            "refusal": _REFUSAL if refused else None,
        }
        choice = {"index": 0, "message": message, "finish_reason": _CHAT_REASON[payload.stop], "logprobs": None}
        body: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": payload.model,
            "choices": [choice],
        }
        if payload.billed:
            body["usage"] = _chat_usage(payload.billed)
        return body
    if payload.style is Style.RESPONSES:
        return _response(payload)
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": payload.model,
        "content": [{"type": "text", "text": payload.text}],
        "stop_reason": _MESSAGES_REASON[payload.stop],
        "stop_sequence": None,
        "usage": _messages_usage(payload.billed or Billed(0, 0)),
    }


def frames(payload: Payload) -> Iterator[tuple[bool, str]]:
    """The events of a streamed answer, each with whether it carries a piece of the text."""
    events = {
        Style.CHAT: _chat_frames,
        Style.RESPONSES: _responses_frames,
        Style.MESSAGES: _messages_frames,
    }[payload.style]
    for is_piece, event in events(payload):
        name = "" if payload.style is Style.CHAT else f"event: {event['type']}\n"
        yield is_piece, f"{name}data: {json.dumps(event)}\n\n"
    if payload.style is Style.CHAT:
        yield False, "data: [DONE]\n\n"


def error_body(style: Style, status: int, message: str) -> dict[str, Any]:
    """The body with which each API reports an error."""
    if style is Style.MESSAGES:
        return {"type": "error", "error": {"type": "api_error", "message": message}, "request_id": "req_scripted"}
    return {"error": {"message": message, "type": "error", "param": None, "code": str(status)}}


def _chat_frames(payload: Payload) -> Iterator[tuple[bool, dict[str, Any]]]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": payload.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }

    yield False, chunk({"role": "assistant", "content": ""})
    if payload.stop is Stop.REFUSED:
        yield True, chunk({"refusal": _REFUSAL})
    else:
        for piece in payload.pieces:
            yield True, chunk({"content": piece})
    yield False, chunk({}, _CHAT_REASON[payload.stop])
    if payload.billed and payload.include_usage:
        yield False, chunk({}) | {"choices": [], "usage": _chat_usage(payload.billed)}


def _responses_frames(payload: Payload) -> Iterator[tuple[bool, dict[str, Any]]]:
    started = _response(payload) | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield False, {"type": "response.created", "sequence_number": 0, "response": started}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    number = 1
    if payload.stop is Stop.REFUSED:
        event = {"type": "response.refusal.delta", "sequence_number": number, "delta": _REFUSAL}
        yield True, event | place
    else:
        for number, piece in enumerate(payload.pieces, 1):
            event = {"type": "response.output_text.delta", "sequence_number": number, "delta": piece, "logprobs": []}
            yield True, event | place
    final = _response(payload)
    kind = "response.completed" if final["status"] == "completed" else "response.incomplete"
    yield False, {"type": kind, "sequence_number": number + 1, "response": final}


def _messages_frames(payload: Payload) -> Iterator[tuple[bool, dict[str, Any]]]:
    billed = payload.billed or Billed(0, 0)
    opening = _messages_usage(Billed(billed.input_tokens, 1, billed.cache_read_tokens))
    empty: dict[str, Any] = {"content": [], "stop_reason": None, "usage": opening}
    yield False, {"type": "message_start", "message": document(payload) | empty}
    yield False, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for piece in payload.pieces:
        delta = {"type": "text_delta", "text": piece}
        yield True, {"type": "content_block_delta", "index": 0, "delta": delta}
    yield False, {"type": "content_block_stop", "index": 0}
    ending: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": _MESSAGES_REASON[payload.stop], "stop_sequence": None},
        "usage": {"output_tokens": billed.output_tokens},
    }
    yield False, ending
    yield False, {"type": "message_stop"}


def _response(payload: Payload) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "output_text", "text": payload.text, "annotations": [], "logprobs": []}
    if payload.stop is Stop.REFUSED:
        content = {"type": "refusal", "refusal": _REFUSAL}
    cause = {Stop.TRUNCATED: "max_output_tokens", Stop.FILTERED: "content_filter"}.get(payload.stop)
    status = "incomplete" if cause else "completed"
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": [content]}
    usage = None
    if payload.billed:
        usage = {
            "input_tokens": payload.billed.input_tokens,
            "input_tokens_details": {"cached_tokens": payload.billed.cache_read_tokens},
            "output_tokens": payload.billed.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": payload.billed.input_tokens + payload.billed.output_tokens,
        }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": cause} if cause else None,
        "instructions": None,
        "metadata": {},
        "model": payload.model,
        "output": [message],
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": usage,
    }


def _chat_usage(billed: Billed) -> dict[str, Any]:
    details = {"cached_tokens": billed.cache_read_tokens} if billed.cache_read_tokens else None
    return {
        "prompt_tokens": billed.input_tokens,
        "completion_tokens": billed.output_tokens,
        "total_tokens": billed.input_tokens + billed.output_tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": None,
    }


def _messages_usage(billed: Billed) -> dict[str, Any]:
    return {
        "input_tokens": billed.input_tokens - billed.cache_read_tokens,
        "output_tokens": billed.output_tokens,
        "cache_read_input_tokens": billed.cache_read_tokens,
        "cache_creation_input_tokens": 0,
    }
