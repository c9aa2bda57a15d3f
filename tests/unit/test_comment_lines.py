"""What is a comment, in every language, and where its words are; what only looks like one is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.comment_lines import comment_runs
from aiops_lsp.core.languages import LANGUAGES

# language, lines, the words of the comments
CASES: list[tuple[str, str, list[str]]] = [
    ("python", "x = '# no'  # yes\n", [" yes"]),
    ("python", 'def f():\n    """Yes\n    and yes."""\n    return """# no"""\n', ["Yes", "    and yes."]),
    ("python", "'yes'\nf(\n    'no')\n", ["yes"]),
    ("python", 'x = """\n# no\n"""\n', []),
    ("python", "if (x  # one\n    and y):  # two\n    pass\n", [" one", " two"]),
    ("javascript", "const u = 'http://no'; // yes\n", [" yes"]),
    ("javascript", "const t = `\n// no ${/* yes */ x}\n`;\n", [" yes "]),
    ("javascript", "class A { #no = /\\/\\/no/; }\n", []),
    ("typescriptreact", "const a = <p>// no</p>; /* yes */\n", [" yes "]),
    ("typescript", "/** one\n * two\n */\nlet x;\n", [" one", " * two", " "]),
    ("go", "x := '\"' // yes\ny := `// no`\n", [" yes"]),
    ("rust", "fn f<'a>(x: &'a str) {} // isn't it\n/// doc\n", [" isn't it", " doc"]),
    ("java", 'String s = "/* no */"; /* yes */ int x; // and\n', [" yes ", " and"]),
    ("c", "#include <no.h>\nchar c = '\"'; // yes\n", [" yes"]),
    ("cpp", 'auto s = R"(// no)"; // yes\n', [" yes"]),
    ("csharp", "/// <summary>yes</summary>\nclass A {}\n", [" <summary>yes</summary>"]),
    ("ruby", 'x = "#{no} # no" # yes\n', [" yes"]),
    ("ruby", "=begin\nyes\n=end\nx = 1\n", ["", "yes", "=end"]),
    ("php", "$x = 'http://no'; // one\n# two\n/* three */\n", [" one", " two", " three "]),
    ("php", "<?php\n// yes\n$x = 1;\n", [" yes"]),
    ("kotlin", 'val x = "// no" // yes\n', [" yes"]),
    ("swift", 'let x = "// no" // yes\n', [" yes"]),
    ("scala", 'val x = "// no" // yes\n', [" yes"]),
    ("lua", 'x = "-- no" -- yes\n--[[ one\ntwo ]]\n', [" yes", " one", "two "]),
    ("shellscript", "x='# no' # yes\ny=a#no\n", [" yes"]),
    # without a grammar, by the language's marks
    ("sql", "SELECT 'a -- no', b--no\nFROM c -- yes\n/* and\nyes */", [" yes", " and", "yes "]),
    ("yaml", "a: 'x # no' # yes\n// no\n", [" yes"]),
    ("terraform", 'a = "# no" # one\nb = 1 // two\n', [" one", " two"]),
    ("clojure", '(f ";no") ; yes\n', [" yes"]),
    ("html", "<!-- yes --><p># no // no</p>\n", [" yes "]),
    ("latex", "50\\%no % yes\n", [" yes"]),
    ("", "x # one\ny // two\n/* three */ z -- four\n<!-- five -->", [" one", " two", " three ", " four", " five "]),
]


@pytest.mark.parametrize(("language", "text", "words"), CASES)
def test_the_words_of_comments(language: str, text: str, words: list[str]) -> None:
    lines = text.split("\n")
    found = [comment for run in comment_runs(lines, language) for comment in run]
    assert [lines[one.line][one.start : one.end] for one in found] == words


def test_every_language_with_a_grammar_has_a_case() -> None:
    grammars = {LANGUAGES[language].grammar for language, _, words in CASES if words and language in LANGUAGES}
    assert grammars == {language.grammar for language in LANGUAGES.values()}


def test_comments_on_lines_that_follow_each_other_belong_together() -> None:
    runs = comment_runs(["# a", "# b", "x = 1", "y = 2  # c", "# d"], "python")
    assert [[comment.line for comment in run] for run in runs] == [[0, 1], [3, 4]]


def test_what_can_be_cut_off_has_its_marks() -> None:
    ((comment,),) = comment_runs(["x = 1  # yes"], "python")
    assert (comment.outer_start, comment.outer_end) == (7, 12)
    ((docstring,),) = comment_runs(['"""Yes."""'], "python")
    assert docstring.outer_start is None


PIECES = st.sampled_from(
    ["# ", "/*", "*/", '"""', "'", '"', "`", "<!--", "-->", "--", "//", "x = 1", "\r", "é", "<?php", "{", "}", "\n"]
)


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(["", "sql", "vue", *sorted(LANGUAGES)]))
def test_every_place_is_one_of_the_text(text: str, language: str) -> None:
    lines = text.split("\n")
    places = [comment for run in comment_runs(lines, language) for comment in run]
    for one in places:
        assert 0 <= one.start <= one.end <= len(lines[one.line])
        if one.outer_start is not None and one.outer_end is not None:
            assert one.outer_start <= one.start <= one.end <= one.outer_end <= len(lines[one.line])
    assert [one.line for one in places] == sorted(one.line for one in places)
