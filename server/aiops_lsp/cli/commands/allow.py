"""`aiops-lsp allow`: which hosts may receive source code."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import neutral, open_console, print_line, print_prose
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.engine.workspace import find_root
from aiops_lsp.llm.hosts import host_of
from aiops_lsp.settings.folders import state_dir
from aiops_lsp.store.database import StoreUnavailable
from aiops_lsp.store.decisions import Decisions

if TYPE_CHECKING:
    import argparse

_EVERYWHERE = "from everywhere"


def run(options: argparse.Namespace) -> int:
    """List what is allowed, allow a host here or everywhere, or take that back."""
    decisions = Decisions(state_dir(), time.time)
    try:
        if options.host is None:
            if options.everywhere or options.revoke:
                raise CouldNotRun("name the host, as in: aiops-lsp allow api.openai.com --everywhere")
            return _list(decisions)
        return _change(options, decisions)
    except StoreUnavailable as problem:
        raise CouldNotRun(str(problem)) from problem
    finally:
        decisions.close()


def _change(options: argparse.Namespace, decisions: Decisions) -> int:
    host = _host(options.host)
    workspace = None if options.everywhere else str(find_root(Path.cwd()))
    where = _EVERYWHERE if workspace is None else f"from {neutral(workspace)}"
    if options.revoke:
        if not decisions.revoke(host, workspace):
            raise CouldNotRun(f"{host} was not allowed {where}; `aiops-lsp allow` lists what is")
        sys.stdout.write(f"{host} may no longer receive source code {where}.\n")
        _warn_of_other_leave(host, decisions)
        return 0
    decisions.allow(host, workspace)
    sys.stdout.write(f"{host} may now receive source code {where}.\n")
    return 0


def _warn_of_other_leave(host: str, decisions: Decisions) -> None:
    if host in ProjectSettings().of(None).privacy.allow_hosts:
        sys.stdout.write("It is still allowed by privacy.allow_hosts in your configuration.\n")
    elif decisions.is_allowed(host, str(find_root(Path.cwd()))):
        sys.stdout.write("It is still allowed here; `aiops-lsp allow` lists how.\n")


def _list(decisions: Decisions) -> int:
    console = open_console()
    settings = ProjectSettings().of(None)
    for host in settings.privacy.allow_hosts:
        origin = settings.origins.get("privacy.allow_hosts", "")
        print_line(console, (neutral(host), "bold"), f"  {_EVERYWHERE}, by privacy.allow_hosts ({neutral(origin)})")
    allowed = decisions.allowed_hosts()
    if decisions.problem:
        raise CouldNotRun(decisions.problem)
    for one in allowed:
        where = _EVERYWHERE if one.workspace is None else f"from {neutral(one.workspace)}"
        since = datetime.fromtimestamp(one.allowed_at, UTC).astimezone().strftime("%Y-%m-%d")
        print_line(console, (neutral(one.host), "bold"), f"  {where}, since {since}")
    if not allowed and not settings.privacy.allow_hosts:
        print_prose(console, "No host may receive source code. To allow one here: aiops-lsp allow api.anthropic.com")
    return 0


def _host(text: str) -> str:
    """The bare host of a name or an address. Raises CouldNotRun for what is neither."""
    given = text.strip()
    try:
        host = host_of(given if "://" in given else f"https://{given}")
    except ValueError:
        host = ""
    if not host or any(character.isspace() or not character.isprintable() for character in host):
        raise CouldNotRun(f"{text!r} is not a host, as in api.openai.com")
    return host
