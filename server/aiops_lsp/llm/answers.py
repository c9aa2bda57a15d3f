"""Reads what a model answers, which is untrusted text, into claims and verdicts.

Nothing is taken for granted: each finding is checked by itself, so that one that is wrong costs no other; numbers are
clamped, prose is made plain, and what names no region of the request is counted and left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import jiter

from aiops_lsp.core.findings import Category, Claim, ClaimedFix, Severity
from aiops_lsp.llm.answer_scan import AnswerScanner, EntryClosed, ItemClosed
from aiops_lsp.llm.plain_text import plain, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aiops_lsp.llm.answer_scan import Closed

MAX_TITLE = 80
MAX_PROSE = 600
MAX_LINE = 2000
MAX_FIX_LINES = 100
MAX_FINDINGS = 50
"""Of one region; what is beyond counts as invalid."""

_LAST_LINE = 1_000_000
_Name = TypeVar("_Name", Category, Severity)
_REGION_SO_FAR = re.compile(r'\{\s*"region"\s*:\s*"([^"\\]*)"\s*,')


@dataclass(frozen=True, slots=True)
class FindingClosed:
    """One finding of a region is complete, while its region may still go on."""

    region_id: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class RegionClosed:
    """All that is said about a region. Each claim was in a `FindingClosed` before; `invalid` counts what was none."""

    region_id: str
    claims: tuple[Claim, ...]
    invalid: int


AnswerEvent = FindingClosed | RegionClosed


class AnswerReader:
    """Reads the answer to a review as it comes. However it is split, the events are the same.

    `ignored` counts entries that name no region of the request, or one a second time.
    """

    def __init__(self, region_ids: Iterable[str]) -> None:
        self._open = dict.fromkeys(region_ids)
        self._scanner = AnswerScanner("regions", "findings")
        self._claims: list[Claim] = []
        self._shown = 0
        self._invalid = 0
        self._named: str | None = None
        self.ignored = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """The regions of the request of which no complete entry has come, in order."""
        return tuple(self._open)

    @property
    def started(self) -> bool:
        """Whether anything that looks like an answer has come."""
        return self._scanner.started

    def feed(self, text: str) -> list[AnswerEvent]:
        """Read on; returns what `text` completes, in order."""
        events: list[AnswerEvent] = []
        for closed in self._scanner.feed(text):
            events += self._take(closed)
        return events

    def finish(self) -> list[AnswerEvent]:
        """The text has ended. Nothing is left to say: an entry that did not close stays `missing`."""
        return []

    def _take(self, closed: Closed) -> list[AnswerEvent]:
        if isinstance(closed, EntryClosed):
            return self._close_entry(closed)
        self._read_finding(closed)
        named = _REGION_SO_FAR.match(closed.entry)
        if named is None or named[1] not in self._open:
            return []
        self._named = named[1]
        return self._show(named[1])

    def _read_finding(self, closed: ItemClosed) -> None:
        claim = read_claim(_parsed(closed.text)) if len(self._claims) < MAX_FINDINGS else None
        if claim is None:
            self._invalid += 1
        else:
            self._claims.append(claim)

    def _show(self, region_id: str) -> list[AnswerEvent]:
        fresh, self._shown = self._claims[self._shown :], len(self._claims)
        return [FindingClosed(region_id, claim) for claim in fresh]

    def _close_entry(self, closed: EntryClosed) -> list[AnswerEvent]:
        entry = _parsed(closed.text)
        region_id = entry.get("region") if isinstance(entry, dict) else None
        events: list[AnswerEvent] = []
        if not isinstance(region_id, str) or region_id not in self._open or self._named not in (None, region_id):
            self.ignored += 1
        elif closed.had_items:
            events += self._show(region_id)
            events.append(RegionClosed(region_id, tuple(self._claims), self._invalid + closed.strays))
            del self._open[region_id]
        self._claims, self._shown, self._invalid, self._named = [], 0, 0, None
        return events


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a second opinion says of one finding. `confidence` is 0-100."""

    finding_id: str
    reason: str
    refuted: bool
    fix_correct: bool
    confidence: int


