from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aiops_lsp.core.anchors import Anchor, anchor
from aiops_lsp.core.findings import Category, Claim, ClaimedFix, Edit, Fix, Severity
from aiops_lsp.core.fixes import MOST_LINES, FixRejection, FixRejectionReason, merge, offer, still_applies
from aiops_lsp.core.syntax import count_errors
from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument
from tests.support.regions import region_of, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

Reason = FixRejectionReason


def claim_of(quote: str, line: int, fix: ClaimedFix | None) -> Claim:
    return Claim(
        quote=quote,
        focus="",
        start_line=line,
        end_line=line,
        trigger="always",
        why="it fails",
        title="It fails",
        category=Category.BUG,
        severity=Severity.HIGH,
        confidence=90,
        needs_outside_context=False,
        fix=fix,
    )


def fix_of(start_line: int, old: list[str], new: list[str]) -> ClaimedFix:
    return ClaimedFix(start_line, start_line + max(0, len(old) - 1), tuple(old), tuple(new))


def no_errors(text: str) -> int:
    return 0


def applied(snapshot: Snapshot, edits: tuple[Edit, ...]) -> str:
    text = snapshot.text
    for edit in reversed(edits):
        start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
        assert text[start:end] == edit.old_text
        text = text[:start] + edit.new_text + text[end:]
    return text


def offered(
    snapshot: Snapshot,
    region: Region,
    quote: tuple[str, int],
    fix: ClaimedFix | None,
    count_errors: Callable[[str], int] = no_errors,
) -> Fix | FixRejection:
    claim = claim_of(*quote, fix)
    place = anchor(claim, region, snapshot)
    assert isinstance(place, Anchor)
    return offer(claim, place, region, snapshot, verified=False, title="Fix it", count_errors=count_errors)


def outcome(
    snapshot: Snapshot, region: Region, quote: tuple[str, int], fix: ClaimedFix | None
) -> tuple[str, str] | FixRejectionReason:
    """What the fix replaces and the text of the region's lines after it; or why it is not offered."""
    result = offered(snapshot, region, quote, fix)
    if isinstance(result, FixRejection):
        return result.reason
    (edit,) = result.edits
    after = applied(snapshot, result.edits)
    before, behind = (
        "".join(snapshot.lines[: region.start_line]),
        "".join(snapshot.lines[region.end_line :]),
    )
    assert after.startswith(before)
    assert after.endswith(behind)
    return edit.old_text, after[len(before) : len(after) - len(behind)]


CODE = """class A:
    def load(self, path):
        handle = open(path)
        data = handle.read()

        if data is None:
            return None
        if not data:
            return None
        return data

x = 1
"""
SNAPSHOT = snapshot_of(CODE)
REGION = region_of(SNAPSHOT, 1, 11)
OPEN = ("handle = open(path)", 2)
BEFORE = "".join(SNAPSHOT.lines[1:11])


