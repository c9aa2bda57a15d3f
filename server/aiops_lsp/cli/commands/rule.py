"""`aiops-lsp rule`: the page of an offline rule, or the list of all."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import open_console
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.rules.pages import all_rules, find_rule, page

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Print a rule's page (formatted on a terminal, else as Markdown), or the list of rules."""
    if options.id is None:
        _print_list()
        return 0
    rule = find_rule(options.id)
    if rule is None:
        near = get_close_matches(options.id.lower(), [known.id for known in all_rules()], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`aiops-lsp rule` lists them"
        raise CouldNotRun(f"there is no rule {options.id!r}; {hint}")
    console = open_console()
    if not console.is_terminal:
        sys.stdout.write(page(rule))
        return 0
    from rich.markdown import Markdown  # noqa: PLC0415 - only for a terminal

    console.print(Markdown(page(rule), code_theme="ansi_dark"), width=min(console.width, 100))
    return 0


def _print_list() -> None:
    from rich.table import Table  # noqa: PLC0415

    console = open_console()
    if not console.is_terminal:
        for rule in all_rules():
            sys.stdout.write(f"{rule.id}\t{rule.severity}\t{rule.category}\t{rule.title}\n")
        return
    table = Table("Rule", "Severity", "Kind", "What it finds", box=None, header_style="bold", pad_edge=False)
    for rule in all_rules():
        table.add_row(rule.id, rule.severity.value, rule.category.value, rule.title)
    console.print(table)
