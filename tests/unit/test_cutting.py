"""Cutting what is too large: where, with which context, and what an edit does to the parts that it is not in."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lsp.core.context import PARTIAL
from aiops_lsp.core.languages import LANGUAGES
from aiops_lsp.core.regions import Region, region_keys
from aiops_lsp.core.splitting import resplit, split
from aiops_lsp.core.syntax import plain_lines
from tests.support.regions import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


PIECES = [
    "def f(a):\n", "class A:\n", "    x = 1\n", "    if x:\n", "        y()\n", "{\n", "}\n", "f();\n", "# c\n",
    "// c\n", "function f() {\n", "func f() {\n", "fn f() {\n", "void f() {\n", "if (x) {\n", "} else {\n", "=> {\n",
    '"""', "`${", "x => { g(); h(); }", "\n", "\r\n", "\r", "/* a */ ", "*/", "do |x|\n", "end\n", "then\n", "<?php\n",
    "case 1:\n", ";", "é",
]  # fmt: skip


def up_to(characters: int) -> Callable[[Region], bool]:
    """Fits when the code without comments and blanks is that long at most."""
    return lambda region: len(region.loose) <= characters


def cut_of(text: str, bound: int, language: str = "python") -> tuple[Region, ...]:
    return split(snapshot_of(text, language=language), fits=up_to(bound)).regions


def keys_of(regions: Sequence[Region], kind: str = "exact") -> list[str]:
    return [getattr(region_keys(region, "python", ""), kind) for region in regions]


def loose_keys(text: str, bound: int) -> list[str]:
    return keys_of([region for region in cut_of(text, bound) if not region.trivial], "loose")


def with_lines(text: str, place: int, added: str) -> str:
    """`text` with `added` before its line `place`, from 0."""
    lines = text.split("\n")
    return "\n".join([*lines[:place], added, *lines[place:]])


def statement(number: int, depth: int = 1) -> str:
    name = f"value_{number * 7919 % 1000}"
    return f"{'    ' * depth}{name} = compute_it({number}, 'one', 'two', 'three', other={1000 + number})\n"


def long_function(count: int = 200) -> str:
    """Statements of which every sixth begins a loop with five more in it."""
    return "def long(a, b):\n" + "".join(
        f"    for item_{number} in range({number}):\n" if number % 6 == 0 else statement(number, 1 + (number % 6 > 1))
        for number in range(count)
    )


@st.composite
def bodies(draw: st.DrawFn, depth: int = 1) -> str:
    """Statements as they nest, with comments, blank lines, and strings of several lines."""
    indent = "    " * depth
    pieces = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["plain", "plain", "comment", "blank", "string", "call", "block", "else"]))
        name = draw(st.sampled_from("abcdef"))
        if kind == "comment":
            pieces.append(f"{indent}# {name * 5}\n")
        elif kind == "blank":
            pieces.append("\n")
        elif kind == "string":
            pieces.append(f'{indent}{name} = """\n  {name}\n# no comment\n"""\n')
        elif kind == "call":
            pieces.append(f"{indent}{name}(\n{indent}    {number},  # {name}\n{indent})\n")
        elif kind in ("block", "else") and depth < 4:
            pieces.append(f"{indent}if {name}:  # note\n{draw(bodies(depth + 1))}")
            if kind == "else":
                pieces.append(f"{indent}else:\n{draw(bodies(depth + 1))}")
        else:
            pieces.append(f"{indent}{name} = {name} + {number}; {name}()\n")
    pieces.append(f"{indent}return\n")
    return "".join(pieces)


def statement_lines(text: str) -> Iterator[int]:
    """The lines, from 0, at which a statement begins that is not the first of its block and first on its line."""
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        for name in ("body", "orelse"):
            for child in getattr(node, name, [])[1:]:
                if not lines[child.lineno - 1][: child.col_offset].strip():
                    yield child.lineno - 1


