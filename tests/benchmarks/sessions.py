"""Recorded sessions: traces of somebody who typed, and the commits of a repository.

A trace is a gzipped JSON object `{startContent, txns: [{time, patches: [[position, deleted, inserted]]}]}`, positions
in code points.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.eligibility import eligibility
from aiops_lsp.core.languages import identifier_of
from aiops_lsp.engine.line_diff import Block, differing_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def gaps_of(trace: dict[str, Any], longest: float = 1.0) -> list[float]:
    """The gaps between keys below `longest` seconds, in their order."""
    times = [seconds(one["time"]) for one in trace["txns"]]
    return [later - earlier for earlier, later in pairwise(times) if 0 < later - earlier < longest]


Transaction = tuple[float, list[tuple[int, int, str]]]
"""The pause before it in seconds, and each patch: where, how much it takes away, what it puts there."""


def typed(trace: dict[str, Any], keys: Sequence[float]) -> Iterator[Transaction]:
    """The transactions of a trace; where its clock is too coarse for a pause, one of the gaps `keys` stands for it."""
    last, used = None, 0
    for one in trace["txns"]:
        now = seconds(one["time"])
        gap = 0.0 if last is None else min(now - last, 300.0)
        if gap < 1.0 and keys:
            gap, used = keys[used % len(keys)], used + 1
        last = now
        yield gap, [(place, gone, text) for place, gone, text in one["patches"]]


def read_trace(path: Path) -> dict[str, Any]:
    with gzip.open(path) as file:
        trace: dict[str, Any] = json.load(file)
    return trace


def texts_of(trace: dict[str, Any]) -> Iterator[str]:
    """The text after each transaction of a trace."""
    text = trace["startContent"]
    for transaction in trace["txns"]:
        for position, deleted, inserted in transaction["patches"]:
            text = text[:position] + inserted + text[position + deleted :]
        yield text


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout


def chosen_commits(repository: Path, commits: int) -> list[tuple[str, list[str]]]:
    """The last commits that changed files of code, at most so many, the oldest first, each with these files."""
    listed = git(repository, "log", "--no-merges", "--diff-filter=M", "--format=%H", "--", ".").split()
    chosen: list[tuple[str, list[str]]] = []
    for commit in listed:
        if len(chosen) == commits:
            break
        named = git(repository, "diff-tree", "-r", "--no-commit-id", "--name-only", "--diff-filter=M", commit)
        files = [name for name in named.splitlines() if name.endswith((".py", ".js", ".ts", ".rs", ".go", ".java"))]
        if files:
            chosen.append((commit, files))
    return chosen[::-1]


def changes(repository: Path, commits: int, most: int = 1000) -> Iterator[tuple[str, str, str, str]]:
    """Language, path, old and new text of each file that the last commits changed, the oldest first.

    Of a commit, at most `most` files, drawn at random.
    """
    for commit, files in chosen_commits(repository, commits):
        for name in sorted(random.Random(commit).sample(files, min(most, len(files)))):
            old, new = git(repository, "show", f"{commit}^:{name}"), git(repository, "show", f"{commit}:{name}")
            language = identifier_of(name) or "plaintext"
            if eligibility(f"file:///nowhere/{name}", language, new) is None:
                yield language, name, old, new


def hunks(old: str, new: str) -> Iterator[tuple[Block, list[str]]]:
    """What to put in place of which lines, last first, so that line numbers hold."""
    before, after = old.split("\n"), new.split("\n")
    for block in reversed(differing_blocks(before, after)):
        yield block, after[block.new_start : block.new_end]


def chosen_hunks(old: str, new: str, seed: int, most: int = 8) -> list[tuple[Block, list[str]]]:
    """At most `most` of the hunks, drawn at random where there are more, still last first."""
    listed = list(hunks(old, new))
    kept = sorted(random.Random(seed).sample(range(len(listed)), min(most, len(listed))))
    return [listed[index] for index in kept]
