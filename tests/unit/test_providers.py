"""From provider names and addresses to clients, hosts and refusals."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aiops_lsp.llm.anthropic import AnthropicClient
from aiops_lsp.llm.openai import OpenAIClient, Style
from aiops_lsp.llm.providers import base_url_of, host_of, is_loopback, official_vendor, open_client


@pytest.mark.parametrize(
    ("url", "host", "loopback", "vendor"),
    [
        ("https://api.openai.com/v1", "api.openai.com", False, "openai"),
        ("https://EU.api.OpenAI.com./v1", "eu.api.openai.com", False, "openai"),
        ("https://api.anthropic.com", "api.anthropic.com", False, "anthropic"),
        ("https://api.openai.com.evil.example/v1", "api.openai.com.evil.example", False, None),
        ("https://notapi.openai.com.example", "notapi.openai.com.example", False, None),
        ("https://fakeapi.openai.com", "fakeapi.openai.com", False, None),
        ("https://api.openai.com@evil.example/v1", "evil.example", False, None),
        ("http://127.0.0.1:11434/v1", "127.0.0.1", True, None),
        ("http://127.9.9.9", "127.9.9.9", True, None),
        ("http://[::1]:8080/v1", "::1", True, None),
        ("http://localhost:1/v1", "localhost", True, None),
        ("http://llm.localhost/v1", "llm.localhost", True, None),
        ("http://localhost.evil.example", "localhost.evil.example", False, None),
        ("http://0.0.0.0:8000", "0.0.0.0", False, None),
        ("http://192.168.1.7:8000/v1", "192.168.1.7", False, None),
        ("", "", False, None),
    ],
)
def test_what_an_address_says(url: str, host: str, loopback: bool, vendor: str | None) -> None:
    assert (host_of(url), is_loopback(url), official_vendor(url)) == (host, loopback, vendor)


@pytest.mark.parametrize(
    ("provider", "base_url", "kind", "style"),
    [
        ("openai", None, OpenAIClient, Style.RESPONSES),
        ("openai", "https://us.api.openai.com/v1", OpenAIClient, Style.RESPONSES),
        ("openai", "https://gateway.example/v1", OpenAIClient, Style.CHAT),
        ("openai", "http://127.0.0.1:11434/v1", OpenAIClient, Style.CHAT),
        ("groq", "https://api.groq.com/openai/v1", OpenAIClient, Style.CHAT),
        ("other", "https://api.openai.com/v1", OpenAIClient, Style.RESPONSES),
        ("anthropic", None, AnthropicClient, None),
        ("anthropic", "https://gateway.example", AnthropicClient, None),
        ("anthropic", "http://192.168.1.7:8000", AnthropicClient, None),
        ("other", "https://api.anthropic.com", AnthropicClient, None),
    ],
)
def test_which_client_speaks_to_whom(
    provider: str, base_url: str | None, kind: type[object], style: Style | None
) -> None:
    client = open_client(provider, base_url, "sk-1")
    assert type(client) is kind
    assert getattr(client, "style", None) == style
    assert "sk-1" not in repr(client)


@pytest.mark.parametrize(
    ("provider", "base_url", "key", "says"),
    [
        ("ollama", None, "k", "no base_url"),
        ("openai", None, None, "needs an API key"),
        ("openai", "https://gateway.example/v1", None, "needs an API key"),
        ("openai", "http://api.openai.com/v1", "k", "use https"),
        ("openai", "http://8.8.8.8/v1", "k", "use https"),
        ("openai", "ftp://gateway.example", "k", "no http or https"),
        ("openai", "gateway.example/v1", "k", "no http or https"),
    ],
)
def test_what_is_refused(provider: str, base_url: str | None, key: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        open_client(provider, base_url, key)


def test_the_address_of_a_provider() -> None:
    assert base_url_of("openai", None) == "https://api.openai.com/v1"
    assert base_url_of("openai", "http://x/v1") == "http://x/v1"
    assert base_url_of("ollama", None) is None


def test_opening_a_client_imports_no_sdk() -> None:
    program = (
        "import sys\n"
        "from aiops_lsp.llm.providers import open_client\n"
        "from aiops_lsp.llm import keys, tokens, failures, transport\n"
        "open_client('openai', None, 'k'); open_client('anthropic', None, 'k')\n"
        "slow = {'openai', 'anthropic', 'httpx2', 'pydantic', 'keyring', 'genai_prices', 'jiter'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
