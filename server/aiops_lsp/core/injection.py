"""Comments that talk to the reviewer instead of about the code, and how they are kept from the model.

Only comments are touched: strings, names and code reach the model as they stand, because a finding must be able to
quote them. The number of lines never changes. What is taken out here is still in the document, where the rules see
and report it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

REMOVED = "(comment removed)"

_WHO = (
    r"(?:(?:ai|a\.i\.|llm|gpt|automated|automatic|machine|virtual|code|review|security)[ -]+)*"
    r"(?:ai|a\.i\.|llms?|gpt(?:-?[\d.]+)?|chatgpt|claude|gemini|copilot|codex|language models?|reviewers?"
    r"|review (?:bots?|tools?)|auditors?|assistants?|ai agents?|scanners?|bots?)"
)
_THINGS = (
    r"(?:this|these|it|them|any(?:thing)?|issues?|problems?|findings?|bugs?|defects?|vulnerabilit(?:y|ies)"
    r"|the (?:following|above|below|next))"
)

_ADDRESSED = (
    # to set aside what the reviewer was told
    r"\b(?:ignore|disregard|forget|override|bypass|discard)\b.{0,30}\b"
    r"(?:instructions?|prompts?|directions|guidelines|system messages?|rules (?:above|before|you))\b",
    # to be spoken to: "AI reviewer: ...", "note to automated tools"
    rf"(?:^|(?<=[.!?;(])\s+)(?:@|dear |hey |hello |hi |attention |note (?:to|for) (?:the |any |all )?)?{_WHO}\s*[:,]\s",
    r"\b(?:notes?|message|messages|attention|notice|instructions?|reminder|hint|for)\b.{0,12}\b(?:to|for)?\s*"
    r"(?:the |any |all |every |an? )?(?:(?:ai|llm|automated|automatic)[ -]+)+(?:code |security )?"
    r"(?:review(?:er|ing)?s?|models?|tools?|agents?|assistants?|auditors?|scanners?|systems?|bots?)\b",
    r"\byou (?:are|act|must act)\s+(?:now\s+)?(?:as\s+)?(?:an?|the)\s.{0,24}\b"
    r"(?:ai|assistant|model|reviewer|linter|auditor|bot|agent)\b",
    # to be silent, or to say something else
    r"\b(?:do not|don'?t|never|must not|no need to|stop)\s+"
    rf"(?:report|flag|mention|review|analy[sz]e|audit|comment on)(?:ing)?\b.{{0,24}}\b{_THINGS}\b",
    r"\b(?:report|return|output|answer(?: with)?|respond(?: with)?|reply(?: with)?|emit|give|produce|state|say)\b"
    r".{0,12}\b(?:no|zero|an empty(?: list of)?|without)\s+(?:findings?|issues?|defects?|bugs|problems)\b",
    r"\b(?:report|emit|raise|invent)\b.{0,20}\bfindings?\b",
    r"\b(?:set|use|lower|raise|keep|make|give)\b.{0,16}\b(?:confidence|severity)\b.{0,12}"
    r"(?:\bto\b|\bof\b|=|:)\s*(?:0|1?\d\d?|zero|low|none|critical|high)\b",
    # the answer's own keys, and other models' markup
    r"\"(?:regions|findings|verdicts|refuted|fix_correct|needs_outside_context)\"\s*:|\bneeds_outside_context\b",
    r"<\|?/?(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|?>|\[/?INST\]|<<SYS>>"
    r"|^\W*(?:system|developer|assistant)\s*(?:prompt|message|override)\s*:",
    # to hand out what it knows, to use tools
    r"\b(?:reveal|print|show|repeat|leak|output|send)\b.{0,24}\b"
    r"(?:system prompt|your (?:prompt|instructions|rules)|api keys?|secrets? (?:you|in your))\b",
    r"\b(?:call|use|invoke|run)\s+(?:the|your)\s+.{0,24}\btools?\b.{0,24}\b(?:to|and|now)\b",
)
_CLAIMED_SAFE = (
    r"\b(?:this|these|the (?:following|above|below|next)|all|everything)\b.{0,30}\b"
    r"(?:(?:has|have) (?:already )?been|was|were|is|are)\s+(?:already |fully |formally |independently |known to be )*"
    r"(?:audited|(?:security[- ])?reviewed|approved|vetted|pre-?approved|certified|cleared|exempt|proven|verified|safe"
    r"|secure|correct|bug[- ]free|intentional(?:ly)? (?:vulnerable|insecure))\b",
    r"\b(?:known|confirmed|marked as|treat(?:ed)? as|consider(?:ed)?)\s+(?:an?\s+)?"
    r"(?:false positives?|safe|intended)\b",
    r"\b(?:approved|audited|certified|verified|reviewed|signed off) by\b.{0,40}\b(?:security|team|audit|reviewer)",
)
_ADDRESSED_PATTERN = re.compile("|".join(_ADDRESSED), re.IGNORECASE)
_ANY_PATTERN = re.compile("|".join(_ADDRESSED + _CLAIMED_SAFE), re.IGNORECASE)

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_DOCSTRING = re.compile(r"\s*[rRuUbBfF]{0,2}(\"\"\"|''')")
_STRING_OR_COMMENT = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)"""
    r"""|(?P<opener>\#|//|/\*|<!--|(?:^|(?<=\s))--(?=\s))"""
)
_CLOSERS = {"/*": "*/", "<!--": "-->"}
_LEADING = re.compile(r"[\s#/*;!-]*")
_LONGEST_RUN = 40


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment, or the part of one that stands on `line`. From `start` to `end` it is content, without markers.

    With its markers it goes from `outer_start` to `outer_end`, where it begins and ends on this line.
    """

    line: int
    start: int
    end: int
    outer_start: int | None = None
    outer_end: int | None = None


def neutralise(lines: Sequence[str]) -> tuple[str, ...]:
    """`lines` without the comments that address a reviewer or a model, or vouch for the code. Same number of lines.

    A comment after code is cut off, so that the code still stands verbatim; of any other only a note remains that
    there was one.
    """
    changed = list(lines)
    for comment in reversed(_hits(lines, _ANY_PATTERN)):
        line = changed[comment.line]
        if comment.outer_start is not None and line[: comment.outer_start].strip():
            changed[comment.line] = line[: comment.outer_start].rstrip() + line[comment.outer_end :]
            continue
        content = line[comment.start : comment.end]
        lead = _LEADING.match(content)
        kept = lead[0] if lead else ""
        blank = " " if content.endswith(" ") else ""
        changed[comment.line] = line[: comment.start] + kept + REMOVED + blank + line[comment.end :]
    return tuple(changed)


def addressing_comments(lines: Sequence[str]) -> list[tuple[int, int, int]]:
    """The comments that talk to a reviewer or model: line (from 0), start and end column of each, in order."""
    return [(comment.line, comment.start, comment.end) for comment in _hits(lines, _ADDRESSED_PATTERN)]


def _hits(lines: Sequence[str], pattern: re.Pattern[str]) -> list[_Comment]:
    """The comments that `pattern` meets, also where a sentence runs over several of them; in document order."""
    found: dict[tuple[int, int], _Comment] = {}
    for run in _runs(lines):
        texts = [_readable(lines[comment.line][comment.start : comment.end]) for comment in run]
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        for match in pattern.finditer(" ".join(texts)):
            for comment, start, text in zip(run, starts, texts, strict=False):
                if text and start < match.end() and match.start() < start + len(text):
                    found[comment.line, comment.start] = comment
    return [found[place] for place in sorted(found)]


def _readable(text: str) -> str:
    """What a reader makes of a comment: no markers, no invisible characters, compatibility forms folded."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(_LEADING.sub("", plain, count=1).split())


