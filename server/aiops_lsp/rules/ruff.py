"""ruff's findings for Python: the rules that reviewers care about, by the ruff that is installed with this program.

The document is given on standard input with no configuration but ours, so a repository can neither choose the
program that runs nor change what it does.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from aiops_lsp.core.findings import Edit, Finding, Fix, Origin, number_findings
from aiops_lsp.core.text import Position, Range, line_content
from aiops_lsp.rules.ruff_doubts import speaks_against
from aiops_lsp.rules.ruff_table import RUFF_RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from aiops_lsp.core.text import Snapshot

_CONFIDENCE = 90
_DEFINITION = re.compile(r"(\s*)(?:async\s+)?(?:def|class)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class RuffReport:
    """What ruff found, or why it could not say. On code with a syntax error it finds nothing."""

    findings: tuple[Finding, ...] = ()
    problem: str | None = None


async def check_with_ruff(
    snapshot: Snapshot,
    *,
    skip: Collection[str] = frozenset(),
    timeout_seconds: float = 10.0,
    program: str | None = None,
) -> RuffReport:
    """Run ruff over `snapshot`, which is Python.

    `skip` are codes that are left to the user's own ruff. `program` is the ruff to run instead of the installed one.
    A cancelled call leaves no process behind.
    """
    codes = sorted(set(RUFF_RULES) - set(skip))
    if not codes:
        return RuffReport()
    try:
        output = await _run(program or _installed(), _arguments(snapshot, codes), snapshot.text, timeout_seconds)
        return RuffReport(tuple(_findings(json.loads(output), snapshot)))
    except TimeoutError:
        return RuffReport(problem=f"ruff did not answer within {timeout_seconds:g} seconds; its findings are missing")
    except OSError as error:
        return RuffReport(problem=f"ruff cannot be run ({error.strerror or error}); its findings are missing")
    except (ValueError, KeyError, TypeError, _FailedError) as error:
        return RuffReport(problem=f"ruff failed ({error}); its findings are missing")


class _FailedError(Exception):
    """ruff ended with an error of its own."""


def _installed() -> str:
    """The ruff beside the interpreter that runs this program, never one on the workspace's path."""
    from ruff import find_ruff_bin  # noqa: PLC0415  # not needed for the server's start

    return os.fsdecode(find_ruff_bin())


def _arguments(snapshot: Snapshot, codes: list[str]) -> list[str]:
    name = PurePosixPath(unquote(urlsplit(snapshot.uri).path)).name
    return [
        *("check", "--isolated", "--no-cache", "--exit-zero", "--quiet", "--output-format", "json"),
        *("--target-version", "py314", "--select", ",".join(codes)),
        *("--stdin-filename", name if name.endswith((".py", ".pyi", ".pyw")) else "document.py", "-"),
    ]


async def _run(program: str, arguments: list[str], text: str, timeout_seconds: float) -> bytes:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=os.path.dirname(program) or None,  # noqa: PTH120  # a place that no repository controls
    )
    try:
        # A lone surrogate cannot be encoded. Its stand-in has the same length, so all columns hold.
        output, errors = await asyncio.wait_for(process.communicate(text.encode("utf-8", "replace")), timeout_seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0:
        first = errors.decode("utf-8", "replace").strip().partition("\n")[0]
        raise _FailedError(f"exit code {process.returncode}: {first[:200]}")
    return output


def _findings(rows: list[dict[str, Any]], snapshot: Snapshot) -> Iterator[Finding]:
    found = [finding for finding in (_finding(row, snapshot) for row in rows) if finding is not None]
    found.sort(key=lambda finding: (finding.range, finding.code))
    yield from number_findings((finding, finding.evidence) for finding in found)


def _finding(row: dict[str, Any], snapshot: Snapshot) -> Finding | None:
    rule = RUFF_RULES.get(row["code"])
    if rule is None:
        return None
    start, end = _position(row["location"], snapshot), _position(row["end_location"], snapshot)
    if end.line > start.line:
        end = Position(start.line, len(line_content(snapshot.lines[start.line])))
    if speaks_against(snapshot, row["code"], start.line, start.column):
        return None
    span = Range(start, max(start, end))
    message = str(row["message"]).replace("`", "")
    return Finding(
        id="",
        code=str(row["code"]),
        origin=Origin.RUFF,
        category=rule.category,
        severity=rule.severity,
        confidence=_CONFIDENCE,
        title=message if len(message) <= 80 else str(row["name"]).replace("-", " ").capitalize(),
        why=message if message.endswith(".") else f"{message}.",
        trigger=rule.trigger,
        range=span,
        evidence=snapshot.slice(span),
        symbol=_symbol(snapshot, start.line),
        fix=_fix(row.get("fix"), snapshot),
        url=row.get("url"),
    )


def _fix(fix: dict[str, Any] | None, snapshot: Snapshot) -> Fix | None:
    if not fix or fix["applicability"] not in {"safe", "unsafe"}:
        return None
    edits = []
    for edit in fix["edits"]:
        span = Range(_position(edit["location"], snapshot), _position(edit["end_location"], snapshot))
        edits.append(Edit(span, snapshot.slice(span), str(edit["content"])))
    edits.sort(key=lambda edit: edit.range)
    return Fix(str(fix["message"] or "Apply ruff's fix"), tuple(edits), verified=fix["applicability"] == "safe")


def _position(place: dict[str, Any], snapshot: Snapshot) -> Position:
    """ruff's place, which counts lines and code points from 1. Raises ValueError for one outside the text."""
    line, column = int(place["row"]) - 1, int(place["column"]) - 1
    if line == 0 and snapshot.text.startswith("\ufeff"):
        column += 1  # ruff does not count a byte order mark
    if line == len(snapshot.lines) and column == 0:
        line, column = line - 1, len(snapshot.lines[-1])
    if not (0 <= line < len(snapshot.lines) and 0 <= column <= len(snapshot.lines[line])):
        raise ValueError("it named a place outside the document")
    return Position(line, column)


def _symbol(snapshot: Snapshot, line: int) -> str:
    """The dotted name of the definitions around a line, by their indentation."""
    names: list[str] = []
    text = snapshot.lines[line]
    indent = len(text) - len(text.lstrip())
    for above in range(line, -1, -1):
        match = _DEFINITION.match(snapshot.lines[above])
        if match and (len(match[1]) < indent or above == line):
            names.append(match[2])
            indent = len(match[1])
        if indent == 0:
            break
    return ".".join(reversed(names))
