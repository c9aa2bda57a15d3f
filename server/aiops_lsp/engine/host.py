"""What the engine tells whoever runs it, and what it asks: an editor's session, or the command line.

The engine knows no editor. A `Host` shows what is published and answers the one question that the engine may ask.
All its methods are called on the event loop and must return at once.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from aiops_lsp.core.findings import Finding
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.settings import Settings


class Folder(NamedTuple):
    """Where a document belongs: a workspace folder, or none (`root` None).

    `settings` are those that hold for it, the repository's restrictions included. In a folder that is not trusted
    nothing of the folder is run or sent. `dismissed` and `baseline` are ids of findings that are not shown.
    """

    root: Path | None
    settings: Settings
    trusted: bool = True
    dismissed: frozenset[str] = frozenset()
    baseline: frozenset[str] = frozenset()

    @property
    def project(self) -> str:
        """What spending is booked under: the folder's path, since two may have the same name. Empty without one."""
        return str(self.root or "")


class Publication(NamedTuple):
    """All findings of one version of a document; they replace those of any earlier version.

    `snapshot` is None when the document was closed: then the findings are none.
    """

    uri: str
    version: int
    findings: tuple[Finding, ...]
    snapshot: Snapshot | None


class State(StrEnum):
    """What the engine as a whole is doing, in the words of the `aiops/status` notification."""

    IDLE = "idle"
    REVIEWING = "reviewing"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    OVER_BUDGET = "over_budget"
    WAITING_FOR_CONSENT = "waiting_for_consent"


class Spend(NamedTuple):
    """Tokens and US dollars spent, what is reserved for requests under way included, against the limits.

    `saved_tokens` and `saved_usd` are what the cache spared today. `day_resets_at` and `month_resets_at` are seconds
    since the epoch.
    """

    today_tokens: int = 0
    today_usd: float = 0.0
    month_usd: float = 0.0
    daily_token_budget: int = 0
    monthly_cost_limit: float = 0.0
    saved_tokens: int = 0
    saved_usd: float = 0.0
    day_resets_at: float = 0.0
    month_resets_at: float = 0.0


class DocumentStatus(NamedTuple):
    """How much of a document has been reviewed.

    `not_reviewed` maps a reason in words to the number of regions that it keeps back. `note` says why the document as
    a whole is not sent to a model, where that is so.
    """

    uri: str
    regions: int
    reviewed: int
    reviewing: int
    not_reviewed: Mapping[str, int] = MappingProxyType({})
    note: str = ""

    @property
    def words(self) -> str:
        """As in `7 of 41 regions reviewed`."""
        return f"{self.reviewed} of {self.regions} regions reviewed"


class Status(NamedTuple):
    """The state with its reason in words, the spend, and the open documents."""

    state: State
    reason: str
    spend: Spend
    documents: tuple[DocumentStatus, ...] = ()
    restricted_by: tuple[str, ...] = ()

    @classmethod
    def starting(cls, documents: Iterable[DocumentStatus]) -> Status:
        """The status before the engine has started."""
        return cls(State.IDLE, "starting", Spend(), tuple(documents))


class ConsentQuestion(NamedTuple):
    """May source of this workspace go to `host`? `what` says in a sentence what would be sent."""

    host: str
    provider: str
    workspace: str
    what: str


class ConsentAnswer(StrEnum):
    """The answers to it."""

    WORKSPACE = "workspace"
    EVERYWHERE = "everywhere"
    NOT_NOW = "not_now"


class RegionReport(NamedTuple):
    """How one region fared in a review that was asked for. Lines count from 0, `end_line` is not included.

    `outcome` is `reviewed`, `cached` or `not_reviewed`; `reason` says why not.
    """

    symbol: str
    start_line: int
    end_line: int
    outcome: str
    reason: str = ""


class ReviewReport(NamedTuple):
    """What a review that was asked for came to, for one document.

    `findings` are those that show, anchored in `snapshot`. `regions` are those with anything to review.
    `not_reviewed` says why the document as a whole was not put to a model, empty where it was. `tokens` and
    `micro_usd` (millionths of a US dollar) are what it cost.
    """

    uri: str
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    regions: tuple[RegionReport, ...]
    not_reviewed: str = ""
    tokens: int = 0
    micro_usd: int = 0


class DocumentClosed(KeyError):
    """The document was closed before what was asked about it was done. Its argument is the URI."""


class Urgency(StrEnum):
    """How a message is shown."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Host(Protocol):
    """Whoever runs the engine."""

    def publish(self, publication: Publication) -> None:
        """Show these findings."""
        ...

    def status_changed(self) -> None:
        """The status may be another: ask for it when convenient."""
        ...

    def show_message(self, urgency: Urgency, text: str) -> None:
        """Tell the user, once; the engine never repeats itself."""
        ...

    async def ask_consent(self, question: ConsentQuestion) -> ConsentAnswer:
        """Ask the user. Where nobody can be asked the answer is `NOT_NOW`."""
        ...
