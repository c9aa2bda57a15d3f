"""Files on disk: ignore files, walks, and reading."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_lsp.engine.workspace import (
    LARGEST_FILE_BYTES,
    UnreadableFile,
    collect,
    find_root,
    ignored_by,
    read_text,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs links, modes or pipes as POSIX has them")


def write(root: Path, files: dict[str, str]) -> None:
    """Write files, with their folders."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")


IGNORE_FILES = {
    ".gitignore": "# a comment\n\n*.log\nbuild/\n/only_top.py\n!keep.log\ngen_*.py\ntrailing\\ \n",
    "src/.gitignore": "!gen_kept.py\r\nlocal.py\r\n",
    "src/.aiopsignore": "secret/\n!local.py\n",
    "src/deep/.gitignore": "*\n!stay.py\n",
    "broken/.gitignore": "\\\n!\n[z-a].py\nx.py\n",
    ".git/info/exclude": "mine.py\n",
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("app.py", None),
        ("a.log", "It is ignored by .gitignore, line 3."),
        ("keep.log", None),
        ("src/a.log", "It is ignored by .gitignore, line 3."),
        ("build/a.py", "It is ignored by .gitignore, line 4."),
        ("src/build/keep.log", "It is ignored by .gitignore, line 4."),
        ("only_top.py", "It is ignored by .gitignore, line 5."),
        ("src/only_top.py", None),
        ("gen_a.py", "It is ignored by .gitignore, line 7."),
        ("src/gen_kept.py", None),
        ("src/local.py", None),
        ("src/secret/a.py", "It is ignored by src/.aiopsignore, line 1."),
        ("src/deep/a.py", "It is ignored by src/deep/.gitignore, line 1."),
        ("src/deep/stay.py", None),
        ("broken/x.py", "It is ignored by broken/.gitignore, line 4."),
        ("broken/y.py", None),
        ("mine.py", "It is ignored by .git/info/exclude, line 1."),
        ("docs/page.py", "It is ignored by the setting review.ignore."),
    ],
)
@pytest.mark.parametrize("root", ["", "src", None], ids=["root", "subfolder", "no root"])
def test_why_a_file_is_ignored(tmp_path: Path, name: str, reason: str | None, root: str | None) -> None:
    write(tmp_path, IGNORE_FILES)
    if "review.ignore" in str(reason) and root != "":
        reason = None  # the setting counts from the root
    folder = None if root is None else tmp_path / root
    patterns = ["/docs/"] if root is not None else []
    assert ignored_by(tmp_path / name, folder, patterns) == reason


def test_an_ignore_file_that_changes_is_read_again(tmp_path: Path) -> None:
    assert ignored_by(tmp_path / "a.py", tmp_path) is None
    write(tmp_path, {".aiopsignore": "a.py\n"})
    assert ignored_by(tmp_path / "a.py", tmp_path) == "It is ignored by .aiopsignore, line 1."
    write(tmp_path, {".aiopsignore": "#\n"})
    assert ignored_by(tmp_path / "a.py", tmp_path) is None


def test_what_comes_and_goes_around_a_file_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "outer" / "inner" / "a.py"
    write(tmp_path, {"outer/inner/a.py": "", "outer/.gitignore": "a.py\n"})
    ignored = "It is ignored by outer/.gitignore, line 1."
    assert ignored_by(path, path.parent) is None
    (tmp_path / ".git").mkdir()
    assert ignored_by(path, path.parent) == ignored
    write(tmp_path, {"outer/inner/.gitignore": "!a.py\n"})
    assert ignored_by(path, path.parent) is None
    (path.parent / ".gitignore").unlink()
    assert ignored_by(path, path.parent) == ignored
    write(tmp_path, {"outer/inner/.git/HEAD": ""})
    assert ignored_by(path, path.parent) is None
    assert ignored_by(path, path.parent, ["/a.py"]) == "It is ignored by the setting review.ignore."


@POSIX
def test_a_link_that_leads_elsewhere_now_is_judged_anew(tmp_path: Path) -> None:
    write(tmp_path, {"one/.git/HEAD": "", "one/.gitignore": "a.py\n", "other/.git/HEAD": ""})
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    assert ignored_by(link / "a.py", link) is not None
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert ignored_by(link / "a.py", link) is None


def test_rules_of_other_folders_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*\n", "project/.git/HEAD": "", "project/a.py": ""})
    assert ignored_by(tmp_path / "project" / "a.py", tmp_path / "project") is None
    assert ignored_by(tmp_path / "project" / "a.py", tmp_path / "elsewhere") is None


@POSIX
def test_a_link_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    write(tmp_path, {"project/.git/HEAD": "", "project/.gitignore": "hidden.py\n", "project/hidden.py": ""})
    (tmp_path / "link").symlink_to(tmp_path / "project")
    (tmp_path / "project" / "alias.py").symlink_to("hidden.py")
    for path in (tmp_path / "link" / "hidden.py", tmp_path / "project" / "alias.py"):
        assert ignored_by(path, tmp_path / "link") == "It is ignored by .gitignore, line 1."


@pytest.mark.parametrize(
    "pattern", ["*a" * 40, "**/a/" * 40, "a*" * 10 + "/" + "*b" * 10, "a/**/" * 30 + "*a*a*a*a*b", "***************a"]
)
def test_a_pattern_made_to_take_forever_does_not(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, {".gitignore": pattern + "\n"})
    for name in ("a" * 200 + "c", "a/" * 100 + "c", "/".join(["a" * 30] * 30)):
        assert ignored_by(tmp_path / name, tmp_path) in (None, "It is ignored by .gitignore, line 1.")


