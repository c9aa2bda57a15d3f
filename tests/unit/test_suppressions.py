from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core import suppressions
from aiops_lsp.core.comments import CommentSyntax, comment_syntax
from aiops_lsp.core.findings import Category, Edit, Finding, Origin, Severity
from aiops_lsp.core.languages import LANGUAGES
from aiops_lsp.core.suppressions import Ignores, ignore_edit, parse_ignores
from aiops_lsp.core.text import Position, Range, Snapshot
from tests.support.regions import snapshot_of


def finding_at(line: int, code: str = "bug", category: Category = Category.BUG) -> Finding:
    return Finding(
        id="0123456789abcdef",
        code=code,
        origin=Origin.MODEL if code == category.value else Origin.RULE,
        category=category,
        severity=Severity.HIGH,
        confidence=90,
        title="It fails",
        why="it fails",
        trigger="always",
        range=Range(Position(line, 0), Position(line, 1)),
        evidence="x",
        symbol="f",
    )


def ignored_lines(
    text: str, language: str = "python", code: str = "bug", category: Category = Category.BUG
) -> list[int]:
    snapshot = snapshot_of(text, language=language)
    ignores = parse_ignores(snapshot)
    return [line for line in range(len(snapshot.lines)) if ignores.covers(finding_at(line, code, category))]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("x = 1  # aiops: ignore[bug]\ny = 2\n", [0], id="at the end of a line"),
        pytest.param("# aiops: ignore[bug]\nx = 1\ny = 2\n", [0, 1], id="above a line"),
        pytest.param(
            "if a:\n    # aiops: ignore[bug] it is so\n    x = 1\n", [1, 2], id="above, indented, with a reason"
        ),
        pytest.param("# aiops: ignore[bug]\n# because\n# of this\nx = 1\n", [0, 3], id="above, with comments between"),
        pytest.param("# because\n# aiops: ignore[bug]\nx = 1\n", [1, 2], id="below another comment"),
        pytest.param("# aiops: ignore[bug]\n\nx = 1\n", [0], id="a blank line between"),
        pytest.param("# aiops: ignore[bug]", [0], id="nothing below"),
        pytest.param("# aiops: ignore\nx = 1\n", [0, 1], id="everything"),
        pytest.param("# aiops: ignore it is so\nx = 1\n", [0, 1], id="everything, with a reason"),
        pytest.param("# aiops: ignore[]\nx = 1\n", [], id="nothing at all"),
        pytest.param("# aiops: ignore[ ,]\nx = 1\n", [], id="only a comma"),
        pytest.param("# aiops: ignore[security, bug]\nx = 1\n", [0, 1], id="one of several"),
        pytest.param("# aiops: ignore[security]\nx = 1\n", [], id="another"),
        pytest.param("# aiops: ignore[security]\n# aiops: ignore[bug]\nx = 1\n", [1, 2], id="two comments"),
        pytest.param("# aiops: ignore [ BUG ]\nx = 1\n", [0, 1], id="written loosely"),
        pytest.param("#aiops:ignore[bug]\nx = 1\n", [0, 1], id="written tightly"),
        pytest.param("# AIOps: Ignore[bug]\nx = 1\n", [0, 1], id="capitals"),
        pytest.param("x = 1  # noqa: F401  # aiops: ignore[bug]\n", [0], id="after another tool's"),
        pytest.param("# aiops: ignored[bug]\nx = 1\n", [], id="another word"),
        pytest.param("# aiops: ignore-next\nx = 1\n", [], id="a longer word"),
        pytest.param("# aiops: ignore[bug\nx = 1\n", [], id="not closed"),
        pytest.param("# aiops: ignore [bug\nx = 1\n", [], id="not closed, loosely"),
        pytest.param("# write aiops: ignore[bug] to silence it\nx = 1\n", [], id="in a sentence"),
        pytest.param("x = '# aiops: ignore[bug]'\n", [], id="in a string"),
        pytest.param('x = """\n# aiops: ignore[bug]\n"""\ny = 1\n', [], id="in a string of several lines"),
        pytest.param("aiops: ignore\nx = 1\n", [], id="not in a comment"),
        pytest.param("x = 1  # aiops: ignore[bug]\r\ny = 2\r\n", [0], id="other line ends"),
        pytest.param("x = '\u2028'\f  # aiops: ignore[bug]\ry = 2\r", [0], id="line breaks that are none"),
        pytest.param("x = (  # aiops: ignore[bug]\n  # aiops: ignore[bug]\n", [0, 1], id="half-written code"),
    ],
)
def test_what_is_ignored(text: str, lines: list[int]) -> None:
    assert ignored_lines(text) == lines


