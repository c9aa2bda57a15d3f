"""The table of languages: every row against its grammar, and a data file for each that says how it is split."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from ast_grep_py import SgRoot

from aiops_lsp.core.languages import LANGUAGES, identifier_of, language_of
from aiops_lsp.core.regions import Region, region_keys
from aiops_lsp.core.splitting import count_errors, split
from aiops_lsp.core.syntax import parse
from aiops_lsp.core.text import Snapshot

DATA = Path(__file__).parent.parent / "data" / "languages"
FILES = sorted(DATA.glob("*.txt"))
KIND_FIELDS = [field.name for field in fields(LANGUAGES["python"]) if field.name != "sensitive"]


@dataclass(frozen=True)
class Case:
    """One data file."""

    language: str
    source: str
    regions: list[str]
    contexts: dict[str, str]


def read(path: Path) -> Case:
    source, *sections = re.split(r"(?m)^~~~~ (.*)\n", path.read_text(encoding="utf-8"))
    titled = dict(zip(sections[::2], sections[1::2], strict=True))
    contexts = {title.split(" ", 1)[1]: body.rstrip("\n") for title, body in titled.items() if title != "regions"}
    return Case(path.stem, source, titled["regions"].splitlines(), contexts)


CASES = [pytest.param(read(path), id=path.stem) for path in FILES]


def regions_of(source: str, language: str) -> tuple[Region, ...]:
    return split(Snapshot("file:///case", 1, language, source)).regions


def described(region: Region) -> str:
    flags = [name for name in ("trivial", "empty_body", "parse_error") if getattr(region, name)]
    return " ".join((region.kind, region.symbol or "-", f"{region.start_line + 1}-{region.end_line}", *flags))


def test_every_grammar_has_a_case() -> None:
    covered = {LANGUAGES[path.stem].grammar for path in FILES}
    assert covered == {language.grammar for language in LANGUAGES.values()}


@pytest.mark.parametrize("identifier", sorted(LANGUAGES))
def test_kinds_exist_in_the_grammar(identifier: str) -> None:
    language = LANGUAGES[identifier]
    root = SgRoot("x", language.grammar).root()
    for name in KIND_FIELDS:
        value = getattr(language, name)
        for kind in value if isinstance(value, frozenset) else ():
            root.find(kind=kind)  # raises when the grammar has no such kind


@pytest.mark.parametrize("case", CASES)
def test_regions(case: Case) -> None:
    assert [described(region) for region in regions_of(case.source, case.language)] == case.regions


@pytest.mark.parametrize("case", CASES)
def test_context_blocks(case: Case) -> None:
    contexts = {region.symbol: region.context for region in regions_of(case.source, case.language)}
    assert {symbol: contexts[symbol] for symbol in case.contexts} == case.contexts


@pytest.mark.parametrize("case", CASES)
def test_a_sound_source_has_no_errors_and_a_broken_one_has(case: Case) -> None:
    assert count_errors(case.source, case.language) == 0
    assert count_errors(case.source + "\n)))}}} ((( {{{ '", case.language) > 0


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_are_in_no_key(case: Case, end: str) -> None:
    plain = regions_of(case.source, case.language)
    other = regions_of(case.source.replace("\n", end), case.language)
    assert [region_keys(region, case.language, "") for region in plain] == [
        region_keys(region, case.language, "") for region in other
    ]


@pytest.mark.parametrize("case", CASES)
def test_comments_and_blank_lines_change_no_loose_form(case: Case) -> None:
    before = [region.loose for region in regions_of(case.source, case.language) if not region.trivial]
    after = [region.loose for region in regions_of(commented(case), case.language) if not region.trivial]
    assert after == before


def commented(case: Case) -> str:
    """The source with a comment and a blank line more after each line that does not end in a string or go on."""
    syntax = parse(case.source, case.language)
    language = language_of(case.language)
    assert language is not None
    spans = [*syntax.strings, *syntax.comments]
    lines = []
    for number, line in enumerate(syntax.lines):
        end = syntax.line_starts[number] + len(line)
        lines.append(line)
        # After `*/}` comes JSX text, in which this is no comment.
        in_token = any(start <= end < stop for start, stop in spans) or line.endswith("*/}")
        if not in_token and line.rstrip().endswith((";", "{", "}", "end")):
            lines += ["", f"   {language.line_comment} a note, with (brackets and 'quotes"]
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES)
def test_every_token_is_in_the_loose_form(case: Case) -> None:
    """Taking away any sign of the code, or breaking a word in two, changes what the loose keys are made of."""
    syntax = parse(case.source, case.language)
    outside = [
        offset
        for offset, sign in enumerate(case.source)
        if not sign.isspace() and not any(start <= offset < end for start, end in syntax.comments)
    ]
    before = whole_loose(case.source, case.language)
    for offset in outside[::5]:
        shorter = case.source[:offset] + case.source[offset + 1 :]
        assert whole_loose(shorter, case.language) != before, f"{offset}: {case.source[offset - 9 : offset + 9]!r}"
    for offset in outside[1::9]:
        if case.source[offset - 1 : offset + 1].isalnum():
            broken = f"{case.source[:offset]} {case.source[offset:]}"
            assert whole_loose(broken, case.language) != before, f"{offset}: {broken[offset - 9 : offset + 9]!r}"


def whole_loose(source: str, language: str) -> list[str]:
    return [region.loose for region in regions_of(source, language)]


@pytest.mark.parametrize("case", [case for case in CASES if case.id != "shellscript"])
def test_indenting_everything_changes_no_key(case: Case) -> None:
    """Python needs something to be indented in. A shell's here-document would no longer end."""
    indented = re.sub(r"(?m)^(?=.)", "    ", case.source)
    if case.language == "python":
        indented = "if True:\n" + indented
    after = {region_keys(region, case.language, "") for region in regions_of(indented, case.language)}
    kept = [region for region in regions_of(case.source, case.language) if region.kind in ("function", "method")]
    assert {region_keys(region, case.language, "") for region in kept} <= after


@pytest.mark.parametrize(
    ("path", "first_line", "identifier"),
    [
        ("/a/b.py", "", "python"),
        ("C:\\a\\B.PY", "", "python"),
        ("a.tsx", "", "typescriptreact"),
        ("a.d.ts", "", "typescript"),
        ("x.h", "", "c"),
        ("Makefile", "", "makefile"),
        ("/x/.bashrc", "", "shellscript"),
        ("run", "#!/usr/bin/env python3", "python"),
        ("run", "#!/usr/bin/python3.12 -I", "python"),
        ("run", "#!/usr/bin/env -S LANG=C node --x", "javascript"),
        ("run", "#!/bin/sh", "shellscript"),
        ("run", "#!", None),
        ("run", "import os", None),
        ("a.unknown", "", None),
        ("a.py/b", "", None),
        ("", "", None),
    ],
)
def test_identifier_by_name_and_interpreter(path: str, first_line: str, identifier: str | None) -> None:
    assert identifier_of(path, first_line) == identifier
