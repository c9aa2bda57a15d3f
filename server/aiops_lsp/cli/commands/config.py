"""`aiops-lsp config`: the settings that hold in the current folder, or the schema of the configuration file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import neutral
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.engine.workspace import find_root
from aiops_lsp.settings.describe import schema, show

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Print the settings as TOML with their origins, or the JSON schema. What was not applied goes to stderr."""
    if options.action == "schema":
        sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
        return 0
    projects = ProjectSettings()
    shown = show(projects.of(find_root(Path.cwd())))
    sys.stdout.write("".join(f"{neutral(line, keep_tabs=True)}\n" for line in shown.split("\n")[:-1]))
    projects.tell_problems()
    return 0
