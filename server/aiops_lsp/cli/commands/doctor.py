"""`aiops-lsp doctor`: how everything is set up, or what would become of a file and why."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from aiops_lsp import __version__
from aiops_lsp.cli.commands.usage import print_spend, read_report
from aiops_lsp.cli.console import counted, neutral, open_console, print_line, print_prose, prose
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.logs import keep_logs
from aiops_lsp.cli.preparation import Preparation
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.cli.targets import shown_path
from aiops_lsp.core.routing import Tier
from aiops_lsp.engine.files import PLAIN_TEXT, language_of_file, read_document
from aiops_lsp.engine.models import ModelPool
from aiops_lsp.engine.workspace import UnreadableFile, find_root
from aiops_lsp.llm.client import ModelName, Usage
from aiops_lsp.llm.prices import NoPrice, PriceTable
from aiops_lsp.settings.folders import cache_dir, config_file, state_dir
from aiops_lsp.store.cache import ResultCache
from aiops_lsp.store.database import StoreUnavailable

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

    from aiops_lsp.cli.explanation import ExplainedRegion, Explanation
    from aiops_lsp.engine.models import Route
    from aiops_lsp.settings import Settings

_LABEL = 12
_MILLION = 1_000_000
_FEW_TOKENS = 1000


def run(options: argparse.Namespace) -> int:
    """Print what is set up, or explain one file. Always 0 unless the file cannot be read."""
    projects = ProjectSettings()
    keep_logs(projects.of(None))
    console = open_console()
    if options.path is None:
        _print_setup(console, projects)
    else:
        _print_file(console, projects, Path(os.path.abspath(options.path)))  # noqa: PTH100 - keeps links
    return 0


class _Report:
    """Lines of the form `Label  fact`, grouped under headings."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def heading(self, text: str) -> None:
        self.console.print()
        print_line(self.console, (text, "bold underline"))

    def good(self, label: str, fact: str) -> None:
        self._line(label, fact, "green")

    def plain(self, label: str, fact: str) -> None:
        self._line(label, fact, "")

    def bad(self, label: str, fact: str) -> None:
        self._line(label, fact, "yellow")

    def _line(self, label: str, fact: str, style: str) -> None:
        name = Text(f"{neutral(label):<{_LABEL}}  ", "bold")
        print_prose(self.console, prose(fact), indent=2, style=style, label=name)


def _print_setup(console: Console, projects: ProjectSettings) -> None:
    root = find_root(Path.cwd())
    settings = projects.of(root)
    report = _Report(console)
    print_line(
        console,
        (f"aiops-lsp {__version__}", "bold"),
        f"  Python {platform.python_version()} on {platform.system()} {platform.machine()}",
    )
    _report_folders(report, root)
    _report_models(report, settings)
    _report_hosts(report, projects, root)
    _report_stores(report, settings)
    _report_tools(report, settings)
    _report_settings(report, projects, settings)


def _report_folders(report: _Report, root: Path) -> None:
    report.heading("Folders")
    report.plain("Project", str(root))
    found = config_file()
    report.plain("User file", f"{found}{'' if found.exists() else ' (there is none)'}")
    for label, folder in (("State", state_dir()), ("Cache", cache_dir())):
        problem = _why_not_writable(folder)
        if problem:
            report.bad(label, f"{folder}: {problem}")
        else:
            report.plain(label, str(folder))


