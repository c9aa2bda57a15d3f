"""The configuration files and the folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_lsp.settings import cache_dir, read_repository_file, read_user_file, state_dir


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a = 1\n[review]\ntrigger = \n", "is not valid TOML: Invalid value (at line 3"),
        (b"# caf\xe9\n", "is not UTF-8 (line 1)"),
        (b"\n\n\xff", "is not UTF-8 (line 3)"),
        (b"#" * 1_000_001, "is larger than 1,000,000 bytes"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
    ],
    ids=["syntax", "latin-1", "bytes", "large", "deep"],
)
def test_a_file_that_cannot_be_parsed_is_told_with_its_path(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    read = read_user_file(path)
    assert read.values is None
    assert [p.where for p in read.problems] == [str(path)]
    assert problem in read.problems[0].what


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[review]\r\nenabled = false\r\n")
    assert read_user_file(path).values == {"review": {"enabled": False}}


def test_no_file_and_a_folder_in_its_place_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    for path in (tmp_path / "none.toml", tmp_path / "config.toml"):
        read = read_user_file(path)
        assert (read.values, read.problems) == (None, ())


OWN, PROJECT = "[review]\nscope = 'changed'\n", "[project]\nname = 'x'\n[tool.aiops.review]\nenabled = false\n"


@pytest.mark.parametrize(
    ("files", "name", "values", "problems"),
    [
        ({}, "pyproject.toml", None, 0),
        ({"aiops.toml": OWN}, "aiops.toml", {"review": {"scope": "changed"}}, 0),
        ({"pyproject.toml": PROJECT}, "pyproject.toml", {"review": {"enabled": False}}, 0),
        ({"aiops.toml": OWN, "pyproject.toml": PROJECT}, "aiops.toml", {"review": {"scope": "changed"}}, 1),
        ({"aiops.toml": OWN, "pyproject.toml": "[project]"}, "aiops.toml", {"review": {"scope": "changed"}}, 0),
        ({"aiops.toml": "["}, "aiops.toml", None, 1),
        ({"pyproject.toml": "[tool]\naiops = 3"}, "pyproject.toml", None, 1),
    ],
)
def test_the_repository_has_one_file(
    tmp_path: Path, files: dict[str, str], name: str, values: dict[str, object] | None, problems: int
) -> None:
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    read = read_repository_file(tmp_path)
    assert (read.path.name, read.values, len(read.problems)) == (name, values, problems)


def test_a_link_to_outside_the_repository_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("[review]\nenabled = false\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "aiops.toml").symlink_to(tmp_path / "secret.toml")
    read = read_repository_file(root)
    assert read.values is None
    assert "outside the repository" in read.problems[0].what


@pytest.mark.parametrize(("text", "problems"), [("[tool.aiops\n", 1), ("[tool.ruff\n", 0)])
def test_a_broken_pyproject_is_reported_if_it_is_about_us(tmp_path: Path, text: str, problems: int) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    read = read_repository_file(tmp_path)
    assert (read.values, len(read.problems)) == (None, problems)


def test_the_folders_can_be_overridden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", "  ")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert state_dir() == tmp_path / "state"
    assert cache_dir().name == "aiops-lsp"
    monkeypatch.setenv("AIOPS_STATE_DIR", "relative")
    assert state_dir() == Path.cwd() / "relative"