def _runs(lines: Sequence[str]) -> Iterator[list[_Comment]]:
    """Comments on lines that follow each other, together: a sentence may run over them."""
    run: list[_Comment] = []
    for comment in _comments(lines):
        if run and (comment.line > run[-1].line + 1 or len(run) >= _LONGEST_RUN):
            yield run
            run = []
        run.append(comment)
    if run:
        yield run


def _comments(lines: Sequence[str]) -> Iterator[_Comment]:
    """The comments of `lines`, in whatever language. A docstring is one; other strings are not."""
    until = ""
    for number, line in enumerate(lines):
        at = 0
        if not until and (opening := _DOCSTRING.match(line)):
            until, at = opening[1], opening.end()
        if until:
            closed = line.find(until, at)
            yield _Comment(number, at, closed if closed >= 0 else len(line))
            if closed < 0:
                continue
            at, until = closed + len(until), ""
        until = yield from _comments_after(number, line, at)


def _comments_after(number: int, line: str, at: int) -> Generator[_Comment, None, str]:
    """The comments of a line from column `at`. Returns what will close a block comment that stays open, or nothing."""
    while (match := _next_opener(line, at)) is not None:
        closer = _CLOSERS.get(match["opener"], "")
        end = line.find(closer, match.end()) if closer else len(line)
        if end < 0:
            yield _Comment(number, match.end(), len(line))
            return closer
        at = end + len(closer)
        yield _Comment(number, match.end(), end, match.start(), at)
    return ""


def _next_opener(line: str, at: int) -> re.Match[str] | None:
    return next((match for match in _STRING_OR_COMMENT.finditer(line, at) if match["opener"]), None)