@pytest.mark.parametrize(
    ("codes", "covered"),
    [
        ("py/eval-input", True),
        ("PY/Eval-Input", True),
        ("security", True),
        ("resource-leak, security", True),
        ("py/eval", False),
        ("py/", False),
        ("bug", False),
    ],
)
def test_rules_are_ignored_by_id_or_category(codes: str, covered: bool) -> None:
    text = f"x = 1  # aiops: ignore[{codes}]\n"
    assert (ignored_lines(text, code="py/eval-input", category=Category.SECURITY) == [0]) is covered


def test_categories_may_be_written_with_a_hyphen() -> None:
    assert ignored_lines(
        "x = 1  # aiops: ignore[resource-leak]", "python", "resource_leak", Category.RESOURCE_LEAK
    ) == [0]


@pytest.mark.parametrize(
    ("language", "text", "lines"),
    [
        ("javascript", "// aiops: ignore[bug]\nf();\n", [0, 1]),
        ("javascript", "f(); // aiops: ignore[bug]\ng();\n", [0]),
        ("javascript", "/* aiops: ignore[bug] so */\nf();\n", [0, 1]),
        ("javascript", "/* aiops: ignore[bug] */ f();\ng();\n", [0]),
        ("javascript", "f(/* aiops: ignore[bug] */ 1);\ng();\n", [0]),
        ("javascript", "/**\n * aiops: ignore[bug]\n * so\n */\nf();\n", [1, 4]),
        ("javascript", "/* here\n   and aiops: ignore[bug]\n */\nf();\n", []),
        ("javascript", "/* a */ // aiops: ignore[bug]\nf();\n", [0]),
        ("javascript", "f(`\n// aiops: ignore[bug]\n`);\n", []),
        ("javascript", "f('// aiops: ignore[bug]');\n", []),
        ("typescriptreact", "const a = <p>\n  {/* aiops: ignore[bug] */}\n  <b/>\n</p>;\n", [1, 2]),
        ("typescriptreact", "const a = <p>\n  // aiops: ignore[bug]\n  <b/>\n</p>;\n", []),
        ("go", "/// aiops: ignore[bug]\nfunc f() {}\n", [0, 1]),
        ("c", "#define A \\\n  /* aiops: ignore[bug] */ b\n", [1]),
        ("rust", "//! aiops: ignore[bug]\nfn f() {}\n", [0, 1]),
        ("lua", "-- aiops: ignore[bug]\nf()\n", [0, 1]),
        ("lua", "--[[ aiops: ignore[bug] ]]\nf()\n", [0, 1]),
        ("ruby", "f # aiops: ignore[bug]\n", [0]),
        ("php", "<?php\n# aiops: ignore[bug]\n// aiops: ignore[security]\nf();\n", [1, 3]),
        ("php", "<?php\n// aiops: ignore[bug]\n# so\n/* so */\nf();\n", [1, 4]),
        ("c", "// aiops: ignore[bug]\n/* so */ f();\n", [0, 1]),
        ("c", "// aiops: ignore[bug]\n/* so\n*/\nf();\n", [0, 1]),
        ("shellscript", "cat <<E\n# aiops: ignore[bug]\nE\nf # aiops: ignore[bug]\n", [3]),
        # Without a grammar the marks decide.
        ("sql", "select 1 -- aiops: ignore[bug]\n", [0]),
        ("sql", "/* aiops: ignore[bug]\n   so */\nselect 1\n", [0, 2]),
        ("sql", "/* aiops: ignore[bug]\nselect 1\n", [0, 1]),
        ("sql", 'select "-- aiops: ignore[bug]"\n', []),
        ("sql", 'select ("a -- aiops: ignore[bug]", 1)\n', []),
        ("sql", 'select "a", b -- aiops: ignore[bug]\n', [0]),
        ("sql", "select a-- aiops: ignore[bug]\n", []),
        ("clojure", ";; aiops: ignore[bug]\n(f 'a)\n", [0, 1]),
        ("latex", "% aiops: ignore[bug]\n\\f\n", [0, 1]),
        ("html", "<!-- aiops: ignore[bug] so -->\n<p>\n", [0, 1]),
        ("html", "<p> <!-- aiops: ignore[bug] -->\n<p>\n", [0]),
        ("vue", "<script>\n// aiops: ignore[bug]\nf()\n</script>\n<!-- aiops: ignore[bug] -->\n<p>\n", [1, 2, 4, 5]),
        ("json", '{"a": 1} // aiops: ignore[bug]\n', []),
        ("plaintext", "# aiops: ignore[bug]\nx\n", []),
    ],
)
def test_comments_of_other_languages(language: str, text: str, lines: list[int]) -> None:
    assert ignored_lines(text, language) == lines


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("x = 1  # aiops: ignore[bug]  it is so  ", "python", "it is so"),
        ("x = 1  # aiops: ignore[bug]: it is so", "python", "it is so"),
        ("x = 1  # aiops: ignore", "python", ""),
        ("f(); /* aiops: ignore[bug] it is so */ g();", "c", "it is so"),
        ("<!-- aiops: ignore it is so -->", "html", "it is so"),
    ],
)
def test_the_reason_is_kept(text: str, language: str, reason: str) -> None:
    (entry,) = parse_ignores(snapshot_of(text, language=language)).entries
    assert entry.reason == reason


