"""Files on disk: which are ignored, which a folder holds for review, and reading one safely.

Everything here blocks and belongs on a thread. Folders under review are untrusted: no link is followed out of them,
no device or pipe is opened, and neither a file nor a pattern can take unbounded time or memory.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pathspec import GitIgnoreSpec

_log = logging.getLogger(__name__)

IGNORE_FILES = (".aiopsignore", ".gitignore")
"""Read in each folder; at the same level the first one that says anything decides."""

ROOT_MARKERS = (".git", "aiops.toml", ".aiopsignore", "pyproject.toml", "package.json", "go.mod", "Cargo.toml")

LARGEST_FILE_BYTES = 5_000_000
"""Larger files are not read at all; the bound for sending is lower by far."""

_LARGEST_IGNORE_FILE_BYTES = 1_000_000
_NEVER_ENTERED = frozenset(
    {
        *(".git", ".hg", ".svn", ".jj", ".venv", "venv", ".tox", ".nox", "site-packages", "__pycache__"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".idea", ".gradle", ".terraform"),
        *("node_modules", "bower_components", ".yarn", ".pnpm-store", ".next", ".nuxt", ".svelte-kit"),
        *("vendor", "third_party", "Pods", "Carthage", "DerivedData"),
    }
)


class UnreadableFile(Exception):
    """A file that cannot be reviewed; `str()` says why, to follow the file's name."""


def read_text(path: Path) -> str:
    """The text of a file, line ends as they are, without a byte order mark. Raises UnreadableFile."""
    try:
        # A pipe would block, a device never end.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableFile("is not a regular file")
            data = file.read(LARGEST_FILE_BYTES + 1)
    except IsADirectoryError:
        raise UnreadableFile("is a folder") from None
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or type(error).__name__}") from error
    if len(data) > LARGEST_FILE_BYTES:
        raise UnreadableFile(f"is larger than {LARGEST_FILE_BYTES:,} bytes")
    return _decoded(data)


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding == "utf-8-sig" and b"\0" in data:
        raise UnreadableFile("is binary")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"is not valid UTF-8 (line {line}); save it as UTF-8 to have it reviewed") from None


_Stamp = tuple[int, int, int] | None
"""The mode of what is at a path, and of a file when it was changed last and its size; None where there is nothing."""


class Disk:
    """What there is on the disk, as it was when it was first asked for; `still_holds` tells whether it is so still."""

    def __init__(self) -> None:
        self._found: dict[str, _Stamp] = {}

    def stamp(self, path: Path) -> _Stamp:
        """What tells that which is at `path` from anything else."""
        name = str(path)
        if name not in self._found:
            self._found[name] = _stamp(name)
        return self._found[name]

    def still_holds(self) -> bool:
        """Whether all that was asked for is as it was."""
        return all(_stamp(name) == stamp for name, stamp in self._found.items())


def _stamp(name: str) -> _Stamp:
    try:
        found = os.stat(name)  # noqa: PTH116 - dozens of files are asked for at each look at a document
    except (OSError, ValueError):
        return None  # most folders have no ignore file
    if not stat.S_ISREG(found.st_mode):
        return found.st_mode, 0, 0
    return found.st_mode, found.st_mtime_ns, found.st_size


def find_root(path: Path, disk: Disk | None = None) -> Path:
    """The folder that `path` belongs to: the nearest one with a `.git`, else with another mark of a project's root.

    Without any it is the folder of the file, or `path` itself if it is one.
    """
    disk = disk or Disk()
    start = path.resolve()
    folders = [start, *start.parents] if start.is_dir() else [*start.parents]
    for markers in (ROOT_MARKERS[:1], ROOT_MARKERS):
        for folder in folders:
            if any(disk.stamp(folder / marker) for marker in markers):
                return folder
    return folders[0]


def ignored_by(path: Path, root: Path | None, patterns: Sequence[str] = ()) -> str | None:
    """Why a file is ignored, as a sentence, or None.

    `.gitignore` and `.aiopsignore` count from the file's folder up to the root of the repository (or `root`, or the
    file's folder where there is neither). `patterns` are the setting `review.ignore`, relative to `root`.
    """
    real = os.path.realpath(path)
    key = (os.path.dirname(real), os.path.realpath(root) if root is not None else "", tuple(patterns))  # noqa: PTH120
    known = _decided.get(key)
    if known is None or len(known[1]) >= _MOST_DECIDED or not known[0].disk.still_holds():
        if len(_decided) >= _MOST_DECIDED:
            _decided.clear()
        known = _decided[key] = (_rules_in(*key), {})
    rules, whys = known
    if real not in whys:
        whys[real] = rules.why(Path(real))
    return whys[real]


