"""A splice is what splitting the whole document gives, or there is none."""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_lsp.core.regions import Region, RegionKind
from aiops_lsp.core.splitting import Split, respliced, split
from aiops_lsp.core.text import Snapshot

PYTHON = '''\
import os

LIMIT = 3


def first(a):
    """Doc."""
    return os.sep + a[:LIMIT]


class Holder(Base):
    """Holds."""

    def __init__(self, size):
        self.size = size

    @property
    def third(self):
        # counts
        return """text
""" + first(self.size)

    def fourth(self):
        return self.third


class Other:
    def fifth(self):
        return first(LIMIT)


def last():
    return Holder(1).fourth()
'''
JAVASCRIPT = """\
import { join } from 'path';

/**
 * Joins.
 */
export function first(a) {
  return join(`${a}`, limit);
}

class Holder extends Base {
  third(c) {
    return first(c) / 2;
  }

  // Calls.
  fourth() { return this.third(1); }
}

// Twice.
/* And once. */
const fourth = () => {
  return first(second(1));
};

function last() {
  return fourth();
}
"""
GO = """\
package p

import "os"

// First is first.
func First(a int) string {
	return os.Getenv("a")
}

func (h *Holder) Third(c int) int {
	if c > 1 {
		return c / 2
	}
	return len(First(c))
}

type Holder struct {
	size int
}
"""
JAVA = """\
import java.util.List;

class Holder extends Base {
    private int size = 1;

    int third(int c) {
        return c / size;
    }

    @Override
    int fourth() { return third(1); }
}
"""
RUST = """\
use std::fs;

/// Reads.
fn first(a: &str) -> String {
    fs::read_to_string(a).unwrap()
}

// A test.
#[test]
fn third() {
    let s = first("x");
    assert_eq!(s, "");
}

impl Holder {
    /// Tells.
    fn fourth(&self) -> usize { self.size }

    /* Both
       tell. */
    fn fifth(&self) -> usize { self.size + 1 }
}
"""
SOURCES = {"python": PYTHON, "javascript": JAVASCRIPT, "go": GO, "java": JAVA, "rust": RUST}
PIECES = (
    "x", " ", "\n", "    ", "\t", "(", ")", '"', "'''", "# note\n", "// note\n", "first(1)", "\n    y = self.size\n",
    ":", "def added(a):\n    return a\n", "\n\ndef added(a):\n    return first(a)\n\n\n", "return ",
    "\n\n", "\ndef added(a):\n    return first(a)\n\n", "x = 1\n", "fn added() {}\n",
    "function added() { return 1; }\n\n", "\\\n", "if x:\n",
    "_", "{", "}", ";", "\r\n", "\r", "@d\n", "class A:\n    def m(self):\n        return 1\n", "*/", "/*", "😀", "\f",
    "    def added(self):\n        return self.third\n\n", "  third(c) { return 1 }\n", "LIMIT", "-----BEGIN",
)  # fmt: skip

TAKEN_BACK = "taken back"


def snapshot(text: str, language: str = "python", version: int = 1) -> Snapshot:
    return Snapshot("file:///w/a", version, language, text)


def no_secrets(_: str) -> bool:
    return False


def spliced(before: str, after: str, language: str = "python") -> Split | None:
    """The splice for an edit, checked."""
    earlier, now = snapshot(before, language), snapshot(after, language, 2)
    found = respliced(now, split(earlier), earlier, no_secrets)
    if found is not None:
        assert found == split(now)
    return found


def told(one: Split) -> list[tuple[object, ...]]:
    """What the frames say, without the identities in them."""
    return [
        (frame.function, frame.around and frame.around.symbol, [(f.owner, f.name, f.rank, f.text) for f in frame.facts])
        for frame in one.frames
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return os.sep", "print(a)\n    return os.sep"),
        ("# counts", "# counts more"),
        ("self.size = size", "self.size = LIMIT * size"),
        ("return Holder(1)", "return Other(1)"),
        ("    def fourth(self):", "    def unused(self):\n        return 1\n\n    def fourth(self):"),
        ("class Other:", "def unused(a):\n    return first(a)\n\n\nclass Other:"),
    ],
)
def test_an_edit_of_a_function_is_a_splice(old: str, new: str) -> None:
    assert spliced(PYTHON, PYTHON.replace(old, new)) is not None


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("javascript", "return join(", "return limit + join("),
        ("javascript", "return first(c) / 2", "return first(c) / 3"),
        ("javascript", "return this.third(1)", "return this.third(2)"),
        ("javascript", "return first(second(1))", "return first(second(2))"),
        ("go", 'return os.Getenv("a")', 'return os.Getenv("b")'),
        ("rust", "fs::read_to_string(a)", "fs::read_to_string(a.trim())"),
        ("rust", "/// Reads.", "/// Reads it."),
        ("rust", 'first("x")', 'first("y")'),
        ("rust", "{ self.size }", "{ self.size - 1 }"),
        ("rust", "self.size + 1", "self.size + 2"),
        ("rust", "       tell. */", "       count. */"),
    ],
)
def test_comments_above_functions_do_not_keep_an_edit_from_being_a_splice(language: str, old: str, new: str) -> None:
    assert spliced(SOURCES[language], SOURCES[language].replace(old, new), language) is not None


