"""Splitting: the partition of any text, what regions say of themselves, and placeholders."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.languages import LANGUAGES
from aiops_lsp.core.partition import LONGEST_RUN
from aiops_lsp.core.regions import Region, RegionKind, Shape
from aiops_lsp.core.splitting import Split, count_errors, resplit, split
from aiops_lsp.core.syntax import plain_lines
from aiops_lsp.core.text import Snapshot

Secrets = list[tuple[int, int, str]]

PIECES = [
    "def f(", "class A", '"""', "'''", "{", "}", "(", ")", "\n", "\r\n", "\r", "\f", "\u2028", "\x00", "\ud800", "😀",
    "é", "    ", "\t", " ", "#", "//", "/*", "*/", "fn f() {", "func f() {", "function f() {", "if x:", "return",
    "x = 1", "import a", "<?php", "`", "${", "\\", ";", "def g():\n    pass\n", "@d\n", "end", "impl A {", "\n\n",
    "class B {\n", "static void m() {", "<<EOF\n", "EOF", "REDACTED_K_1", "case", "=>", "#if X\n", "#endif\n",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map("".join)
IDENTIFIERS = st.sampled_from([*sorted(LANGUAGES), "zig", "plaintext"])


def snapshot_of(text: str, language: str = "python") -> Snapshot:
    return Snapshot("file:///t", 1, language, text)


def regions_of(text: str, language: str = "python", secrets: Secrets | None = None) -> tuple[Region, ...]:
    return split(snapshot_of(text, language), secrets or []).regions


def secrets_in(text: str, *values: str) -> Secrets:
    found = [(m.start(), m.end(), "key") for value in values for m in re.finditer(re.escape(value), text)]
    return sorted(found)


def assert_partition(found: Split, text: str) -> None:
    """Each line is in exactly one region, in order, and can be restored from what is sent of it."""
    lines = plain_lines(text)
    assert found.regions[0].start_line == 0
    assert found.regions[-1].end_line == len(lines)
    assert all(left.end_line == right.start_line for left, right in pairwise(found.regions))
    for region in found.regions:
        assert len(region.lines) == len(region.dedents) == region.end_line - region.start_line > 0
        for number, (sent, dedent) in enumerate(zip(region.lines, region.dedents, strict=True)):
            assert lines[region.start_line + number][dedent:] == restored(sent, region, number)


def restored(sent: str, region: Region, number: int) -> str:
    for swap in reversed([swap for swap in region.substitutions if swap.line == number]):
        assert sent[swap.start : swap.end] == swap.placeholder
        sent = sent[: swap.start] + swap.original + sent[swap.end :]
    return sent


@given(TEXTS, IDENTIFIERS, st.data())
def test_regions_partition_any_text(text: str, language: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    secrets = [(start, end, "k") for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    assert_partition(split(snapshot_of(text, language), secrets), text)


@given(TEXTS, IDENTIFIERS, st.data())
def test_regions_partition_any_edited_text(text: str, language: str, data: st.DataObject) -> None:
    before = snapshot_of(text, language)
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    edited = text[:start] + data.draw(TEXTS) + text[end:]
    assert_partition(resplit(snapshot_of(edited, language), split(before), before), edited)


@given(TEXTS, IDENTIFIERS)
def test_errors_can_be_counted_in_any_text(text: str, language: str) -> None:
    errors = count_errors(text, language)
    assert errors == split(snapshot_of(text, language)).errors >= 0


@given(TEXTS, IDENTIFIERS)
def test_splitting_is_a_function_of_the_text(text: str, language: str) -> None:
    assert split(snapshot_of(text, language)) == split(snapshot_of(text, language))


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n", "# only a comment", "import os\n", ")\n"])
def test_texts_with_nothing_to_review(text: str) -> None:
    assert all(region.trivial or region.parse_error for region in regions_of(text))


def test_an_unknown_language_is_cut_into_paragraphs() -> None:
    text = "fn a() {\n  x\n\n  y\n}\n\nfn b() {\n}\n\n\nrest\n"
    regions = regions_of(text, "zig")
    assert [(r.kind, r.start_line, r.end_line) for r in regions] == [
        (RegionKind.PARAGRAPH, 0, 6),
        (RegionKind.PARAGRAPH, 6, 10),
        (RegionKind.PARAGRAPH, 10, 12),
    ]
    assert not split(snapshot_of(text, "zig")).parsed
    assert regions[0].loose == "fn a() {\n  x\n\n  y\n}\n"


def test_region_at() -> None:
    found = split(snapshot_of("x = 1\n\ndef f():\n    return 2\n"))
    assert [found.region_at(line).symbol for line in (0, 1, 2, 3, 4, 99)] == ["", "", "f", "f", "f", "f"]


@pytest.mark.parametrize(
    ("body", "empty"),
    [
        ("pass", True),
        ("...", True),
        ('"""Doc."""', True),
        ('"""Doc."""\n    pass', True),
        ("# to do\n    pass", True),
        ("return", False),
        ("x = ...", False),
        ('"""Doc."""\n    return 1', False),
        ("raise NotImplementedError", False),
    ],
)
def test_empty_bodies_in_python(body: str, empty: bool) -> None:
    (region,) = regions_of(f"def f(a):\n    {body}\n")
    assert region.empty_body is empty


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("def f(:\n    return 1\n\n\ndef g():\n    return 2\n", {"f"}),
        ("def f():\n    return (1\n\n\ndef g():\n    return 2\n", {"f"}),
        ("def f():\n    x = )\n    return 1\n\n\ndef g():\n    return 2\n", {"f"}),
    ],
)
def test_errors_belong_to_the_region_that_they_are_in(text: str, broken: set[str]) -> None:
    regions = regions_of(text)
    assert broken <= {region.symbol for region in regions if region.parse_error} | {""}
    assert any(region.parse_error for region in regions)
    assert split(snapshot_of(text)).errors > 0


