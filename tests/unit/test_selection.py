from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiops_lsp.core.regions import Region, RegionKind
from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.selection import BURST_REGIONS, Candidate, Selection, Trigger, select
from aiops_lsp.engine.standing import Progress, Reason, Standing

NEW = Standing.not_reviewed(Reason.NEW)
NOW = 1000.0


def region(start: int = 0, *, parse_error: bool = False, empty_body: bool = False) -> Region:
    return Region(
        RegionKind.FUNCTION,
        f"f{start}",
        start,
        start + 1,
        ("x",),
        (0,),
        context="",
        loose="x",
        parse_error=parse_error,
        empty_body=empty_body,
    )


def candidate(**changes: object) -> Candidate:
    made = Candidate(region=region(), key="k", tier=Tier.SIMPLE, standing=NEW, in_scope=True)
    return made._replace(**changes)  # type: ignore[arg-type]  # the table names the fields


def choose(
    candidates: list[Candidate], trigger: Trigger = Trigger.CHANGED, mode: str = "change", held: set[str] | None = None
) -> Selection:
    return select(
        dict(enumerate(candidates)), trigger, now=NOW, review_trigger=mode, settle_seconds=2.0, held=held or set()
    )


def failed(retry_at: float | None) -> Standing:
    return Standing.not_reviewed(Reason.FAILED, retry_at=retry_at)


STALE = Standing(Progress.STALE, age_seconds=9.0)
SETTLING = Standing.not_reviewed(Reason.SETTLING, retry_at=NOW + 1.9)
SEND = None

CASES = [
    ("new", candidate(), Trigger.CHANGED, "change", SEND),
    ("new on open", candidate(), Trigger.OPENED, "change", SEND),
    ("reviewed", candidate(standing=Standing(Progress.REVIEWED)), Trigger.COMMAND, "change", "own"),
    ("under way", candidate(standing=Standing.reviewing()), Trigger.COMMAND, "change", "own"),
    ("unchanged", candidate(in_scope=False), Trigger.SAVED, "change", Reason.OUT_OF_SCOPE),
    ("unchanged, changes asked for", candidate(in_scope=False), Trigger.COMMAND, "change", Reason.OUT_OF_SCOPE),
    ("broken", candidate(region=region(parse_error=True)), Trigger.COMMAND, "change", Reason.HALF_WRITTEN),
    ("empty", candidate(region=region(empty_body=True)), Trigger.SAVED, "change", Reason.HALF_WRITTEN),
    ("empty but asked for", candidate(region=region(empty_body=True)), Trigger.COMMAND, "change", SEND),
    ("just typed", candidate(seconds_since_edit=1.5), Trigger.CHANGED, "change", Reason.SETTLING),
    ("typed and settled", candidate(seconds_since_edit=2.0), Trigger.CHANGED, "change", SEND),
    ("typed and left", candidate(seconds_since_edit=0.1, left=True), Trigger.CHANGED, "change", SEND),
    ("just typed, saved", candidate(seconds_since_edit=0.1), Trigger.SAVED, "change", SEND),
    (
        "complex, typed",
        candidate(tier=Tier.COMPLEX, seconds_since_edit=9.0),
        Trigger.CHANGED,
        "change",
        Reason.WAITS_FOR_SAVE,
    ),
    ("complex, saved", candidate(tier=Tier.COMPLEX, seconds_since_edit=9.0), Trigger.SAVED, "change", SEND),
    (
        "complex, saved before",
        candidate(tier=Tier.COMPLEX, seconds_since_edit=9.0, saved=True),
        Trigger.OPENED,
        "change",
        SEND,
    ),
    ("typed, saved before, trigger save", candidate(saved=True), Trigger.OPENED, "save", SEND),
    ("saved before, trigger manual", candidate(saved=True), Trigger.SAVED, "manual", Reason.WAITS_FOR_COMMAND),
    ("stale, saved before", candidate(standing=STALE, saved=True), Trigger.OPENED, "change", "own"),
    ("settling, saved", candidate(standing=SETTLING, seconds_since_edit=0.1), Trigger.SAVED, "change", SEND),
    (
        "settling, left",
        candidate(standing=SETTLING, seconds_since_edit=0.1, left=True),
        Trigger.CHANGED,
        "change",
        SEND,
    ),
    ("complex, not typed here", candidate(tier=Tier.COMPLEX), Trigger.OPENED, "change", SEND),
    ("stale while typing", candidate(standing=STALE), Trigger.CHANGED, "change", "own"),
    ("stale, saved", candidate(standing=STALE), Trigger.SAVED, "change", SEND),
    ("stale out of scope", candidate(standing=STALE, in_scope=False), Trigger.SAVED, "change", "own"),
    ("stale, asked for", candidate(standing=STALE), Trigger.COMMAND, "change", SEND),
    ("outdated", candidate(standing=Standing.not_reviewed(Reason.OUTDATED)), Trigger.CHANGED, "change", "own"),
    ("outdated, saved", candidate(standing=Standing.not_reviewed(Reason.OUTDATED)), Trigger.SAVED, "change", SEND),
    ("failed for good", candidate(standing=failed(None)), Trigger.SAVED, "change", "own"),
    ("failed for good, asked for", candidate(standing=failed(None)), Trigger.COMMAND, "change", SEND),
    ("failed, backing off", candidate(standing=failed(NOW + 5)), Trigger.SAVED, "change", "own"),
    ("failed, backed off", candidate(standing=failed(NOW - 5)), Trigger.CHANGED, "change", SEND),
    ("typed, trigger save", candidate(), Trigger.CHANGED, "save", Reason.WAITS_FOR_SAVE),
    ("saved, trigger save", candidate(), Trigger.SAVED, "save", SEND),
    ("saved, trigger manual", candidate(), Trigger.SAVED, "manual", Reason.WAITS_FOR_COMMAND),
    ("asked, trigger manual", candidate(), Trigger.COMMAND, "manual", SEND),
]


