"""Reads what the three APIs send, event by event or in one piece, into text and an `Outcome`.

Compatible servers leave out or add what they like, so nothing is expected to be there: whatever is missing or of the
wrong type reads as None.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from aiops_lsp.llm.client import InvalidAnswer, ModelError, Overloaded, Refused, Truncated, Usage
from aiops_lsp.llm.failures import Called, broken_off, not_an_answer


class Stop(Enum):
    """Why an answer ended, as far as the provider says so."""

    COMPLETE = auto()
    TRUNCATED = auto()
    REFUSED = auto()
    FAILED = auto()
    OTHER = auto()


@dataclass(slots=True)
class Outcome:
    """What is known of an answer so far. `usage` is final once `stop` is set."""

    events: int = 0
    has_text: bool = False
    refused: bool = False
    stop: Stop | None = None
    usage: Usage | None = None
    request_id: str | None = None

    @property
    def bill(self) -> Usage | None:
        """What was billed, if the provider has said all of it."""
        return self.usage if self.stop is not None else None

    def failure(self, called: Called) -> ModelError | None:
        """Why this is no complete answer; None when it is one."""
        failure = self._failure(called)
        if failure is not None:
            failure.request_id = failure.request_id or self.request_id
        return failure

    def _failure(self, called: Called) -> ModelError | None:
        if self.stop is None:
            return broken_off(called) if self.events else not_an_answer(called)
        if self.refused or self.stop is Stop.REFUSED:
            return Refused(f"{called} declined to review this code")
        if self.stop is Stop.TRUNCATED:
            return Truncated(f"the answer of {called} ran into its bound on output tokens")
        if self.stop is Stop.FAILED:
            return Overloaded(f"{called} failed while it was answering")
        if self.stop is Stop.OTHER:
            return InvalidAnswer(f"{called} stopped for a reason that gives no complete answer")
        return None if self.has_text else InvalidAnswer(f"{called} answered nothing at all")


def dig(value: object, *path: str | int) -> object:
    """What is at `path` in nested objects, mappings and lists; None where the path ends early."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            value = getattr(value, step, None)
        if value is None:
            return None
    return value


def read_chat(event: object, outcome: Outcome) -> str:
    """Read a chunk of `chat/completions`, or a whole completion; returns its text."""
    outcome.events += dig(event, "choices") is not None
    if (usage := chat_usage(dig(event, "usage"))) is not None:
        outcome.usage = usage
    choice = dig(event, "choices", 0)
    reason = dig(choice, "finish_reason")
    if isinstance(reason, str):
        outcome.stop = _CHAT_STOPS.get(reason, Stop.OTHER)
    message = dig(choice, "delta") or dig(choice, "message")
    outcome.refused |= bool(dig(message, "refusal"))
    return _text(dig(message, "content"))


def read_responses_event(event: object, outcome: Outcome) -> str:
    """Read an event of a streamed `responses` answer; returns its text."""
    kind = dig(event, "type")
    outcome.events += isinstance(kind, str)
    if kind == "response.output_text.delta":
        return _text(dig(event, "delta"))
    if kind == "response.refusal.delta":
        outcome.refused = True
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        read_response(dig(event, "response"), outcome)
    elif kind == "error":
        outcome.stop = Stop.FAILED
    return ""


def read_response(response: object, outcome: Outcome) -> str:
    """Read a whole `responses` answer; returns its text."""
    status = dig(response, "status")
    outcome.events += isinstance(status, str)
    if (usage := responses_usage(dig(response, "usage"))) is not None:
        outcome.usage = usage
    if status == "incomplete":
        cause = dig(response, "incomplete_details", "reason")
        outcome.stop = Stop.REFUSED if cause == "content_filter" else Stop.TRUNCATED
    elif isinstance(status, str):
        outcome.stop = Stop.COMPLETE if status == "completed" else Stop.FAILED
    parts = []
    for item in _items(dig(response, "output")):
        for content in _items(dig(item, "content")):
            outcome.refused |= dig(content, "type") == "refusal"
            parts.append(_text(dig(content, "text")))
    return "".join(parts)


