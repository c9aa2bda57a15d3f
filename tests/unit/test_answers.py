"""Answers of models, however they are split, malformed or hostile."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.findings import Category, Severity
from aiops_lsp.llm.answers import (
    MAX_FINDINGS,
    MAX_PROSE,
    MAX_TITLE,
    AnswerEvent,
    AnswerReader,
    FindingClosed,
    RegionClosed,
    read_claim,
    read_verdicts,
)
from aiops_lsp.llm.plain_text import plain
from tests.support.provider import answer, finding

REGIONS = ("r1", "r2", "r3")


def read(*pieces: str) -> tuple[list[AnswerEvent], AnswerReader]:
    reader = AnswerReader(REGIONS)
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + reader.finish(), reader


def closed(events: list[AnswerEvent]) -> dict[str, tuple[list[str], int]]:
    """The titles of the claims and the number of invalid ones, by region."""
    return {
        event.region_id: ([claim.title for claim in event.claims], event.invalid)
        for event in events
        if isinstance(event, RegionClosed)
    }


def titled(title: str, **more: object) -> dict[str, object]:
    return finding("x = 1", 1, title=title, **more)


WHOLE = answer({"r1": [titled("a"), titled("b")], "r2": [], "r3": [titled("c")]})
EXPECTED = {"r1": (["a", "b"], 0), "r2": ([], 0), "r3": (["c"], 0)}


def test_a_finding_is_known_before_its_region_and_a_region_before_the_end() -> None:
    first = WHOLE.index('"quote"', WHOLE.index('"quote"') + 1)
    second = WHOLE.index('"region": "r2"')
    reader = AnswerReader(REGIONS)
    kinds = [
        [(type(event).__name__, event.region_id) for event in reader.feed(piece)]
        for piece in (WHOLE[:first], WHOLE[first:second], WHOLE[second:])
    ]
    assert kinds[0] == [("FindingClosed", "r1")]
    assert kinds[1] == [("FindingClosed", "r1"), ("RegionClosed", "r1")]
    assert [name for _, name in kinds[2]] == ["r2", "r3", "r3"]
    assert reader.missing == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(WHOLE, id="bare"),
        pytest.param(json.dumps(json.loads(WHOLE), indent=2), id="indented"),
        pytest.param(f"Here is my review:\n```json\n{WHOLE}\n```\nDone.", id="fenced"),
        pytest.param(f"<think>{{maybe {answer({'r1': []})}}}</think>{WHOLE}", id="draft in a thinking section"),
        pytest.param(f'I answer {{"regions": [...]}} now.\n{WHOLE}', id="the shape quoted first"),
        pytest.param(f'{{"regions": [{{"region": "r1", "findings": [}}]\n{WHOLE}', id="a broken try first"),
        pytest.param(f'{{"note": "x", {WHOLE[1:]}', id="another key first"),
        pytest.param(WHOLE[:-1] + ', "note": [{"region": "r1"}]}', id="another key after"),
        pytest.param(WHOLE.replace("}, {", "} , {").replace("[{", "[ {"), id="odd blanks"),
    ],
)
def test_what_stands_around_the_answer_does_not_matter(text: str) -> None:
    events, reader = read(text)
    assert closed(events) == EXPECTED
    assert reader.missing == ()


@pytest.mark.parametrize(
    ("text", "expected", "missing", "ignored"),
    [
        pytest.param("", {}, REGIONS, 0, id="nothing"),
        pytest.param("<html><body>502 Bad Gateway</body></html>", {}, REGIONS, 0, id="a page"),
        pytest.param("null", {}, REGIONS, 0, id="null"),
        pytest.param('{"regions": null}', {}, REGIONS, 0, id="no list"),
        pytest.param('{"regions": []}', {}, REGIONS, 0, id="an empty list"),
        pytest.param('{"regions": ["r1", 3, null, [], [{"region": "r1"}]]}', {}, REGIONS, 0, id="no entries"),
        pytest.param(answer({"r9": [titled("a")]}), {}, REGIONS, 1, id="an unknown region"),
        pytest.param('{"regions": [{"region": 1, "findings": []}]}', {}, REGIONS, 1, id="a number for a region"),
        pytest.param('{"regions": [{"findings": []}]}', {}, REGIONS, 1, id="no region"),
        pytest.param('{"regions": [{"region": "r1", "findings": null}]}', {}, REGIONS, 0, id="null findings"),
        pytest.param('{"regions": [{"region": "r1"}]}', {}, REGIONS, 0, id="no findings"),
        pytest.param(
            '{"regions": [{"region": "r1", "findings": {"0": {}}}]}', {}, REGIONS, 0, id="an object for a list"
        ),
        pytest.param(
            '{"regions": [{"region": "r1", "findings": [3, "x", null, [1], {}]}]}',
            {"r1": ([], 5)},
            ("r2", "r3"),
            0,
            id="no findings in the list",
        ),
        pytest.param(
            '{"regions": [{"region": "r1", "findings": [], "region": "r2"}]}',
            {"r2": ([], 0)},
            ("r1", "r3"),
            0,
            id="two names",
        ),
        pytest.param(
            '{"regions": [' + json.dumps({"findings": [titled("a")], "region": "r2"}) + "]}",
            {"r2": (["a"], 0)},
            ("r1", "r3"),
            0,
            id="the region named last",
        ),
        pytest.param(
            '{"regions": [{"region": "r1", "findings": []}, {"region": "r1", "findings": []}, '
            '{"region": "r2", "findings": []}]}',
            {"r1": ([], 0), "r2": ([], 0)},
            ("r3",),
            1,
            id="a region twice",
        ),
        pytest.param(
            answer({"r1": [titled("a"), {"quote": "x"}, titled("b")]}),
            {"r1": (["a", "b"], 1)},
            ("r2", "r3"),
            0,
            id="one that is wrong",
        ),
        pytest.param(
            answer({"r1": [titled("a"), titled("b")]}).replace('"b"', '"b" oops'),
            {"r1": (["a"], 1)},
            ("r2", "r3"),
            0,
            id="one that is malformed",
        ),
        pytest.param(
            answer({"r1": [titled("a")] * (MAX_FINDINGS + 5)}),
            {"r1": (["a"] * MAX_FINDINGS, 5)},
            ("r2", "r3"),
            0,
            id="too many",
        ),
    ],
)
def test_what_is_wrong_is_counted_and_costs_nothing_else(
    text: str, expected: dict[str, tuple[list[str], int]], missing: tuple[str, ...], ignored: int
) -> None:
    events, reader = read(text)
    assert closed(events) == expected
    assert reader.missing == missing
    assert reader.ignored == ignored


def test_what_was_complete_when_the_text_breaks_off_is_kept() -> None:
    for end in range(len(WHOLE)):
        events, reader = read(WHOLE[:end])
        done = closed(events)
        assert done == {name: EXPECTED[name] for name in done}
        assert reader.missing == tuple(name for name in REGIONS if name not in done)


HOSTILE = st.sampled_from(
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"<think>a{{b</think>\n{WHOLE}",
        '{"regions": [{"region": "r1", "findings": [{"a": "]}\\\\"}, 7, {"b": [1, {"c": {}}]}], "x": [{}]}, [], {}]}',
        answer({"r2": [titled('quo"te \\ and }] "'), titled("x\ny")], "r1": [titled("ü€😀")]}),
        '{"regions": [}} {"regions":[{"region":"r3","findings":[]}]}',
        '{"regions": [...]} <think> {"regions": [ {"region": "r1", "findings" : [ ] } ] } tail {"regions": []}',
    ]
)


@given(text=st.one_of(HOSTILE, st.text('{}[]"\\:, regionsfd1', max_size=80)), data=st.data())
def test_any_split_gives_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    events, reader = read(*pieces)
    expected, whole = read(text)
    assert events == expected
    assert (reader.missing, reader.ignored, reader.started) == (whole.missing, whole.ignored, whole.started)
    one_by_one, _ = read(*text)
    assert one_by_one == expected


@given(text=st.one_of(HOSTILE, st.text(max_size=200)))
def test_each_claim_of_a_region_was_reported_before_it_closed(text: str) -> None:
    events, _ = read(text)
    early: dict[str, list[object]] = {}
    for event in events:
        if isinstance(event, FindingClosed):
            early.setdefault(event.region_id, []).append(event.claim)
        else:
            assert list(event.claims) == early.get(event.region_id, [])


def test_reading_takes_time_in_proportion_to_the_text() -> None:
    def seconds(findings: int) -> float:
        text = answer({"r1": [titled("a", why="w" * 400)] * findings})
        pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            read(*pieces)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(400) < seconds(50) * 8 * 3


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("no quote", {"quote": ""}),
    ("a blank quote", {"quote": "  \t"}),
    ("a number for a quote", {"quote": 3}),
    ("a quote without end", {"quote": "x" * 2001}),
    ("no line", {"start_line": None}),
    ("a flag for a line", {"start_line": True}),
    ("half a line", {"start_line": 1.5}),
    ("no trigger", {"trigger": " "}),
    ("no reason", {"why": ""}),
    ("a title of links only", {"title": "https://example.com"}),
    ("an unknown category", {"category": "style"}),
    ("an unknown severity", {"severity": "blocker"}),
    ("a list for a severity", {"severity": ["high"]}),
    ("words for a confidence", {"confidence": "very"}),
    ("a flag for a confidence", {"confidence": True}),
]


@pytest.mark.parametrize("change", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_is_no_finding(change: dict[str, Any]) -> None:
    assert read_claim(finding("x = 1", 1)) is not None
    assert read_claim(finding("x = 1", 1) | change) is None


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ({"category": " Resource-Leak "}, "category", Category.RESOURCE_LEAK),
        ({"severity": "HIGH"}, "severity", Severity.HIGH),
        ({"confidence": 900}, "confidence", 100),
        ({"confidence": -3}, "confidence", 0),
        ({"confidence": 0.95}, "confidence", 95),
        ({"confidence": 89.6}, "confidence", 90),
        ({"confidence": "85"}, "confidence", 85),
        ({"start_line": -4}, "start_line", 1),
        ({"start_line": "7"}, "start_line", 7),
        ({"start_line": 10**30}, "start_line", None),
        ({"start_line": 7, "end_line": 3}, "end_line", 7),
        ({"start_line": 7, "end_line": "x"}, "end_line", 7),
        ({"quote": "\nx = 1\r\ny = 2"}, "quote", "x = 1"),
        ({"quote": "\tx = 1  "}, "quote", "\tx = 1  "),
        ({"focus": "x"}, "focus", "x"),
        ({"focus": "y"}, "focus", ""),
        ({"focus": None}, "focus", ""),
        ({"needs_outside_context": None}, "needs_outside_context", True),
    ],
)
def test_what_is_mended(change: dict[str, Any], name: str, expected: object) -> None:
    claim = read_claim(finding("x = 1", 1) | change)
    assert (None if claim is None else getattr(claim, name)) == expected


GOOD_FIX: dict[str, Any] = {"start_line": 1, "end_line": 1, "old_lines": ["x = 1"], "new_lines": ["x = 2"]}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        pytest.param({}, True, id="as it should be"),
        pytest.param({"new_lines": []}, True, id="a deletion"),
        pytest.param({"new_lines": ["a", "b\nc"]}, True, id="a line break inside"),
        pytest.param({"new_lines": "x = 2"}, False, id="text for a list"),
        pytest.param({"new_lines": [2]}, False, id="numbers for lines"),
        pytest.param({"start_line": 0}, False, id="before the region"),
        pytest.param({"end_line": 0}, False, id="the wrong way round"),
        pytest.param({"new_lines": ["x = 2 \u202e # 1"]}, False, id="text that changes direction"),
        pytest.param({"new_lines": ["x = \x1b[31m2"]}, False, id="terminal escapes"),
        pytest.param({"new_lines": ["x = 2\x00"]}, False, id="control characters"),
        pytest.param({"old_lines": ["x = '\u200d'"], "new_lines": ["y = '\u200d'"]}, True, id="what is there already"),
        pytest.param({"new_lines": ["x"] * 101}, False, id="too long"),
    ],
)
def test_a_fix_that_cannot_be_applied_goes_and_its_finding_stays(change: dict[str, Any], kept: bool) -> None:
    claim = read_claim(finding("x = 1", 1, fix=GOOD_FIX | change))
    assert claim is not None
    assert (claim.fix is not None) == kept


def test_what_hangs_on_unseen_code_has_no_fix() -> None:
    claim = read_claim(finding("x = 1", 1, fix=GOOD_FIX, needs_outside_context=True))
    assert claim is not None
    assert claim.fix is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\n  lines\tand\u2028more", "two lines and more"),
        ("\x1b[31mred\x1b[0m \x1b]8;;http://x.example\x07link\x1b]8;;\x07", "red link"),
        ("bell\x07 null\x00 del\x7f c1\x9b", "bell null del c1"),
        ("right\u202eto\u2066left zero\u200bwidth\ufeff", "righttoleft zerowidth"),
        ("see [the docs](https://evil.example/x?y=1) now", "see the docs now"),
        ("![pixel](http://evil.example/p.png)", "pixel"),
        ("at https://evil.example/a_b, www.evil.example/x and <https://evil.example>", "at and"),
        ("[run](command:workbench.action.terminal) javascript:alert(1)", "run )"),
        ('<a href="x">click</a> <img src=x onerror=y>', "click"),
        ("hththttp://a.example/://b", ""),
        ("List<String>, Map<A, B>, handlers[name](event), a[0][1], std::move, x ? y : z", None),
        ("ein Überlauf bei n = 0 → −1 😀", None),
    ],
)
def test_prose_is_plain(text: str, expected: str | None) -> None:
    assert plain(text, 200) == (text if expected is None else expected)


@given(st.text(), st.integers(2, 40))
def test_prose_is_bounded_and_plain_text_stays_as_it_is(text: str, limit: int) -> None:
    once = plain(text, limit)
    assert len(once) <= limit
    assert "\n" not in once
    assert "\x1b" not in once
    assert plain(once, limit) == once


def test_prose_of_a_claim_is_cleaned_and_bounded() -> None:
    noisy = "see [this](http://x.example) \x1b[1m" + "w" * 3000
    claim = read_claim(finding("x = 1", 1, title=noisy, why=noisy, trigger=noisy))
    assert claim is not None
    assert (len(claim.title), len(claim.why), len(claim.trigger)) == (MAX_TITLE, MAX_PROSE, MAX_PROSE)
    assert all(text.startswith("see this www") for text in (claim.title, claim.why, claim.trigger))


def verdict(name: str, **more: object) -> dict[str, object]:
    base = {"finding": name, "reason": "r", "refuted": False, "fix_correct": True, "confidence": 90}
    return base | more


def test_verdicts_are_read_one_by_one() -> None:
    text = "So:\n" + json.dumps(
        {
            "verdicts": [
                verdict("f1", refuted=True, fix_correct="yes", confidence=200),
                verdict("f2", refuted="no"),
                verdict("f3", confidence=None),
                verdict("f9"),
                verdict("f4", reason="[x](http://y)"),
                verdict("f4", refuted=True),
                "f5",
            ]
        }
    )
    verdicts = read_verdicts(text, ["f1", "f2", "f3", "f4", "f5"])
    assert set(verdicts) == {"f1", "f4"}
    assert (verdicts["f1"].refuted, verdicts["f1"].fix_correct, verdicts["f1"].confidence) == (True, False, 100)
    assert (verdicts["f4"].refuted, verdicts["f4"].fix_correct, verdicts["f4"].reason) == (False, True, "x")


@given(st.text(max_size=300))
def test_any_text_may_be_no_verdict(text: str) -> None:
    assert read_verdicts(text, ["f1"]) == {}