def read_verdicts(text: str, ids: Collection[str]) -> dict[str, Verdict]:
    """The valid verdicts in `text` on the findings `ids`, the first on each; what is missing has no valid one."""
    verdicts: dict[str, Verdict] = {}
    for closed in AnswerScanner("verdicts", "").feed(text):
        verdict = _read_verdict(_parsed(closed.text)) if isinstance(closed, EntryClosed) else None
        if verdict is not None and verdict.finding_id in ids:
            verdicts.setdefault(verdict.finding_id, verdict)
    return verdicts


def read_claim(value: object) -> Claim | None:
    """The claim that a finding of an answer makes; None when it is not one."""
    if not isinstance(value, dict):
        return None
    quote = _code_line(value.get("quote"))
    start = _number(value.get("start_line"))
    category = _member(Category, value.get("category"))
    severity = _member(Severity, value.get("severity"))
    confidence = _confidence(value.get("confidence"))
    trigger, why = _prose(value.get("trigger"), MAX_PROSE), _prose(value.get("why"), MAX_PROSE)
    title = _prose(value.get("title"), MAX_TITLE)
    if category is None or severity is None or confidence is None or start is None:
        return None
    if not (quote and quote.strip() and trigger and why and title):
        return None
    end = _number(value.get("end_line"))
    start = _clamp(start, 1, _LAST_LINE)
    focus = value.get("focus")
    outside = value.get("needs_outside_context") is not False
    return Claim(
        quote=quote,
        focus=focus if isinstance(focus, str) and focus.strip() and focus in quote else "",
        start_line=start,
        end_line=_clamp(start if end is None else end, start, _LAST_LINE),
        trigger=trigger,
        why=why,
        title=title,
        category=category,
        severity=severity,
        confidence=confidence,
        needs_outside_context=outside,
        fix=None if outside else _fix(value.get("fix")),
    )


def _read_verdict(value: object) -> Verdict | None:
    if not isinstance(value, dict):
        return None
    finding, refuted = value.get("finding"), value.get("refuted")
    confidence = _confidence(value.get("confidence"))
    if not isinstance(finding, str) or not isinstance(refuted, bool) or confidence is None:
        return None
    correct = value.get("fix_correct") is True
    return Verdict(finding, _prose(value.get("reason"), MAX_PROSE), refuted, correct, confidence)


def _fix(value: object) -> ClaimedFix | None:
    """A fix that could be applied as it stands; whether it fits the text is decided elsewhere."""
    if not isinstance(value, dict):
        return None
    start, end = _number(value.get("start_line")), _number(value.get("end_line"))
    old, new = _code_lines(value.get("old_lines")), _code_lines(value.get("new_lines"))
    if start is None or end is None or old is None or new is None or not 1 <= start <= end <= _LAST_LINE:
        return None
    known = set("\t").union(*old)
    if any(not visible(char) and char not in known for line in new for char in line):
        return None  # an edit must not bring in what nobody would see
    return ClaimedFix(start, end, old, new)


def _code_lines(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        return None
    lines = [part.removesuffix("\r") for line in value for part in line.removesuffix("\n").split("\n")]
    return tuple(lines) if len(lines) <= MAX_FIX_LINES and all(len(line) <= MAX_LINE for line in lines) else None


def _code_line(value: object) -> str | None:
    """The first line of a quote, otherwise verbatim: it has to be found in the code."""
    if not isinstance(value, str):
        return None
    first: str = re.split(r"[\r\n]", value.lstrip("\r\n"), maxsplit=1)[0]
    return first if len(first) <= MAX_LINE else None


def _prose(value: object, limit: int) -> str:
    return plain(value, limit) if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,9}\s*", value, re.ASCII):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        return None
    return int(value) if value == int(value) else None


def _confidence(value: object) -> int | None:
    """0-100; a fraction between 0 and 1, as some models prefer, counts as a percentage."""
    if isinstance(value, float) and 0 < value < 1:
        return round(value * 100)
    if isinstance(value, float) and value == value and abs(value) < 1e12:  # noqa: PLR0124 - false for NaN only
        value = round(value)
    number = _number(value)
    return None if number is None else _clamp(number, 0, 100)


def _member(kind: type[_Name], value: object) -> _Name | None:
    if not isinstance(value, str):
        return None
    name = re.sub(r"[\s-]+", "_", value.strip().lower())
    return next((member for member in kind if member.value == name), None)


def _clamp(value: int, low: int, high: int) -> int:
    return min(high, max(low, value))


def _parsed(text: str) -> object:
    try:
        return jiter.from_json(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