@pytest.mark.parametrize(
    "below",
    [
        "(c) => { d() }",
        "// c\n(c) => { d() }",
        "/* c */ (c) => { d() }",
        "/* c\n */\n(c) => { d() }",
        "/* c\n */ (c) => { d() }",
    ],
)
def test_what_may_go_on_below_a_comment_takes_the_whole_document(below: str) -> None:
    before = f"function f() {{\n  return 1\n}}\n\nconst a = function () {{\n  return 2\n}}\n{below}\n"
    assert spliced(before, before.replace("return 2", "return 3"), "javascript") is None


def test_a_long_comment_of_lua_takes_the_whole_document() -> None:
    text = "function f()\n  return 1\nend\n\n--[[ c\n]] (g or h)()\n\nfunction i()\n  return 2\nend\n"
    assert spliced(text, text.replace("return 1", "return 3"), "lua") is None
    assert spliced(text, text.replace("return 2", "return 3"), "lua") is not None


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("blanks", ["", "\n\n"])
@pytest.mark.parametrize(
    ("below", "added"),
    [
        ("def first(a):", "def added(a):\n    return first(a)\n\n\n"),
        ("class Holder(Base):", "def added(a):\n    return first(a)\n\n\n"),
        ("class Holder(Base):", "@cached\nasync def added(a):\n    return first(a)\n\ndef another(): ...\n\n"),
        ("    def __init__(self, size):", "    def added(self):\n        return self.size\n\n"),
        ("def last():", "def added(a):\n    return LIMIT\n\n\n"),
    ],
)
def test_a_function_put_in_or_taken_out_between_others_is_a_splice(
    below: str, added: str, blanks: str, back: bool
) -> None:
    """Also beside statements and classes; empty lines go to what is above."""
    without, having = PYTHON, PYTHON.replace(below, blanks + added + below)
    before, after = (having, without) if back else (without, having)
    assert spliced(before, after) is not None


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_function_is_put_in_and_taken_out_as_a_splice(end: str) -> None:
    without, having = "x = 1\n" + end, "x = 1\n\n\ndef added():\n    return x" + end
    assert spliced(without, having) is not None
    assert spliced(having, without) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n\n\ny = 2\n", "x = 1\n\n\ndef added():\n    return 1\n\n\ny = 2\n"),  # a run is parted
        ("x = 1\n\n\ndef f():\n    f()\n\n\ny = 2\n", "x = 1\n\n\ny = 2\n"),  # and joined
        ("x = 1\n# x\n\ndef f():\n    f()\n", "x = 1\n# x\ndef f():\n    f()\n"),  # the comment goes to f
        (
            "try:\n    x = 1\nexcept E:\n    def f(): pass\n",
            "try:\n    x = 1\ndef g(): pass\nexcept E:\n    def f(): pass\n",
        ),
        ("x = 1\n\n\ndef f():\n    f()\n", "x = 1\n\n\n  def g():\n    g()\n\n\ndef f():\n    f()\n"),
        ("def f():\n    f()\n\n\nclass A:\n    x = 1\n", "def f():\n    f()\n\n\nx = A()\n\n\nclass A:\n    x = 1\n"),
        (
            "def f():\n    f(g)\n\n\nclass A:\n    x = 1\n",
            "def f():\n    f(g)\n\n\ndef g():\n    g()\n\n\nclass A:\n    x = 1\n",
        ),
    ],
)
def test_what_more_than_functions_between_others_changes_takes_the_whole_document(before: str, after: str) -> None:
    assert spliced(before, after) is None


