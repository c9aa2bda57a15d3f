"""What differs from a commit, read from git without running anything that belongs to the repository.

Only plumbing is used that neither converts contents nor looks at the work tree's state: no filter, textconv, hook,
fsmonitor, pager or lazy fetch can run, and no lock is taken. Blobs are compared with the editor's text by our own
diff.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import shutil
import stat
import subprocess
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.core.text import split_lines
from aiops_lsp.engine.line_diff import changed_ranges, comparable, unified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

HEAD = "HEAD"

_TIMEOUT_SECONDS = 10.0
_MOST_BLOB_BYTES = 4_000_000
_MOST_LISTING_BYTES = 100_000_000
_CACHED_BLOBS = 32
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

# Where a repository's own configuration could name a program, say that there is none.
_SAFE_OPTIONS = (
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never"),
    *("-c", "safe.bareRepository=explicit"),
    "--no-pager",
    "--literal-pathspecs",
)
# Of whoever started us (a git hook, an editor run by git): they would name another repository than the file's.
_FOREIGN_VARIABLES = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE"),
        *("GIT_SHALLOW_FILE", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_PAGER"),
        *("GIT_TRACE", "GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE2_PERF", "GIT_TRACE_SETUP"),
    }
)
_SAFE_VARIABLES = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """The lines of a text that differ from a commit.

    `all` is true when the commit does not hold the file. `ranges` are lines `start` up to and not including `end`,
    from 0; an empty one is a place where lines are missing. `base` tells one committed text from another.
    """

    all: bool
    ranges: tuple[tuple[int, int], ...] = ()
    base: int = field(default=0, compare=False)


class RevisionError(ValueError):
    """A revision that git cannot resolve to a commit; `str()` says so in words."""


async def changed_lines(path: Path, lines: Sequence[str], revision: str = HEAD) -> ChangedLines | None:
    """The lines of `path`, whose text is now `lines`, that differ from `revision` (HEAD or a commit's full id).

    None when there is nothing to compare with: no git, no work tree, one that git does not trust, or git failing.
    """
    old = await _committed(path, revision)
    if old is None or isinstance(old, ChangedLines):
        return old
    ranges = await asyncio.to_thread(lambda: changed_ranges(old, comparable(lines)))
    return ChangedLines(all=False, ranges=ranges, base=hash(tuple(old)))


async def diff_against_head(
    path: Path, lines: Sequence[str], prepared: Callable[[Sequence[str]], Sequence[str]] = list
) -> str | None:
    """The differences of `lines`, the text of `path`, from HEAD as a unified diff, empty where there are none.

    `prepared` makes of both texts' lines what is to be compared, off the loop; the number of lines must stay. All of
    a file that HEAD does not hold is new. None as for `changed_lines`.
    """
    old = await _committed(path, HEAD)
    if old is None:
        return None
    before = [] if isinstance(old, ChangedLines) else old
    return await asyncio.to_thread(lambda: unified(prepared(before), prepared(comparable(lines)), path.name))


async def resolve_revision(root: Path, revision: str) -> str:
    """The full id of the commit that `revision` names in the repository of the folder `root`.

    Raises RevisionError, in words.
    """
    if not revision or revision.startswith("-") or "\0" in revision or "\n" in revision:
        raise RevisionError(f"{revision!r} is not a git revision; name a commit, branch or tag, as in main or HEAD~3")
    wanted = f"{revision}^{{commit}}"
    done = await _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    found = done.output.decode("ascii", "replace").strip() if done is not None and done.code == 0 else ""
    if not _OBJECT_ID.fullmatch(found):
        raise RevisionError(
            f"git finds no commit {revision!r} in {root}; name a commit, branch or tag of this repository, and in a "
            "shallow clone fetch it first"
        )
    return found


async def changed_files(root: Path, revision: str = HEAD) -> list[Path]:
    """The files under the folder `root` that differ from `revision`, untracked ones that are not ignored included.

    Sorted; deleted files, links and submodules are left out. A file that git converts on its way in (other than line
    ends) counts as differing. Raises RevisionError.
    """
    commit = await resolve_revision(root, revision)
    tree = await _run(root, "ls-tree", "-r", "-z", commit, limit=_MOST_LISTING_BYTES)
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    files = await _run(root, *listing, limit=_MOST_LISTING_BYTES)
    if tree is None or files is None or tree.code != 0 or files.code != 0:
        raise RevisionError(f"git could not list the files of {root}")
    names = {os.fsdecode(name) for name in files.output.split(b"\0") if name}
    return await asyncio.to_thread(_differing, root, names, _tree_entries(tree.output))


def _tree_entries(listing: bytes) -> dict[str, str]:
    """Path to blob id, of a recursive `ls-tree -z`."""
    entries = {}
    for entry in listing.split(b"\0"):
        head, tab, name = entry.partition(b"\t")
        fields = head.split(b" ")
        if tab and len(fields) == 3 and fields[1] == b"blob":
            entries[os.fsdecode(name)] = fields[2].decode("ascii", "replace")
    return entries


def _differing(root: Path, names: set[str], committed: dict[str, str]) -> list[Path]:
    differing = []
    for name in names:
        path = root / name
        try:
            if stat.S_ISREG(path.lstat().st_mode) and not _is_blob(path, committed.get(name)):
                differing.append(path)
        except OSError as error:
            _log.debug("cannot compare %s: %s", path, error.strerror)
    return sorted(differing)


def _is_blob(path: Path, object_id: str | None) -> bool:
    """Whether the file's content, as it is or with normalised line ends, has this id."""
    if object_id is None:
        return False
    content = path.read_bytes()
    make = hashlib.sha1 if len(object_id) == 40 else hashlib.sha256
    forms = [content, content.replace(b"\r\n", b"\n")] if b"\r\n" in content else [content]
    return any(make(b"blob %d\0" % len(form) + form).hexdigest() == object_id for form in forms)


_blobs: OrderedDict[str, tuple[str, ...]] = OrderedDict()
"""The lines of blobs by object id. Ids are made of the content, so an entry is never out of date."""


async def _committed(path: Path, revision: str) -> Sequence[str] | ChangedLines | None:
    """The lines of `path` in `revision`; all changed where it is not there; None where there is no work tree."""
    folder, relative = await asyncio.to_thread(_located, path)
    found = await _run(folder, "rev-parse", "--is-inside-work-tree", f"{revision}:./{relative}")
    if found is None:
        return None
    inside, _, rest = found.output.decode("ascii", "replace").partition("\n")
    if inside != "true":
        return None
    object_id = rest.strip()
    if found.code != 0 or not _OBJECT_ID.fullmatch(object_id):
        return ChangedLines(all=True)
    if object_id in _blobs:
        _blobs.move_to_end(object_id)
        return _blobs[object_id]
    blob = await _run(folder, "cat-file", "blob", object_id, limit=_MOST_BLOB_BYTES)
    if blob is None:
        return None
    if blob.code != 0 or b"\0" in blob.output:
        # A folder, a submodule, a binary, or more than can be compared stood at that path: none of this text did.
        return ChangedLines(all=True)
    text = blob.output.decode("utf-8-sig", "replace")
    lines = _blobs[object_id] = tuple(comparable(split_lines(text)))
    if len(_blobs) > _CACHED_BLOBS:
        _blobs.popitem(last=False)
    return lines


def _located(path: Path) -> tuple[Path, str]:
    """The nearest folder that exists, links resolved, and the path from there with slashes."""
    real = path.resolve()
    folder = next((parent for parent in real.parents if parent.is_dir()), real.parent)
    return folder, real.relative_to(folder).as_posix()


@dataclass(frozen=True, slots=True)
class _Done:
    """A finished git: its exit code (-1 where it was stopped for saying too much) and its output."""

    code: int
    output: bytes


async def _run(folder: Path, *arguments: str, limit: int = 100_000) -> _Done | None:
    """Run git in `folder`. None when it cannot be run or takes too long."""
    program = shutil.which("git")
    if program is None or Path(program).parent == Path.cwd():  # Windows looks into the current folder first
        return None
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *_SAFE_OPTIONS,
            *arguments,
            cwd=folder,
            env=environment | _SAFE_VARIABLES,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )
    except (OSError, ValueError) as error:
        _log.debug("cannot run git in %s: %s", folder, error)
        return None
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await _output_of(process, limit)
    except TimeoutError:
        _log.warning("git %s took more than %d seconds in %s", arguments[0], _TIMEOUT_SECONDS, folder)
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _output_of(process: asyncio.subprocess.Process, limit: int) -> _Done:
    output = bytearray()
    assert process.stdout is not None
    while chunk := await process.stdout.read(1 << 16):
        output += chunk
        if len(output) > limit:
            return _Done(-1, b"")
    return _Done(await process.wait(), bytes(output))
