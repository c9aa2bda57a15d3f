"""The user configuration that lets a server ask the scripted provider, with the rates lifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.provider import Provider


def configuration(
    provider: Provider,
    *,
    debounce_ms: int = 600,
    settle_ms: int = 2000,
    concurrent_requests: int = 8,
    tokens_per_request: int = 4000,
    ruff: str = "off",
) -> str:
    """The text of the user's file."""
    return f"""\
[models]
simple = "test:small"
medium = "test:middle"
complex = "test:large"
[providers.test]
base_url = "{provider.base_url}"
[review]
scope = "file"
second_opinion = "off"
language = "en"
debounce_ms = {debounce_ms}
settle_ms = {settle_ms}
[limits]
reviews_per_document_per_minute = 600
requests_per_minute = 10000
concurrent_requests = {concurrent_requests}
[budget]
max_tokens_per_request = {tokens_per_request}
daily_token_budget = 1000000000000
[rules]
ruff = "{ruff}"
"""