def test_a_text_without_them_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the text was parsed")

    monkeypatch.setattr(suppressions, "parse", refuse)
    assert parse_ignores(snapshot_of("x = 1  # ignore[bug]\n")) == Ignores()


def edited(snapshot: Snapshot, edit: Edit) -> Snapshot:
    assert snapshot.slice(edit.range) == edit.old_text
    start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
    return snapshot_of(snapshot.text[:start] + edit.new_text + snapshot.text[end:], language=snapshot.language)


@pytest.mark.parametrize(
    ("language", "text", "line", "result"),
    [
        pytest.param("python", "f()\n", 0, "# aiops: ignore[bug]\nf()\n", id="above"),
        pytest.param("python", "if a:\n\tf()", 1, "if a:\n\t# aiops: ignore[bug]\n\tf()", id="at its indentation"),
        pytest.param("python", "f()", 0, "# aiops: ignore[bug]\nf()", id="no line end to follow"),
        pytest.param("python", "a()\r\nf()", 1, "a()\r\n# aiops: ignore[bug]\r\nf()", id="the line end of the text"),
        pytest.param("python", "a()\rf()\r", 1, "a()\r# aiops: ignore[bug]\rf()\r", id="lone CR"),
        pytest.param(
            "python",
            "# aiops: ignore[security] so\nf()\n",
            1,
            "# aiops: ignore[security, bug] so\nf()\n",
            id="joins one above",
        ),
        pytest.param(
            "python",
            "# aiops: ignore[security]\n# so\nf()\n",
            2,
            "# aiops: ignore[security, bug]\n# so\nf()\n",
            id="joins further up",
        ),
        pytest.param(
            "python",
            "f()  # aiops: ignore[security]\n",
            0,
            "f()  # aiops: ignore[security, bug]\n",
            id="joins one behind",
        ),
        pytest.param("python", "# aiops: ignore[]\nf()\n", 1, "# aiops: ignore[bug]\nf()\n", id="joins an empty one"),
        pytest.param(
            "python",
            "# aiops: ignore[security]\n\nf()\n",
            2,
            "# aiops: ignore[security]\n\n# aiops: ignore[bug]\nf()\n",
            id="not one apart",
        ),
        pytest.param("python", "# aiops: ignore[bug]\nf()\n", 1, None, id="ignored already"),
        pytest.param("python", "# aiops: ignore\nf()\n", 1, None, id="ignored with everything"),
        pytest.param("python", "#!/usr/bin/python\nf()\n", 0, None, id="the first line of a script"),
        pytest.param(
            "python", "#!/usr/bin/python\nf()\n", 1, "#!/usr/bin/python\n# aiops: ignore[bug]\nf()\n", id="the second"
        ),
        pytest.param(
            "python",
            "\nx = 1  # coding: latin-1\n",
            1,
            "\nx = 1  # coding: latin-1  # aiops: ignore[bug]\n",
            id="a line that must be among the first two",
        ),
        pytest.param(
            "python",
            "x = 1 + \\\n    f()  \n",
            1,
            "x = 1 + \\\n    f()  # aiops: ignore[bug]  \n",
            id="after a backslash",
        ),
        pytest.param("python", "x = 1 + \\\n    f() + \\\n    g()\n", 1, None, id="between backslashes"),
        pytest.param(
            "python",
            'x = """a\nb""" + f()\n',
            1,
            'x = """a\nb""" + f()  # aiops: ignore[bug]\n',
            id="where a string ends",
        ),
        pytest.param("python", 'x = """a\nb\nc"""\n', 1, None, id="within a string"),
        pytest.param(
            "python", 'x = """a\nb\nc"""\n', 0, '# aiops: ignore[bug]\nx = """a\nb\nc"""\n', id="where one begins"
        ),
        pytest.param("python", "f(\n    a,\n)\n", 1, "f(\n    # aiops: ignore[bug]\n    a,\n)\n", id="within brackets"),
        pytest.param("javascript", "  f();\n", 0, "  // aiops: ignore[bug]\n  f();\n", id="another language"),
        pytest.param("javascript", "x = `a\n${b}\nc`;\n", 1, None, id="within a template"),
        pytest.param(
            "typescriptreact",
            "const a = <p>\n  <b/>\n</p>;\n",
            1,
            "const a = <p>\n  {/* aiops: ignore[bug] */}\n  <b/>\n</p>;\n",
            id="within JSX",
        ),
        pytest.param("php", "<?php f();\n", 0, "<?php f();  // aiops: ignore[bug]\n", id="an opening tag"),
        pytest.param("shellscript", "cat <<E\na\nE\n", 1, None, id="within a here document"),
        pytest.param("shellscript", "a \\\n b\n", 1, "a \\\n b  # aiops: ignore[bug]\n", id="a command of two lines"),
        pytest.param("c", "#define A(x) \\\n  f(x)\n", 1, None, id="within a macro"),
        pytest.param("css", "p { }\n", 0, "/* aiops: ignore[bug] */\np { }\n", id="blocks only"),
        pytest.param("html", "<p>\n", 0, "<!-- aiops: ignore[bug] -->\n<p>\n", id="markup"),
        pytest.param(
            "xml",
            '<?xml version="1.0"?>\n',
            0,
            '<?xml version="1.0"?>  <!-- aiops: ignore[bug] -->\n',
            id="declaration",
        ),
        pytest.param("ini", "a = 1\n", 0, "; aiops: ignore[bug]\na = 1\n", id="semicolon"),
        pytest.param("yaml", "a: 1\n", 0, "# aiops: ignore[bug]\na: 1\n", id="no grammar"),
        pytest.param("yaml", "a: |\n  b\n", 1, None, id="no grammar, perhaps within a text"),
        pytest.param("vue", "<p>\n", 0, None, id="several languages in one"),
        pytest.param(
            "python",
            "    else:\n        c\n",
            1,
            "    else:\n        c  # aiops: ignore[bug]\n",
            id="half-written, broken further by a line",
        ),
        pytest.param(
            "java",
            "    int f() {\n        if (a)\n",
            1,
            "    int f() {\n        if (a)  // aiops: ignore[bug]\n",
            id="half-written, broken further by a line in a body",
        ),
        pytest.param("csharp", "    int \n    {\n        get;\n", 1, None, id="half-written, broken further by any"),
        pytest.param("json", "{}\n", 0, None, id="no comments"),
        pytest.param("unheard-of", "x\n", 0, None, id="unknown"),
    ],
)
def test_where_the_comment_goes(language: str, text: str, line: int, result: str | None) -> None:
    snapshot = snapshot_of(text, language=language)
    edit = ignore_edit(snapshot, finding_at(line))
    assert (edit and edited(snapshot, edit).text) == result


