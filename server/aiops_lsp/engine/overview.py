"""The whole in one look: what is spent, what stands in the way, and the two warnings about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from aiops_lsp.engine.governor import budgets
from aiops_lsp.engine.host import Spend, State, Status, Urgency
from aiops_lsp.store.budget import DeniedReason, Pressure
from aiops_lsp.store.ledger import LedgerUnavailable
from aiops_lsp.store.periods import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.consent import Consents
    from aiops_lsp.engine.governor import Governor
    from aiops_lsp.engine.host import DocumentStatus, Host
    from aiops_lsp.engine.services import Services
    from aiops_lsp.settings import Settings
    from aiops_lsp.store.budget import Denied
    from aiops_lsp.store.budget import Spend as LedgerSpend
    from aiops_lsp.store.ledger_usage import SavedRow

    Reading = tuple[Pressure, LedgerSpend, list[SavedRow], list[str]]

WARNING_LEVELS = (1.0, 0.8)


class Overview:
    """Spend and state. `refresh` reads the ledger; what is not async answers at once from what was read last."""

    def __init__(self, services: Services, settings: Settings, host: Host, clock: Clock, governor: Governor) -> None:
        self._services = services
        self._host = host
        self._clock = clock
        self._governor = governor
        self.settings = settings
        self.spend = _no_spend(settings)
        self.pressure = Pressure(0.0, 0.0)
        self.ledger_problem = ""
        self._told: set[str] = set()

    @property
    def pressed(self) -> bool:
        """Whether a limit is so near that cheaper models are due."""
        return self.pressure.warning

    @property
    def exhausted(self) -> bool:
        """Whether a limit is reached, and nothing that may be asked goes on without."""
        return self.pressure.tokens >= 1.0 or (self.pressure.cost >= 1.0 and not self._services.pool.free)

    @property
    def resets_at(self) -> float:
        """When the limit that is nearest starts anew, in wall clock seconds."""
        return self.spend.month_resets_at if self._worst_kind is PeriodKind.MONTH else self.spend.day_resets_at

    @property
    def _worst_kind(self) -> PeriodKind:
        return PeriodKind.MONTH if self.pressure.cost > self.pressure.tokens else PeriodKind.DAY

    async def refresh(self) -> None:
        """Read the ledger, and warn once when a limit comes near or is reached."""
        await self.take(await self._services.worker.run(self.read))

    def read(self) -> Reading | LedgerUnavailable:
        """What the ledger says of the budgets, or why it says nothing. Blocks: for the stores' thread."""
        ledger, (limits, _) = self._services.ledger, budgets(self.settings)
        try:
            with ledger.reading():
                spend = ledger.spend(limits)
                return spend.pressure(limits), spend, ledger.saved(1), ledger.take_notices()
        except LedgerUnavailable as problem:
            return problem

    async def take(self, read: Reading | LedgerUnavailable) -> None:
        """Go on from what was read; warn once when a limit comes near or is reached."""
        try:
            if isinstance(read, LedgerUnavailable):
                raise read
            pressure, spend, saved, notices = read
            for notice in notices:
                self._host.show_message(Urgency.WARNING, _sentence(notice))
            await self._warn(pressure, spend)
            for denied in self._governor.take_denials():
                await self._limit_reached(denied)
        except LedgerUnavailable as problem:
            self.ledger_problem = str(problem)
            self._tell_of_ledger(self.ledger_problem)
            return
        self.ledger_problem = ""
        if self._governor.ledger_problem:  # it can be read, but not written
            self._tell_of_ledger(self._governor.ledger_problem)
        self.pressure = pressure
        before, self.spend = (
            self.spend,
            Spend(
                today_tokens=spend.day.tokens + spend.day.reserved_tokens,
                today_usd=(spend.day.micro_usd + spend.day.reserved_micro_usd) / 1e6,
                month_usd=(spend.month.micro_usd + spend.month.reserved_micro_usd) / 1e6,
                daily_token_budget=self.settings.budget.daily_token_budget,
                monthly_cost_limit=self.settings.budget.monthly_cost_limit,
                saved_tokens=sum(row.tokens for row in saved),
                saved_usd=sum(row.micro_usd for row in saved) / 1e6,
                day_resets_at=spend.day.resets_at,
                month_resets_at=spend.month.resets_at,
            ),
        )
        if self.spend != before:
            self._host.status_changed()

    def _tell_of_ledger(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            text = f"{_sentence(words)} Nothing paid is sent until then; the offline rules go on."
            self._host.show_message(Urgency.WARNING, text)

    async def _warn(self, pressure: Pressure, spend: LedgerSpend) -> None:
        ledger = self._services.ledger
        if not pressure.warning:
            return
        for fraction, kind, what, period in (
            (pressure.tokens, PeriodKind.DAY, "daily token budget", spend.day),
            (pressure.cost, PeriodKind.MONTH, "monthly cost limit", spend.month),
        ):
            level = next((level for level in WARNING_LEVELS if fraction >= level), None)
            if level is None or not await self._services.worker.run(ledger.claim_warning, kind, level):
                continue
            resets = datetime.fromtimestamp(period.resets_at).astimezone().strftime("%Y-%m-%d %H:%M")
            if level == WARNING_LEVELS[0]:
                text = f"The {what} is used up. The offline rules go on; models are asked again from {resets}."
                self._host.show_message(Urgency.WARNING, text)
            else:
                text = f"{fraction:.0%} of the {what} is used; cheaper models review from here on. It resets {resets}."
                self._host.show_message(Urgency.INFO, text)

    async def _limit_reached(self, denied: Denied) -> None:
        """Say once per period that a request was refused for want of budget: for a limit of the user, in one window."""
        kind = PeriodKind.DAY if denied.reason is DeniedReason.DAILY_TOKENS else PeriodKind.MONTH
        if denied.share:
            limit = f"{denied.project} {kind} {denied.retry_at}"
            first = limit not in self._told
            self._told.add(limit)
        else:
            first = await self._services.worker.run(self._services.ledger.claim_warning, kind, WARNING_LEVELS[0])
        if first:
            where = f" in {PurePath(denied.project).name}" if denied.share else ""
            self._host.show_message(
                Urgency.WARNING, f"Only the offline rules review{where} from here on: {denied.words}."
            )

    def status(
        self, documents: Iterable[DocumentStatus], consents: Consents, *, over_budget: str, reviewing: bool, unseen: str
    ) -> Status:
        """The state as a whole, the most pressing reason first. `over_budget` says which limit keeps regions back,
        `unseen` why the text of a document could not be looked at.
        """
        state, reason = self._state(consents, over_budget or ("the budget is used up" if self.exhausted else ""))
        if unseen:
            state, reason = State.DEGRADED, unseen
        if state is State.IDLE and reviewing:
            state, reason = State.REVIEWING, "reviewing"
        return Status(state, reason, self.spend, tuple(documents), self.settings.restricted_by)

    def _state(self, consents: Consents, over_budget: str) -> tuple[State, str]:
        if not self.settings.review.enabled:
            return State.OFFLINE, "model reviews are switched off; the offline rules review"
        if not self._services.pool.usable:
            return State.OFFLINE, f"{self._services.pool.problem}; the offline rules review"
        if problem := self.ledger_problem or self._governor.ledger_problem:
            return State.DEGRADED, problem
        if consents.waiting_for:
            return State.WAITING_FOR_CONSENT, f"may code be sent to {consents.waiting_for}?"
        if over_budget:
            return State.OVER_BUDGET, f"{over_budget}; the offline rules review"
        if consents.declined:
            return State.OFFLINE, f"sending code to {consents.declined} was not allowed; the offline rules review"
        if self._governor.trouble:
            return State.DEGRADED, next(iter(self._governor.trouble.values()))
        return State.IDLE, ""


def _sentence(words: str) -> str:
    """`words` with a capital and a full stop."""
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _no_spend(settings: Settings) -> Spend:
    return Spend(
        daily_token_budget=settings.budget.daily_token_budget, monthly_cost_limit=settings.budget.monthly_cost_limit
    )
