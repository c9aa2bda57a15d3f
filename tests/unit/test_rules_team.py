"""A team's rules: plain ast-grep files work, wrong ones are named by file and line, and none can do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiops_lsp.core.findings import Severity
from aiops_lsp.core.text import Snapshot
from aiops_lsp.rules.engine import RuleEngine
from aiops_lsp.rules.options import RuleOptions
from aiops_lsp.rules.team import TeamRules, load_team_rules

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.core.findings import Finding

PLAIN = """
id: no-print
language: Python
message: Use the logger
note: |
  Standard output belongs
  to the protocol.
severity: warning
rule:
  pattern: print($$$ARGS)
constraints: {}
fix: log.info($$$ARGS)
"""
PLAIN = PLAIN.replace("constraints: {}\n", "")


def load(folder: Path, **files: str) -> TeamRules:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_team_rules(folder)


def review(rules: TeamRules, text: str, language: str = "python", path: str = "src/x.py") -> list[Finding]:
    options = RuleOptions(team_rules=rules.rules, path=path)
    return RuleEngine().review(Snapshot(f"file:///app/{path}", 1, language, text), options=options)


def test_a_plain_ast_grep_rule_works(tmp_path: Path) -> None:
    rules = load(tmp_path, rule=PLAIN)
    assert rules.problems == ()
    (finding,) = review(rules, "def f():\n    print('a', b)\n")
    assert (finding.code, finding.severity, finding.title) == ("no-print", Severity.MEDIUM, "Use the logger")
    assert finding.why == "Standard output belongs to the protocol."
    assert finding.symbol == "f"
    assert finding.fix is not None
    assert finding.fix.verified is False
    assert finding.fix.edits[0].new_text == "log.info('a', b)"


def test_constraints_utils_and_own_fields_count(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        rule="""
id: x
language: ts
severity: critical
category: security
title: A title
why: A reason.
trigger: A case.
rule: {matches: call}
utils: {call: {pattern: danger($A)}}
constraints: {A: {kind: identifier}}
""",
    )
    (finding,) = review(rules, "danger(1); danger(a);", "typescript")
    assert (finding.evidence, finding.severity, finding.category.value) == ("danger(a)", Severity.CRITICAL, "security")
    assert (finding.title, finding.why, finding.trigger) == ("A title", "A reason.", "A case.")


def test_many_documents_folders_and_overlapping_rules(tmp_path: Path) -> None:
    other = PLAIN.replace("no-print", "no-print-2").replace("warning", "hint")
    rules = load(tmp_path, a__one=f"{PLAIN}\n---\n{other}", b=PLAIN.replace("no-print", "third"))
    assert [rule.id for rule in rules.rules] == ["third", "no-print", "no-print-2"]
    assert len(review(rules, "print(1)\n")) == 3


def test_off_and_globs(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        off=PLAIN.replace("warning", "off"),
        globs=PLAIN + "files: ['./src/**']\nignores: ['src/old/**']\n",
    )
    assert rules.problems == ()
    assert len(review(rules, "print(1)\n", path="src/x.py")) == 1
    assert review(rules, "print(1)\n", path="src/old/x.py") == []
    assert review(rules, "print(1)\n", path="lib/x.py") == []


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [", "rule.yml:1", "not YAML"),
        (
            f"{PLAIN}\n---\n{PLAIN.replace('pattern: print($$$ARGS)', 'kind: nope')}",
            "rule.yml:15",
            "Kind `nope` is invalid",
        ),
        (PLAIN.replace("Python", "Klingon"), "rule.yml:2", "language 'Klingon' is none of"),
        (PLAIN.replace("warning", "loud"), "rule.yml:2", "severity 'loud' is none of"),
        (PLAIN.replace("rule:\n", "rool:\n"), "rule.yml:2", "field 'rule' is missing"),
        (PLAIN.replace("id: no-print", "id: 3"), "rule.yml:2", "'id' must be text"),
        (PLAIN + "category: style\n", "rule.yml:2", "category 'style' is none of"),
        (PLAIN + "confidence: lots\n", "rule.yml:2", "from 0 to 100"),
        (PLAIN + "files: 3\n", "rule.yml:2", "list of globs"),
        ("- a\n- b\n", "rule.yml:1", "a rule is a mapping"),
        (PLAIN.replace("pattern: print($$$ARGS)", "regex: '('"), "rule.yml:2", "unclosed group"),
        (
            PLAIN.replace("pattern: print($$$ARGS)", "not: " + "{not: " * 80 + "{kind: call}" + "}" * 80),
            "rule.yml:2",
            "levels deep",
        ),
        ("!!python/object/apply:os.system [ls]", "rule.yml:1", "could not determine a constructor"),
    ],
)
def test_a_wrong_rule_is_named_and_the_rest_runs(tmp_path: Path, text: str, place: str, words: str) -> None:
    rules = load(tmp_path, rule=text, zgood=PLAIN.replace("no-print", "good"))
    (problem,) = rules.problems
    assert problem.startswith(f"{place}: ")
    assert words in problem
    assert "good" in [rule.id for rule in rules.rules]


def test_aliases_that_grow_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    rules = load(tmp_path, bomb="\n".join(lines))
    assert "parts" in rules.problems[0]


def test_links_and_missing_folders(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text(PLAIN, encoding="utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "link.yml").symlink_to(outside)
    assert load_team_rules(folder) == TeamRules()
    assert "there is no such folder" in load_team_rules(tmp_path / "none").problems[0]


def test_signs_that_crash_a_grammar_meet_a_rule(tmp_path: Path) -> None:
    """Bash's scanner reads beyond its tables on some of these, which ends the process."""
    rules = load(tmp_path, shell="id: no-eval\nlanguage: Bash\nmessage: No\nrule:\n  pattern: eval $A\n").rules
    text = "".join(f"echo ${{{chr(code)}}}\n" for code in (0xF0A62, 0xE8129, 0x9E82A, 0x10FFFF)) + "eval x\n"
    (found,) = RuleEngine().review(
        Snapshot("file:///a.sh", 1, "shellscript", text), options=RuleOptions(team_rules=rules)
    )
    assert (found.code.rpartition("/")[2], found.range.start.line) == ("no-eval", 4)