_MOST_DECIDED = 512
_decided: dict[tuple[str, str, tuple[str, ...]], tuple[IgnoreRules, dict[str, str | None]]] = {}
"""By folder the rules, and what they said of its files: asked at each look, and the same until a file changes."""


def _rules_in(folder: str, root: str, patterns: Sequence[str]) -> IgnoreRules:
    """The rules for files in a folder that belongs to `root`, or to none if that is empty."""
    disk = Disk()
    if root and Path(folder).is_relative_to(root):
        return IgnoreRules(Path(root), patterns, disk)
    return IgnoreRules(find_root(Path(folder), disk), (), disk)


@dataclass(slots=True)
class IgnoreRules:
    """The ignore files of one folder and of what it holds. Remembers what it read of them, so use one per walk.

    `root` and all paths are real paths. `patterns` are the setting `review.ignore`.
    """

    root: Path
    patterns: Sequence[str] = ()
    disk: Disk = field(default_factory=Disk)
    _folders: dict[Path, str | None] = field(default_factory=dict)
    _holding: dict[Path, list[tuple[Path, Path, tuple[str, ...]]]] = field(default_factory=dict)
    _top: Path | None = None

    def why(self, path: Path, *, is_folder: bool = False) -> str | None:
        """Why `path` is ignored, as a sentence; None where it is not, or lies outside of the root."""
        top = self._topmost()
        if not path.is_relative_to(top) or path == top:
            return None
        if path.parent != top:
            if path.parent not in self._folders:
                self._folders[path.parent] = self.why(path.parent, is_folder=True)
            if self._folders[path.parent] is not None:
                return self._folders[path.parent]
        return self._decide(path, is_folder=is_folder)

    def _topmost(self) -> Path:
        """The root of the repository, whose ignore files hold for all its folders."""
        if self._top is None:
            above = (folder for folder in (self.root, *self.root.parents) if self.disk.stamp(folder / ".git"))
            self._top = next(above, self.root)
        return self._top

    def _decide(self, path: Path, *, is_folder: bool) -> str | None:
        """What the rules say of this name alone, its folders not being ignored."""
        end = "/" if is_folder else ""
        of_root = self.patterns and path.is_relative_to(self.root)
        if of_root and matches_any(path.relative_to(self.root).as_posix() + end, self.patterns):
            return "It is ignored by the setting review.ignore."
        for ignore_file, folder, lines in self._ignore_files(path.parent):
            verdict = self._verdict(ignore_file, lines, path.relative_to(folder).as_posix() + end)
            if verdict is not None:
                return verdict or None
        return None

    def _ignore_files(self, parent: Path) -> list[tuple[Path, Path, tuple[str, ...]]]:
        """What holds for what is in `parent`, the nearest first: each file, the folder it is about, and its lines."""
        if parent not in self._holding:
            top = self._topmost()
            folders = [folder for folder in (parent, *parent.parents) if folder.is_relative_to(top)]
            files = [(folder / name, folder) for folder in folders for name in IGNORE_FILES]
            files.append((top / ".git" / "info" / "exclude", top))
            read = [(file, folder, _lines_of(file, self.disk.stamp(file))) for file, folder in files]
            self._holding[parent] = [one for one in read if one[2]]
        return self._holding[parent]

    def _verdict(self, ignore_file: Path, lines: tuple[str, ...], name: str) -> str | None:
        """A sentence: ignored; empty: expressly not ignored; None: the file says nothing of what it calls `name`."""
        for index, pattern in reversed(list(enumerate(_spec(lines).patterns))):
            if pattern.regex is not None and _matches_itself(pattern.regex, name):
                place = f"{ignore_file.relative_to(self._topmost()).as_posix()}, line {index + 1}"
                return f"It is ignored by {place}." if pattern.include else ""
        return None


def _matches_itself(expression: re.Pattern[str], name: str) -> bool:
    """Whether a pattern matches this very name, and not only a folder above it (which pathspec takes for a match too).

    Folders are asked one by one from the top, as git does it, so that a `!` further down cannot bring back what is in
    an ignored folder, nor one for a folder all that is in it. pathspec marks the end of a folder's name as `ps_d`.
    """
    if "ps_d" not in expression.groupindex:  # `**`, which is "." here, and `folder/**`: whatever is inside
        return expression.pattern == "." or expression.search(name[:-1]) is not None
    return expression.fullmatch(name) is not None if expression.pattern.startswith("^") else name.endswith("/")


