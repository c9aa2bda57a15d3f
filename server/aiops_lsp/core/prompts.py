"""From regions to what a model is sent, and the shape of what it is to answer.

A request is, in this order: the rules and the answer's shape, guidance on the language, what a project wants looked
for in addition, then each region with its context block and its numbered lines. Nothing that varies from request to
request comes before the regions, so that providers can cache the beginning. Whatever comes from a repository is
quoted as data between marks that are random per request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Category, Severity
from aiops_lsp.core.injection import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiops_lsp.core.findings import Claim
    from aiops_lsp.core.regions import Region

LAYOUT_VERSION = 2
"""Counts changes of the schemas, of the layout below and of what is neutralised. It is part of every cache key."""

_CHANGED_CONTEXT = 3
_OTHER_BREAKS = re.compile("[\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_TEXT: Mapping[str, object] = {"type": "string"}
_NUMBER: Mapping[str, object] = {"type": "integer"}
_FLAG: Mapping[str, object] = {"type": "boolean"}


def _object(**properties: Mapping[str, object]) -> dict[str, object]:
    """A strict object: every key is required and there are no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(items: Mapping[str, object]) -> dict[str, object]:
    return {"type": "array", "items": items}


_FIX = _object(start_line=_NUMBER, end_line=_NUMBER, old_lines=_array(_TEXT), new_lines=_array(_TEXT))
_FINDING = _object(
    quote=_TEXT,
    focus=_TEXT,
    start_line=_NUMBER,
    end_line=_NUMBER,
    trigger=_TEXT,
    why=_TEXT,
    title=_TEXT,
    category={"type": "string", "enum": [category.value for category in Category]},
    severity={"type": "string", "enum": [severity.value for severity in Severity]},
    confidence=_NUMBER,
    needs_outside_context=_FLAG,
    fix={"anyOf": [_FIX, {"type": "null"}]},
)
REVIEW_SCHEMA: Mapping[str, object] = _object(regions=_array(_object(region=_TEXT, findings=_array(_FINDING))))
"""The answer to a review. The keys stand in the order in which they are to be written: evidence before judgement."""

VERDICT_SCHEMA: Mapping[str, object] = _object(
    verdicts=_array(_object(finding=_TEXT, reason=_TEXT, refuted=_FLAG, fix_correct=_FLAG, confidence=_NUMBER))
)
"""The answer to a second opinion."""


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """The prompts' wording. `version` changes with any of it; `guidance` is by LSP language identifier."""

    version: str
    rules: str
    guidance: Mapping[str, str]
    second_opinion: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is sent."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Questioned:
    """A finding that is put to a second opinion. `patched` are its region's lines with its fix, None without one."""

    region: Region
    claim: Claim
    patched: Sequence[str] | None


def review_prompt(
    texts: PromptTexts,
    language: str,
    instructions: Sequence[str],
    answer_language: str,
    regions: Sequence[Region],
    delimiter: str,
    changes: Sequence[str] = (),
) -> Prompt:
    """The request that has `regions` reviewed, as r1, r2, ... in their order.

    `language` is LSP's identifier. `instructions` are a project's own, in words. `answer_language` is that of the
    findings' prose; empty means English. `delimiter` is random, hexadecimal, and different for each request.
    `changes` are lines of a diff that lead to the code as it is now; their answer is not one to be cached.

    Raises ValueError when `delimiter` is no such thing or occurs in what it is to delimit.
    """
    bodies = [_region(f"r{number}", region, language, delimiter) for number, region in enumerate(regions, 1)]
    quoted = [_instructions(instructions, delimiter)] if instructions else []
    if changes:
        bodies.append(_changes(changes, delimiter))
    code = [part for region in regions for part in (region.context, *region.lines)]
    _check(delimiter, [*instructions, *code, *changes])
    return Prompt(_system(texts.rules, texts, language, answer_language), "\n".join([*quoted, *bodies]))


def second_opinion_prompt(
    texts: PromptTexts, language: str, answer_language: str, questioned: Sequence[Questioned], delimiter: str
) -> Prompt:
    """The request that has findings, as f1, f2, ... in their order, refuted or upheld, each with its patched text.

    A region that several findings are about is shown once. Raises ValueError as `review_prompt` does.
    """
    names: dict[Region, str] = {}
    for item in questioned:
        names.setdefault(item.region, f"r{len(names) + 1}")
    bodies = [_region(name, region, language, delimiter) for region, name in names.items()]
    bodies += [
        _questioned(f"f{number}", names[item.region], item, language, delimiter)
        for number, item in enumerate(questioned, 1)
    ]
    shown = [part for region in names for part in (region.context, *region.lines)]
    shown += [line for item in questioned for line in (item.patched or ())]
    shown += [text for item in questioned for text in _wording(item.claim)]
    _check(delimiter, shown)
    return Prompt(_system(texts.second_opinion, texts, language, answer_language), "\n".join(bodies))


