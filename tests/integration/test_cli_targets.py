"""Which files a review is about: folders, names, ignore files, and what git says has changed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.cli.targets import find_targets, is_revision, only_changed
from tests.support.homes import private_home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return private_home(tmp_path, monkeypatch)


def _write(work: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _git(work: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=work, check=True, capture_output=True)


def _committed(work: Path, files: dict[str, str]) -> None:
    _write(work, files)
    _git(work, "init", "-q")
    _git(work, "add", ".")
    _git(work, "commit", "-qm", "first")


def _shown(paths: list[str]) -> list[tuple[str, str, bool]]:
    found = find_targets(paths, ProjectSettings())
    return [(target.shown, target.language, target.named) for target in found.files]


def test_a_folder_stands_for_what_has_a_language_and_is_not_ignored(work: Path) -> None:
    _write(
        work,
        {
            "a.py": "",
            "b/c.ts": "",
            "b/script": "#!/usr/bin/env python3\n",
            "b/data": "no language",
            ".env": "KEY=1",
            "logo.png": "",
            "node_modules/x.js": "",
            "made/out.py": "",
            "own.py": "",
            ".gitignore": "made/\n",
            "aiops.toml": '[review]\nignore = ["own.py"]\n',
        },
    )
    assert _shown([]) == [
        (".env", "plaintext", False),
        ("a.py", "python", False),
        ("aiops.toml", "toml", False),
        ("b/c.ts", "typescript", False),
        ("b/script", "python", False),
    ]


def test_what_is_named_is_taken_also_when_it_is_ignored_and_only_once(work: Path) -> None:
    _write(work, {"a.py": "", "made/out.py": "", ".gitignore": "made/\n", "notes": ""})
    assert _shown(["a.py", ".", "./a.py", "made/out.py", "notes"]) == [
        ("a.py", "python", True),
        ("made/out.py", "python", True),
        ("notes", "plaintext", True),
    ]
    assert _shown(["made"]) == [("made/out.py", "python", False)]


def test_a_path_outside_the_current_folder_is_shown_in_full(work: Path) -> None:
    _write(work.parent, {"other/x.py": ""})
    assert [shown for shown, _, _ in _shown([str(work / ".." / "other")])] == [(work.parent / "other/x.py").as_posix()]


@pytest.mark.skipif(os.name != "posix", reason="there are no named pipes")
def test_what_is_no_file_is_told_and_not_opened(work: Path) -> None:
    os.mkfifo(work / "pipe.py")
    found = find_targets(["pipe.py"], ProjectSettings())
    assert not found.files
    assert [(one.path, one.reason) for one in found.unread] == [("pipe.py", "is not a regular file")]
    assert not find_targets(["."], ProjectSettings()).files


def test_a_path_that_does_not_exist_is_refused(work: Path) -> None:
    with pytest.raises(CouldNotRun, match=r"there is no file or folder nowhere\.py"):
        find_targets(["nowhere.py"], ProjectSettings())


async def test_only_what_differs_from_a_revision_with_the_lines_that_do(work: Path) -> None:
    _committed(work, {"same.py": "x\n", "grown.py": "a\nb\nc\n", "shrunk.py": "a\n\nb\n\nc\n", "gone.py": "x\n"})
    _write(work, {"grown.py": "a\nB\nc\nd\n", "shrunk.py": "a\n\nc\n", "new.py": "n\n"})
    (work / "gone.py").unlink()
    changed = await only_changed(find_targets([], ProjectSettings()), "HEAD")
    assert [target.shown for target in changed.files] == ["grown.py", "new.py", "shrunk.py"]
    by_name = {target.shown: target.changed for target in changed.files}
    assert by_name["grown.py"] == ((1, 2), (3, 4))
    assert by_name["new.py"] == ((0, 2),)
    assert by_name["shrunk.py"] is not None
    assert len(by_name["shrunk.py"]) == 1


async def test_an_earlier_revision_can_be_named(work: Path) -> None:
    _committed(work, {"a.py": "1\n", "b.py": "1\n"})
    _write(work, {"a.py": "2\n"})
    _git(work, "commit", "-qam", "second")
    targets = find_targets([], ProjectSettings())
    assert not (await only_changed(targets, "HEAD")).files
    assert [target.shown for target in (await only_changed(targets, "HEAD~1")).files] == ["a.py"]
    assert await is_revision("HEAD~1")
    assert not await is_revision("b.py")


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=/tmp/x", ""])
async def test_a_revision_that_git_does_not_know_is_refused(work: Path, revision: str) -> None:
    _committed(work, {"a.py": "1\n"})
    with pytest.raises(CouldNotRun, match=r"revision|commit"):
        await only_changed(find_targets([], ProjectSettings()), revision)


async def test_without_a_work_tree_there_is_nothing_to_compare_with(work: Path) -> None:
    _write(work, {"a.py": "1\n"})
    with pytest.raises(CouldNotRun, match="HEAD"):
        await only_changed(find_targets([], ProjectSettings()), "HEAD")