def _lines_of(ignore_file: Path, stamp: _Stamp) -> tuple[str, ...]:
    if stamp is None or not stat.S_ISREG(stamp[0]):
        return ()
    try:
        return _cached_lines(ignore_file, *stamp)
    except OSError:
        return ()


@lru_cache(maxsize=512)
def _cached_lines(ignore_file: Path, _mode: int, _mtime_ns: int, size: int) -> tuple[str, ...]:
    if size > _LARGEST_IGNORE_FILE_BYTES:
        _log.warning("%s is larger than %d bytes and is not read", ignore_file, _LARGEST_IGNORE_FILE_BYTES)
        return ()
    return tuple(re.split(r"\r?\n", ignore_file.read_bytes().decode("utf-8-sig", "replace")))


@lru_cache(maxsize=512)
def _spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """The patterns, one for each line, so that the index of one is the number of its line less 1."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - not needed to start a server

    usable = []
    for line in lines:
        pattern = _bounded(line)
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error):
            pattern = "#"  # git, too, passes over what it cannot read
        usable.append(pattern)
    return GitIgnoreSpec.from_lines(usable)


def _bounded(line: str) -> str:
    """A pattern that cannot take forever to match, which several stars in one name can.

    Of a name with more than two stars only what stands before the first one is kept, and of a path what stands before
    the fourth `**`: the pattern then ignores more rather than less.
    """
    if line.count("*") <= 2:
        return line if line.strip() else "#"
    sign, line = ("!", line[1:]) if line.startswith("!") else ("", line)
    parts = [
        part if part == "**" else re.sub(r"\*+", "*", part) for part in re.sub(r"(\*\*/)+", "**/", line).split("/")
    ]
    doubles = [index for index, part in enumerate(parts) if part == "**"]
    if len(doubles) <= 3 and all(part == "**" or part.count("*") <= 2 for part in parts):
        return sign + "/".join(parts)
    if sign:
        return "#"
    parts = [part if part == "**" or part.count("*") <= 2 else part[: part.index("*") + 1] for part in parts]
    return "/".join(parts[: doubles[3]] if len(doubles) > 3 else parts)


def matches_any(relative_path: str, patterns: Sequence[str]) -> bool:
    """Whether a path with slashes, relative to where the patterns stand, matches one as .gitignore means it."""
    return bool(_spec(tuple(patterns)).check_file(relative_path).include)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that was named and is not reviewed; `reason` follows its name."""

    path: Path
    reason: str


def collect(
    paths: Sequence[Path], root: Path, patterns: Sequence[str], wanted: Callable[[Path], bool]
) -> tuple[list[Path], list[Skipped]]:
    """The files that `paths` stand for, each once and sorted within each folder, and the paths that stand for none.

    A file that is named is taken as it is. A folder stands for the files in it for which `wanted` is true and that
    are not ignored; folders of other people's code and of tools are not entered.
    """
    rules = IgnoreRules(root.resolve(), patterns)
    files: dict[Path, None] = {}
    skipped = []
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            skipped.append(Skipped(path, f"cannot be read: {reason or 'not a valid path'}"))
            continue
        if stat.S_ISDIR(mode):
            found = list(_walk(path, rules, wanted))
            files.update(dict.fromkeys(found))
            if not found:
                skipped.append(Skipped(path, "holds no file to review"))
        elif stat.S_ISREG(mode):
            files[path] = None
        else:
            skipped.append(Skipped(path, "is not a regular file"))
    return list(files), skipped


def _walk(folder: Path, rules: IgnoreRules, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    real_top = folder.resolve()
    for where, folders, names in os.walk(folder, onerror=_cannot_enter):
        here = Path(where)
        real = real_top / here.relative_to(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _NEVER_ENTERED
            and not (here / name).is_symlink()
            and rules.why(real / name, is_folder=True) is None
        )
        for name in sorted(names):
            path = here / name
            if wanted(path) and _stays(path, real_top) and rules.why(real / name) is None:
                yield path


def _cannot_enter(error: OSError) -> None:
    _log.warning("cannot look into %s: %s", error.filename, error.strerror)


def _stays(path: Path, real_top: Path) -> bool:
    """Whether it is a file, and one inside of the folder if it is a link."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        return not path.is_symlink() or path.resolve().is_relative_to(real_top)
    except OSError:
        return False
