"""What the gate lets through before a text is split: a glance at the current text, where it hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Category, Finding, Origin, Severity
from aiops_lsp.core.text import Change, Position, PositionEncoding, Range, TextDocument
from aiops_lsp.engine.derive import LiveFinding
from aiops_lsp.engine.document import Glance, ReviewedDocument
from aiops_lsp.engine.examine import Recipe, examine
from aiops_lsp.rules.builtin import REVIEWER_ADDRESSED

if TYPE_CHECKING:
    from aiops_lsp.engine.host import Publication

TEXT = "x = eval(y)\n"
FOUND = Finding(
    id="1",
    code="py/code-injection",
    origin=Origin.RULE,
    category=Category.SECURITY,
    severity=Severity.HIGH,
    confidence=95,
    title="Runs text as code",
    why="It runs what it is given.",
    trigger="any text",
    range=Range(Position(0, 4), Position(0, 11)),
    evidence="eval(y)",
    symbol="",
)


def opened() -> tuple[ReviewedDocument, list[Publication]]:
    sent: list[Publication] = []
    return ReviewedDocument(TextDocument("file:///t", 1, "python", TEXT, PositionEncoding.UTF16), sent.append), sent


def whole(document: ReviewedDocument, text: str) -> None:
    document.edited(document.text.apply([Change(None, text)], document.text.version + 1), 0.0)


def test_a_glance_is_published_for_its_own_text_alone() -> None:
    document, sent = opened()
    document.glance = Glance(document.text.snapshot(), (FOUND,), lambda _: True)
    document.publish()
    assert [(one.version, one.findings) for one in sent] == [(1, (FOUND,))]
    document, sent = opened()
    document.glance = Glance(document.text.snapshot(), (FOUND,), lambda _: True)
    whole(document, f"\n{TEXT}")
    document.publish()
    assert sent == []


@pytest.mark.parametrize(
    ("shown", "may"),
    [
        (None, True),
        (FOUND, True),
        (FOUND._replace(origin=Origin.RUFF), True),
        (FOUND._replace(origin=Origin.MODEL), False),
        (FOUND._replace(code=REVIEWER_ADDRESSED.id), False),
    ],
)
def test_a_glance_is_taken_only_where_nothing_else_shows(shown: Finding | None, may: bool) -> None:
    document, _ = opened()
    document.adopt(examine(document.text.snapshot(), Recipe("", (), "en"), None, (), None))
    if shown is not None:
        document.live = [LiveFinding(shown, shown.evidence)]
    assert not document.may_glance(document.text.snapshot())  # nothing has changed
    whole(document, "a = 1\nb = 2\n")
    assert document.may_glance(document.text.snapshot()) is may