def test_shape() -> None:
    body = "    for x in a:\n        if x:\n            eval(x)\n        elif a:\n            pass\n\n    return 1"
    text = f"def f(a):\n{body}"
    (region,) = regions_of(text)
    assert region.shape == Shape(lines=7, branches=3, nesting=3, sensitive_calls=1)


def test_else_if_is_not_nested() -> None:
    chain = " else ".join("if (x) { y(); }" for _ in range(8))
    (region,) = regions_of(f"function f() {{ {chain} }}\n", "javascript")
    assert region.shape.nesting == 2


def statements(count: int) -> list[str]:
    return [f"value_{number} = compute({number})" for number in range(count)]


def test_long_runs_are_cut_where_an_edit_does_not_move_the_cut() -> None:
    lines = statements(400)
    regions = regions_of("\n".join(lines))
    assert all(region.end_line - region.start_line <= LONGEST_RUN for region in regions)
    codes = [region.code for region in regions]
    for place in (0, 37, 200, 399):
        edited = [*lines[:place], "inserted = 1", *lines[place:]]
        changed = [region.code for region in regions_of("\n".join(edited))]
        assert len(set(codes) - set(changed)) <= 2, place


@pytest.mark.parametrize("language", ["python", "zig"])
def test_long_runs_are_cut_after_blank_lines_first(language: str) -> None:
    blocks = ["\n".join(f"v{block}_{n} = {n}" for n in range(12)) for block in range(20)]
    text = ("\n\n" if language == "python" else "\n \n").join(blocks)
    for region in regions_of(text, language)[1:]:
        assert region.lines[0].endswith("_0 = 0")


@pytest.mark.parametrize(
    "line", ["x = 1", "def f(): return 1", "class A: pass", "@", "((", "'", "import a", "if x:", "😀"]
)
@pytest.mark.parametrize("language", ["python", "javascript", "zig"])
def test_files_that_repeat_one_line(language: str, line: str) -> None:
    text = f"{line}\n" * 3_000
    found = split(snapshot_of(text, language))
    assert_partition(found, text)
    assert all(r.kind is not RegionKind.PARAGRAPH or len(r.lines) <= LONGEST_RUN + 1 for r in found.regions)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("go", 'package a\n\nvar x = "" + ``\n'),
        ("python", 'x = \'\' + """""" + f\'\'\n'),
        ("javascript", "x = '' + `` + \"\";\n"),
        ("java", 'class A { String x = ""; }\n'),
        ("rust", 'fn f() { g("", r"", r#""#) }\n'),
        ("c", 'char *x = "";\n'),
        ("cpp", 'auto x = R"()";\n'),
        ("csharp", 'class A { string x = "" + @""; }\n'),
        ("ruby", "x = '' + \"\" + <<~A\nA\n"),
        ("php", "<?php\n$x = '' . \"\";\n"),
        ("kotlin", 'val x = "" + """"""\n'),
        ("swift", 'let x = ""\n'),
        ("scala", 'val x = "" + s""\n'),
        ("lua", "x = '' .. [[]]\n"),
        ("shellscript", "x='' y=\"\"\ncat <<A\nA\n"),
    ],
)
def test_empty_strings_are_no_errors(language: str, text: str) -> None:
    assert count_errors(text, language) == 0


def test_moving_a_function_keeps_its_code_and_loose_form() -> None:
    first, second = "def f(a):\n    return a\n", "def g(b):\n    return b + 1\n"
    one = {(r.code, r.loose, r.context) for r in regions_of(f"{first}\n\n{second}")}
    other = {(r.code, r.loose, r.context) for r in regions_of(f"{second}\n\n\n\n{first}")}
    assert one == other


