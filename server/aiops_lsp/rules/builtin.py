"""The rules that no pattern can express: they are code, and have a page like the others."""

from __future__ import annotations

from dataclasses import replace

from aiops_lsp.core.findings import Category, Severity
from aiops_lsp.rules.rule import Rule

SECRET = Rule(
    id="any/secret",
    languages=(),
    config={"rule": {}},
    category=Category.SECURITY,
    severity=Severity.HIGH,
    confidence=90,
    title="A secret stands in this file",
    why=(
        "Whoever can read the file, its history or a build made from it can use the secret, and taking it out later "
        "does not take it out of the history. Load it from the environment or a secret store, and replace it at its "
        "issuer."
    ),
    trigger="The repository is shared, forked or leaked, or the file is part of a build that is handed out.",
    cwe=798,
)
PASSWORD = Rule(
    id="any/hardcoded-password",
    languages=(),
    config={"rule": {}},
    category=Category.SECURITY,
    severity=Severity.HIGH,
    confidence=82,
    title="A password or key is written into the code",
    why=(
        "The value looks like a real credential beside a name that says so. It is the same in every installation, is "
        "known to everyone who can read the code, and cannot be changed without a release. Read it from the "
        "environment or a secret store."
    ),
    trigger="Someone with read access to the code uses the value against a running installation.",
    cwe=798,
    in_tests=False,
    references=("ruff S105", "ruff S106", "ruff S107"),
)
# Beside a telling name in Python and in `.env` files stands a password as a rule. Elsewhere, in code and configuration
# that this was not tuned on, most such values were public keys, those of tests, defaults of examples and names.
PASSWORD_ELSEWHERE = replace(PASSWORD, confidence=70)
REVIEWER_ADDRESSED = Rule(
    id="any/reviewer-addressed",
    languages=(),
    config={"rule": {}},
    category=Category.SECURITY,
    severity=Severity.MEDIUM,
    confidence=85,
    title="A comment tries to steer the reviewer",
    why=(
        "This comment speaks to an automated reviewer or language model, as those do that want something overlooked. "
        "It has no effect here, but it may elsewhere, and sound code needs no such comment: see what it covers."
    ),
    trigger="A review by a tool that obeys text in the code passes over a defect beside this comment.",
    cwe=1427,
)

BUILTIN_RULES = (SECRET, PASSWORD, REVIEWER_ADDRESSED)
BUILTIN_IDS = frozenset(rule.id for rule in BUILTIN_RULES)
