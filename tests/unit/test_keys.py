"""Where keys are found, and how it is said that there is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import keyring.errors
import pytest

from aiops_lsp.llm.keys import find_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Source:
    api_key_env: str | None = None
    api_key_file: str | None = None
    api_key_keyring: str | None = None


def test_a_variable() -> None:
    found = find_key("openai", Source(api_key_env="MY_KEY"), {"MY_KEY": " sk-1 \n"})
    assert (found.key, found.source, found.problem) == ("sk-1", "environment variable MY_KEY", "")
    assert "sk-1" not in repr(found)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is not set"),
        ("  ", "is not set"),
        ("sk 1", "nothing else"),
        ("sk\n1", "nothing else"),
        ("ключ", "nothing"),
    ],
)
def test_a_variable_without_a_key(value: str, says: str) -> None:
    found = find_key("openai", Source(api_key_env="MY_KEY"), {"MY_KEY": value})
    assert found.key is None
    assert says in found.problem
    assert "MY_KEY" in found.problem
    if value.strip():
        assert value not in found.problem


def test_no_source_at_all() -> None:
    found = find_key("openai", Source(), {"OPENAI_API_KEY": "sk-1"})
    assert found.key is None
    assert "[providers.openai]" in found.problem


@pytest.mark.parametrize(
    ("content", "key", "says"),
    [
        (b"sk-1\n", "sk-1", ""),
        (b"\xef\xbb\xbfsk-1\r\n", "sk-1", ""),
        (b"", None, "is empty"),
        (b"sk-1\nsk-2\n", None, "nothing else"),
        (b"\xff\xfe\x00", None, "not a text file"),
        (b"x" * 20_000, None, "nothing else"),
    ],
)
def test_a_file(tmp_path: Path, content: bytes, key: str | None, says: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    found = find_key("openai", Source(api_key_file=str(path)), {})
    assert (found.key, found.warning) == (key, "")
    assert says in found.problem
    assert str(path) in found.source


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = find_key("openai", Source(api_key_file=str(tmp_path / "none")), {})
    assert found.key is None
    assert "cannot be read" in found.problem


def test_a_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "key").write_text("sk-1")
    assert find_key("openai", Source(api_key_file="~/key"), {}).key == "sk-1"


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such permissions")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_warned_about(tmp_path: Path, mode: int, warned: bool) -> None:
    path = tmp_path / "key"
    path.write_text("sk-1")
    path.chmod(mode)
    found = find_key("openai", Source(api_key_file=str(path)), {})
    assert found.key == "sk-1"
    assert ("chmod 600" in found.warning) == warned


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring with one entry, which may be locked."""

    priority = 1
    locked = False

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.PasswordSetError

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("sk-1")
        return "sk-1" if (service, username) == ("aiops", "openai") else None


@pytest.fixture
def backend() -> Iterator[FakeKeyring]:
    before = keyring.get_keyring()
    fake = FakeKeyring()  # type: ignore[no-untyped-call] # keyring has no types here
    keyring.set_keyring(fake)
    try:
        yield fake
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("entry", "locked", "key", "says"),
    [
        ("aiops/openai", False, "sk-1", ""),
        ("aiops/other", False, None, "keyring set aiops other"),
        ("aiops/openai", True, None, "unlock"),
    ],
)
def test_a_keyring(backend: FakeKeyring, entry: str, locked: bool, key: str | None, says: str) -> None:
    backend.locked = locked
    found = find_key("openai", Source(api_key_keyring=entry), {})
    assert found.key == key
    assert says in found.problem
    assert "sk-1" not in found.problem