def test_a_method_is_dedented_and_strings_are_left_when_they_do_not_share_the_indentation() -> None:
    left_alone = '    def f(self):\n        return """\n        in\n    \n    it\n"""\n\n'
    shared = '    def g(self):\n        return """a\n      b"""\n'
    text = "class A:\n" + left_alone + shared
    f, g = (region for region in regions_of(text) if region.kind is RegionKind.METHOD)
    assert f.lines == ("def f(self):", '    return """', "        in", "    ", "    it", '"""', "")
    assert f.dedents == (4, 4, 0, 0, 0, 0, 0)
    assert g.lines == ("def g(self):", '    return """a', '  b"""', "")


def test_comments_further_left_do_not_stop_the_dedent() -> None:
    text = "class A:\n    def f(self):\n# note\n  # half\n        return 1\n"
    region = regions_of(text)[-1]
    assert region.lines == ("def f(self):", "# note", "# half", "    return 1", "")
    assert region.dedents == (4, 0, 2, 4, 0)


def test_secrets_are_replaced_in_code_and_context_and_nowhere_else() -> None:
    text = 'KEY = "s3cr3t"\n\n\ndef f(a):\n    b = "😀 other" + "s3cr3t" + KEY  # s3cr3t\n    return b\n'
    regions = regions_of(text, secrets=secrets_in(text, "s3cr3t", "other"))
    code = regions[-1]
    assert code.context == 'KEY = "REDACTED_KEY_1"'
    assert code.lines[1] == '    b = "😀 REDACTED_KEY_2" + "REDACTED_KEY_1" + KEY  # REDACTED_KEY_1'
    assert code.loose.splitlines()[1] == '1|b="😀 REDACTED_KEY_2"+"REDACTED_KEY_1"+KEY'
    for region in regions:
        assert "s3cr3t" not in region.code + region.context + region.loose
    columns = [code.document_column(1, column) for column in range(len(code.lines[1]) + 1)]
    assert columns == sorted(columns)
    assert columns[-1] == len(text.splitlines()[4])


def test_placeholders_do_not_depend_on_other_regions() -> None:
    text = 'a = "one"\n\n\ndef f():\n    return "two"\n'
    both = regions_of(text, secrets=secrets_in(text, "one", "two"))
    only = regions_of(text, secrets=secrets_in(text, "two"))
    assert both[-1].code == only[-1].code == 'def f():\n    return "REDACTED_KEY_1"'


def test_a_placeholder_is_never_one_that_the_text_already_has() -> None:
    text = 'def f():\n    return "REDACTED_KEY_1" + "hush" + REDACTED_OTHER_2\n'
    (region,) = regions_of(text, secrets=secrets_in(text, "hush"))
    assert region.lines[1] == '    return "REDACTED_KEY_1" + "REDACTED_KEY_3" + REDACTED_OTHER_2'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_secret_of_several_lines_keeps_the_line_count(end: str) -> None:
    pem = '"""-----BEGIN\n        MIIE\n        -----END"""'
    text = f"class A:\n    def f(self):\n        pem = {pem}\n        return pem\n".replace("\n", end)
    start, stop = text.index("-----BEGIN"), text.index('"""', text.index("END"))
    region = regions_of(text, secrets=[(start, stop, "private key")])[-1]
    assert region.lines == ("def f(self):", '    pem = """REDACTED_PRIVATE_KEY_1', "", '"""', "    return pem", "")
    assert [swap.original for swap in region.substitutions] == ["-----BEGIN", "    MIIE", "    -----END"]


def test_a_secret_of_several_lines_outside_a_string() -> None:
    text = "KEY\nabc\ndef\n\nrest\n"
    regions = regions_of(text, "zig", secrets=[(0, 11, "pem")])
    assert regions[0].lines == ("REDACTED_PEM_1", "", "", "")
    assert regions[0].code == "REDACTED_PEM_1"


def test_only_what_belongs_to_the_compiler_stays_of_comments() -> None:
    text = "x = 1  # type: int\ny = 2  # a note\n# mypy: strict\n"
    assert regions_of(text)[0].loose == "0|x=1 # type: int\n0|y=2\n0|# mypy: strict"


