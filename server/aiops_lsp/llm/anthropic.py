"""Anthropic's `messages`, on the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aiops_lsp.llm.client import Effort, ModelRequest
from aiops_lsp.llm.sdk import Concession, SdkClient, reticent
from aiops_lsp.llm.wire import read_message, read_messages_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from aiops_lsp.llm.wire import Outcome

WORTH_CACHING_BYTES = 4096
"""A beginning shorter than about 1,024 tokens is never cached, and a mark on it would only cost."""

_CONCESSIONS = (
    Concession.of("effort", r"\beffort\b"),
    Concession.of("thinking", r"thinking"),
    Concession.of("json_schema", r"output_config|output_format|json_schema|structured output"),
    Concession.of("cache_control", r"cache_control"),
)
_EFFORTS = {Effort.MINIMAL: "low", Effort.MEDIUM: "medium", Effort.HIGH: "high"}
_CANNED = "".join(
    f'event: {kind}\ndata: {{"type": "{kind}", {rest}}}\n\n'
    for kind, rest in (
        ("message_start", '"message": {"type": "message", "role": "assistant", "content": [], "usage": {}}'),
        ("content_block_start", '"index": 0, "content_block": {"type": "text", "text": ""}'),
        ("content_block_delta", '"index": 0, "delta": {"type": "text_delta", "text": "x"}'),
        ("message_delta", '"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}'),
    )
)


class AnthropicClient(SdkClient):
    """A `ModelClient` for Anthropic's host and for servers that speak its API. `key` None is for a loopback server."""

    module: ClassVar[str] = "anthropic"

    def _open(self, sdk: ModuleType, options: dict[str, Any]) -> Any:
        quiet = {"propagation": False, "traces": {"content_mode": "metadata_only"}}
        return reticent(sdk.AsyncAnthropic)(**options, open_telemetry=quiet)

    def _concessions(self) -> Sequence[Concession]:
        return _CONCESSIONS

    def _body(self, request: ModelRequest, conceded: frozenset[str]) -> dict[str, Any]:
        system: dict[str, Any] = {"type": "text", "text": request.system}
        if len(request.system.encode()) >= WORTH_CACHING_BYTES and "cache_control" not in conceded:
            system["cache_control"] = {"type": "ephemeral"}
        output: dict[str, Any] = {}
        if "json_schema" not in conceded:
            output["format"] = {"type": "json_schema", "schema": dict(request.schema)}
            if "effort" not in conceded:
                output["effort"] = _EFFORTS[request.effort]
        body: dict[str, Any] = {
            "model": request.model,
            "system": [system],
            "messages": [{"role": "user", "content": request.user}],
            "max_tokens": request.max_output_tokens,
            "stream": request.stream,
        }
        if output:
            body["output_config"] = output
        if "thinking" not in conceded:
            body["thinking"] = {"type": "disabled" if request.effort is Effort.MINIMAL else "adaptive"}
        return body

    @property
    def canned(self) -> str:
        """See `SdkClient`."""
        return _CANNED

    @property
    def _path(self) -> str:
        return "/v1/messages"

    def _read_event(self, event: object, outcome: Outcome) -> str:
        return read_messages_event(event, outcome)

    def _read_document(self, document: object, outcome: Outcome) -> str:
        return read_message(document, outcome)