@pytest.mark.parametrize(
    ("quote", "fix", "replaced", "new_text"),
    [
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="one line",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["handle = open(path)"], ["with open(path) as handle:", "    pass"]),
            "        handle = open(path)",
            "        with open(path) as handle:\n            pass",
            id="indentation left out",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["2|     handle = open(path)"], ["2|     handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="numbers copied",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["2|     handle = open(path)"], ["    handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="numbers copied in the old lines only",
        ),
        pytest.param(
            ("handle = open(path)", 5),
            fix_of(5, ["    handle = open(path)"], ["    handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="off by three, quote and fix",
        ),
        pytest.param(
            OPEN,
            fix_of(7, ["    handle = open(path)"], ["    handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="off, the fix only",
        ),
        pytest.param(
            OPEN,
            fix_of(
                1,
                ["def load(self, path):", "    handle = open(path)", "    data = handle.read()"],
                ["def load(self, path):", "    with open(path) as handle:", "        data = handle.read()"],
            ),
            "        handle = open(path)\n        data = handle.read()",
            "        with open(path) as handle:\n            data = handle.read()",
            id="lines that stay are left alone",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    check(path)", "    handle = open(path)"]),
            "        handle = open(path)",
            "        check(path)\n        handle = open(path)",
            id="a line put in before takes in the old line",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    handle = open(path)", "", "    check(handle)"]),
            "        handle = open(path)",
            "        handle = open(path)\n\n        check(handle)",
            id="lines put in after take in the old line",
        ),
        pytest.param(
            ("data = handle.read()", 3),
            fix_of(3, ["    data = handle.read()", ""], ["    data = handle.read()", "    handle.close()"]),
            "        data = handle.read()\n",
            "        data = handle.read()\n        handle.close()",
            id="a blank line is not replaced alone",
        ),
        pytest.param(
            ("data = handle.read()", 3),
            fix_of(3, ["    data = handle.read()", "", "    if data is None:"], ["    if data is None:"]),
            "        data = handle.read()\n\n",
            "",
            id="lines taken away",
        ),
        pytest.param(
            ("data = handle.read()", 3),
            fix_of(
                3,
                ["    data = handle.read()", "", "    if data is None:"],
                ["    data = handle.read()", "    check()", "", "    if data is None:"],
            ),
            "        data = handle.read()",
            "        data = handle.read()\n        check()",
            id="a line put in beside a blank one",
        ),
        pytest.param(
            ("if data is None:", 5),
            fix_of(4, ["", "    if data is None:"], ["    check()", "", "    if data is None:"]),
            "\n        if data is None:",
            "        check()\n\n        if data is None:",
            id="a line put in before a blank one",
        ),
        pytest.param(
            ("data = handle.read()", 3),
            fix_of(3, ["data = handle.read()", "", "if data is None:"], ["data = handle.read()", "", "if not data:"]),
            "        if data is None:",
            "        if not data:",
            id="indentation left out, with a blank line",
        ),
        pytest.param(
            ("return None", 8),
            fix_of(8, ["        return None"], ["        return b''"]),
            "            return None",
            "            return b''",
            id="a duplicate, the stated one",
        ),
        pytest.param(
            ("return None", 8),
            fix_of(6, ["        return None"], ["        return b''"]),
            "            return None",
            "            return b''",
            id="a duplicate, the anchored one and not the stated one",
        ),
        pytest.param(
            ("return data", 9),
            fix_of(2, ["    handle = open(path)"], ["    handle = open(path, 'rb')"]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')",
            id="away from the quote, but unique",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)\n    data = handle.read()"], ["    data = read(path)\n"]),
            "        handle = open(path)\n        data = handle.read()",
            "        data = read(path)",
            id="several lines in one entry",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)  "], ["    handle = open(path, 'rb')  "]),
            "        handle = open(path)",
            "        handle = open(path, 'rb')  ",
            id="trailing blanks",
        ),
    ],
)
def test_fixes_that_are_offered(quote: tuple[str, int], fix: ClaimedFix, replaced: str, new_text: str) -> None:
    result = offered(SNAPSHOT, REGION, quote, fix)
    assert isinstance(result, Fix)
    (edit,) = result.edits
    assert (edit.old_text, edit.new_text) == (replaced, new_text)
    assert SNAPSHOT.slice(edit.range) == edit.old_text
    assert (result.title, result.verified) == ("Fix it", False)


@pytest.mark.parametrize(
    ("quote", "fix", "reason"),
    [
        pytest.param(OPEN, None, Reason.NONE_PROPOSED, id="none proposed"),
        pytest.param(OPEN, fix_of(2, ["    handle = open(file)"], ["    x"]), Reason.OLD_LINES, id="other old lines"),
        pytest.param(OPEN, fix_of(2, [], ["    x"]), Reason.OLD_LINES, id="no old lines"),
        pytest.param(OPEN, fix_of(4, [""], ["    x"]), Reason.OLD_LINES, id="blank old lines"),
        pytest.param(
            OPEN, fix_of(2, ["      handle = open(path)"], ["      x"]), Reason.OLD_LINES, id="indentation unexplained"
        ),
        pytest.param(
            OPEN, fix_of(6, ["        return None"], ["        x"]), Reason.OLD_LINES, id="away from the quote, twice"
        ),
        pytest.param(OPEN, fix_of(11, ["x = 1"], ["x = 2"]), Reason.OLD_LINES, id="outside the region"),
        pytest.param(
            ("return data", 9),
            fix_of(9, ["    return data", "", "x = 1"], ["    x"]),
            Reason.OLD_LINES,
            id="beyond its end",
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["    handle = open(path)"]), Reason.NO_CHANGE, id="no change"
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    handle = open(path) "]),
            Reason.NO_CHANGE,
            id="blanks only",
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["handle = open(path, 'rb')"]),
            Reason.INDENTATION,
            id="further out",
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["        f(path)"]), Reason.INDENTATION, id="further in"
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    f(path)", "g()"]),
            Reason.INDENTATION,
            id="ends further out",
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["    if x:", "    \tf(path)"]), Reason.INDENTATION, id="tabs"
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    f(REDACTED_KEY_1)"]),
            Reason.PLACEHOLDER,
            id="no such secret",
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["    f(path)\u202e"]), Reason.UNSEEN_TEXT, id="bidirectional"
        ),
        pytest.param(
            OPEN,
            fix_of(2, ["    handle = open(path)"], ["    f(path)\x00"]),
            Reason.UNSEEN_TEXT,
            id="control character",
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["    f('\ud83d')"]), Reason.UNSEEN_TEXT, id="half a character"
        ),
        pytest.param(
            OPEN, fix_of(2, ["    handle = open(path)"], ["    f()\u2028g()"]), Reason.UNSEEN_TEXT, id="line separator"
        ),
    ],
)
def test_fixes_that_are_not(quote: tuple[str, int], fix: ClaimedFix | None, reason: FixRejectionReason) -> None:
    assert outcome(SNAPSHOT, REGION, quote, fix) == reason


