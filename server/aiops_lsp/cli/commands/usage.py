"""`aiops-lsp usage`: what was spent, on what, and what the cache saved."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from aiops_lsp.cli.console import counted, neutral, open_console, print_prose
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.engine.governor import budgets
from aiops_lsp.engine.host import Spend
from aiops_lsp.settings.folders import state_dir
from aiops_lsp.store.database import StoreUnavailable
from aiops_lsp.store.ledger import Ledger

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console

    from aiops_lsp.settings import Settings
    from aiops_lsp.store.ledger_usage import SavedRow, UsageRow

_MICRO = 1_000_000
_WARNING_LEVEL = 0.8
_GAUGE_CELLS = 16
_NAME_CELLS = 14
_ROWS = 15
_NUMBERS_WIDTH = 52


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What the ledger says about the last `days` local days."""

    days: int
    spend: Spend
    usage: Sequence[UsageRow]
    saved: Sequence[SavedRow]


@dataclass(frozen=True, slots=True)
class _Sum:
    """Rows together. `requests` is 0 for what was saved."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, row: UsageRow | SavedRow) -> _Sum:
        requests = getattr(row, "requests", 0)
        return _Sum(self.requests + requests, self.tokens + row.tokens, self.usd + row.micro_usd / _MICRO)


def run(options: argparse.Namespace) -> int:
    """Print the report as tables, or as JSON in the form of the request `aiops/usage`."""
    settings = ProjectSettings().of(None)
    try:
        report = read_report(settings, options.days)
    except StoreUnavailable as problem:
        raise CouldNotRun(str(problem)) from problem
    if options.json:
        sys.stdout.write(json.dumps(asdict(report) | {"spend": report.spend._asdict()}, indent=2) + "\n")
    else:
        print_report(report, open_console())
    return 0


def read_report(settings: Settings, days: int) -> UsageReport:
    """Read the ledger. Raises StoreUnavailable, in words."""
    ledger = Ledger.open(state_dir(), time.time)
    try:
        limits, _ = budgets(settings)
        spend = ledger.spend(limits)
        saved = ledger.saved(days)
        today = [row for row in saved if row.day == spend.day.label]
        return UsageReport(
            days=days,
            spend=Spend(
                today_tokens=spend.day.tokens + spend.day.reserved_tokens,
                today_usd=(spend.day.micro_usd + spend.day.reserved_micro_usd) / _MICRO,
                month_usd=(spend.month.micro_usd + spend.month.reserved_micro_usd) / _MICRO,
                daily_token_budget=settings.budget.daily_token_budget,
                monthly_cost_limit=settings.budget.monthly_cost_limit,
                saved_tokens=sum(row.tokens for row in today),
                saved_usd=sum(row.micro_usd for row in today) / _MICRO,
                day_resets_at=spend.day.resets_at,
                month_resets_at=spend.month.resets_at,
            ),
            usage=ledger.usage(days),
            saved=saved,
        )
    finally:
        ledger.close()


def print_report(report: UsageReport, console: Console) -> None:
    """The limits first, then where it went."""
    print_spend(report.spend, console)
    console.print()
    if not report.usage and not report.saved:
        print_prose(console, f"No model was asked in the last {counted(report.days, 'day')}.")
        return
    width = _name_width(report, console)
    _print_days(report, console, width)
    projects = _names(row.project for row in report.usage)
    for heading, key in (
        ("Model", lambda row: row.model),
        ("Tier", lambda row: row.tier),
        ("Project", lambda row: projects[row.project]),
        ("Language", lambda row: row.language),
    ):
        console.print()
        _print_by(heading, key, report.usage, console, width)
    console.print()
    print_prose(console, _totals(report), style="bold")


def print_spend(spend: Spend, console: Console, *, indent: int = 0) -> None:
    """Today and this month against the limits."""
    _print_gauge(
        console,
        "Today",
        f"{spend.today_tokens:,} of {spend.daily_token_budget:,} tokens, {spend.today_usd:,.2f} USD",
        _part(spend.today_tokens, spend.daily_token_budget),
        spend.day_resets_at,
        indent,
    )
    _print_gauge(
        console,
        "This month",
        f"{spend.month_usd:,.2f} of {spend.monthly_cost_limit:,.2f} USD",
        _part(spend.month_usd, spend.monthly_cost_limit),
        spend.month_resets_at,
        indent,
    )


def _print_gauge(console: Console, name: str, words: str, part: float, resets_at: float, indent: int) -> None:
    full = min(_GAUGE_CELLS, max(round(part * _GAUGE_CELLS), part > 0))
    style = "red" if part >= 1 else "yellow" if part >= _WARNING_LEVEL else "green"
    gauge = Text.assemble(
        (f"{name:<{_NAME_CELLS}}", "bold"),
        ("█" * full, style),
        ("░" * (_GAUGE_CELLS - full), "dim"),
        f" {part:>4.0%}  ",
    )
    resets = datetime.fromtimestamp(resets_at, UTC).astimezone().strftime("%b %d %H:%M")
    print_prose(console, Text.assemble(words, (f", until {resets}", "dim")), indent=indent, label=gauge)


def _part(spent: float, limit: float) -> float:
    if limit > 0:
        return spent / limit
    return 1.0


def _print_days(report: UsageReport, console: Console, width: int) -> None:
    table = _table(width, "Day", "Requests", "Tokens", "USD", "Saved", "Saved USD")
    saved = _sums(report.saved, lambda row: row.day)
    used = _sums(report.usage, lambda row: row.day)
    days = sorted({*saved, *used}, reverse=True)
    for day in days[:_ROWS]:
        spent, spared = used.get(day, _Sum()), saved.get(day, _Sum())
        table.add_row(day, *_amounts(spent), f"{spared.tokens:,}", f"{spared.usd:,.4f}")
    console.print(table)
    if len(days) > _ROWS:
        print_prose(console, f"... and {counted(len(days) - _ROWS, 'day')} before; --json has all.", style="dim")


def _print_by(
    heading: str, key: Callable[[UsageRow], str], rows: Sequence[UsageRow], console: Console, width: int
) -> None:
    table = _table(width, heading, "Requests", "Tokens", "USD", "Share")
    sums = sorted(_sums(rows, key).items(), key=lambda item: (-item[1].usd, -item[1].tokens, item[0]))
    cost, tokens = sum(one.usd for _, one in sums), sum(one.tokens for _, one in sums)
    for name, one in sums[:_ROWS]:
        share = one.usd / cost if cost else _part(one.tokens, tokens)
        table.add_row(neutral(name), *_amounts(one), f"{share:.0%}")
    console.print(table)


def _amounts(one: _Sum) -> tuple[str, str, str]:
    return f"{one.requests:,}", f"{one.tokens:,}", f"{one.usd:,.4f}"


def _sums(rows: Iterable[UsageRow] | Iterable[SavedRow], key: Callable[[Any], str]) -> dict[str, _Sum]:
    """What rows with the same key come to together."""
    sums: dict[str, _Sum] = {}
    for row in rows:
        sums[key(row)] = sums.get(key(row), _Sum()) + row
    return sums


def _totals(report: UsageReport) -> str:
    tokens = sum(row.tokens for row in report.usage)
    usd = sum(row.micro_usd for row in report.usage) / _MICRO
    spared = sum(row.tokens for row in report.saved)
    spared_usd = sum(row.micro_usd for row in report.saved) / _MICRO
    return (
        f"In {counted(report.days, 'day')}: {tokens:,} tokens and {usd:,.2f} USD spent; "
        f"the cache saved {spared:,} tokens and {spared_usd:,.2f} USD."
    )


def _names(projects: Iterable[str]) -> dict[str, str]:
    """What folders are called, by path: their names, with as many of those above as it takes to tell them apart."""
    paths = {project: PurePath(project) for project in projects}
    names = {}
    for project, path in paths.items():
        others = [other for other in paths.values() if other != path]
        parts = next(
            (part for part in _endings(path) if not any(part in _endings(other) for other in others)), path.parts
        )
        names[project] = str(PurePath(*parts)) if parts else "(no folder)"
    return names


def _endings(path: PurePath) -> list[tuple[str, ...]]:
    """The last name of a path, the last two, and so on."""
    return [path.parts[-count:] for count in range(1, len(path.parts) + 1)]


def _name_width(report: UsageReport, console: Console) -> int:
    """The width of every table's first column, so that the numbers stand below each other."""
    names = [name for row in report.usage for name in (row.model, row.language)]
    names += _names(row.project for row in report.usage).values()
    return min(max((cell_len(name) for name in names), default=0), max(12, console.width - _NUMBERS_WIDTH))


def _table(width: int, first: str, *numbers: str) -> Table:
    table = Table(box=None, header_style="bold cyan", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, min_width=width, max_width=width, overflow="fold")
    for name in numbers:
        width = 9 if name == "Tokens" else 8  # so that the columns of all tables stand below each other
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    return table
