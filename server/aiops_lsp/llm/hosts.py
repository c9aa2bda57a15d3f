"""What a base URL says about where source code would go."""

from __future__ import annotations

from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

OFFICIAL_BASE_URLS: Mapping[str, str] = MappingProxyType(
    {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
)
"""The vendors' own addresses, by provider name."""

_OFFICIAL_HOSTS = {"openai": "api.openai.com", "anthropic": "api.anthropic.com"}


def base_url_of(provider: str, configured: str | None) -> str | None:
    """The base URL that `provider` is asked at: the configured one, else its vendor's. None when there is neither."""
    return configured or OFFICIAL_BASE_URLS.get(provider)


def host_of(base_url: str) -> str:
    """The host name or address in `base_url`, in lower case, without port and brackets. Empty when there is none."""
    return (urlsplit(base_url).hostname or "").rstrip(".")


def is_loopback(base_url: str) -> bool:
    """Whether what is sent there stays on this machine."""
    host = host_of(base_url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def official_vendor(base_url: str) -> str | None:
    """The vendor whose own API `base_url` is (its regional hosts included), as a provider name; None for others."""
    host = host_of(base_url)
    for vendor, official in _OFFICIAL_HOSTS.items():
        if host == official or host.endswith(f".{official}"):
            return vendor
    return None


def insecure_reason(base_url: str) -> str:
    """Why `base_url` must not be used, in words; empty when it may be.

    Code and keys cross a network only encrypted. Plain http is for this machine and for private networks, where
    local model servers live.
    """
    url = urlsplit(base_url)
    host = host_of(base_url)
    if url.scheme == "https" or (url.scheme == "http" and _is_private(base_url, host)):
        return ""
    if url.scheme == "http":
        return f"base_url {base_url} would send code and key over the internet unencrypted; use https"
    return f"base_url {base_url} is no http or https address"


def _is_private(base_url: str, host: str) -> bool:
    if is_loopback(base_url):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))
    return address.is_private or address.is_link_local
