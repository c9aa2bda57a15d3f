"""What is read from real git repositories, and that nothing of them is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.text import split_lines
from aiops_lsp.engine import git
from aiops_lsp.engine.git import ChangedLines, RevisionError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

OLD = "one\ntwo\nthree\n"
NEW = "one\nTWO\nthree\nfour\n"
NEW_RANGES = ((1, 2), (3, 4))


def run(folder: Path, *arguments: str) -> str:
    """Run git as the repository's owner does."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes]) -> str:
    """Write and commit files; the commit's id."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "-m", "x")
    return run(folder, "rev-parse", "HEAD")


async def changed(path: Path, text: str, revision: str = "HEAD") -> ChangedLines | None:
    """The changed lines of a text."""
    return await git.changed_lines(path, split_lines(text), revision)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A work tree with one commit."""
    root = tmp_path / "work tree"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    commit(root, {"src/app.py": OLD, "other.py": OLD})
    return root


async def test_the_lines_that_differ_from_head(repository: Path) -> None:
    path = repository / "src" / "app.py"
    assert await changed(path, OLD) == ChangedLines(all=False)
    assert await changed(path, NEW) == ChangedLines(all=False, ranges=NEW_RANGES)
    assert await changed(path, OLD.replace("\n", "\r\n")) == ChangedLines(all=False)
    commit(repository, {"bom.py": "\ufeff" + OLD})
    assert await changed(repository / "bom.py", OLD) == ChangedLines(all=False)


async def test_a_commit_moves_head(repository: Path) -> None:
    path = repository / "src" / "app.py"
    first = run(repository, "rev-parse", "HEAD")
    assert await changed(path, NEW) == ChangedLines(all=False, ranges=NEW_RANGES)
    commit(repository, {"src/app.py": NEW})
    assert await changed(path, NEW) == ChangedLines(all=False)
    assert await changed(path, NEW, first) == ChangedLines(all=False, ranges=NEW_RANGES)
    run(repository, "checkout", "-q", first)
    assert await changed(path, NEW) == ChangedLines(all=False, ranges=NEW_RANGES)


async def test_an_untracked_file_is_all_new(repository: Path) -> None:
    for name in ("new.py", "folder/that/is/not/there/new.py", "src"):
        assert await changed(repository / name, NEW) == ChangedLines(all=True)
    run(repository, "add", "-N", ".")
    assert await changed(repository / "new.py", NEW) == ChangedLines(all=True)


