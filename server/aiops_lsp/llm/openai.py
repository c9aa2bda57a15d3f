"""OpenAI's `responses`, and the `chat/completions` that every compatible server speaks, on the official SDK."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from aiops_lsp.llm.client import Effort, ModelRequest
from aiops_lsp.llm.hosts import official_vendor
from aiops_lsp.llm.sdk import Concession, SdkClient, reticent
from aiops_lsp.llm.wire import read_chat, read_response, read_responses_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from aiops_lsp.llm.wire import Outcome


class Style(StrEnum):
    """Which of OpenAI's APIs a server is asked by."""

    RESPONSES = "responses"
    CHAT = "chat/completions"


_FORMAT_WORDS = (r"response_format", r"json_schema", r"json_object", r"guided|grammar|structured output")
_CHAT_CONCESSIONS = (
    Concession.of("include_usage", r"stream_options|include_usage"),
    Concession.of("max_tokens", r"max_completion_tokens"),
    Concession.of("json_schema", *_FORMAT_WORDS),
    Concession.of("json_object", *_FORMAT_WORDS),
)
_RESPONSES_CONCESSIONS = (
    Concession.of("effort none", r"effort|reasoning"),
    Concession.of("effort minimal", r"effort|reasoning"),
    Concession.of("reasoning", r"effort|reasoning"),
    Concession.of("prompt_cache_key", r"prompt_cache_key"),
    Concession.of("json_schema", r"text\.format", *_FORMAT_WORDS),
)
_CANNED = {
    Style.CHAT: 'data: {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}\n\n'
    "data: [DONE]\n\n",
    Style.RESPONSES: 'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": "x"}\n\n'
    'event: response.completed\ndata: {"type": "response.completed", "response": {"status": "completed", "output": '
    '[{"type": "message", "content": [{"type": "output_text", "text": "x"}]}], "usage": {"input_tokens": 1}}}\n\n',
}


class OpenAIClient(SdkClient):
    """A `ModelClient` for OpenAI's host and for compatible servers. `key` None is for a loopback server."""

    module: ClassVar[str] = "openai"

    def __init__(self, *, provider: str, base_url: str, key: str | None, style: Style | None = None) -> None:
        super().__init__(provider=provider, base_url=base_url, key=key)
        by_host = Style.RESPONSES if official_vendor(base_url) == "openai" else Style.CHAT
        self.style = style or by_host

    def _open(self, sdk: ModuleType, options: dict[str, Any]) -> Any:
        return reticent(sdk.AsyncOpenAI)(**options)

    def _concessions(self) -> Sequence[Concession]:
        return _RESPONSES_CONCESSIONS if self.style is Style.RESPONSES else _CHAT_CONCESSIONS

    def _body(self, request: ModelRequest, conceded: frozenset[str]) -> dict[str, Any]:
        make = _responses_body if self.style is Style.RESPONSES else _chat_body
        return make(request, conceded)

    @property
    def canned(self) -> str:
        """See `SdkClient`."""
        return _CANNED[self.style]

    @property
    def _path(self) -> str:
        return "/responses" if self.style is Style.RESPONSES else "/chat/completions"

    def _read_event(self, event: object, outcome: Outcome) -> str:
        read = read_responses_event if self.style is Style.RESPONSES else read_chat
        return read(event, outcome)

    def _read_document(self, document: object, outcome: Outcome) -> str:
        read = read_response if self.style is Style.RESPONSES else read_chat
        return read(document, outcome)


def _responses_body(request: ModelRequest, conceded: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "instructions": request.system,
        "input": request.user,
        "max_output_tokens": request.max_output_tokens,
        "store": False,
        "stream": request.stream,
    }
    if "reasoning" not in conceded:
        body["reasoning"] = {"effort": _effort(request.effort, conceded)}
    if "prompt_cache_key" not in conceded:
        body["prompt_cache_key"] = request.cache_key
    if "json_schema" not in conceded:
        schema = {"type": "json_schema", "name": request.schema_name, "strict": True, "schema": dict(request.schema)}
        body["text"] = {"format": schema}
    return body


def _effort(effort: Effort, conceded: frozenset[str]) -> str:
    """The least effort that the model takes: newer ones take "none", older ones "minimal", some neither."""
    if effort is not Effort.MINIMAL:
        return effort.value
    if "effort minimal" in conceded:
        return "low"
    return "minimal" if "effort none" in conceded else "none"


def _chat_body(request: ModelRequest, conceded: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
        "stream": request.stream,
    }
    bound = "max_completion_tokens" if "max_tokens" in conceded else "max_tokens"
    body[bound] = request.max_output_tokens
    if request.stream and "include_usage" not in conceded:
        body["stream_options"] = {"include_usage": True}
    if "json_schema" not in conceded:
        schema = {"name": request.schema_name, "strict": True, "schema": dict(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif "json_object" not in conceded:
        body["response_format"] = {"type": "json_object"}
    return body
