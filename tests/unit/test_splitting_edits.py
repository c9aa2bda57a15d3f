"""What half-written code does to the regions around it."""

from __future__ import annotations

import pytest

from aiops_lsp.core.regions import Region, region_keys
from aiops_lsp.core.splitting import Split, resplit, split
from aiops_lsp.core.text import Snapshot

PYTHON = '''\
import os


def first(a):
    """Doc."""
    return os.sep + a


def second(b):
    return [b, {"x": b}]


class Holder:
    """Holds."""

    def third(self, c):
        return """text""" + c

    def fourth(self):
        return first(second(1))


VALUE = 3
'''
JAVASCRIPT = """\
function first(a) {
  return `${a}`;
}

function second(b) {
  return [b, { x: b }];
}

class Holder {

  third(c) {
    return c / 2;
  }
}

const fourth = () => {
  return first(second(1));
};
"""
GO = """\
package p

func first(a int) string {
	return `a`
}

func second(b int) []int {
	return []int{b}
}

func third() {
	first(1)
}
"""


def snapshot_of(text: str, language: str) -> Snapshot:
    return Snapshot("file:///t", 1, language, text)


def typed(text: str, place: str, insertion: str, language: str) -> tuple[Split, Split]:
    """The split of `text`, and that after `insertion` was typed key by key after the first `place`."""
    at = text.index(place) + len(place)
    before = snapshot_of(text, language)
    found = original = split(before)
    for count in range(1, len(insertion) + 1):
        now = snapshot_of(text[:at] + insertion[:count] + text[at:], language)
        found = resplit(now, found, before)
        before = now
    return original, found


def keys(regions: tuple[Region, ...], language: str) -> dict[str, str]:
    named = [region for region in regions if region.symbol and region.kind in ("function", "method")]
    return {region.symbol: region_keys(region, language, "").exact for region in named}


@pytest.mark.parametrize(
    ("language", "text", "place", "insertion", "touched"),
    [
        ("python", PYTHON, "import os\n", "\n\ndef new(", set()),
        ("python", PYTHON, "import os\n", "\n\ndef new(x):\n", set()),
        ("python", PYTHON, "import os\n", '\n\nx = """', set()),
        ("python", PYTHON, "    return os.sep + a", ' + """open', {"first"}),
        ("python", PYTHON, "    return os.sep + a", " + (b[", {"first"}),
        ("python", PYTHON, "    return os.sep + a", "\n    if x", {"first"}),
        ("python", PYTHON, '"""Holds."""\n', "\n    @prop", {"Holder.third"}),
        ("python", PYTHON, '"""Holds."""\n', "\n    def f(self, *", set()),
        ("python", PYTHON, "import os\n", "\n\nclass", set()),
        ("python", PYTHON, "import os\n", "\n\nfor x in", set()),
        ("javascript", JAVASCRIPT, "return `${a}`;", "\n  if (x) {", {"first"}),
        ("javascript", JAVASCRIPT, "return `${a}`;", "\n  return `open", {"first"}),
        ("javascript", JAVASCRIPT, "return `${a}`;", "\n  return f((", {"first"}),
        ("javascript", JAVASCRIPT, "class Holder {\n", "  added(x) {\n    if (", set()),
        ("go", GO, "package p\n", "\nfunc added(x int) {\n", set()),
        ("go", GO, "return `a`", " + `open", {"first"}),
        ("go", GO, "return `a`", "\n\tif a > (", {"first"}),
    ],
)
def test_untouched_functions_keep_their_keys(
    language: str, text: str, place: str, insertion: str, touched: set[str]
) -> None:
    before, after = typed(text, place, insertion, language)
    known = keys(before.regions, language)
    found = keys(after.regions, language)
    assert {symbol: found.get(symbol) for symbol in known.keys() - touched} == {
        symbol: key for symbol, key in known.items() if symbol not in touched
    }


def test_while_code_does_not_parse_only_what_was_edited_is_built_and_measured() -> None:
    measured: list[str] = []

    def fits(region: Region) -> bool:
        measured.append(region.symbol)
        return True

    before, now = (
        snapshot_of(PYTHON, "python"),
        snapshot_of(PYTHON.replace("return first(", "return (first("), "python"),
    )
    original = split(before, fits=fits)
    assert len(measured) == len(original.regions) > 3
    measured.clear()
    found = resplit(now, original, before, fits=fits)
    assert found.errors
    assert "Holder.fourth" in measured
    assert not {"first", "second"} & {*measured}
    assert {"first", "second"} <= {region.symbol for region in found.regions}


def test_a_split_without_errors_stands_on_its_own() -> None:
    before, broken = typed(PYTHON, "import os\n", "\n\ndef new(", "python")
    old = snapshot_of(PYTHON.replace("import os\n", "import os\n\n\ndef new("), "python")
    sound = snapshot_of(PYTHON.replace("import os\n", "import os\n\n\ndef new(a):\n    return a\n"), "python")
    mended = resplit(sound, broken, old)
    assert broken.errors > broken.settled_errors == before.errors == 0
    assert mended == split(sound)


def test_a_file_that_never_parses_is_always_split_anew() -> None:
    """Else what a region uses could change for ever without its key."""
    text = "x = = 1\n\n\ndef used(a):\n    return a\n\n\ndef user():\n    return used(1)\n"
    before = snapshot_of(text, "python")
    after = snapshot_of(text.replace("used(a)", "used(a, b=2)"), "python")
    assert resplit(after, split(before), before) == split(after)


def test_the_written_region_is_marked() -> None:
    _, after = typed(PYTHON, "    return os.sep + a", " + (b[", "python")
    assert [region.symbol for region in after.regions if region.parse_error] == ["first"]


def test_kept_regions_move_with_their_lines() -> None:
    before, after = typed(PYTHON, "import os\n", "\n\n\n\ndef new(", "python")
    (old,) = (region for region in before.regions if region.symbol == "Holder.fourth")
    (new,) = (region for region in after.regions if region.symbol == "Holder.fourth")
    assert new.start_line == old.start_line + 4
    assert new.lines == old.lines


def test_a_region_is_not_kept_when_a_secret_is_found_in_it_now() -> None:
    before = snapshot_of(PYTHON, "python")
    text = PYTHON.replace("import os\n", "import os\n(")
    at = text.index("text")
    after = resplit(snapshot_of(text, "python"), split(before), before, [(at, at + 4, "key")])
    assert "text" not in "".join(region.code for region in after.regions)


def test_a_region_is_not_kept_when_its_context_holds_a_secret_now() -> None:
    source = "TOKEN = 'abc'\n\n\ndef f():\n    return TOKEN\n\n\nx = 1\n"
    before = snapshot_of(source, "python")
    text = source + "("
    at = text.index("abc")
    after = resplit(snapshot_of(text, "python"), split(before), before, [(at, at + 3, "key")])
    assert all("abc" not in region.code + region.context for region in after.regions)