@pytest.mark.parametrize(
    ("one", "trigger", "mode", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_sent_and_why_not(one: Candidate, trigger: Trigger, mode: str, expected: object) -> None:
    chosen = choose([one], trigger, mode)
    if expected is SEND:
        assert chosen.send == (0,)
        assert chosen.waiting == {}
    else:
        assert chosen.send == ()
        if expected == "own":
            assert chosen.waiting == {}
        else:
            assert chosen.waiting[0].reason is expected
            assert chosen.waiting[0].words


def test_settling_says_when_it_will_be_over() -> None:
    assert choose([candidate(seconds_since_edit=0.5)]).waiting[0].retry_at == NOW + 1.5


def test_a_burst_sends_ten_and_holds_the_rest_until_saved() -> None:
    many = [candidate(key=f"k{n}", region=region(n)) for n in range(25)]
    burst = choose(many)
    assert burst.send == tuple(range(BURST_REGIONS))
    assert burst.held == {f"k{n}" for n in range(BURST_REGIONS, 25)}
    later = choose(many[BURST_REGIONS:], held=set(burst.held))
    assert later.send == ()
    assert later.held == burst.held
    assert len(choose(many[BURST_REGIONS:], Trigger.SAVED, held=set(burst.held)).send) == 15


def test_just_edited_first_then_visible_then_from_the_top() -> None:
    chosen = choose(
        [
            candidate(key="top", region=region(0)),
            candidate(key="seen", region=region(1), visible=True),
            candidate(key="older", region=region(2), seconds_since_edit=60.0),
            candidate(key="newest", region=region(3), seconds_since_edit=3.0),
        ]
    )
    assert chosen.send == (3, 2, 1, 0)


@given(st.floats(0, 1e6), st.floats(0, 29), st.floats(0.1, 30))
@example(3221.7, 1.3, 7.593750000000001)
def test_a_look_that_comes_when_it_was_due_sends(edited_at: float, later: float, settle: float) -> None:
    """Rounding leaves nothing that waits for a moment which has come already: nobody would look again then."""
    now = edited_at + later
    for _ in range(2):
        written = candidate(seconds_since_edit=now - edited_at)
        chosen = select({0: written}, Trigger.CHANGED, now=now, review_trigger="change", settle_seconds=settle)
        if chosen.send:
            return
        retry_at = chosen.waiting[0].retry_at
        assert retry_at is not None
        now += retry_at - now  # as the scheduler has it
    raise AssertionError("it waits on")