SAME_LOOSE = [
    ("python", "f(a, b)", "f(\n    a,\n    b\n)"),
    ("python", "if x:\n    y()\n    z()", "if x:\n  y( )   # c\n\n  # d\n  z()"),
    ("python", "x = [1, 2]", "x=[1 , 2]"),
    ("python", "if a:\n\tb()", "if a:\n        b()"),
    ("javascript", "f(a, {b: 1})", "f( a,\n  {b: 1})"),
    ("javascript", "a = b /* c */ + d", "a = b+d"),
    ("go", "func f() {\n\tg()\n}", "func f() {\n    g() // x\n\n}"),
    ("java", "class A { int x = f(1, 2); }", "class A {\n  // c\n  int x =\n    f( 1,2 );\n}"),
    ("rust", "fn f() { g(1) }", "fn f()\n{\n    // c\n    g( 1 )\n}"),
    ("c", "int x = 1;\nint y;", "int x  =  1;\n\n/* c */\n  int y;"),
    ("ruby", "def f\n  a\nend", "def f\n    a\n\n# c\nend"),
]
OTHER_LOOSE = [
    ("python", "if x:\n    y()\n    z()", "if x:\n    y()\nz()"),
    ("python", "if x:\n    y()\nelse:\n    z()", "if x:\n    y()\n    z()\nelse:\n    z()"),
    ("python", "x = 'a  b'", "x = 'a b'"),
    ("python", "x = '# a'", "x = '# b'"),
    ("python", "a\nb", "a b"),
    ("python", "not x", "notx"),
    ("python", "1 .real", "1.real"),
    ("python", "x = a, b", "x = a\nb"),
    ("python", "def f():\n    '''a\n    b'''\n    x", "def f():\n    '''a\n\n    b'''\n    x"),
    ("python", "x = 1  # type: int", "x = 1  # type: str"),
    ("javascript", "return\nx", "return x"),
    ("javascript", "a + +b", "a ++b"),
    ("javascript", "f(function () {\n  return\n  a\n})", "f(function () {\n  return a\n})"),
    ("javascript", "x = `a  ${b}`", "x = `a ${b}`"),
    ("javascript", "x = /a  b/", "x = /a b/"),
    ("javascript", "x\n/* c */\n++y", "x ++y"),
    ("typescriptreact", "x = <a><b>x</b> {y}</a>", "x = <a><b>x</b>{y}</a>"),
    ("go", "//go:embed a.txt\nvar x string", "//go:embed b.txt\nvar x string"),
    ("go", "x := a\n-b", "x := a -b"),
    ("go", '/*\nint f();\n*/\nimport "C"', '/*\nint g();\n*/\nimport "C"'),
    ("java", "x = a < b > c;", "x = a << b > c;"),
    ("rust", "let a = 1 ..2;", "let a = 1. .2;"),
    ("c", "#define F (x)", "#define F(x)"),
    ("c", "#if A\nint x;\n#endif", "#if A int x;\n#endif"),
    ("ruby", "foo (1).abs", "foo(1).abs"),
    ("ruby", "a -b", "a - b"),
    ("swift", "a - b", "a -b"),
    ("scala", "if (a)\n  b\n  c", "if (a)\n  b\nc"),
    ("shellscript", "echo a\\  b", "echo a\\ b"),
    ("shellscript", "cat <<E\n a  b\nE\n", "cat <<E\n a b\nE\n"),
    ("php", "<?php\n$x = 'a  b';", "<?php\n$x = 'a b';"),
    ("php", "<?php\n/** @Route(1) */\nclass A {}", "<?php\n/** @Route(2) */\nclass A {}"),
    ("zig", "a // b", "a // c"),
]


@pytest.mark.parametrize(("language", "one", "other"), SAME_LOOSE)
def test_blanks_and_comments_that_mean_nothing(language: str, one: str, other: str) -> None:
    assert loose(one, language) == loose(other, language)


@pytest.mark.parametrize(("language", "one", "other"), OTHER_LOOSE)
def test_blanks_and_comments_that_mean_something(language: str, one: str, other: str) -> None:
    assert loose(one, language) != loose(other, language)


def loose(text: str, language: str) -> list[str]:
    return [region.loose for region in regions_of(text, language)]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_signs_beyond_ascii_do_not_crash_a_grammar(language: str) -> None:
    """Bash's does on some of these when it gets them as they are."""
    signs = "".join(
        map(chr, [0xE9, 0x2028, 0x4E2D, 0xFEFF, 0xFFFF, 0x1F600, 0x9E82A, 0xD823D, 0xE8129, 0x10FFFF, 0xD800])
    )
    text = f"\nx {signs} {{{signs} '{signs}' $ # {signs}\n"
    assert_partition(split(snapshot_of(text * 3, language)), text * 3)


@pytest.mark.parametrize("name", ["é", "größe", "变量", "às"])
def test_names_beyond_ascii_are_names(name: str) -> None:
    (region,) = regions_of(f"def {name}({name}):\n    return {name}  # 😀 “{name}”\n")
    assert (region.symbol, region.parse_error) == (name, False)
    assert region.loose == f"0|def {name}({name}):\n1|return {name}"
