"""Every rule of every pack against its own examples: what it matches, what it leaves alone, what its fix does."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import yaml

from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules import loading
from aiops_lsp.rules.engine import RuleEngine
from aiops_lsp.rules.loading import load_pack, pack_names, read_pack
from aiops_lsp.rules.rule import Rule

_LANGUAGES = {"tsx": "typescriptreact"}
RULES = [rule for name in pack_names() for rule in load_pack(name)]
CASES = [(rule, language) for rule in RULES for language in rule.languages]


def _id(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)


def _snapshot(code: str, language: str) -> Snapshot:
    return Snapshot("file:///src/example", 1, _LANGUAGES.get(language, language), code)


def _spans(code: str) -> tuple[str, list[tuple[int, str]]]:
    """The code without its marks, and what was marked: offset and text."""
    text, spans, start = "", [], -1
    for letter in code:
        if letter == "«":
            start = len(text)
        elif letter == "»":
            spans.append((start, text[start:]))
        else:
            text += letter
    return text, spans


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_holds_the_same_rule_by_rule_as_in_one_go(name: str) -> None:
    text = resources.files("aiops_lsp.rules").joinpath("packs", f"{name}.yml").read_text(encoding="utf-8")
    assert read_pack(text) == yaml.safe_load(text)


@pytest.mark.parametrize(("rule", "language"), CASES, ids=_id)
def test_bad_examples_are_found_at_their_marks(rule: Rule, language: str) -> None:
    assert rule.bad
    for example in rule.bad:
        code, spans = _spans(example.code)
        snapshot = _snapshot(code, language)
        found = [finding for finding in RuleEngine().review(snapshot) if finding.code == rule.id]
        assert [(snapshot.offset_at(item.range.start), item.evidence) for item in found] == spans, code


@pytest.mark.parametrize(("rule", "language"), CASES, ids=_id)
def test_good_examples_are_left_alone(rule: Rule, language: str) -> None:
    assert rule.good
    for code in rule.good:
        assert [
            item.evidence for item in RuleEngine().review(_snapshot(code, language)) if item.code == rule.id
        ] == [], code


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix], ids=_id)
def test_a_fix_does_what_the_rule_says_and_cures(rule: Rule) -> None:
    fixed = [example for example in rule.bad if example.fixed is not None]
    assert fixed, "a rule with a fix shows what becomes of a bad example"
    for example in fixed:
        code, _ = _spans(example.code)
        snapshot = _snapshot(code, rule.languages[0])
        found = [finding for finding in RuleEngine().review(snapshot) if finding.code == rule.id]
        text = code
        for finding in reversed(found):
            assert finding.fix is not None
            assert finding.fix.verified is rule.fix.safe  # type: ignore[union-attr]  # the table holds rules with a fix
            for edit in reversed(finding.fix.edits):
                assert snapshot.slice(edit.range) == edit.old_text
                start = snapshot.offset_at(edit.range.start)
                text = text[:start] + edit.new_text + text[start + len(edit.old_text) :]
        assert text == example.fixed
        after = RuleEngine().review(_snapshot(text, rule.languages[0]))
        assert [item.evidence for item in after if item.code == rule.id] == []


def test_ids_are_unique_and_belong_to_their_pack() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    prefixes = {"python": "py/", "javascript": "js/", "go": "go/", "java": "java/", "rust": "rs/"}
    for name in pack_names():
        assert all(rule.id.startswith(prefixes[name]) for rule in load_pack(name))


@pytest.mark.parametrize(
    ("name", "least"), [("python", 20), ("javascript", 20), ("go", 20), ("java", 20), ("rust", 10)]
)
def test_packs_are_large_enough(name: str, least: int) -> None:
    assert len(load_pack(name)) >= least


def test_codes_of_other_tools_are_known() -> None:
    assert {"B006", "S602"} <= loading.codes_of_other_tools("python")
    assert loading.codes_of_other_tools("klingon") == frozenset()


def test_packs_lie_where_they_are_looked_for() -> None:
    folder = Path(loading.__file__).parent / "packs"
    assert {path.stem for path in folder.glob("*.yml")} == set(pack_names())


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_words_are_fit_for_a_reader(rule: Rule) -> None:
    assert len(rule.title.split()) <= 8
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.trigger.endswith(".")
    assert (rule.cwe is not None) >= (rule.category == "security")