def test_a_pattern_with_many_stars_still_ignores(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "a*b*c*d*e\n!a*b*c*d*x*\n"})
    assert ignored_by(tmp_path / "a1b2c3d4e", tmp_path) is not None
    assert ignored_by(tmp_path / "other", tmp_path) is None


def test_a_pattern_for_what_is_in_any_folder_leaves_the_files_beside_it_alone(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "**/*/**\n"})
    assert ignored_by(tmp_path / "c.py", tmp_path) is None
    assert ignored_by(tmp_path / "a" / "c.py", tmp_path) is not None


names = st.sampled_from(["a", "b", "c.py", "d.py"])
rules = st.lists(
    st.builds(
        lambda no, start, parts, end: no + start + "/".join(parts) + end,
        st.sampled_from(["", "", "!"]),
        st.sampled_from(["", "/", "**/"]),
        st.lists(st.sampled_from(["a", "b", "c.py", "*.py", "*", "?", "[ab]", "**"]), min_size=1, max_size=3),
        st.sampled_from(["", "", "/"]),
    ).filter(
        lambda rule: not rule.endswith("**/")
    ),  # of `a/**/` we ignore the files in `a` as well, which git does not
    max_size=5,
)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@given(top=rules, inner=rules, files=st.sets(st.tuples(st.sampled_from(["", "a/", "a/b/", "b/"]), names), min_size=1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_git_itself_agrees(
    tmp_path_factory: pytest.TempPathFactory, top: list[str], inner: list[str], files: set[tuple[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    write(root, {".gitignore": "\n".join(top), "a/.gitignore": "\n".join(inner)})
    paths = sorted({folder + name for folder, name in files if name.endswith(".py")} | {"a/b/c.py"})
    write(root, dict.fromkeys(paths, ""))
    listed = subprocess.run(
        ["git", "check-ignore", "-z", "--stdin"],
        cwd=root,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    ignored = {path for path in paths if ignored_by(root / path, root)}
    assert ignored == set(listed.split("\0")) - {""}


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        dict.fromkeys(["b.py", "a.py", "a.txt", "src/z.py", "src/gen/y.py", "node_modules/x.py", ".venv/lib/w.py"], "")
        | {"src/.gitignore": "gen/\n", "docs/d.py": "", ".git/hook.py": ""},
    )
    files, skipped = collect([tmp_path], tmp_path, ["docs/"], lambda path: path.suffix == ".py")
    assert files == [tmp_path / name for name in ("a.py", "b.py", "src/z.py")]
    assert skipped == []


def test_what_is_named_is_taken_and_what_cannot_be_is_told(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "ignored.py\n", "ignored.py": "", "notes.txt": "", "empty/x.txt": ""})
    named = [tmp_path / name for name in ("ignored.py", "notes.txt", "ignored.py", "missing.py", "empty")]
    files, skipped = collect([*named, Path("a\0b")], tmp_path, [], lambda path: path.suffix == ".py")
    assert files == named[:2]
    assert [(found.path.name, found.reason) for found in skipped] == [
        ("missing.py", "cannot be read: No such file or directory"),
        ("empty", "holds no file to review"),
        ("a\0b", "cannot be read: not a valid path"),
    ]


@POSIX
def test_no_link_leads_out_and_no_pipe_is_opened(tmp_path: Path) -> None:
    write(tmp_path, {"outside/secret.py": "", "root/a.py": "", "root/sub/b.py": ""})
    root = tmp_path / "root"
    (root / "out.py").symlink_to(tmp_path / "outside" / "secret.py")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    (root / "alias.py").symlink_to("sub/b.py")
    (root / "dangling.py").symlink_to("nowhere.py")
    os.mkfifo(root / "pipe.py")
    files, _ = collect([root], root, [], lambda path: path.suffix == ".py")
    assert [path.name for path in files] == ["a.py", "alias.py", "b.py"]
    assert collect([root / "pipe.py"], root, [], lambda _: True)[1][0].reason == "is not a regular file"
    with pytest.raises(UnreadableFile, match="is not a regular file"):
        read_text(root / "pipe.py")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\r\nb\rc\n", "a\r\nb\rc\n"),
        ("\ufeffü".encode(), "ü"),
        ("ü\n".encode("utf-16"), "ü\n"),
        ("\u2028\x0c".encode(), "\u2028\x0c"),
    ],
)
def test_text_is_read_as_it_is(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    assert read_text(path) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a\0b", "is binary"),
        (b"ok\ncaf\xe9\n", r"is not valid UTF-8 \(line 2\)"),
        (b"\xff\xfe\x00", "is not valid UTF"),
        (b"\xed\xa0\x80", "is not valid UTF-8"),
        (b"x" * (LARGEST_FILE_BYTES + 1), "is larger than 5,000,000 bytes"),
    ],
    ids=["binary", "latin-1", "half", "surrogate", "large"],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=reason):
        read_text(path)


@pytest.mark.parametrize(("name", "reason"), [("missing.py", "No such file"), (".", "is a folder|cannot be read")])
def test_what_is_not_there_says_so(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read_text(tmp_path / name)


@pytest.mark.parametrize(
    ("files", "root"),
    [
        (["repo/.git/HEAD", "repo/package/pyproject.toml", "repo/package/src/a.py"], "repo"),
        (["repo/pyproject.toml", "repo/package/src/a.py"], "repo"),
        (["repo/package/go.mod", "repo/package/src/a.py"], "repo/package"),
    ],
)
def test_the_root_of_a_file(tmp_path: Path, files: list[str], root: str) -> None:
    write(tmp_path, dict.fromkeys(files, ""))
    for path in (tmp_path / "repo/package/src/a.py", tmp_path / "repo/package/src"):
        assert find_root(path) == tmp_path / root