def read_messages_event(event: object, outcome: Outcome) -> str:
    """Read an event of a streamed `messages` answer; returns its text."""
    kind = dig(event, "type")
    outcome.events += isinstance(kind, str)
    if kind == "content_block_delta" and dig(event, "delta", "type") == "text_delta":
        return _text(dig(event, "delta", "text"))
    if kind == "message_start":
        outcome.usage = messages_usage(dig(event, "message", "usage"), None)
    elif kind == "message_delta":
        outcome.usage = messages_usage(dig(event, "usage"), outcome.usage)
        _stop_message(dig(event, "delta", "stop_reason"), outcome)
    return ""


def read_message(message: object, outcome: Outcome) -> str:
    """Read a whole `messages` answer; returns its text."""
    outcome.events += dig(message, "type") == "message"
    outcome.usage = messages_usage(dig(message, "usage"), None)
    _stop_message(dig(message, "stop_reason"), outcome)
    parts = _items(dig(message, "content"))
    return "".join(_text(dig(part, "text")) for part in parts if dig(part, "type") == "text")


def chat_usage(usage: object) -> Usage | None:
    """The usage of `chat/completions`, whose prompt tokens include the cached ones."""
    return _usage(
        dig(usage, "prompt_tokens"),
        dig(usage, "completion_tokens"),
        dig(usage, "prompt_tokens_details", "cached_tokens"),
        dig(usage, "prompt_tokens_details", "cache_write_tokens"),
    )


def responses_usage(usage: object) -> Usage | None:
    """The usage of `responses`, whose input tokens include the cached ones."""
    return _usage(
        dig(usage, "input_tokens"),
        dig(usage, "output_tokens"),
        dig(usage, "input_tokens_details", "cached_tokens"),
        dig(usage, "input_tokens_details", "cache_write_tokens"),
    )


def messages_usage(usage: object, before: Usage | None) -> Usage | None:
    """The usage of `messages`, whose input tokens leave out the cached ones. What it does not say stays as `before`."""
    plain = dig(usage, "input_tokens")
    read, written = dig(usage, "cache_read_input_tokens"), dig(usage, "cache_creation_input_tokens")
    output = dig(usage, "output_tokens")
    if before is not None:
        plain = _count(plain, before.input_tokens - before.cache_read_tokens - before.cache_write_tokens)
        read, written = _count(read, before.cache_read_tokens), _count(written, before.cache_write_tokens)
        output = _count(output, before.output_tokens)
    whole = _count(plain) + _count(read) + _count(written) if isinstance(plain, int) else None
    return _usage(whole, output, read, written)


_CHAT_STOPS = {
    "stop": Stop.COMPLETE,
    "eos": Stop.COMPLETE,
    "end_turn": Stop.COMPLETE,
    "length": Stop.TRUNCATED,
    "max_tokens": Stop.TRUNCATED,
    "content_filter": Stop.REFUSED,
    "error": Stop.FAILED,
}
_MESSAGE_STOPS = {
    "end_turn": Stop.COMPLETE,
    "stop_sequence": Stop.COMPLETE,
    "max_tokens": Stop.TRUNCATED,
    "model_context_window_exceeded": Stop.TRUNCATED,
    "refusal": Stop.REFUSED,
}


def _stop_message(reason: object, outcome: Outcome) -> None:
    if isinstance(reason, str):
        outcome.stop = _MESSAGE_STOPS.get(reason, Stop.OTHER)


def _usage(given: object, taken: object, read: object, written: object) -> Usage | None:
    """A usage that adds up, or None: then the whole reservation counts as spent, which is the safe side."""
    if not _is_count(given) or not _is_count(taken):
        return None
    whole = _count(given)
    cached = min(_count(read), whole)
    return Usage(whole, _count(taken), cached, min(_count(written), whole - cached))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12


def _count(value: object, default: int = 0) -> int:
    return value if isinstance(value, int) and _is_count(value) else default


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(_text(dig(part, "text")) for part in value)
    return value if isinstance(value, str) else ""
