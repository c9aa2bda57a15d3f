"""What the user's settings say about rules, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lsp.rules.rule import Rule

_NONE: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class RuleOptions:
    """Which rules run on a document, and how severe they are.

    `severity` maps a rule's id, or a group of ids such as `py/*`, to `critical`, `high`, `medium`, `low` or `off`;
    the exact id wins. `disabled` are ids or groups that do not run. `paths` maps an id or group to the only files it
    runs on, as `.gitignore` writes globs, compared with `path`, the document's path relative to its workspace with
    `/` between names (empty: unknown, then globs do not restrict). `left_to_others` holds other tools' codes, such as
    ruff's `B006`, that the user already sees: rules that say the same are left out. `redact_patterns` are the user's
    own secrets. `team_rules` come from `load_team_rules`.
    """

    severity: Mapping[str, str] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    path: str = ""
    left_to_others: frozenset[str] = frozenset()
    redact_patterns: tuple[str, ...] = ()
    team_rules: tuple[Rule, ...] = ()
