"""Comments that speak to a reviewer or a language model in order to silence it.

They never have that effect here. They are reported because what they cover deserves a look. Only the text of
comments counts: strings and names may well be about reviewers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Finding, Origin
from aiops_lsp.rules.builtin import REVIEWER_ADDRESSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import SgNode

    from aiops_lsp.core.language_table import Language
    from aiops_lsp.core.text import Range

# Names that are also plain subjects ("if AI is disabled, skip this") count only where the comment speaks to them.
_NAME = r"(?:ai|llm|gpt(?:-?\d)?|chatgpt|claude|copilot|gemini|codex|(?:large )?language[ -]models?)"
_ADDRESSEE = (
    r"(?:(?:(?:ai|code|automated|llm)[ -](?:code[ -])?review(?:er|ers|s|ing)?(?:[ -](?:bot|tool|agent)s?)?"
    r"|review(?:er|ers|[ -]bot)|(?:ai|coding) (?:assistant|agent|model|tool)s?|linters? and ai)\b"
    rf"|{_NAME}(?=\s*[:,;]|\s+(?:please|should|must|may|do not|don't)\b)"
    rf"|(?:to|for) (?:the |any |all |an? )?{_NAME}s?\b)"
)
_SILENCE = (
    r"(?:ignore|skip|overlook|disregard|approve|do(?: not|n'?t) (?:report|flag|mention|review|comment on|warn|raise)|"
    r"never (?:report|flag|mention)|no (?:issues|findings|bugs|problems|comments)|nothing to (?:report|see|flag)|"
    r"stay silent|(?:move|look) (?:on|away)|mark (?:this )?as (?:safe|clean|approved)|"
    r"(?:must|should) not (?:be )?(?:report|flag|mention|review)|report nothing|false positive)"
)
_WORDS = re.compile(
    rf"\b{_ADDRESSEE}[^.\n]{{0,60}}?\b{_SILENCE}\b"
    rf"|\b{_SILENCE}\b[^.\n]{{0,40}}?\b(?:for|by|to|from) (?:the |any |all |an? )?{_ADDRESSEE}"
    r"|\b(?:ignore|disregard|forget|override) (?:all |any |the |your |my )*"
    r"(?:previous|prior|above|earlier|preceding|system) (?:instruction|prompt|rule|direction|guideline|message)s?\b"
    r"|\bdo(?: not|n'?t) (?:report|flag|mention) (?:this|these|that|any|it)\b[^.\n]{0,30}"
    r"\b(?:findings?|issues?|bugs?|vulnerabilit(?:y|ies)|defects?|in (?:the|your|a) review|to the (?:user|developer))\b"
    r"|\b(?:report|respond with|answer with) (?:an empty list of (?:findings|issues)|"
    r"no (?:findings|issues|bugs|vulnerabilities)|zero (?:findings|issues))\b"
    r"|[\"']findings[\"']\s{0,3}:\s{0,3}\[\s{0,3}\]",
    re.IGNORECASE,
)
# Without one of each no comment can match, and a search for words is a hundred times cheaper than the expression.
_HINTS = (
    *(
        "review",
        "ai:",
        "ai ",
        "ai,",
        "llm",
        "gpt",
        "claude",
        "copilot",
        "gemini",
        "codex",
        "model",
        "assistant",
        "agent",
    ),
    *("instruction", "prompt", "guideline", "direction", "rules", "report", "finding", "bug", "vulnerab", "defect"),
    *("issue", "system"),
)
_SILENCE_HINTS = (
    *(
        "ignore",
        "skip",
        "overlook",
        "disregard",
        "approve",
        "report",
        "flag",
        "mention",
        "review",
        "comment on",
        "warn",
    ),
    *("raise", "no issue", "no finding", "no bug", "no problem", "no comment", "nothing to", "silent", "move on"),
    *("look away", "look on", "move away", "mark ", "false positive", "forget", "override", "findings", "empty list"),
    *("zero issues", "no vulnerabilities"),
)
_BLANKS = re.compile(r"[\s*/#]+")


def reviewer_addressed(root: SgNode, text: str, language: Language) -> Iterator[SgNode]:
    """The comments under `root`, whose text is `text`, that try to silence a reviewer."""
    if not _may_be_suspect(text):
        return
    for comment in root.find_all({"rule": {"any": [{"kind": kind} for kind in sorted(language.comments)]}}):
        words = comment.text()
        if _may_be_suspect(words) and _is_suspect(words):
            yield comment


def comment_finding(place: Range, evidence: str, symbol: str) -> Finding:
    """The finding, without id, for such a comment."""
    rule = REVIEWER_ADDRESSED
    return Finding(
        id="",
        code=rule.id,
        origin=Origin.RULE,
        category=rule.category,
        severity=rule.severity,
        confidence=rule.confidence,
        title=rule.title,
        why=rule.why,
        trigger=rule.trigger,
        range=place,
        evidence=evidence,
        symbol=symbol,
    )


def _may_be_suspect(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS) and any(hint in lowered for hint in _SILENCE_HINTS)


def _is_suspect(text: str) -> bool:
    """Line breaks, with the comment marks around them, do not keep words apart."""
    return _WORDS.search(text) is not None or _WORDS.search(_BLANKS.sub(" ", text)) is not None