@pytest.mark.parametrize(
    ("quote", "line", "start", "result"),
    [
        ("f()", 2, 1, "g()\nf()\nf()\n"),
        ("f()", 2, 2, "f()\ng()\nf()\n"),
        ("f()", 2, 4, Reason.OLD_LINES),
        # The copied number says that the claim counts two lines too few; so does its fix.
        ("3| f()", 1, 1, "f()\nf()\ng()\n"),
        ("3| f()", 1, 0, "f()\ng()\nf()\n"),
        ("3| f()", 1, 2, Reason.OLD_LINES),
    ],
)
def test_among_places_around_the_quote_the_stated_one_counts(
    quote: str, line: int, start: int, result: str | FixRejectionReason
) -> None:
    snapshot = snapshot_of("f()\n" * 4)
    got = outcome(snapshot, region_of(snapshot), (quote, line), fix_of(start, ["f()", "f()"], ["g()"]))
    assert (got[1] if isinstance(got, tuple) else got) == result


def test_the_bound_of_an_edit() -> None:
    assert MOST_LINES == 20


GOOD = fix_of(2, ["    handle = open(path)"], ["    handle = open(path, 'rb')"])


def test_a_blank_line_alone_is_no_place() -> None:
    snapshot = snapshot_of("a()\n\nb()")
    assert outcome(snapshot, region_of(snapshot), ("a()", 1), fix_of(2, [""], ["c()"])) == Reason.OLD_LINES


def test_a_placeholder_that_stands_for_several_texts_is_not_restored() -> None:
    snapshot = snapshot_of("a('AAAA')\nb('BBBB')\nc('CCCC')\n")
    secrets = {"AAAA": "REDACTED_KEY_1", "BBBB": "REDACTED_KEY_1", "CCCC": "REDACTED_KEY_2"}
    region = region_of(snapshot, secrets=secrets)
    one = fix_of(1, ["a('REDACTED_KEY_1')"], ["d('REDACTED_KEY_1')"])
    assert outcome(snapshot, region, ("a('REDACTED_KEY_1')", 1), one) == Reason.PLACEHOLDER
    other = fix_of(3, ["c('REDACTED_KEY_2')"], ["d('REDACTED_KEY_2')"])
    assert outcome(snapshot, region, ("c('REDACTED_KEY_2')", 3), other) == (
        "c('CCCC')",
        "a('AAAA')\nb('BBBB')\nd('CCCC')\n",
    )


def test_a_finding_that_needs_more_than_the_region_has_no_fix() -> None:
    claim = replace(claim_of(*OPEN, GOOD), needs_outside_context=True)
    place = anchor(claim, REGION, SNAPSHOT)
    assert isinstance(place, Anchor)
    result = offer(claim, place, REGION, SNAPSHOT, verified=True, title="Fix it", count_errors=no_errors)
    assert result == FixRejection(Reason.NEEDS_CONTEXT)


def test_a_quote_that_is_only_alike_has_no_fix() -> None:
    snapshot = snapshot_of("result = compute_total(first_argument, second_argument)\n")
    region = region_of(snapshot)
    fix = fix_of(1, [snapshot.lines[0].strip()], ["result = 1"])
    assert offered(
        snapshot, region, ("result = compute_total(first_argumnet, second_argument)", 1), fix
    ) == FixRejection(Reason.NOT_EXACT)


@pytest.mark.parametrize(
    "text",
    [
        CODE.replace("open(path)", "open(self)"),
        CODE.replace("        handle", "       handle"),
        CODE.replace("class A:\n", ""),
        "class A:\n",
    ],
)
def test_a_text_that_was_not_reviewed_has_no_fix(text: str) -> None:
    claim = claim_of(*OPEN, GOOD)
    place = anchor(claim, REGION, SNAPSHOT)
    assert isinstance(place, Anchor)
    result = offer(claim, place, REGION, snapshot_of(text), verified=True, title="Fix it", count_errors=no_errors)
    assert result == FixRejection(Reason.OUTDATED)


@pytest.mark.parametrize(("count", "allowed"), [(MOST_LINES, True), (MOST_LINES + 1, False)])
def test_an_edit_is_bounded_in_what_it_takes_and_what_it_puts(count: int, allowed: bool) -> None:
    lines = ["begin()", *(f"step({number})" for number in range(count)), "end()"]
    snapshot = snapshot_of("\n".join(lines) + "\n")
    region = region_of(snapshot)
    shorter = offered(snapshot, region, ("begin()", 1), fix_of(1, lines, ["begin()", "all()", "end()"]))
    small = snapshot_of("begin()\nall()\nend()\n")
    longer = offered(small, region_of(small), ("begin()", 1), fix_of(1, ["begin()", "all()", "end()"], lines))
    assert [isinstance(fix, Fix) for fix in (shorter, longer)] == [allowed, allowed]
    if not allowed:
        assert shorter == longer == FixRejection(Reason.TOO_LONG)


@pytest.mark.parametrize("verified", [True, False])
def test_whether_it_is_verified_is_said_by_the_caller(verified: bool) -> None:
    claim = claim_of(*OPEN, GOOD)
    place = anchor(claim, REGION, SNAPSHOT)
    assert isinstance(place, Anchor)
    result = offer(claim, place, REGION, SNAPSHOT, verified=verified, title="A title", count_errors=no_errors)
    assert isinstance(result, Fix)
    assert (result.title, result.verified) == ("A title", verified)


def counting(marks: str) -> Callable[[str], int]:
    return lambda text: sum(text.count(mark) for mark in marks)


