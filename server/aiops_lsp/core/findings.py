"""What a review says: claims as a model or a rule states them, and findings as they stand in a text.

A *claim* is what a model reports about one region, in the region's own dedented lines. It is what the cache
keeps. A *finding* is a claim (or a rule's match) anchored in one snapshot of a document. Its id is made of what
the finding is about and never of how it is worded, so that nothing flickers when a model says it differently
and a dismissal holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiops_lsp.core.text import Range


class Severity(StrEnum):
    """How much harm a finding can do. Ordered by `rank`, critical highest."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical."""
        return _SEVERITY_ORDER.index(self)

    def lowered(self) -> Severity:
        """One step down; low stays low."""
        return _SEVERITY_ORDER[max(0, self.rank - 1)]


_SEVERITY_ORDER = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


class Category(StrEnum):
    """The kinds of defect that are reported at all."""

    BUG = "bug"
    SECURITY = "security"
    CONCURRENCY = "concurrency"
    RESOURCE_LEAK = "resource_leak"
    ERROR_HANDLING = "error_handling"
    API_MISUSE = "api_misuse"
    PERFORMANCE = "performance"


class Origin(StrEnum):
    """Who found it."""

    MODEL = "model"
    RULE = "rule"
    RUFF = "ruff"


class Confirmation(StrEnum):
    """Where a finding stands with its second opinion."""

    NOT_DUE = "not_due"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class ClaimedFix:
    """A replacement that a model proposes, in lines of its region numbered from 1, dedented."""

    start_line: int
    end_line: int
    old_lines: tuple[str, ...]
    new_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One defect as a model states it about one region. Lines count from 1 within the region.

    `quote` is the first offending line, verbatim; `focus` the part of it to underline, or empty.
    `confidence` is 0-100. Strings are plain text, already bounded and cleaned.
    """

    quote: str
    focus: str
    start_line: int
    end_line: int
    trigger: str
    why: str
    title: str
    category: Category
    severity: Severity
    confidence: int
    needs_outside_context: bool
    fix: ClaimedFix | None


class Edit(NamedTuple):
    """Replace the text in `range`, which must hold exactly `old_text`, by `new_text`."""

    range: Range
    old_text: str
    new_text: str


class Fix(NamedTuple):
    """Edits to one document, in document order and not overlapping, that resolve a finding.

    `verified` is true for a rule's fix that is declared safe and for a model's fix that a second opinion upheld:
    only such a fix is preferred or applied together with others.
    """

    title: str
    edits: tuple[Edit, ...]
    verified: bool

    def moved(self, lines: int) -> Fix:
        """The fix so many lines further down."""
        return self._replace(edits=tuple(edit._replace(range=edit.range.moved(lines)) for edit in self.edits))


class Finding(NamedTuple):
    """A defect at its place in one snapshot.

    `evidence` is exactly the text that `range` covers in that snapshot. `code` is the rule's id
    (`py/eval-input`, ruff's `B006`) or, for a model's finding, its category. `symbol` is the dotted name of the
    enclosing function or class, empty at top level. `rechecking` says that the region has changed since the
    finding was made and only its evidence is known to stand. `age_seconds` is set when the result is past its
    freshness.
    """

    id: str
    code: str
    origin: Origin
    category: Category
    severity: Severity
    confidence: int
    title: str
    why: str
    trigger: str
    range: Range
    evidence: str
    symbol: str
    fix: Fix | None = None
    confirmation: Confirmation = Confirmation.NOT_DUE
    rechecking: bool = False
    age_seconds: float | None = None
    url: str | None = None

    def moved(self, lines: int) -> Finding:
        """The finding so many lines further down, where the same text stands."""
        return self._replace(range=self.range.moved(lines), fix=None if self.fix is None else self.fix.moved(lines))


@lru_cache(maxsize=2048)
def finding_id(category: str, quote: str, symbol: str, ordinal: int) -> str:
    """The stable id of a finding: 16 hex digits.

    `category` is the category of a model's finding or the rule id of a rule's. Blanks in `quote` do not count,
    and of `symbol` only its last name does, so that moving or re-indenting code keeps the id. `ordinal` tells
    findings apart that are equal in all else, counted from 0 in document order.
    """
    import hashlib  # noqa: PLC0415  # the server's start, which needs no id, loads this module

    material = "\x1f".join((*_kind(category, quote, symbol), str(ordinal)))
    return hashlib.sha256(material.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _kind(category: str, quote: str, symbol: str) -> tuple[str, str, str]:
    """What findings have in common that only their ordinal tells apart."""
    return category, " ".join(quote.split()), symbol.rpartition(".")[2]


def number_findings(findings: Iterable[tuple[Finding, str]]) -> list[Finding]:
    """Give each finding its id. Each comes with the quote that it is about; order is document order."""
    seen: dict[tuple[str, str, str], int] = {}
    numbered: list[Finding] = []
    for finding, quote in findings:
        category = finding.category.value if finding.origin is Origin.MODEL else finding.code
        kind = _kind(category, quote, finding.symbol)
        ordinal = seen.get(kind, 0)
        seen[kind] = ordinal + 1
        numbered.append(finding._replace(id=finding_id(category, quote, finding.symbol, ordinal)))
    return numbered