async def test_without_a_commit_everything_is_new(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    assert await changed(tmp_path / "a.py", NEW) == ChangedLines(all=True)


async def test_outside_of_a_work_tree_there_is_nothing_to_compare_with(repository: Path, tmp_path: Path) -> None:
    assert await changed(tmp_path / "a.py", NEW) is None
    assert await changed(repository / ".git" / "config", NEW) is None
    assert await git.diff_against_head(tmp_path / "a.py", [NEW]) is None
    bare = tmp_path / "bare"
    run(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    assert await changed(bare / "a.py", NEW) is None


async def test_without_git_there_is_nothing_to_compare_with(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert await changed(repository / "other.py", NEW) is None
    with pytest.raises(RevisionError):
        await git.changed_files(repository)


ODD_NAMES = [
    "a b.py",
    "-n.py",
    "--help",
    ":x.py",
    "ü/ß.py",
    "*.py",
    "[a].py",
    "HEAD",
    "quo\"te'.py",
    "a:b.py",
    "$(id).py",
]


@pytest.mark.skipif(os.name != "posix", reason="such names are not possible there")
async def test_odd_names_are_only_names(repository: Path) -> None:
    names = [*ODD_NAMES, "line\nbreak.py", "tab\t.py"]
    commit(repository, dict.fromkeys(names, OLD))
    for name in names:
        assert await changed(repository / name, NEW) == ChangedLines(all=False, ranges=NEW_RANGES), name
        (repository / name).write_text(NEW)
    assert await git.changed_files(repository) == sorted(repository / name for name in names)


async def test_worktrees_and_submodules_have_heads_of_their_own(repository: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    run(repository, "worktree", "add", "-q", "-b", "side", str(tree))
    commit(tree, {"src/app.py": NEW})
    assert await changed(tree / "src" / "app.py", NEW) == ChangedLines(all=False)
    assert await changed(repository / "src" / "app.py", NEW) == ChangedLines(all=False, ranges=NEW_RANGES)
    outer = tmp_path / "outer"
    outer.mkdir()
    run(outer, "init", "-q")
    run(outer, "submodule", "--quiet", "add", str(repository), "inner")
    commit(outer, {"top.py": OLD})
    assert await changed(outer / "inner" / "src" / "app.py", NEW) == ChangedLines(all=False, ranges=NEW_RANGES)
    assert await git.changed_files(outer) == []


@pytest.mark.skipif(os.name != "posix", reason="links need a right there")
async def test_links_are_followed_to_where_the_file_is(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    (repository / "alias.py").symlink_to("other.py")
    for path in (tmp_path / "link" / "other.py", repository / "alias.py"):
        assert await changed(path, NEW) == ChangedLines(all=False, ranges=NEW_RANGES)


@pytest.mark.parametrize("content", [b"a\0b", b"x" * 5_000_000], ids=["binary", "huge"])
async def test_what_cannot_be_compared_is_all_new(repository: Path, content: bytes) -> None:
    commit(repository, {"data.py": content})
    assert await changed(repository / "data.py", NEW) == ChangedLines(all=True)


async def test_text_that_is_not_utf_8_is_compared_where_it_can_be(repository: Path) -> None:
    commit(repository, {"latin.py": b"caf\xe9\ntwo\n"})
    found = await changed(repository / "latin.py", "café\ntwo\n")
    assert found == ChangedLines(all=False, ranges=((0, 1),))


async def test_the_environment_of_whoever_started_us_names_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    assert await changed(repository / "other.py", NEW) == ChangedLines(all=False, ranges=NEW_RANGES)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_repository_that_git_does_not_trust_is_left_alone(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    assert await changed(repository / "other.py", NEW) is None


@pytest.mark.skipif(os.name != "posix", reason="the traps are shell scripts")
async def test_nothing_of_the_repository_is_run(repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{marker}'\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil merge=evil\n")
    commit(repository, {"late.py": OLD})
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "reference-transaction", "post-checkout", "pre-commit"):
        shutil.copy(trap, hooks / hook)
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.gitProxy", "core.askPass"),
        *("core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv"),
        *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "credential.helper", "gpg.program"),
    ):
        run(repository, "config", key, str(trap))
    run(repository, "config", "core.hooksPath", str(hooks))
    run(repository, "config", "alias.rev-parse", f"!{trap}")
    marker.unlink(missing_ok=True)
    path = repository / "late.py"
    path.write_text(NEW)
    os.utime(repository / "other.py")
    assert await changed(path, NEW) == ChangedLines(all=False, ranges=NEW_RANGES)
    assert await git.diff_against_head(path, split_lines(NEW))
    assert await git.changed_files(repository) == [path]
    assert not marker.exists(), marker.read_text()
    assert not list((repository / ".git").glob("*.lock"))
    run(repository, "diff")
    assert marker.exists(), "the traps themselves do not work"


@pytest.mark.skipif(os.name != "posix", reason="the slow git is a shell script")
async def test_a_git_that_hangs_is_given_up(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    started = tmp_path / "pid"
    (tools / "git").write_text(
        f"#!{sys.executable}\nimport os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    )
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setattr(git, "_TIMEOUT_SECONDS", 0.5)
    assert await changed(repository / "other.py", NEW) is None
    if started.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)


async def test_the_diff_against_head(repository: Path) -> None:
    assert await git.diff_against_head(repository / "other.py", split_lines(OLD)) == ""
    assert await git.diff_against_head(repository / "other.py", split_lines("one\nTWO\nthree\n")) == (
        "--- a/other.py\n+++ b/other.py\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
    )
    assert (
        await git.diff_against_head(repository / "new.py", ["a\n"]) == "--- a/new.py\n+++ b/new.py\n@@ -0,0 +1 @@\n+a\n"
    )


async def test_the_files_that_differ_from_a_revision(repository: Path) -> None:
    first = run(repository, "rev-parse", "HEAD")
    commit(repository, {"src/second.py": OLD, "crlf.py": OLD})
    (repository / ".gitignore").write_text("ignored.py\n")
    (repository / "ignored.py").write_text(NEW)
    (repository / "untracked.py").write_text(NEW)
    (repository / "crlf.py").write_bytes(OLD.replace("\n", "\r\n").encode())
    (repository / "src" / "app.py").write_text(NEW)
    (repository / "other.py").unlink()
    names = [".gitignore", "src/app.py", "untracked.py"]
    assert await git.changed_files(repository) == [repository / name for name in names]
    assert await git.changed_files(repository / "src") == [repository / "src" / "app.py"]
    run(repository, "add", "-A")
    assert await git.changed_files(repository) == [repository / name for name in names]
    since_first = [".gitignore", "crlf.py", "src/app.py", "src/second.py", "untracked.py"]
    for revision in (first, first[:8], "HEAD~1", "main^"):
        assert await git.changed_files(repository, revision) == [repository / name for name in since_first]
    assert await git.resolve_revision(repository, "HEAD~1") == first


@pytest.mark.parametrize(
    "revision", ["", "nowhere", "--help", "-n", "--output=x", "HEAD..main", "HEAD:other.py", "a\nb", "a\0b", "^HEAD"]
)
async def test_what_is_no_revision_is_refused_in_words(repository: Path, revision: str) -> None:
    with pytest.raises(RevisionError, match=r"is not a git revision|finds no commit"):
        await git.changed_files(repository, revision)
    assert not (repository / "x").exists()
