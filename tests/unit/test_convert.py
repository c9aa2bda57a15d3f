"""Our types in the protocol's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from markdown_it import MarkdownIt

from aiops_lsp.core.findings import Confirmation, Edit, Finding, Origin, Severity
from aiops_lsp.core.text import Position, PositionEncoding, Range, TextDocument
from aiops_lsp.lsp import convert, prose
from aiops_lsp.lsp.capabilities import ClientFeatures
from tests.support.fake_reviewer import finding

if TYPE_CHECKING:
    from markdown_it.token import Token

LINE = "é = '😀\t日本' + BUG"

EVERYTHING = ClientFeatures(
    diagnostic_data=True,
    code_description=True,
    diagnostic_tags=frozenset({1, 2}),
    document_changes=True,
    change_annotations=True,
)


def document(text: str = LINE, encoding: PositionEncoding = PositionEncoding.UTF16) -> TextDocument:
    return TextDocument("file:///a.py", 3, "python", text, encoding)


def a_finding(**changes: object) -> Finding:
    start = LINE.index("BUG")
    return finding(Range(Position(0, start), Position(0, start + 3)), "BUG", **changes)  # type: ignore[arg-type] # fields


@pytest.mark.parametrize(
    ("severity", "confidence", "expected"),
    [
        (Severity.CRITICAL, 100, types.DiagnosticSeverity.Error),
        (Severity.CRITICAL, 90, types.DiagnosticSeverity.Error),
        (Severity.CRITICAL, 89, types.DiagnosticSeverity.Warning),
        (Severity.HIGH, 100, types.DiagnosticSeverity.Warning),
        (Severity.MEDIUM, 100, types.DiagnosticSeverity.Information),
        (Severity.LOW, 100, types.DiagnosticSeverity.Hint),
    ],
)
def test_severity(severity: Severity, confidence: int, expected: types.DiagnosticSeverity) -> None:
    assert convert.severity(a_finding(severity=severity, confidence=confidence)) is expected


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_a_range_is_counted_in_the_clients_units(encoding: PositionEncoding) -> None:
    codec, size = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding.value]
    units = len(LINE[: LINE.index("BUG")].encode(codec)) // size
    found = convert.range_to_client(document(encoding=encoding), a_finding().range)
    assert found == types.Range(types.Position(0, units), types.Position(0, units + 3))


@given(
    text=st.text(alphabet=st.sampled_from("a é\t😀日\n\r\f\u2028"), max_size=40),
    encoding=st.sampled_from(list(PositionEncoding)),
    data=st.data(),
)
def test_positions_survive_the_way_to_the_client_and_back(
    text: str, encoding: PositionEncoding, data: st.DataObject
) -> None:
    there = document(text, encoding)
    line = data.draw(st.integers(0, there.line_count - 1))
    column = data.draw(st.integers(0, len(there.line(line).rstrip("\r\n"))))
    position = Position(line, column)
    assert convert.position_from_client(there, convert.position_to_client(there, position)) == position


def test_a_range_given_backwards_is_turned_round() -> None:
    span = types.Range(types.Position(0, 5), types.Position(0, 2))
    assert convert.range_from_client(document("abcdefgh"), span) == Range(Position(0, 2), Position(0, 5))


def test_changes_keep_the_clients_units() -> None:
    partial = types.TextDocumentContentChangePartial(types.Range(types.Position(1, 2), types.Position(3, 4)), "x")
    whole = types.TextDocumentContentChangeWholeDocument("y")
    first, second = convert.changes_from_client([partial, whole])
    assert (first.range, first.text) == (Range(Position(1, 2), Position(3, 4)), "x")
    assert (second.range, second.text) == (None, "y")


def test_a_diagnostic_says_everything_to_a_client_that_knows_everything() -> None:
    found = convert.diagnostic(
        document(), a_finding(origin=Origin.RUFF, code="F841", url="https://docs.astral.sh/f841"), EVERYTHING
    )
    assert found.source == "aiops"
    assert found.code == "F841"
    assert found.code_description == types.CodeDescription("https://docs.astral.sh/f841")
    assert found.tags == [types.DiagnosticTag.Unnecessary]
    assert found.data == {"id": "0000000000000000"}
    assert found.message == "A bug\nIt breaks.\nTrigger: f(0)"


def test_a_diagnostic_says_no_more_than_was_announced() -> None:
    found = convert.diagnostic(
        document(), a_finding(origin=Origin.RUFF, code="F841", url="https://docs.astral.sh/f841"), ClientFeatures()
    )
    assert (found.code_description, found.tags, found.data, found.related_information) == (None, None, None, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rechecking": True}, "(the code around it has changed; being re-checked)"),
        ({"confirmation": Confirmation.UNCONFIRMED}, "(unconfirmed by a second opinion)"),
        ({"age_seconds": 90.0}, "(reviewed 1 minute ago)"),
        ({"age_seconds": 3 * 86_400.0, "rechecking": True}, "being re-checked; reviewed 3 days ago)"),
        ({"age_seconds": 2.0}, "(reviewed a moment ago)"),
        ({"confirmation": Confirmation.CONFIRMED}, "Trigger: f(0)"),
    ],
)
def test_the_message_says_what_limits_the_finding(changes: dict[str, object], expected: str) -> None:
    assert prose.message(a_finding(**changes)).endswith(expected)


def test_a_finding_without_trigger_has_no_empty_line() -> None:
    assert prose.message(a_finding(trigger="")) == "A bug\nIt breaks."


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (ClientFeatures(), "changes"),
        (ClientFeatures(document_changes=True), "versioned"),
        (ClientFeatures(document_changes=True, change_annotations=True), "annotated"),
        (ClientFeatures(change_annotations=True), "changes"),
    ],
)
def test_an_edit_has_the_newest_form_that_the_client_knows(client: ClientFeatures, expected: str) -> None:
    there = document()
    fix = a_finding().fix
    assert fix is not None
    edit = convert.workspace_edit(there, fix.edits, fix.title, client, by_model=True)
    span = convert.range_to_client(there, fix.edits[0].range)
    if expected == "changes":
        assert edit == types.WorkspaceEdit(changes={there.uri: [types.TextEdit(span, "FIX")]})
        return
    assert edit.changes is None
    assert edit.document_changes is not None
    (change,) = edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document == types.OptionalVersionedTextDocumentIdentifier(there.uri, 3)
    if expected == "versioned":
        assert list(change.edits) == [types.TextEdit(span, "FIX")]
        assert edit.change_annotations is None
    else:
        assert list(change.edits) == [types.AnnotatedTextEdit("aiops", span, "FIX")]
        assert edit.change_annotations is not None
        assert edit.change_annotations["aiops"].description == "Proposed by a language model"


@pytest.mark.parametrize(
    ("span", "old", "expected"),
    [
        ((0, 1, 0, 3), "bc", True),
        ((0, 1, 0, 3), "bX", False),
        ((0, 3, 1, 1), "d\r\ne", True),
        ((0, 3, 1, 1), "d\ne", False),
        ((0, 0, 2, 1), "abcd\r\nefgh\ni", True),
        ((1, 4, 1, 4), "", True),
        ((3, 0, 3, 0), "", False),
        ((0, 4, 0, 9), "\r\n", True),
    ],
)
def test_an_edit_fits_only_where_its_text_stands(span: tuple[int, int, int, int], old: str, expected: bool) -> None:
    edit = Edit(Range(Position(*span[:2]), Position(*span[2:])), old, "new")
    assert convert.fits(document("abcd\r\nefgh\ni"), edit) is expected


def test_a_hint_names_the_gravest_and_counts_the_others() -> None:
    low, high = a_finding(severity=Severity.LOW, title="small"), a_finding(severity=Severity.CRITICAL, title="big")
    assert prose.hint_label([low, high, low]) == "✖ big (+2)"
    assert prose.hint_label([low]) == "○ small"
    assert len(prose.hint_label([low._replace(title="word " * 40)])) <= 62


def test_the_hover_holds_the_whole_finding() -> None:
    plain = prose.hover_plain(a_finding(), "# aiops: ignore[bug]")
    markdown = prose.hover_markdown(a_finding(url="https://example.org/x"), "# aiops: ignore[bug]", "# The rule")
    for text in (plain, markdown):
        for part in ("A bug", "It breaks.", "f(0)", "high", "confidence 90 %", "bug", "aiops: ignore"):
            assert part in text
    assert "[bug](https://example.org/x)" in markdown
    assert "`# aiops: ignore[bug]`" in markdown
    assert markdown.endswith("---\n\n# The rule")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x)[y](z", "command:workbench.action", "https://a b"])
def test_only_plain_web_addresses_become_links(url: str) -> None:
    assert "](" not in prose.hover_markdown(a_finding(url=url), None, None)


MARKUP = st.text(
    alphabet=st.sampled_from("ab1 \n#*_`[]()<>!&;|~-+=.:/@\\$é\t\u2028'\""),
    max_size=40,
)


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/steal)",
        "[click](command:x)",
        "<img src=x onerror=y>",
        "https://evil.example and www.evil.example",
        "# no heading",
        "- no list",
        "1. no list",
        "a\n===",
        "`code` and **bold** and __bold__ and _x_",
        "snake_case stays, it's readable",
        "&lt;b&gt;",
        "    no code",
        "```\nno fence",
        "~~~\nno fence",
        "> no quote",
        "| a | b |\n|---|---|\n| c | d |",
        "---",
        "[x]: http://y",
        "one paragraph\u2028\t\nand another",
    ],
)
def test_escaped_text_is_only_text(text: str) -> None:
    assert_renders_as_text(text)


@given(MARKUP)
def test_any_escaped_text_is_only_text(text: str) -> None:
    assert_renders_as_text(text)


def test_readable_text_is_left_readable() -> None:
    assert prose.escape("it's a snake_case name: f(0), x - 1") == "it's a snake_case name: f(0), x - 1"


def assert_renders_as_text(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(prose.escape(text))
    kinds = {token.type for token in tokens}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline"}
    pieces = [child for token in tokens for child in token.children or []]
    assert {child.type for child in pieces} <= {"text", "text_special", "softbreak"}
    shown = "".join("\n" if token.type == "paragraph_close" else _shown(token) for token in tokens)
    assert shown.split() == text.split()


def _shown(token: Token) -> str:
    """What a reader sees of the text in a paragraph."""
    return "".join("\n" if child.type == "softbreak" else child.content for child in token.children or [])