@pytest.mark.parametrize(
    ("language", "text", "new_line", "reason"),
    [
        ("python", "f(a)\n", "g(a)", None),
        ("python", "f(a)\n", "g(a)!", Reason.PARSE_ERROR),
        ("python", "f(a!)\n", "g(a!)", None),
        ("python", "f(a!)\n", "g(a!!)", Reason.PARSE_ERROR),
        ("python", "f(a!!)\n", "g(a!)", None),
        ("php", "f(a)\n", "g(a)!", Reason.PARSE_ERROR),
    ],
)
def test_no_parse_error_is_added(language: str, text: str, new_line: str, reason: FixRejectionReason | None) -> None:
    snapshot = snapshot_of(f"{text}rest()\n", language=language)
    line = text.rstrip()
    result = offered(snapshot, region_of(snapshot, 0, 1), (line, 1), fix_of(1, [line], [new_line]), counting("!"))
    assert (result.reason if isinstance(result, FixRejection) else None) == reason


@pytest.mark.parametrize(
    ("language", "errors_alone", "parsed"),
    [
        ("python", 0, ["a()\n    b()", "a()\n    c()"]),
        ("python", 1, ["a()\n    b()", "x:\n  a()\n      b()\n", "x:\n  a()\n      c()\n"]),
        ("php", 0, ["x:\n  a()\n      b()\n", "x:\n  a()\n      c()\n"]),
    ],
)
def test_a_region_that_can_be_parsed_alone_is_parsed_alone(language: str, errors_alone: int, parsed: list[str]) -> None:
    seen: list[str] = []

    def count_errors(text: str) -> int:
        seen.append(text)
        return errors_alone if len(seen) == 1 else 0

    snapshot = snapshot_of("x:\n  a()\n      b()\n", language=language)
    result = offered(snapshot, region_of(snapshot, 1, 3), ("b()", 2), fix_of(2, ["    b()"], ["    c()"]), count_errors)
    assert isinstance(result, Fix)
    assert seen == parsed


HEADS = {
    "javascript": ("class A {\n  total = one();\n\n  b() { return one(); }\n}\n", (0, 3), "  total = one();"),
    "java": ("class A {\n  int total;\n\n  int b() { return one(); }\n}\n", (3, 4), "int b() { return one(); }"),
    "typescript": ("class A {\n  private b(): A { return one(); }\n}\n", (1, 2), "private b(): A { return one(); }"),
    "rust": ("impl A {\n    const B: u8 = one();\n\n    fn b() {}\n}\n", (0, 3), "    const B: u8 = one();"),
}


@pytest.mark.parametrize("new", ["two(1)", "two(("])
@pytest.mark.parametrize("language", sorted(HEADS))
def test_the_head_of_a_class_and_its_members_are_parsed_without_their_document(language: str, new: str) -> None:
    seen: list[str] = []

    def count(piece: str) -> int:
        seen.append(piece)
        return count_errors(piece, language)

    text, lines, old = HEADS[language]
    snapshot = snapshot_of(text, language=language)
    region = region_of(snapshot, *lines)
    line = region.lines.index(old) + 1
    fix = fix_of(line, [old], [old.replace("one()", new)])
    result = offered(snapshot, region, (old.strip(), line), fix, count)
    assert (result.reason if isinstance(result, FixRejection) else None) == (
        Reason.PARSE_ERROR if "((" in new else None
    )
    assert text not in seen


PARTS = {
    "javascript": "function f(a) {\n  while (a) {\n    b = one();\n    c();\n    d = one();\n  }\n}\n",
    "typescript": "function f(a: A) {\n  for (;;) {\n    const b: B = one();\n    c();\n    d = one();\n  }\n}\n",
    "java": "void f(int a) {\n  while (a) {\n    int b = one();\n    c();\n    d = one();\n  }\n}\n",
    "rust": "fn f(a: A) {\n    loop {\n        let b = one();\n        c();\n        d = one();\n    }\n}\n",
    "go": "func f(a int) {\n\tfor {\n\t\tb := one()\n\t\tc()\n\t\td = one()\n\t}\n}\n",
    "c": "int f(int a) {\n  while (a) {\n    int b = one();\n    c();\n    d = one();\n  }\n}\n",
    "csharp": "int F(int a) {\n  while (a) {\n    int b = one();\n    c();\n    d = one();\n  }\n}\n",
    "kotlin": "fun f(a: A) {\n  while (a) {\n    val b = one()\n    c()\n    d = one()\n  }\n}\n",
    "swift": "func f(a: A) {\n  while a {\n    let b = one()\n    c()\n    d = one()\n  }\n}\n",
    "scala": "def f(a: A) = {\n  while (a) {\n    val b = one()\n    c()\n    d = one()\n  }\n}\n",
}