def test_a_run_that_was_cut_is_cut_anew_when_empty_lines_below_it_change() -> None:
    """Whether it must be cut depends on its length, which they are part of."""

    def fits(region: Region) -> bool:
        return len(region.lines) < 7

    text = "".join(f"x{n} = {n}\n" for n in range(5)) + "{}def f():\n    f()\n"
    for before, after in ((1, 2), (2, 1), (1, 3), (3, 1)):
        earlier, now = snapshot(text.format("\n" * before)), snapshot(text.format("\n" * after), version=2)
        found = respliced(now, split(earlier, fits=fits), earlier, no_secrets, fits)
        assert found is None or found == split(now, fits=fits)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("def first(a):", "def first(a, b):"),
        ("def __init__(self, size)", "def __init__(self, length)"),
        ("class Other:", "class Others:"),
        ("return first(LIMIT)", "return first(LIMIT"),
        ("return first(LIMIT)", "return first(LIMIT)\nx = 1"),
        ("    def fourth(self):", "def fourth(self):"),
        ("return self.third", "return self.third \\"),
        ("return self.third", "return self.third\n    # goes with what comes"),
        ("import os", "import os, sys"),
        ("    @property\n", ""),  # it is part of the signature
    ],
)
def test_an_edit_that_others_can_tell_takes_the_whole_document(old: str, new: str) -> None:
    assert spliced(PYTHON, PYTHON.replace(old, new)) is None


@pytest.mark.parametrize("line", [" x       # c", "    x    # c"])
def test_a_line_that_falls_out_of_its_function_takes_the_whole_document(line: str) -> None:
    methods = "    @p\n    def b(self):\n        # c\n        return 1\n\n    def c(self):\n        d\n"
    text = f"x = 1\n    y = 1\n\n{methods}"
    assert spliced(text, text.replace("return 1", "return 2")) is not None
    assert spliced(text, text.replace("        # c", line)) is None


def test_secrets_take_the_whole_document() -> None:
    now = snapshot(PYTHON.replace("return os.sep", "key = 'hidden'\n    return os.sep"), version=2)
    before = snapshot(PYTHON)
    assert respliced(now, split(before), before, lambda text: "hidden" in text) is None
    held = split(before, [(PYTHON.index("text\n"), PYTHON.index("text\n") + 4, "SECRET")])
    assert respliced(now, held, before, no_secrets) is None


def test_what_is_too_large_now_is_cut() -> None:
    def fits(region: Region) -> bool:
        return region.kind is not RegionKind.FUNCTION or len(region.lines) < 8

    before, now = (
        snapshot(PYTHON),
        snapshot(PYTHON.replace("    return os.sep", "    a = 1\n" * 9 + "    return os.sep")),
    )
    found = respliced(now, split(before, fits=fits), before, no_secrets, fits)
    assert found is None or found == split(now, fits=fits)
    assert len(split(now, fits=fits).regions) > len(split(before, fits=fits).regions)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    language=st.sampled_from(sorted(SOURCES)),
    ending=st.sampled_from(["\n", "\n", "\r\n"]),
    edits=st.lists(
        st.tuples(
            st.integers(0, 2000), st.sampled_from([0, 0, 0, 1, 2, 5, 30]), st.sampled_from((*PIECES, TAKEN_BACK))
        ),
        max_size=12,
    ),
)
def test_a_splice_is_what_the_whole_document_gives(
    language: str, ending: str, edits: list[tuple[int, int, str]]
) -> None:
    """Each edit is applied to the last text without errors, so that splices follow splices. Some are taken back."""
    now = snapshot(SOURCES[language].replace("\n", ending), language)
    regions, earlier = split(now), now.text
    for version, (place, gone, piece) in enumerate(edits, 2):
        at = place % (len(now.text) + 1)
        text = earlier if piece == TAKEN_BACK else now.text[:at] + piece + now.text[at + gone :]
        after = snapshot(text, language, version)
        whole = split(after)
        found = respliced(after, regions, now, no_secrets)
        if found is not None:
            assert found == whole
            assert told(found) == told(whole)
        if whole.frames:
            earlier, now, regions = now.text, after, found or whole


def test_words_of_real_code_replaced() -> None:
    """Many such edits are splices, and each of these is what the whole document gives."""
    chance = random.Random(1)
    text = Path(argparse.__file__).read_text("utf-8")
    words = list(re.finditer(r"(?<=\n        )[a-z_]{3,}", text))
    now, found = snapshot(text), 0
    before = split(now)
    for version in range(2, 42):
        word, other = chance.choice(words), chance.choice(words)
        after = snapshot(text[: word.start()] + other[0] + text[word.end() :], version=version)
        one = respliced(after, before, now, no_secrets)
        if one is not None:
            found += 1
            assert one == split(after)
    assert found > 10
