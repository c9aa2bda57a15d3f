"""Ruff's findings on Python, by the ruff that is installed with us: what reviewers care about, nothing of style.

It runs isolated from any configuration, on the text as it stands in the editor, and never a `ruff` from the workspace.
Where the workspace has a ruff configuration of its own, what that selects is left to the user's own ruff.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.findings import Category, Edit, Finding, Fix, Origin, Severity, number_findings
from aiops_lsp.core.text import Position, Range
from aiops_lsp.rules.ruff_rules import CHECKED, RuffRule, rule_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from aiops_lsp.core.text import Snapshot

TIMEOUT_SECONDS = 10.0
_CONFIDENCE = 90


class RuffUnavailable(Exception):
    """Ruff did not run or did not answer as it should; `str()` says what happened, without source text."""


async def run_ruff(
    snapshot: Snapshot, path: Path | None, *, leave: Collection[str] = (), severity: Mapping[str, str] | None = None
) -> list[Finding]:
    """Ruff's findings in a Python snapshot, numbered, in document order.

    `leave` are codes or prefixes of codes (`B`, `B006`) that are left out because the user already sees them.
    `severity` maps codes to a severity or to `off`. Raises RuffUnavailable.
    """
    chosen = [code for code in CHECKED if not any(code.startswith(prefix) for prefix in leave)]
    if not chosen:
        return []
    arguments = ["check", "-", "--isolated", "--no-cache", "--output-format=json", "--exit-zero", "--quiet"]
    arguments += [f"--select={','.join(chosen)}", f"--stdin-filename={path.name if path is not None else 'text.py'}"]
    output = await _run(arguments, snapshot.text.encode("utf-8", "replace"))
    try:
        entries = json.loads(output)
        found = [_finding(entry, snapshot, severity or {}) for entry in entries]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise RuffUnavailable(f"ruff answered in an unknown form ({type(error).__name__})") from error
    kept = sorted((one for one in found if one is not None), key=lambda one: (one.range, one.code))
    return number_findings((one, one.evidence) for one in kept)


@cache
def _program() -> str:
    from ruff import find_ruff_bin  # noqa: PLC0415 - only those who review Python need it

    return str(find_ruff_bin())


async def _run(arguments: list[str], text: bytes) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            _program(),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except (OSError, ImportError) as error:
        raise RuffUnavailable(f"ruff cannot be started ({error}); reinstall aiops-lsp") from error
    try:
        output, complaint = await asyncio.wait_for(process.communicate(text), TIMEOUT_SECONDS)
    except TimeoutError as error:
        raise RuffUnavailable(f"ruff took longer than {TIMEOUT_SECONDS:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuffUnavailable(
            f"ruff failed with exit code {process.returncode}: {complaint[:200].decode(errors='replace')}"
        )
    return output


def _finding(entry: dict[str, Any], snapshot: Snapshot, severities: Mapping[str, str]) -> Finding | None:
    code = entry["code"]
    rule = rule_of(code) if isinstance(code, str) else None
    wished = severities.get(code, "") if rule is not None else "off"
    if rule is None or wished == "off":
        return None  # a syntax error has no code of its own
    place = _range(entry, snapshot)
    return Finding(
        id="",
        code=code,
        origin=Origin.RUFF,
        category=Category(rule.category),
        severity=Severity(wished or rule.severity),
        confidence=_CONFIDENCE,
        title=_title(entry["message"]),
        why=entry["message"],
        trigger="",
        range=place,
        evidence=snapshot.slice(place),
        symbol="",
        fix=_fix(entry.get("fix"), rule, snapshot),
        url=entry.get("url"),
    )


def _title(message: str) -> str:
    first = message.split("\n", 1)[0].rstrip(".")
    return first if len(first) <= 80 else first[:79] + "…"


def _fix(fix: dict[str, Any] | None, rule: RuffRule, snapshot: Snapshot) -> Fix | None:
    if fix is None or fix["applicability"] not in ("safe", "unsafe"):
        return None
    edits = []
    for edit in fix["edits"]:
        place = _range(edit, snapshot)
        edits.append(Edit(place, snapshot.slice(place), edit["content"]))
    edits.sort(key=lambda edit: edit.range)
    return Fix(fix["message"] or f"Fix {rule.code}", tuple(edits), verified=fix["applicability"] == "safe")


def _range(entry: dict[str, Any], snapshot: Snapshot) -> Range:
    return Range(_position(entry["location"], snapshot), _position(entry["end_location"], snapshot))


def _position(location: dict[str, int], snapshot: Snapshot) -> Position:
    """Ruff counts rows and columns from 1, columns in code points; its row past the end is the document's end."""
    line, column = location["row"] - 1, location["column"] - 1
    if line >= len(snapshot.lines):
        return Position(len(snapshot.lines) - 1, len(snapshot.lines[-1]))
    return Position(line, min(column, len(snapshot.lines[line])))