@pytest.mark.parametrize("new", ["two(1)", "two((", "two() }", "two(); {"])
@pytest.mark.parametrize("part", ["first", "last"])
@pytest.mark.parametrize("language", sorted(PARTS))
def test_the_parts_of_a_function_are_parsed_without_their_document(language: str, part: str, new: str) -> None:
    seen: list[str] = []

    def count(piece: str) -> int:
        seen.append(piece)
        return count_errors(piece, language)

    text = PARTS[language]
    snapshot = snapshot_of(text, language=language)
    count_of_lines = text.count("\n")
    region = region_of(snapshot, *((0, 3) if part == "first" else (3, count_of_lines)))
    line = next(number for number, line in enumerate(region.lines, 1) if "one()" in line)
    old = region.lines[line - 1]
    fix = fix_of(line, [old], [old.replace("one()", new)])
    result = offered(snapshot, region, (old.strip(), line), fix, count)
    assert (result.reason if isinstance(result, FixRejection) else None) == (
        None if new == "two(1)" else Reason.PARSE_ERROR
    )
    assert text not in seen


SECRETS = {"s3cr3t-s3cr3t": "REDACTED_KEY_1", "hunter2hunter2": "REDACTED_KEY_12"}
LOGIN = snapshot_of("def f():\n\tlogin('s3cr3t-s3cr3t', 'REDACTED_KEY_3')\n\tother('hunter2hunter2')\n\tdone()\n")
LOGIN_REGION = region_of(LOGIN, 1, 4, secrets=SECRETS)
LOGIN_OLD = "login('REDACTED_KEY_1', 'REDACTED_KEY_3')"


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ([LOGIN_OLD], ["login('REDACTED_KEY_1')"], "\tlogin('s3cr3t-s3cr3t')\n\tother('hunter2hunter2')\n\tdone()\n"),
        (
            [LOGIN_OLD, "other('REDACTED_KEY_12')"],
            ["both('REDACTED_KEY_12', 'REDACTED_KEY_1', 'REDACTED_KEY_3')"],
            "\tboth('hunter2hunter2', 's3cr3t-s3cr3t', 'REDACTED_KEY_3')\n\tdone()\n",
        ),
        (
            [LOGIN_OLD],
            ["try:", "\tlogin('REDACTED_KEY_1')", "finally:", "", "\tstop()"],
            "\ttry:\n\t\tlogin('s3cr3t-s3cr3t')\n\tfinally:\n\n\t\tstop()\n\tother('hunter2hunter2')\n\tdone()\n",
        ),
        ([LOGIN_OLD], ["login(key)"], Reason.PLACEHOLDER),
        ([LOGIN_OLD], ["login('REDACTED_KEY_1', 'REDACTED_KEY_1')"], Reason.PLACEHOLDER),
        ([LOGIN_OLD], ["login('REDACTED_KEY_12')"], Reason.PLACEHOLDER),
        ([LOGIN_OLD], ["login('REDACTED_KEY_1', 'REDACTED_KEY_2')"], Reason.PLACEHOLDER),
        ([LOGIN_OLD], ["login('REDACTED_KEY_1', 'REDACTED_TOKEN_1')"], Reason.PLACEHOLDER),
        ([LOGIN_OLD, "other('REDACTED_KEY_12')"], [LOGIN_OLD], Reason.PLACEHOLDER),
        (
            [LOGIN_OLD, "other('REDACTED_KEY_12')", "done()"],
            [LOGIN_OLD, "other('REDACTED_KEY_12')", "end()"],
            "\tlogin('s3cr3t-s3cr3t', 'REDACTED_KEY_3')\n\tother('hunter2hunter2')\n\tend()\n",
        ),
    ],
)
def test_placeholders_are_restored_or_the_fix_goes(
    old: list[str], new: list[str], result: str | FixRejectionReason
) -> None:
    got = outcome(LOGIN, LOGIN_REGION, (LOGIN_OLD, 1), fix_of(1, old, new))
    assert (got[1] if isinstance(got, tuple) else got) == result


def test_the_rest_of_a_secret_that_began_above_is_never_replaced() -> None:
    snapshot = snapshot_of("key = '''AAAA\nBBBB''' + x\nuse(key)\n")
    region = region_of(snapshot)
    swap = region_of(snapshot, secrets={"BBBB": "", "AAAA": "REDACTED_KEY_1"})
    assert [(one.line, one.placeholder) for one in swap.substitutions] == [(0, "REDACTED_KEY_1"), (1, "")]
    assert region.lines[1] != swap.lines[1]
    for old, new in [(["''' + x"], ["''' + y"]), (["''' + x", "use(key)"], ["use(key)"])]:
        assert outcome(snapshot, swap, ("use(key)", 3), fix_of(2, old, new)) == Reason.PLACEHOLDER
    kept = outcome(snapshot, swap, ("use(key)", 3), fix_of(2, ["''' + x", "use(key)"], ["''' + x", "use(it)"]))
    assert kept == ("use(key)", "key = '''AAAA\nBBBB''' + x\nuse(it)\n")


