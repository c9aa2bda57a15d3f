"""From a provider's name and address to the client that speaks its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lsp.llm.hosts import base_url_of, host_of, insecure_reason, is_loopback, official_vendor

if TYPE_CHECKING:
    from aiops_lsp.llm.client import ModelClient

__all__ = ["base_url_of", "host_of", "is_loopback", "official_vendor", "open_client"]


def open_client(provider: str, base_url: str | None, key: str | None) -> ModelClient:
    """A client of `provider` at `base_url` (None: the vendor's own). A loopback server needs no `key`.

    Anthropic's API is spoken by the provider `anthropic` wherever it is, and to Anthropic's host; OpenAI's `responses`
    to OpenAI's host; `chat/completions` to all others. Returns at once: the SDK is imported off the event loop when
    the first request is made.

    Raises ValueError, in words, for a provider without a base URL, a remote one without a key, and an address that
    would carry code unencrypted over the internet.
    """
    address = base_url_of(provider, base_url)
    if address is None:
        raise ValueError(f'provider "{provider}" has no base_url; set it under [providers.{provider}]')
    if reason := insecure_reason(address):
        raise ValueError(f'provider "{provider}": {reason}')
    if key is None and not is_loopback(address):
        raise ValueError(f'provider "{provider}" at {host_of(address)} needs an API key')
    vendor = official_vendor(address)
    if vendor == "anthropic" or (provider == "anthropic" and vendor is None):
        from aiops_lsp.llm.anthropic import AnthropicClient  # noqa: PLC0415 - only the adapter that is used is loaded

        return AnthropicClient(provider=provider, base_url=address, key=key)
    from aiops_lsp.llm.openai import OpenAIClient, Style  # noqa: PLC0415 - as above

    style = Style.RESPONSES if vendor == "openai" else Style.CHAT
    return OpenAIClient(provider=provider, base_url=address, key=key, style=style)
