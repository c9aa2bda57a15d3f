"""What may be sent: consent, budget, rates and the health of the provider, asked before each single request.

Every request, a retry included, passes `Governor.admit` and comes back with a `Permit` or with the reason why not.
A permit holds a place among the provider's concurrent requests and a reservation in the ledger, and must be ended in
exactly one way: booked with what the provider billed, forfeited when that is unknown, or given back when the request
never left.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiops_lsp.engine.breaker import Breaker
from aiops_lsp.engine.rates import Pause
from aiops_lsp.engine.standing import Reason, Standing
from aiops_lsp.llm.client import (
    InvalidAnswer,
    Misconfigured,
    MisconfiguredKind,
    ModelError,
    ModelName,
    ModelTimeout,
    Overloaded,
    RateLimited,
    Refused,
    Truncated,
    Unreachable,
)
from aiops_lsp.llm.prices import NoPrice
from aiops_lsp.store.budget import Denied, DeniedReason, Fit, Limits, Reservation, ReservationRequest
from aiops_lsp.store.ledger import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from aiops_lsp.core.routing import Tier
    from aiops_lsp.engine.allowance import Allowance
    from aiops_lsp.engine.clock import Clock
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.models import ModelPool, Route
    from aiops_lsp.llm.client import ModelClient, Usage
    from aiops_lsp.llm.prices import PriceTable
    from aiops_lsp.settings import Settings
    from aiops_lsp.store.ledger import Ledger
    from aiops_lsp.store.worker import StoreWorker

logger = logging.getLogger(__name__)

RESERVATION_SECONDS = 600.0
"""After this long the reservation of a process that died counts as spent."""

MISCONFIGURED_SECONDS = 300.0
"""How long a provider that rejects us is left alone, unless the settings change first."""

LEDGER_RETRY_SECONDS = 60.0
"""How soon a ledger that could not be used is tried again, unless something else asks for it before."""

LONGEST_BUDGET_WAIT_SECONDS = 120.0
"""How soon a limit is asked about again at the latest: the clock that waits stands still while the machine sleeps."""

IN_FLIGHT_SECONDS = 2.0
"""How soon it is worth asking again where only the requests under way are in the way."""

UNNAMED_PAUSE_SECONDS = 5.0
"""How long a provider is left alone that limits our rate without saying for how long."""

LONGEST_PAUSE_SECONDS = 600.0
"""The longest pause that a provider gets at a time, whatever it asks for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request would take. `input_bytes` bounds its input in tokens from above."""

    folder: Folder
    language: str
    tier: Tier
    models: tuple[str, ...]
    purpose: str
    input_tokens: int
    input_bytes: int
    max_output_tokens: int
    allowance: Allowance | None = None


def budgets(settings: Settings) -> tuple[Limits, Limits | None]:
    """The user's limits, and the lower ones that the repository sets for itself, if it does."""
    user = Limits(
        settings.budget.daily_token_budget,
        round(settings.budget.monthly_cost_limit * 1_000_000),
        settings.limits.requests_per_minute,
    )
    own = settings.repository
    if own.daily_token_budget is None and own.monthly_cost_limit is None:
        return user, None
    cost = None if own.monthly_cost_limit is None else round(own.monthly_cost_limit * 1_000_000)
    return user, Limits(own.daily_token_budget, cost)


def until_reset(resets_at: float, clock: Clock) -> float:
    """Seconds after which it is worth asking again about a limit that starts anew at `resets_at` on the wall."""
    return min(max(1.0, resets_at - clock.wall()), LONGEST_BUDGET_WAIT_SECONDS)


