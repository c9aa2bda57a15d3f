"""What the user decided is kept, shared and revocable; what cannot be read allows nothing."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.store.decisions import DECISIONS_FILE, AllowedHost, Decisions, DecisionsUnavailable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def windows(tmp_path: Path) -> tuple[Decisions, Decisions]:
    return Decisions(tmp_path, lambda: 7.0), Decisions(tmp_path, lambda: 8.0)


@pytest.mark.parametrize(
    ("workspace", "asked_for", "expected"),
    [("/a", "/a", True), ("/a", "/b", False), ("/a", "/a/b", False), (None, "/a", True), (None, "", True)],
)
def test_a_host_is_allowed_for_a_workspace_or_everywhere(
    windows: tuple[Decisions, Decisions], workspace: str | None, asked_for: str, expected: bool
) -> None:
    one, other = windows
    assert not other.is_allowed("api.openai.com", asked_for)
    one.allow("API.OpenAI.com.", workspace)
    one.allow("api.openai.com", workspace)
    assert other.is_allowed("api.openai.com", asked_for) is expected
    assert not other.is_allowed("openai.com", asked_for)
    assert other.allowed_hosts() == [AllowedHost("api.openai.com", workspace, 7.0)]
    assert other.revoke("api.openai.com", workspace)
    assert not other.revoke("api.openai.com", workspace)
    assert not one.is_allowed("api.openai.com", asked_for)


@pytest.mark.parametrize(("host", "workspace"), [("", None), (" . ", "/a"), ("h", "")])
def test_nothing_is_allowed_by_an_empty_name(
    windows: tuple[Decisions, Decisions], host: str, workspace: str | None
) -> None:
    with pytest.raises(ValueError, match="by its name"):
        windows[0].allow(host, workspace)
    assert windows[1].allowed_hosts() == []


def test_dismissals_belong_to_a_workspace_and_can_be_taken_back(windows: tuple[Decisions, Decisions]) -> None:
    one, other = windows
    one.dismiss("/a", "id1", "off by one")
    one.dismiss("/b", "id2")
    one.dismiss("/\udce9", "id3", "\ud83d")
    assert other.dismissed("/a") == {"id1"}
    assert other.dismissed("/\udce9") == {"id3"}
    assert other.dismissed("/c") == frozenset()
    assert [(one.workspace, one.finding_id) for one in other.dismissals()][0:2] == [("/\\udce9", "id3"), ("/a", "id1")]
    assert other.undismiss("/a", "id1")
    assert not one.undismiss("/a", "id1")
    assert one.dismissed("/a") == frozenset()


def test_the_file_is_the_user_s_alone(tmp_path: Path, windows: tuple[Decisions, Decisions]) -> None:
    windows[0].allow("h")
    assert stat.S_IMODE((tmp_path / DECISIONS_FILE).stat().st_mode) == 0o600


def test_a_damaged_file_allows_nothing_and_says_so(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path, lambda: 7.0)
    decisions.allow("h")
    decisions.dismiss("/a", "id1")
    decisions.close()
    path = tmp_path / DECISIONS_FILE
    kept = path.read_bytes()
    path.write_bytes(b"garbage" * 1000)

    assert not decisions.is_allowed("h", "/a")
    assert decisions.dismissed("/a") == frozenset()
    assert decisions.allowed_hosts() == []
    assert decisions.problem is not None
    assert "damaged" in decisions.problem
    assert str(path) in decisions.problem
    with pytest.raises(DecisionsUnavailable, match="damaged"):
        decisions.allow("h")

    path.write_bytes(kept)
    assert decisions.is_allowed("h", "/a")
    assert decisions.problem is None


def test_a_deleted_file_is_made_anew(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path, lambda: 7.0)
    decisions.allow("h")
    for file in tmp_path.glob(f"{DECISIONS_FILE}*"):
        file.unlink()
    assert not decisions.is_allowed("h", "/a")
    decisions.allow("h")
    assert decisions.is_allowed("h", "/a")