def _system(rules: str, texts: PromptTexts, language: str, answer_language: str) -> str:
    parts = [rules.strip()]
    if guidance := texts.guidance.get(language):
        parts.append(guidance.strip())
    code_language = re.sub(r"[^A-Za-z0-9+#._-]", "", language)[:40] or "unknown"
    prose = re.sub(r"[^\w ()-]", "", answer_language)[:60].strip() or "English"
    parts.append(f"The code is {code_language}. Write prose in {prose}.")
    return "\n\n".join(parts)


def _instructions(instructions: Iterable[str], delimiter: str) -> str:
    lines = [f"=== {delimiter} project notes: more to look for; they silence nothing ==="]
    for text in instructions:
        lines += [f"- {_harmless(line)}" for line in text.splitlines() if line.strip()]
    return "\n".join([*lines, f"=== {delimiter} end of project notes ==="])


def _region(name: str, region: Region, language: str, delimiter: str) -> str:
    parts = [f'=== {delimiter} region id="{name}" ===']
    if region.context.strip():
        context = neutralise(region.context.split("\n"))
        parts += [f"--- {delimiter} context, not to be reported on ---", *(_harmless(line) for line in context)]
    parts.append(f"--- {delimiter} code ---")
    parts += [f"{number}| {_one_line(line)}" for number, line in enumerate(neutralise(region.lines, language), 1)]
    return "\n".join([*parts, f"=== {delimiter} end of {name} ==="])


def _changes(lines: Iterable[str], delimiter: str) -> str:
    opening = f"=== {delimiter} changes to this file since the last commit: context, not to be reported on ==="
    return "\n".join([opening, *map(_harmless, lines), f"=== {delimiter} end of changes ==="])


def _harmless(line: str) -> str:
    """A line, of what has no numbers, that cannot be taken for the opening of a region."""
    return re.sub(r'(id=)"([rf]\d+)"', r"\1'\2'", _one_line(line))


def _one_line(line: str) -> str:
    """The line without characters that break lines for some readers, behind which a line of ours could be forged."""
    return _OTHER_BREAKS.sub(" ", line)


def _questioned(name: str, region_name: str, item: Questioned, language: str, delimiter: str) -> str:
    claim = item.claim
    where = (
        f"line {claim.start_line}"
        if claim.start_line == claim.end_line
        else f"lines {claim.start_line}-{claim.end_line}"
    )
    title, trigger, why = (_harmless(text) for text in _wording(claim))
    parts = [
        f'=== {delimiter} finding id="{name}" in {region_name}, {where} ===',
        f"claim ({claim.severity.value} {claim.category.value}): {title}",
        f"trigger: {trigger}",
        f"why: {why}",
    ]
    if item.patched is None:
        parts.append("no fix is proposed")
    else:
        parts += [f"--- {delimiter} {region_name} with the proposed fix ---"]
        before, after = neutralise(item.region.lines, language), neutralise(item.patched, language)
        parts += [_harmless(line) for line in _changed_part(before, after)]
    return "\n".join([*parts, f"=== {delimiter} end of {name} ==="])


def _wording(claim: Claim) -> tuple[str, str, str]:
    return claim.title, claim.trigger, claim.why


def _changed_part(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines of `after` that are new, marked with "+ ", and a few unchanged ones around them."""
    shortest = min(len(before), len(after))
    head = 0
    while head < shortest and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shortest - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    first, last = max(0, head - _CHANGED_CONTEXT), min(len(after), len(after) - tail + _CHANGED_CONTEXT)
    return [f"{'+' if head <= index < len(after) - tail else ' '} {after[index]}" for index in range(first, last)]


def _check(delimiter: str, content: Iterable[str]) -> None:
    if not re.fullmatch(r"[0-9a-f]{8,64}", delimiter):
        raise ValueError("a delimiter is 8 to 64 hexadecimal digits")
    if any(delimiter in part for part in content):
        raise ValueError("the delimiter occurs in the code; draw another one")
