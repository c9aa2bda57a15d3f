from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.regions import Region, RegionKeys, RegionKind
from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.packing import MOST_REGIONS, Job, answer_tokens, pack

FIXED, MOST = 700, 4000


def job(name: str, tokens: int = 200, *, model: str = "p:small", failures: int = 0, reasoning: bool = False) -> Job:
    region = Region(RegionKind.FUNCTION, name, 0, 1, ("x",), (0,), context="", loose="x")
    return Job(region, RegionKeys(name, name), Tier.SIMPLE, (model,), tokens, reasoning=reasoning, failures=failures)


def names(packing: object) -> list[list[str]]:
    return [[one.keys.exact for one in packed.jobs] for packed in packing.packs]  # type: ignore[attr-defined]


def test_small_regions_share_a_request() -> None:
    packing = pack([job("a"), job("b"), job("c")], fixed_tokens=FIXED, max_tokens=MOST)
    assert names(packing) == [["a", "b", "c"]]


def test_what_does_not_fit_together_is_split_and_a_later_small_one_fills_the_gap() -> None:
    packing = pack([job("a", 2000), job("b", 2000), job("c", 100)], fixed_tokens=FIXED, max_tokens=MOST)
    assert names(packing) == [["a", "c"], ["b"]]


def test_different_models_never_share() -> None:
    packing = pack([job("a"), job("b", model="p:large"), job("c")], fixed_tokens=FIXED, max_tokens=MOST)
    assert names(packing) == [["a", "c"], ["b"]]


def test_too_large_is_said_and_holds_nothing_up() -> None:
    packing = pack([job("huge", 9000), job("a")], fixed_tokens=FIXED, max_tokens=MOST)
    assert [one.keys.exact for one in packing.too_large] == ["huge"]
    assert names(packing) == [["a"]]


def test_what_failed_travels_with_fewer_and_at_last_alone() -> None:
    for failures, most in ((0, MOST_REGIONS), (1, 2), (2, 1), (9, 1)):
        jobs = [job(f"{n}", 10, failures=failures) for n in range(8)]
        packing = pack(jobs, fixed_tokens=FIXED, max_tokens=100_000)
        assert max(len(one) for one in names(packing)) == most


def test_reasoning_and_failures_ask_for_a_longer_answer() -> None:
    plain = answer_tokens([job("a")])
    assert answer_tokens([job("a", reasoning=True)]) > plain
    assert answer_tokens([job("a", failures=1)]) == 2 * plain
    assert answer_tokens([job("a", failures=7)]) == 3 * plain


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_what_fitted_at_first_still_fits_after_failures(failures: int) -> None:
    tokens = MOST - FIXED - answer_tokens([job("a", reasoning=True)])
    packing = pack([job("a", tokens, reasoning=True, failures=failures)], fixed_tokens=FIXED, max_tokens=MOST)
    assert names(packing) == [["a"]]
    roomy = pack([job("a", reasoning=True, failures=failures)], fixed_tokens=FIXED, max_tokens=MOST)
    assert roomy.packs[0].max_output_tokens == MOST - FIXED - 200


@given(
    st.lists(
        st.tuples(st.integers(1, 5000), st.sampled_from(["p:a", "p:b"]), st.integers(0, 4), st.booleans()), max_size=40
    )
)
def test_every_job_is_placed_once_and_no_request_is_too_large(rows: list[tuple[int, str, int, bool]]) -> None:
    jobs = [
        job(str(n), tokens, model=model, failures=failures, reasoning=reasoning)
        for n, (tokens, model, failures, reasoning) in enumerate(rows)
    ]
    packing = pack(jobs, fixed_tokens=FIXED, max_tokens=MOST)
    placed = [one for packed in packing.packs for one in packed.jobs] + list(packing.too_large)
    assert sorted(one.keys.exact for one in placed) == sorted(one.keys.exact for one in jobs)
    for packed in packing.packs:
        assert len({one.models for one in packed.jobs}) == 1
        assert FIXED + sum(one.input_tokens for one in packed.jobs) + packed.max_output_tokens <= MOST
        assert len(packed.jobs) <= MOST_REGIONS
