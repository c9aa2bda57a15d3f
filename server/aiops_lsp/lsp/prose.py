"""Findings in words: for the diagnostic, the hint at the line's end and the hover.

Titles, reasons and triggers may come from a model, that is, from whoever wrote the code under review. They are shown
as text: in Markdown every character that could become markup is escaped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Confirmation, Origin, Severity

if TYPE_CHECKING:
    from aiops_lsp.core.findings import Finding

SIGNS = {Severity.CRITICAL: "✖", Severity.HIGH: "▲", Severity.MEDIUM: "●", Severity.LOW: "○"}

_LONGEST_HINT = 60
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_ANYWHERE = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|(?<=[A-Za-z]):(?=//)|(?<=www)\.|@")
_LINE_START = re.compile(r"^(#|[-+=](?=\s|[-=]|$)|\d{1,9}(?=[.)]))", re.MULTILINE)


def message(finding: Finding) -> str:
    """The text of a diagnostic: title, reason and trigger, then whatever limits what it says."""
    lines = [finding.title, finding.why, f"Trigger: {finding.trigger}" if finding.trigger else ""]
    if limits := caveats(finding):
        lines.append(f"({'; '.join(limits)})")
    return "\n".join(line for line in lines if line)


def caveats(finding: Finding) -> list[str]:
    """What a reader must know before relying on the finding, in few words each."""
    words = []
    if finding.rechecking:
        words.append("the code around it has changed; being re-checked")
    if finding.confirmation is Confirmation.UNCONFIRMED:
        words.append("unconfirmed by a second opinion")
    if finding.age_seconds is not None:
        words.append(f"reviewed {age(finding.age_seconds)} ago")
    return words


def age(seconds: float) -> str:
    """A duration in the unit that reads best."""
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if (count := int(seconds // size)) >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "a moment"


def hint_label(findings: list[Finding]) -> str:
    """What stands at the end of a line that has these findings: the gravest one's title, and how many more."""
    gravest = max(findings, key=lambda finding: finding.severity.rank)
    title = gravest.title if len(gravest.title) <= _LONGEST_HINT else gravest.title[: _LONGEST_HINT - 1].rstrip() + "…"
    more = f" (+{len(findings) - 1})" if len(findings) > 1 else ""
    return f"{SIGNS[gravest.severity]} {title}{more}"


def hover_plain(finding: Finding, ignore: str | None) -> str:
    """A finding in full, as plain text. `ignore` is the comment that would silence it."""
    return "\n\n".join(
        part
        for part in (
            f"{SIGNS[finding.severity]} {finding.title}",
            finding.why,
            f"Trigger: {finding.trigger}" if finding.trigger else "",
            _facts(finding),
            f"To ignore it: {ignore}" if ignore else "",
        )
        if part
    )


def hover_markdown(finding: Finding, ignore: str | None, page: str | None) -> str:
    """The same as Markdown. `page` is of the rule's own page, which is ours or the user's and already Markdown."""
    code = f"[{escape(finding.code)}]({finding.url})" if _is_web(finding.url) else escape(finding.code)
    parts = [
        f"{SIGNS[finding.severity]} **{escape(finding.title)}**",
        escape(finding.why),
        f"**Trigger:** {escape(finding.trigger)}" if finding.trigger else "",
        f"{escape(_facts(finding, with_code=False))} · {code}",
        f"To ignore it: {_code_span(ignore)}" if ignore else "",
    ]
    if page:
        parts.append(f"---\n\n{page.strip()}")
    return "\n\n".join(part for part in parts if part)


def escape(text: str) -> str:
    """`text` as Markdown that renders as exactly this text, in paragraphs: no links, images, code, lists, HTML."""
    flat = "\n".join(" ".join(line.split()) for line in re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+", text))
    return _LINE_START.sub(_escaped_start, _ANYWHERE.sub(lambda match: f"\\{match[0]}", flat)).strip("\n")


def _escaped_start(match: re.Match[str]) -> str:
    # A number is no markup by itself; what follows it is, so the backslash goes between.
    return f"{match[0]}\\" if match[0][0].isdigit() else f"\\{match[0]}"


def _facts(finding: Finding, *, with_code: bool = True) -> str:
    by = "a language model" if finding.origin is Origin.MODEL else "a rule"
    facts = [finding.severity.value, f"confidence {finding.confidence} %", f"found by {by}"]
    if with_code:
        facts.append(finding.code)
    return " · ".join([*facts, *caveats(finding)])


def _code_span(text: str) -> str:
    runs = [len(run) for run in re.findall(r"`+", text)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _is_web(url: str | None) -> bool:
    return url is not None and re.fullmatch(r"https?://[^\s()<>\[\]\\`]+", url) is not None