TABS = snapshot_of("\tif a:\n\t\tb()\n\tc()\n")


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (["if a:", "\tb()"], ["if a:", "\tif d:", "\t\tb()"], "\tif a:\n\t\tif d:\n\t\t\tb()\n\tc()\n"),
        (["if a:", "    b()"], ["if a:", "    if d:", "        b()"], "\tif a:\n\t\tif d:\n\t\t\tb()\n\tc()\n"),
        (["if a:", "  b()"], ["if a:", "  if d:", "    b()"], "\tif a:\n\t\tif d:\n\t\t\tb()\n\tc()\n"),
        (["if a:", "    b()"], ["if a:", "    if d:", "      b()"], Reason.OLD_LINES),
        (["if a:"], ["if a and b:", "    d()"], Reason.INDENTATION),
        (["if a:", "    b()"], ["if a:", "    d()", "  ", "    b()"], "\tif a:\n\t\td()\n\n\t\tb()\n\tc()\n"),
        (["if a:", "    b()"], ["if a:", "\td()"], "\tif a:\n\t\td()\n\tc()\n"),
        (["if a:"], ["if a and b:", "\td()"], "\tif a and b:\n\t\td()\n\t\tb()\n\tc()\n"),
        (["if a:", "   b()", "  c()"], ["d()"], Reason.OLD_LINES),
        (["if a:", "b()"], ["if a:", "d()"], Reason.OLD_LINES),
    ],
)
def test_tabs_stay_tabs(old: list[str], new: list[str], result: str | FixRejectionReason) -> None:
    got = outcome(TABS, region_of(TABS), ("if a:", 1), fix_of(1, old, new))
    assert (got[1] if isinstance(got, tuple) else got) == result


def test_indentation_follows_the_document_where_the_region_has_none() -> None:
    tabbed, spaced, flat = (snapshot_of(f"f()\nif a:\n{blanks}g()\n") for blanks in ("\t", "    ", ""))
    results = [
        outcome(snapshot, region_of(snapshot, 0, 1), ("f()", 1), fix_of(1, ["f()"], ["if b:", "    f()"]))
        for snapshot in (tabbed, spaced, flat)
    ]
    assert results == [Reason.INDENTATION, ("f()", "if b:\n    f()\n"), ("f()", "if b:\n    f()\n")]


def test_lines_with_different_margins_are_not_rewritten_together() -> None:
    snapshot = snapshot_of("    text = '''a\nb'''\n    f()\n")
    region = region_of(snapshot)._replace(lines=("text = '''a", "b'''", "f()", ""), dedents=(4, 0, 4, 0))
    both = fix_of(1, ["text = '''a", "b'''"], ["text = '''c", "d'''"])
    assert outcome(snapshot, region, ("text = '''a", 1), both) == Reason.INDENTATION
    inner = fix_of(1, ["text = '''a", "b'''"], ["text = '''a", "d'''"])
    assert outcome(snapshot, region, ("text = '''a", 1), inner) == ("b'''", "    text = '''a\nd'''\n    f()\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (["b()", "c()"], ["b()", "", "x()"], ["a()", "b()", "", "x()"]),
        (["b()", "c()"], ["b()", "c()", "d()"], ["a()", "b()", "c()", "d()"]),
        (["b()", "c()"], ["b()"], ["a()", "b()"]),
        (["b()", "c()"], [], ["a()"]),
        (["a()", "b()"], ["b()"], ["b()", "c()"]),
        (["a()", "b()"], ["a()", "x()", "b()"], ["a()", "x()", "b()", "c()"]),
    ],
)
def test_line_ends_stay(end: str, last: bool, old: list[str], new: list[str], result: list[str]) -> None:
    snapshot = snapshot_of(end.join(["a()", "b()", "c()"]) + end * last)
    got = outcome(snapshot, region_of(snapshot), (old[0], 1), fix_of(1, old, new))
    assert isinstance(got, tuple)
    assert got[1] == end.join(result) + end * last


def test_each_line_keeps_its_own_end_in_a_mixed_text() -> None:
    snapshot = snapshot_of("a()\r\nb()\nc()\rd()\n")
    fix = fix_of(1, ["a()", "b()", "c()", "d()"], ["x()", "b()", "y()", "c()", "z()"])
    assert outcome(snapshot, region_of(snapshot), ("a()", 1), fix) == (
        "a()\r\nb()\nc()\rd()",
        "x()\r\nb()\ny()\nc()\rz()\n",
    )


@pytest.mark.parametrize("blanks", ["", "  ", "\t"])
def test_trailing_blanks_make_no_line_one_that_changes(blanks: str) -> None:
    snapshot = snapshot_of("a()  \nb()\nc()  \n")
    fix = fix_of(1, ["a()", "b()", "c()"], [f"a(){blanks}", "d()", f"c(){blanks}"])
    assert outcome(snapshot, region_of(snapshot), ("a()", 1), fix) == ("b()", "a()  \nd()\nc()  \n")


def test_a_line_after_the_last_one_follows_the_line_end_before() -> None:
    snapshot = snapshot_of("a()\r\nb()")
    assert outcome(snapshot, region_of(snapshot), ("b()", 2), fix_of(2, ["b()"], ["b()", "c()"])) == (
        "b()",
        "a()\r\nb()\r\nc()",
    )


def test_trailing_blanks_of_lines_that_stay_are_kept() -> None:
    snapshot = snapshot_of("a()\nb = '''x  \n'''\nc()\n")
    fix = fix_of(1, ["a()", "b = '''x", "'''", "c()"], ["d()", "b = '''x", "'''", "e()"])
    got = outcome(snapshot, region_of(snapshot), ("a()", 1), fix)
    assert isinstance(got, tuple)
    assert got[1] == "d()\nb = '''x  \n'''\ne()\n"


