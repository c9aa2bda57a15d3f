"""The keys of a region, and the way back from its sent lines to the document."""

from __future__ import annotations

import pytest

from aiops_lsp.core.regions import Region, RegionKind, Shape, Substitution, region_keys

REGION = Region(
    kind=RegionKind.FUNCTION,
    symbol="f",
    start_line=3,
    end_line=6,
    lines=("def f():", "    return 1", ""),
    dedents=(4, 4, 0),
    context="import os",
    loose="def f():\n1|return 1",
)


def test_code_leaves_out_empty_lines_at_the_end() -> None:
    assert REGION.code == "def f():\n    return 1"


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "C.f"},
        {"start_line": 40, "end_line": 43},
        {"kind": RegionKind.METHOD},
        {"dedents": (0, 0, 0)},
        {"lines": ("def f():", "    return 1", "", "")},
        {"shape": Shape(lines=9)},
        {"parse_error": True},
    ],
)
def test_what_is_in_no_key(change: dict[str, object]) -> None:
    assert region_keys(REGION._replace(**change), "python", "r") == region_keys(REGION, "python", "r")  # type: ignore[arg-type]  # a table of fields


def test_each_part_is_in_its_keys() -> None:
    keys = region_keys(REGION, "python", "r")
    for other in (
        region_keys(REGION._replace(context="import sys"), "python", "r"),
        region_keys(REGION, "go", "r"),
        region_keys(REGION, "python", "s"),
    ):
        assert other.exact != keys.exact
        assert other.loose != keys.loose
    commented = region_keys(REGION._replace(lines=("def f():", "    return 1  # one", "")), "python", "r")
    assert (commented.exact != keys.exact, commented.loose == keys.loose) == (True, True)
    assert region_keys(REGION._replace(loose="x"), "python", "r").loose != keys.loose


def test_keys_are_hexadecimal_and_differ() -> None:
    keys = region_keys(REGION._replace(loose=REGION.code), "python", "r")
    assert len(keys.exact) == len(keys.loose) == 64
    assert keys.exact != keys.loose


def test_parts_of_a_key_do_not_run_together() -> None:
    left = region_keys(REGION._replace(context="ab", lines=("c",)), "python", "r")
    right = region_keys(REGION._replace(context="a", lines=("bc",)), "python", "r")
    assert left.exact != right.exact


def test_a_lone_surrogate_can_be_keyed() -> None:
    assert region_keys(REGION._replace(lines=("'\ud800'",), loose="\ud800"), "python", "r").exact


@pytest.mark.parametrize(
    ("line", "column", "document"),
    [(0, 0, 4), (0, 8, 12), (1, 4, 8), (1, 9, 13), (1, 12, 13), (1, 27, 13), (1, 28, 20), (1, 30, 22), (2, 0, 0)],
)
def test_document_column(line: int, column: int, document: int) -> None:
    swap = Substitution(1, 9, 28, "REDACTED_PASSWORD_1", "hunter2")
    assert len(swap.placeholder) == swap.end - swap.start
    region = REGION._replace(substitutions=(swap,))
    assert region.document_column(line, column) == document