class Governor:
    """Guards what leaves the machine and what is spent. One per process."""

    def __init__(
        self,
        *,
        clock: Clock,
        ledger: Ledger,
        worker: StoreWorker,
        prices: PriceTable,
        consent: Callable[[Folder, Route], bool],
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._worker = worker
        self.prices = prices
        self._consent = consent
        self._breakers: dict[str, Breaker] = {}
        self._pauses: dict[str, Pause] = {}
        self._rejected: dict[str, tuple[float, str]] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._doors: dict[str, asyncio.Semaphore] = {}
        self.trouble: dict[str, str] = {}
        self.ledger_problem = ""
        self._denials: list[Denied] = []

    async def admit(self, ask: Ask, pool: ModelPool) -> Permit | Standing:
        """A permit for the first of the ask's models that may be asked now, or the reason why none may."""
        refusals: list[Standing] = []
        for model in ask.models:
            verdict = await self._admit_model(ModelName.parse(model), ask, pool)
            if isinstance(verdict, Permit):
                return verdict
            refusals.append(verdict)
        if not refusals:
            return Standing.not_reviewed(Reason.NO_MODEL, pool.problem)
        moments = [refusal.retry_at for refusal in refusals if refusal.retry_at is not None]
        return replace(refusals[0], retry_at=min(moments, default=None))

    def observe(self, model: ModelName, error: ModelError | None) -> None:
        """Learn from how a call ended; None for success."""
        breaker = self._breaker(model)
        if error is None:
            breaker.succeeded()
            self._answered(model)
            return
        if isinstance(error, Overloaded | ModelTimeout | Unreachable):
            breaker.failed()
        else:
            breaker.neutral()
        if isinstance(error, Refused | Truncated | InvalidAnswer):
            self._answered(model)  # only not usefully
            return
        self.trouble[str(model)] = str(error)
        if isinstance(error, RateLimited | Overloaded):
            default = UNNAMED_PAUSE_SECONDS if isinstance(error, RateLimited) else 0.0
            asked = default if error.retry_after is None else error.retry_after
            self._pause(model.provider).ask(min(asked, LONGEST_PAUSE_SECONDS))
        elif isinstance(error, Misconfigured) and error.kind is not MisconfiguredKind.REQUEST:
            # A request that is not accepted may be the fault of the code in it, and others may pass.
            of_provider = error.kind in (MisconfiguredKind.KEY, MisconfiguredKind.PAYMENT)
            self._rejected[model.provider if of_provider else str(model)] = (
                self._clock.monotonic() + MISCONFIGURED_SECONDS,
                str(error),
            )

    def take_denials(self) -> list[Denied]:
        """The limits that requests were refused for since this was called last."""
        denials, self._denials = self._denials, []
        return denials

    def interrupted(self, model: ModelName) -> None:
        """A call was cancelled: that says nothing about the model."""
        self._breaker(model).neutral()

    def settings_changed(self, prices: PriceTable) -> None:
        """Go by new prices, and forget who rejected us: the user may have mended it."""
        self.prices = prices
        self._rejected.clear()
        self.trouble.clear()
        self._slots.clear()  # permits that are out keep theirs
        self._doors.clear()

    async def _admit_model(self, model: ModelName, ask: Ask, pool: ModelPool) -> Permit | Standing:
        route = pool.routes[model.provider]
        if route.problem:
            return Standing.not_reviewed(Reason.NO_MODEL, route.problem)
        if (trouble := self._in_the_way(model)) is not None:
            return trouble
        try:
            cost = self.prices.cost(model, ask.input_tokens, ask.max_output_tokens, loopback=route.loopback)
            hard_cost = self.prices.cost(model, ask.input_bytes, ask.max_output_tokens, loopback=route.loopback)
        except NoPrice as problem:
            self.trouble[str(model)] = str(problem)
            return Standing.not_reviewed(Reason.MISCONFIGURED, str(problem))
        if not self._consent(ask.folder, route):
            return Standing.not_reviewed(Reason.NO_CONSENT, f"sending code to {route.host} was not allowed")
        client = await pool.client(route)
        limit = ask.folder.settings.limits.concurrent_requests
        slots = self._slots.setdefault(model.provider, asyncio.Semaphore(limit))
        # As many as there are slots reserve while they wait, so that a slot that is free is used at once.
        async with self._doors.setdefault(model.provider, asyncio.Semaphore(limit)):
            if (trouble := self._in_the_way(model)) is not None:  # it may have failed while we waited
                return trouble
            reserved = await self._reserve(model, ask, cost, hard_cost)
            if isinstance(reserved, Standing):
                return reserved
            permit = Permit(self, model, route, client, reserved, slots, ask.allowance)
            return await self._with_slot(permit)

    async def _with_slot(self, permit: Permit) -> Permit | Standing:
        """The permit once a slot is free; given back when its model has failed meanwhile or nobody waits any more."""
        try:
            await permit.slots.acquire()
        except BaseException:
            await asyncio.shield(self.settle(permit, None, sent=False))
            raise
        if (trouble := self._in_the_way(permit.model)) is not None:
            permit.slots.release()
            await asyncio.shield(self.settle(permit, None, sent=False))
            return trouble
        self._breaker(permit.model).start()  # before anything is waited for, or two would pass as the one probe
        return permit

    def _answered(self, model: ModelName) -> None:
        """A model answered: whatever was wrong with it, its provider and the way there is over.

        What is known to hold still (another model of the provider failing) stays.
        """
        self._rejected.pop(str(model), None)
        self._rejected.pop(model.provider, None)
        for name in list(self.trouble):
            other = ModelName.parse(name)
            if other == model or (other.provider == model.provider and self._in_the_way(other) is None):
                del self.trouble[name]

    def without_ledger(self, problem: LedgerUnavailable) -> Standing:
        """The ledger does not take what must be written down before anything is sent: how regions stand then."""
        self.ledger_problem = str(problem)
        retry_at = self._clock.monotonic() + LEDGER_RETRY_SECONDS
        return Standing.not_reviewed(Reason.NO_LEDGER, str(problem), retry_at=retry_at)

    def _in_the_way(self, model: ModelName) -> Standing | None:
        for name in (model.provider, str(model)):
            rejected = self._rejected.get(name)
            if rejected is not None and rejected[0] > self._clock.monotonic():
                return Standing.not_reviewed(Reason.MISCONFIGURED, rejected[1], retry_at=rejected[0])
        if (wait := self._pause(model.provider).retry_in()) > 0:
            words = f"{model.provider} asks for a pause of {wait:.0f} s"
            return Standing.not_reviewed(Reason.RATE, words, retry_at=self._clock.monotonic() + wait)
        if (wait := self._breaker(model).retry_in()) > 0:
            words = f"{model} is failing ({self.trouble.get(str(model), 'no answer')})"
            return Standing.not_reviewed(Reason.PROVIDER, words, retry_at=self._clock.monotonic() + wait)
        return None

    async def _reserve(self, model: ModelName, ask: Ask, cost: int, hard_cost: int) -> Reservation | Standing:
        hard = (ask.input_bytes + ask.max_output_tokens, hard_cost)
        if ask.allowance is None:
            return await self._reserve_in_ledger(model, ask, cost, hard)
        stands = ask.allowance.take(*hard)
        if stands is Fit.NO:
            return Standing.not_reviewed(Reason.ALLOWANCE)
        if stands is Fit.AFTER_IN_FLIGHT:
            words = "waits for what is left of the agreed cost"
            return Standing.not_reviewed(Reason.RATE, words, retry_at=self._clock.monotonic() + IN_FLIGHT_SECONDS)
        reserved = None
        try:
            reserved = await self._reserve_in_ledger(model, ask, cost, hard)
        finally:
            if not isinstance(reserved, Reservation):
                ask.allowance.settle(hard, (0, 0))
        return reserved

    async def _reserve_in_ledger(
        self, model: ModelName, ask: Ask, cost: int, hard: tuple[int, int]
    ) -> Reservation | Standing:
        request = ReservationRequest(
            tokens=ask.input_tokens + ask.max_output_tokens,
            micro_usd=cost,
            hard_tokens=hard[0],
            hard_micro_usd=hard[1],
            model=str(model),
            tier=ask.tier.value,
            project=ask.folder.project,
            language=ask.language,
            purpose=ask.purpose,
            expires_in=RESERVATION_SECONDS,
        )
        try:
            answer = await self._worker.run_or_undo(
                self._undo, self._ledger.reserve, request, *budgets(ask.folder.settings)
            )
        except LedgerUnavailable as problem:
            return self.without_ledger(problem)
        self.ledger_problem = ""
        if not isinstance(answer, Denied):
            return answer
        rate = answer.in_flight or answer.reason is DeniedReason.RATE
        if not rate:
            self._denials.append(answer)
        wait = IN_FLIGHT_SECONDS if answer.in_flight else until_reset(answer.retry_at, self._clock)
        return Standing.not_reviewed(
            Reason.RATE if rate else Reason.OVER_BUDGET, answer.words, retry_at=self._clock.monotonic() + wait
        )

    def _undo(self, answer: Reservation | Denied) -> None:
        if not isinstance(answer, Denied):
            self._ledger.release(answer)

    def _breaker(self, model: ModelName) -> Breaker:
        name = str(model)
        if name not in self._breakers:
            self._breakers[name] = Breaker(self._clock.monotonic)
        return self._breakers[name]

    def _pause(self, provider: str) -> Pause:
        if provider not in self._pauses:
            self._pauses[provider] = Pause(self._clock.monotonic)
        return self._pauses[provider]

    async def settle(self, permit: Permit, usage: Usage | None, *, sent: bool) -> None:
        """End a permit's reservation in the one way that fits. Called by the permit."""
        hard = (permit.reservation.request.hard_tokens, permit.reservation.request.hard_micro_usd)
        micro_usd = 0
        if usage is not None:
            micro_usd = permit.prices.billed(permit.model, usage, loopback=permit.route.loopback)
            permit.booked = (usage.total_tokens, micro_usd)
        elif sent:
            permit.booked = hard
        if permit.allowance is not None:
            permit.allowance.settle(hard, permit.booked)
        try:
            if usage is not None:
                await self._worker.run(
                    self._ledger.commit,
                    permit.reservation,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cache_read_tokens=usage.cache_read_tokens,
                    cache_write_tokens=usage.cache_write_tokens,
                    micro_usd=micro_usd,
                )
            elif sent:
                await self._worker.run(self._ledger.commit_in_full, permit.reservation)
            else:
                await self._worker.run(self._ledger.release, permit.reservation)
        except LedgerUnavailable as problem:
            # The reservation stays, and counts as spent when it expires: nothing is lost but precision.
            logger.warning("a reservation could not be settled: %s", problem)


class Permit:
    """Leave to send one request to one model; use as an async context manager around the sending.

    Set `usage` as the provider reports it. After a call that ended as the provider meant it to, that is what is booked;
    after one that broke, the whole reservation is, except where it is certain that nothing was sent.
    """

    def __init__(
        self,
        governor: Governor,
        model: ModelName,
        route: Route,
        client: ModelClient,
        reservation: Reservation,
        slots: asyncio.Semaphore,
        allowance: Allowance | None,
    ) -> None:
        self.model = model
        self.route = route
        self.client = client
        self.reservation = reservation
        self.prices = governor.prices  # those that the reservation was made with, whatever the user changes meanwhile
        self.usage: Usage | None = None
        self.booked = (0, 0)  # tokens and micro-dollars, once it has ended
        self.allowance = allowance
        self._governor = governor
        self.slots = slots

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """What so many tokens cost with this model at most, in micro-dollars."""
        return self.prices.cost(self.model, input_tokens, output_tokens, loopback=self.route.loopback)

    async def give_back(self) -> None:
        """End it unused."""
        self.slots.release()
        self._governor.interrupted(self.model)
        await self._governor.settle(self, None, sent=False)

    async def __aenter__(self) -> Permit:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.slots.release()
        if error is None or isinstance(error, ModelError):
            self._governor.observe(self.model, error)
        else:
            self._governor.interrupted(self.model)
        ended = error is None or isinstance(error, Truncated | Refused | InvalidAnswer)
        sent = not isinstance(error, ModelError) or error.sent
        await asyncio.shield(self._governor.settle(self, self.usage if ended else None, sent=sent))