def test_a_rule_is_ignored_by_its_id() -> None:
    snapshot = snapshot_of("x = eval(y)\n")
    edit = ignore_edit(snapshot, finding_at(0, "py/eval-input", Category.SECURITY))
    place = Position(0, 0)
    assert edit == Edit(Range(place, place), "", "# aiops: ignore[py/eval-input]\n")


SNIPPETS = [
    "f(a)",
    "  f(a)",
    "\tg();",
    "",
    "x = 1",
    "x = '",
    'y = """',
    "}",
    "{",
    "/*",
    "*/",
    "# c",
    "// c",
    "a \\",
    "`",
    "<p>",
]


@given(
    st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=8),
    st.sampled_from([*LANGUAGES, "sql", "html", "css", "clojure", "yaml", "latex"]),
    st.sampled_from(["\n", "\r\n"]),
    st.data(),
)
def test_the_comment_does_what_it_is_for(lines: list[str], language: str, end: str, data: st.DataObject) -> None:
    snapshot = snapshot_of(end.join(lines), language=language)
    line = data.draw(st.integers(0, len(lines) - 1))
    edit = ignore_edit(snapshot, finding_at(line))
    if edit is None:
        return
    after = edited(snapshot, edit)
    moved = len(after.lines) - len(snapshot.lines)
    assert after.lines[line + moved].startswith(snapshot.lines[line].rstrip())
    assert parse_ignores(after).covers(finding_at(line + moved))
    assert not parse_ignores(after).covers(finding_at(line + moved, "security", Category.SECURITY))
    assert [one for number, one in enumerate(after.lines) if number not in (line, line + moved)] == [
        one for number, one in enumerate(snapshot.lines) if number != line
    ]
    assert ignore_edit(after, finding_at(line + moved)) is None


def test_every_language_with_a_grammar_has_comments() -> None:
    assert [identifier for identifier in LANGUAGES if comment_syntax(identifier) is None] == []
    assert {identifier: LANGUAGES[identifier].line_comment for identifier in LANGUAGES} == {
        identifier: syntax.line for identifier in LANGUAGES if (syntax := comment_syntax(identifier)) is not None
    }


@pytest.mark.parametrize(
    ("syntax", "comment"),
    [
        (CommentSyntax("#"), "# x"),
        (CommentSyntax("--", ("/*", "*/")), "-- x"),
        (CommentSyntax(block=("<!--", "-->")), "<!-- x -->"),
    ],
)
def test_a_line_comment_goes_before_a_block(syntax: CommentSyntax, comment: str) -> None:
    assert syntax.comment("x") == comment