@given(bodies(), st.integers(5, 300))
def test_parts_fit_or_hold_one_statement_and_partition_the_lines(body: str, bound: int) -> None:
    text = f"def f(a):\n{body}"
    regions = cut_of(text, bound)
    lines = plain_lines(text)
    assert regions[0].start_line == 0
    assert regions[-1].end_line == len(lines)
    assert all(left.end_line == right.start_line for left, right in pairwise(regions))
    for region in regions:
        shown = zip(region.lines, region.dedents, lines[region.start_line : region.end_line], strict=True)
        assert all(sent == line[dedent:] for sent, dedent, line in shown)
        assert not region.parse_error
        if len(region.loose) > bound and not (region.trivial or region.empty_body):
            for place in statement_lines(text):
                above = lines[region.start_line : place] if region.start_line < place < region.end_line else []
                assert all(line.strip().startswith("#") for line in above), (region, place)


@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.sampled_from([*sorted(LANGUAGES), "zig"]),
    st.integers(0, 60),
    st.data(),
)
def test_the_parts_of_any_text_partition_it(text: str, language: str, bound: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    secrets = [(start, end, "k") for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    regions = split(snapshot_of(text, language=language), secrets, up_to(bound)).regions
    assert (regions[0].start_line, regions[-1].end_line) == (0, len(plain_lines(text)))
    assert all(left.end_line == right.start_line for left, right in pairwise(regions))
    assert all(len(region.lines) == region.end_line - region.start_line > 0 for region in regions)


@given(bodies(), st.integers(5, 300), st.data())
def test_a_comment_moves_no_cut_and_changes_no_loose_key(body: str, bound: int, data: st.DataObject) -> None:
    text = f"def f(a):\n{body}"
    lines = text.split("\n")
    in_strings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.end_lineno is not None
        for line in range(node.lineno, node.end_lineno)
    }
    place = data.draw(st.sampled_from([line for line in range(1, len(lines)) if line not in in_strings]))
    added = data.draw(st.sampled_from(["# note", "    # note", "", "\n\n", "        # a\n# b"]))
    assert loose_keys(text, bound) == loose_keys(with_lines(text, place, added), bound)


STRING = '    a = """\n  a\n# no comment\n"""\n'
CALLS = "".join(f"    a(\n        {number},  # a\n    )\n" for number in (1, 2))
NESTED = "    if a:\n        return\n        if c:\n            b()\n        b = b + 4; b()\n    return\n"
ADDITIONS = "".join(f"    a = a + {number}; a()\n" for number in (4, 5, 6))


@pytest.mark.parametrize(
    ("text", "place", "added", "bound"),
    [
        (f"def f(a):\n    a = a + 0; a()\n{CALLS}{STRING}{ADDITIONS}    return\n", 2, "# note", 15),
        (f"def f(a):\n{NESTED}", 4, f"    #{' long' * 120}", 25),
        (f"def f(a):\n{NESTED}", 4, "    #\n" * 100, 25),
    ],
)
def test_a_comment_that_once_did_moves_no_cut(text: str, place: int, added: str, bound: int) -> None:
    assert loose_keys(text, bound) == loose_keys(with_lines(text, place, added), bound)


@settings(max_examples=25)
@given(st.integers(0, 199).filter(lambda number: number % 6), st.integers(600, 3000))
def test_an_edit_changes_the_key_of_the_part_that_it_is_in_alone(number: int, bound: int) -> None:
    text = long_function()
    before, after = cut_of(text, bound), cut_of(text.replace(f"={1000 + number})", "=xxxx)"), bound)
    assert len(before) > 1
    assert len(set(keys_of(before)) - set(keys_of(after))) == 1


@pytest.mark.parametrize("bound", range(15, 45, 5))
def test_what_follows_moves_no_cut(bound: int) -> None:
    text = "def f(a):\n" + "".join(f"    a = {number}\n" for number in range(5))
    parts = [cut_of(f"{text}\n\ndef {name}():\n    f(1)\n", bound) for name in ("g", "h", "other")]
    first, *others = ([one.code for one in cut if one.symbol == "f"] for cut in parts)
    assert others == [first, first]


@pytest.mark.parametrize("bound", [600, 1500, 4000])
def test_a_new_statement_changes_few_keys(bound: int) -> None:
    lines = long_function().split("\n")
    before = keys_of(cut_of("\n".join(lines), bound))
    lost = []
    for place in range(2, len(lines) - 1, 13):
        indent = re.match(" *", lines[place])
        assert indent
        edited = [*lines[:place], f"{indent[0]}inserted = 1", *lines[place:]]
        lost.append(len(set(before) - set(keys_of(cut_of("\n".join(edited), bound)))))
    assert len(before) >= 4
    assert sum(lost) / len(lost) < 1.5


def test_parts_are_not_small_for_nothing() -> None:
    text = long_function(400)
    regions = cut_of(text, 1500)
    assert len(regions) <= 3 * len(cut_of(text, 10**9)[0].loose) / 1500


def test_what_fits_is_one_part() -> None:
    text = long_function()
    assert cut_of(text, 10**9) == split(snapshot_of(text)).regions


def test_a_huge_statement_is_set_apart_and_what_is_around_it_is_not_cut_small() -> None:
    table = "    table = {\n" + "".join(f"        'key {n}': {n},\n" for n in range(200)) + "    }\n"
    around = "".join(map(statement, range(8)))
    regions = cut_of(f"def f():\n{around}{table}{around}", 1500)
    assert [region.lines[0].strip()[:7] for region in regions] == ["def f()", "table =", "value_0"]


def test_a_statement_with_a_huge_comment_is_set_apart_too() -> None:
    around = "".join(map(statement, range(8)))
    text = f"def f():\n{around}    a(  #{' note' * 500}\n    )\n{around}"
    regions = split(snapshot_of(text), fits=lambda region: len(region.code) <= 1500).regions
    assert [region.lines[0].strip()[:7] for region in regions] == ["def f()", "a(  # n", "value_0"]


def test_parts_say_what_they_are_in() -> None:
    body = "".join(statement(number, 4) for number in range(40))
    head = "class A(B):\n    @wrapped\n    def f(self, a):  # note\n"
    text = f"{head}        if a:\n            x()\n        else:\n            for b in a:\n{body}"
    _, first, *rest = cut_of(text, 700)
    assert first.context.split("\n") == ["class A(B):", PARTIAL]
    assert len(rest) > 1
    for region in rest:
        assert region.context.split("\n") == [
            "class A(B):",
            "@wrapped def f(self, a):",
            "if a: … else:",
            "for b in a:",
            PARTIAL,
        ]
        assert region.symbol == "A.f"


def test_a_part_between_whole_statements_of_the_top_needs_no_such_words() -> None:
    text = "".join(f"value_{number} = '{'x' * 100}'\n" for number in range(40))
    regions = cut_of(text, 700)
    assert len(regions) > 4
    assert all(PARTIAL not in region.context for region in regions)


def test_a_long_chain_shows_its_first_and_its_last_condition() -> None:
    chain = "".join(f"    elif a == {n}:\n        x({n})\n        y()\n" for n in range(60))
    text = f"def f(a):\n    if a == 'first':\n        x()\n{chain}"
    regions = cut_of(text, 300)
    (deep,) = (region for region in regions if "x(40)" in region.code)
    assert re.fullmatch(r"if a == 'first': … elif a == \d+:", deep.context.split("\n")[1])


STATEMENTS = "".join(f'work({number}, "some words");\n' for number in range(60))
BARE = STATEMENTS.replace(";", "")


@pytest.mark.parametrize(
    ("language", "opening", "statements", "closing", "headers"),
    [
        ("javascript", "function f(a) {\nfor (b of a) {", STATEMENTS, "}\n}", ["function f(a)", "for (b of a)"]),
        ("javascript", "it('x', () => {\ntry {", STATEMENTS, "} catch (e) {}\n});", ["it('x', () =>", "try"]),
        ("typescript", "const f = (a: A) => {\nif (a) {", STATEMENTS, "}\n}", ["const f = (a: A) =>", "if (a)"]),
        ("typescriptreact", "function F() {\n{", STATEMENTS, "}\n}", ["function F()"]),
        ("go", "func f(a []int) {\nfor range a {", BARE, "}\n}", ["func f(a []int)", "for range a"]),
        ("java", "class A {\nvoid f() {\nwhile (a) {", STATEMENTS, "}\n}\n}", ["class A", "void f()", "while (a)"]),
        ("rust", "fn f(a: A) {\nif a.b() {", STATEMENTS, "}\n}", ["fn f(a: A)", "if a.b()"]),
        ("c", "int f(void) {\nif (a) {", STATEMENTS, "}\n}", ["int f(void)", "if (a)"]),
        ("cpp", "void A::f() {\nfor (auto a : b) {", STATEMENTS, "}\n}", ["void A::f()", "for (auto a : b)"]),
        ("csharp", "class A {\nvoid F() {\nlock (a) {", STATEMENTS, "}\n}\n}", ["class A", "void F()", "lock (a)"]),
        ("ruby", "def f(a)\na.each do |b|", BARE, "end\nend", ["def f(a)", "a.each do |b|"]),
        ("php", "<?php\nfunction f($a) {\nif ($a) {", STATEMENTS, "}\n}", ["function f($a)", "if ($a)"]),
        ("kotlin", "fun f(a: A) {\nif (a) {", BARE, "}\n}", ["fun f(a: A)"]),
        ("swift", "func f(a: A) {\nif a {", BARE, "}\n}", ["func f(a: A)"]),
        ("scala", "def f(a: A) = {\nif (a) {", BARE, "}\n}", ["def f(a: A) =", "if (a)"]),
        ("lua", "function f(a)\nif a then", BARE, "end\nend", ["function f(a)", "if a then"]),
        ("shellscript", "f() {", "".join(f"work {n} 'some words'\n" for n in range(60)), "}", ["f()"]),
    ],
)  # fmt: skip
def test_every_language_is_cut_within_its_blocks(
    language: str, opening: str, statements: str, closing: str, headers: list[str]
) -> None:
    text = f"{opening}\n{statements}{closing}\n"
    regions = [region for region in cut_of(text, 450, language) if not region.trivial]
    assert all(len(region.loose) <= 450 for region in regions)
    inner = [region for region in regions if "work" in region.code][1:]
    assert len(inner) >= 2
    for region in inner:
        assert [line for line in region.context.split("\n") if line in headers] == headers, region.context
        assert PARTIAL in region.context


def test_a_language_without_a_grammar_is_cut_after_blank_lines_first() -> None:
    blocks = "".join(f"  opening {block}\n  work\n  done\n  \n" for block in range(10))
    first, *rest = cut_of(f"block\n{blocks}", 60, "zig")
    assert first.lines[0] == "block"
    assert all(region.lines[0].startswith("opening") for region in rest)


def test_headers_hold_placeholders_for_secrets() -> None:
    body = "".join(statement(number, 2) for number in range(20))
    text = f"def f(key='s3cr3t'):\n    while key != 's3cr3t':\n{body}"
    secrets = [(match.start(), match.end(), "key") for match in re.finditer("s3cr3t", text)]
    regions = split(snapshot_of(text), secrets, up_to(500)).regions
    assert len(regions) > 2
    for region in regions:
        assert "s3cr3t" not in region.context + region.code
    assert regions[-1].context.split("\n")[:2] == [
        "def f(key='REDACTED_KEY_1'):",
        "while key != 'REDACTED_KEY_1':",
    ]


def test_half_written_code_is_not_cut() -> None:
    (region,) = cut_of(long_function() + "    x = = 1\n", 1000)
    assert region.parse_error


def test_while_a_part_is_half_written_the_others_stand() -> None:
    text = long_function()
    fits = up_to(1000)
    before = split(snapshot_of(text), fits=fits)
    edited = text.replace("compute_it(100, ", "compute_it((100, ")
    after = resplit(snapshot_of(edited), before, snapshot_of(text), fits=fits)
    known, found = keys_of(before.regions), keys_of(after.regions)
    assert len(set(known) - set(found)) == 1
    assert [region.parse_error for region in after.regions].count(True) == 1
    assert resplit(snapshot_of(text), after, snapshot_of(edited), fits=fits) == before