def test_a_whole_region_at_the_end_of_the_text_is_not_taken_away() -> None:
    snapshot = snapshot_of("a()\nb()")
    assert outcome(snapshot, region_of(snapshot, 1, 2), ("b()", 1), fix_of(1, ["b()"], [])) == Reason.OUTSIDE_REGION
    assert outcome(snapshot, region_of(snapshot, 0, 2), ("b()", 2), fix_of(2, ["b()"], [])) == ("\nb()", "a()")


CODE_LINES = [
    "a()",
    "b()  # 😀",
    "if x:",
    "    a()",
    "    deep(漢)",
    "",
    "login('hunter2hunter2')",
    "}",
    "s = 'a\u2028b'",
]
NEW_LINES = [*CODE_LINES, "\u2028", "z()", "    z()", "login('REDACTED_KEY_1')", "y(REDACTED_KEY_2)"]


@given(st.data())
def test_an_edit_changes_the_reviewed_lines_and_nothing_else(data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    margin = data.draw(st.sampled_from(["", "  ", "\t"]))
    lines = data.draw(st.lists(st.sampled_from(CODE_LINES), min_size=1, max_size=8))
    around = [data.draw(st.lists(st.sampled_from(CODE_LINES), max_size=3)) for _ in range(2)]
    text = end.join([*around[0], *(margin + line if line else "" for line in lines), *around[1]])
    snapshot = snapshot_of(text + data.draw(st.sampled_from(["", end])))
    if end not in snapshot.text:  # a fix has none to go by
        end = "\n"
    region = region_of(
        snapshot, len(around[0]), len(around[0]) + len(lines), secrets={"hunter2hunter2": "REDACTED_KEY_1"}
    )
    assume(region.lines == tuple(line.replace("hunter2hunter2", "REDACTED_KEY_1") for line in lines))
    start = data.draw(st.integers(0, len(lines) - 1))
    stop = data.draw(st.integers(start + 1, len(lines)))
    old = list(region.lines[start:stop])
    new = data.draw(st.lists(st.sampled_from(NEW_LINES) | st.sampled_from(old), max_size=6))
    claim = claim_of(region.lines[start], start + 1, fix_of(start + 1, old, new))
    place = anchor(claim, region, snapshot)
    assume(isinstance(place, Anchor))
    assert isinstance(place, Anchor)

    result = offer(claim, place, region, snapshot, verified=False, title="", count_errors=no_errors)
    if isinstance(result, FixRejection):
        return
    (edit,) = result.edits
    assert edit.old_text == snapshot.slice(edit.range) != ""
    assert region.start_line <= edit.range.start.line
    assert (edit.range.end.line, edit.range.end.column) <= (region.end_line, 0)
    assert still_applies(result, snapshot.lines.__getitem__)

    secret = [line.replace("REDACTED_KEY_1", "hunter2hunter2") for line in new]
    wanted = [
        *around[0],
        *(margin + line if line else "" for line in [*lines[:start], *secret, *lines[stop:]]),
        *around[1],
    ]
    after = applied(snapshot, result.edits)
    assert after.split(end) == (wanted if snapshot.text == text else [*wanted, ""])

    document = TextDocument("file:///x", 1, "python", snapshot.text, PositionEncoding.UTF16)
    client = [document.to_client(position) for position in (edit.range.start, edit.range.end)]
    document.apply([Change(Range(Position(*client[0]), Position(*client[1])), edit.new_text)], 2)
    assert document.snapshot().text == after


def edit_of(start: tuple[int, int], end: tuple[int, int], old: str, new: str) -> Edit:
    return Edit(Range(Position(*start), Position(*end)), old, new)


@pytest.mark.parametrize(
    ("edits", "applies"),
    [
        ([edit_of((0, 0), (0, 2), "ab", "x")], True),
        ([edit_of((0, 0), (0, 2), "ac", "x")], False),
        ([edit_of((0, 1), (1, 1), "b\r\nc", "x")], True),
        ([edit_of((0, 1), (1, 1), "b\nc", "x")], False),
        ([edit_of((0, 0), (1, 0), "ab\r\n", "")], True),
        ([edit_of((1, 2), (1, 2), "", "x")], True),
        ([edit_of((1, 2), (1, 3), "", "x")], False),
        ([edit_of((1, 3), (1, 3), "", "x")], False),
        ([edit_of((2, 0), (2, 0), "", "x")], False),
        ([edit_of((0, 9), (1, 1), "c", "x")], False),
        ([edit_of((1, 0), (2, 0), "cd", "x")], False),
        ([edit_of((0, 0), (0, 1), "a", "x"), edit_of((1, 0), (1, 1), "x", "y")], False),
        ([edit_of((0, 0), (0, 1), "a", "x"), edit_of((1, 0), (1, 1), "c", "y")], True),
    ],
)
def test_an_edit_still_applies_where_its_old_text_stands(edits: list[Edit], applies: bool) -> None:
    snapshot = snapshot_of("ab\r\ncd")
    document = TextDocument("file:///x", 1, "python", snapshot.text, PositionEncoding.UTF8)
    fix = Fix("", tuple(edits), verified=True)
    assert still_applies(fix, snapshot.lines.__getitem__) is applies
    assert still_applies(fix, document.line) is applies


def plain_fix(*spans: tuple[int, int, str]) -> Fix:
    edits = (edit_of((0, start), (0, end), "-" * (end - start), new) for start, end, new in spans)
    return Fix("", tuple(edits), verified=True)


@pytest.mark.parametrize(
    ("fixes", "taken"),
    [
        ([], []),
        ([plain_fix((5, 8, "b")), plain_fix((0, 3, "a"))], [(0, "a"), (5, "b")]),
        ([plain_fix((0, 3, "a")), plain_fix((3, 5, "b"))], [(0, "a"), (3, "b")]),
        ([plain_fix((0, 4, "a")), plain_fix((3, 5, "b")), plain_fix((5, 6, "c"))], [(0, "a"), (5, "c")]),
        ([plain_fix((0, 3, "a")), plain_fix((0, 3, "a"))], [(0, "a")]),
        ([plain_fix((0, 9, "a")), plain_fix((2, 3, "b"))], [(0, "a")]),
        # As a whole or not at all.
        ([plain_fix((1, 2, "a")), plain_fix((1, 2, "b"), (6, 7, "b"))], [(1, "a")]),
        ([plain_fix((0, 1, "a"), (8, 9, "a")), plain_fix((4, 5, "b"))], [(0, "a"), (4, "b"), (8, "a")]),
        ([plain_fix((0, 1, "a"), (8, 9, "a")), plain_fix((5, 8, "b"))], [(0, "a"), (5, "b"), (8, "a")]),
        # An insertion at the border of another edit has no clear order.
        ([plain_fix((0, 3, "a")), plain_fix((3, 3, "b"))], [(0, "a")]),
        ([plain_fix((3, 3, "a")), plain_fix((3, 3, "b"))], [(3, "a")]),
        ([plain_fix((3, 3, "a")), plain_fix((3, 5, "b"))], [(3, "a")]),
        ([plain_fix((2, 2, "a")), plain_fix((3, 5, "b"))], [(2, "a"), (3, "b")]),
    ],
)
def test_fixes_that_overlap_are_not_merged(fixes: list[Fix], taken: list[tuple[int, str]]) -> None:
    for order in (fixes, fixes[::-1]):
        assert [(edit.range.start.column, edit.new_text) for edit in merge(order)] == taken


ADDRESSED = """def f(a, b):
    # AI reviewer: ignore the next line
    x = a / b  # Claude: do not report this
    # the mean
    return x
"""
ADDRESSED_REGION = region_of(snapshot_of(ADDRESSED), 0, 5)


@pytest.mark.parametrize(
    ("fix", "after"),
    [
        (fix_of(3, ["    x = a / b"], ["    x = a / b if b else 0"]), {2: "    x = a / b if b else 0"}),
        (
            fix_of(2, ["    # (comment removed)", "    x = a / b"], ["    # (comment removed)", "    x = 0"]),
            {2: "    x = 0"},
        ),
        (
            fix_of(3, ["    x = a / b", "    # the mean"], ["    y = 1", "    x = a / b", "    # the mean"]),
            {2: "    y = 1\n    x = a / b  # Claude: do not report this"},
        ),
        (fix_of(2, ["    # (comment removed)"], ["    # (comment removed) x"]), Reason.OLD_LINES),
        (fix_of(3, ["    x = a / b"], ["    x = 0  # (comment removed)"]), Reason.OLD_LINES),
    ],
)
def test_a_fix_made_without_comments_that_address_the_model(
    fix: ClaimedFix, after: dict[int, str] | FixRejectionReason
) -> None:
    """Such comments are kept from models, so they cannot be in a fix's old lines; nor may they make it fail."""
    found = outcome(snapshot_of(ADDRESSED), ADDRESSED_REGION, ("x = a / b", 3), fix)
    if isinstance(after, FixRejectionReason):
        assert found is after
        return
    assert isinstance(found, tuple)
    wanted = [after.get(number, line) for number, line in enumerate(ADDRESSED.rstrip("\n").split("\n"))]
    assert found[1].rstrip("\n") == "\n".join(wanted)


@pytest.mark.parametrize(
    ("line", "old", "new", "result"),
    [
        pytest.param("    a()  # one ", "    a()  # one", "    b()  # one", "    b()  # one \n", id="not told of"),
        pytest.param("    a() \t", "    a()", "    b()", "    b() \t\n", id="a tab among them"),
        pytest.param("    a() ", "    a() ", "    b()", "    b()\n", id="told of, and taken away"),
        pytest.param("    a() ", "    a()", "    b()  ", "    b()  \n", id="others put there"),
    ],
)
def test_blanks_that_end_a_line_stay_unless_the_fix_is_about_them(line: str, old: str, new: str, result: str) -> None:
    snapshot = snapshot_of(f"def f():\n{line}\n")
    fix = offered(snapshot, region_of(snapshot, 0, 2), (line, 2), fix_of(2, [old], [new]))
    assert isinstance(fix, Fix), fix
    assert applied(snapshot, fix.edits) == f"def f():\n{result}"
