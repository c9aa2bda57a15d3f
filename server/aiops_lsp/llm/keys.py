"""Finds a provider's API key: in an environment variable, in a file, or in the system's keyring.

Keys come from nowhere else, and leave this module only inside a `FoundKey`, which does not show them.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_MAX_FILE_BYTES = 16 * 1024
_KEY = re.compile(r"[\x21-\x7e]{1,8192}")
"""What can stand in an HTTP header without surprises: printable ASCII, no blanks."""


class KeySource(Protocol):
    """Where a provider's settings say that its key is; at most one is set."""

    @property
    def api_key_env(self) -> str | None:
        """The name of an environment variable."""

    @property
    def api_key_file(self) -> str | None:
        """The path of a file that holds the key alone."""

    @property
    def api_key_keyring(self) -> str | None:
        """A keyring entry, as `service/name`."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """The outcome of a search. Without a `key`, `problem` says in words why and what to do.

    `source` names the place, as in `environment variable OPENAI_API_KEY`; empty when the settings name none.
    `warning` is about a key that was found all the same.
    """

    key: str | None = field(repr=False)
    source: str = ""
    problem: str = ""
    warning: str = ""


def find_key(provider_name: str, provider: KeySource, environ: Mapping[str, str]) -> FoundKey:
    """Look up the key of a provider. Blocks on files and keyrings: not for the event loop."""
    if provider.api_key_env:
        return _from_environment(provider.api_key_env, environ)
    if provider.api_key_file:
        return _from_file(Path(provider.api_key_file).expanduser())
    if provider.api_key_keyring:
        return _from_keyring(provider.api_key_keyring)
    return FoundKey(
        None,
        problem=f'no API key for provider "{provider_name}": set api_key_env, api_key_file or api_key_keyring under '
        f"[providers.{provider_name}] in the user configuration file",
    )


def _from_environment(variable: str, environ: Mapping[str, str]) -> FoundKey:
    source = f"environment variable {variable}"
    value = environ.get(variable, "").strip()
    if not value:
        return FoundKey(None, source, f"{source} is not set; put the API key into it and restart the editor")
    return _checked(value, source)


def _from_file(path: Path) -> FoundKey:
    source = f"file {path}"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_FILE_BYTES + 1)
        value = content.decode("utf-8-sig").strip()
    except OSError as error:
        return FoundKey(None, source, f"the key {source} cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        return FoundKey(None, source, f"the key {source} is not a text file")
    if not value:
        return FoundKey(None, source, f"the key {source} is empty")
    warning = ""
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        warning = f"the key {source} can be read by other users of this machine; run: chmod 600 {path}"
    return _checked(value, source, warning)


def _from_keyring(entry: str) -> FoundKey:
    source = f"keyring entry {entry}"
    service, _, name = entry.partition("/")
    import keyring  # noqa: PLC0415 - it starts D-Bus and plugins: only for those who use it
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    try:
        value = keyring.get_password(service, name)
    except (KeyringError, RuntimeError, OSError) as error:  # backends raise all three
        logger.warning("the keyring failed: %s", type(error).__name__)
        return FoundKey(None, source, f"the system's keyring cannot be used ({type(error).__name__}); unlock it")
    if not value:
        return FoundKey(None, source, f"the {source} does not exist; run: keyring set {service} {name}")
    return _checked(value.strip(), source)


def _checked(value: str, source: str, warning: str = "") -> FoundKey:
    if not _KEY.fullmatch(value):
        return FoundKey(None, source, f"{source} does not hold an API key and nothing else (one line, no blanks)")
    return FoundKey(value, source, warning=warning)