def _why_not_writable(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return f"{existing} is no folder"
    if not os.access(existing, os.W_OK):
        return "cannot be written"
    return ""


def _report_models(report: _Report, settings: Settings) -> None:
    pool = ModelPool.find(settings, os.environ)
    prices = PriceTable(settings.prices)
    report.heading("Models")
    if not pool.usable:
        report.bad("None", f"{pool.problem}; the offline rules review")
    for route in pool.routes.values():
        if route.problem:
            report.bad(route.provider, route.problem)
        else:
            key = f"key from {route.key_source}" if route.key else "no key needed"
            report.good(route.provider, f"{route.host}, {key}")
    for tier in Tier:
        for model in pool.chain(tier):
            name = ModelName.parse(model)
            report.plain(tier.value, f"{model}: {_price(name, pool.routes[name.provider], prices)}")


def _price(model: ModelName, route: Route, prices: PriceTable) -> str:
    def per_million(usage: Usage) -> float:
        return prices.billed(model, usage, loopback=route.loopback) / usage.total_tokens

    try:  # of few tokens: a million at once may cost more each
        given, taken = per_million(Usage(_FEW_TOKENS, 0)), per_million(Usage(0, _FEW_TOKENS))
    except NoPrice as problem:
        return f"{problem}"
    if not given and not taken:
        return "costs nothing"
    return f"{given:,.2f} USD in, {taken:,.2f} USD out per million tokens"


def _report_hosts(report: _Report, projects: ProjectSettings, root: Path) -> None:
    report.heading("Hosts that may receive source from here")
    hosts = Preparation(projects, offline=False, fail_on="medium").allowed_hosts(root)
    for host in hosts:
        report.good("allowed", host)
    if not hosts:
        report.plain("none", "editors ask; on the command line: aiops-lsp allow HOST")


def _report_stores(report: _Report, settings: Settings) -> None:
    report.heading("Budget and cache")
    try:
        print_spend(read_report(settings, 1).spend, report.console, indent=2)
    except StoreUnavailable as problem:
        report.bad("Ledger", f"{problem}. Nothing paid is sent.")
    cache = ResultCache.open(cache_dir(), settings.cache.size_limit_mb * _MILLION)
    try:
        stats = cache.stats()
    finally:
        cache.close()
    if stats.problem:
        report.bad("Cache", stats.problem)
    else:
        report.plain("Cache", f"{stats.entries:,} results, {stats.bytes / _MILLION:,.1f} MB")


def _report_tools(report: _Report, settings: Settings) -> None:
    report.heading("Tools")
    for name, missing in (
        ("git", "not found: what has changed cannot be told, so only what you edit is sent"),
        ("ruff", "not found: Python is reviewed without its rules"),
    ):
        found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
        if found is None:
            report.bad(name, missing)
        else:
            off = name == "ruff" and settings.rules.ruff == "off"
            report.plain(name, f"{found}{' (switched off by rules.ruff)' if off else ''}")


def _report_settings(report: _Report, projects: ProjectSettings, settings: Settings) -> None:
    if settings.restricted_by:
        report.heading("Restricted by the repository")
        for text in settings.restricted_by:
            print_prose(report.console, prose(text), indent=2)
    report.heading("Settings")
    if not projects.problems:
        report.good("no problems", "`aiops-lsp config show` prints what holds")
    for problem in projects.problems:
        print_prose(report.console, prose(str(problem)), indent=2, style="yellow")


def _print_file(console: Console, projects: ProjectSettings, path: Path) -> None:
    if not os.path.lexists(path):
        raise CouldNotRun(f"there is no file {path}")
    if path.is_dir():
        raise CouldNotRun(f"{path} is a folder; name a file, or leave it out to see what is set up")
    shown = neutral(shown_path(path))
    preparation = Preparation(projects, offline=False, fail_on="medium")
    folder = preparation.folder_in_editor(path, find_root(path))
    try:
        document = read_document(path, language_of_file(path) or PLAIN_TEXT)
    except UnreadableFile as problem:
        print_line(console, (shown, "bold"), f" {problem}, so it is not reviewed at all.")
        return
    from aiops_lsp.cli.explanation import explain  # noqa: PLC0415 - the whole engine, for this one

    explanation = asyncio.run(explain(document, folder, projects.of(None), os.environ))
    _print_explanation(console, shown, explanation)
    projects.tell_problems()


def _print_explanation(console: Console, shown: str, explanation: Explanation) -> None:
    regions = explanation.regions
    facts = f"{explanation.language}, {counted(explanation.lines, 'line')}, {counted(len(regions), 'region')}"
    print_line(console, (shown, "bold"), f"  {neutral(facts)}")
    for problem in explanation.problems:
        print_prose(console, prose(problem), style="yellow")
    if explanation.note:
        print_prose(console, f"Not put to a model: {prose(explanation.note)}", style="yellow")
        return
    console.print()
    console.print(_region_table(regions))
    console.print()
    sent = [region for region in regions if region.would_send]
    tokens = sum(region.tokens or 0 for region in sent)
    if sent:
        print_prose(
            console,
            f"When saved, {len(sent)} of {len(regions)} regions would be sent, about {tokens:,} tokens of code.",
        )
    else:
        print_prose(console, "When saved, nothing would be sent. The offline rules review all of it.")


def _region_table(regions: tuple[ExplainedRegion, ...]) -> Table:
    table = Table(box=None, header_style="bold cyan", pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("Lines", "Region", "Tier", "Tokens", "When saved"):
        table.add_column(name, justify="right" if name == "Tokens" else "left", overflow="fold")
    for one in regions:
        region = one.region
        kind = region.kind.value.replace("_", " ")
        table.add_row(
            f"{region.start_line + 1}-{region.end_line}",
            Text.assemble(neutral(region.symbol) or "top level", (f" ({kind})", "dim")),
            Text.assemble(one.tier.value, (f": {one.tier_why}", "dim")),
            "" if one.tokens is None else f"{one.tokens:,}",
            Text(prose(one.verdict), "green" if one.would_send else ""),
        )
    return table
