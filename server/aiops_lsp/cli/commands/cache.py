"""`aiops-lsp cache`: how large the cache of results is, and emptying it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aiops_lsp.cli.console import counted, neutral
from aiops_lsp.cli.failure import CouldNotRun
from aiops_lsp.cli.project import ProjectSettings
from aiops_lsp.settings.folders import cache_dir
from aiops_lsp.store.cache import ResultCache

if TYPE_CHECKING:
    import argparse

_MEGABYTE = 1_000_000


def run(options: argparse.Namespace) -> int:
    """Print the size, or forget all results."""
    limit = ProjectSettings().of(None).cache.size_limit_mb
    cache = ResultCache.open(cache_dir(), limit * _MEGABYTE)
    try:
        if options.action == "clear":
            count = cache.clear()
            _refuse(cache)
            sys.stdout.write(f"Forgot {counted(count, 'result')}.\n")
            return 0
        _refuse(cache)
        stats = cache.stats()
        size = f"{stats.bytes / _MEGABYTE:,.1f} of at most {limit:,} MB"
        sys.stdout.write(f"{counted(stats.entries, 'result')}, {size}, in {neutral(str(cache_dir()))}\n")
        return 0
    finally:
        cache.close()


def _refuse(cache: ResultCache) -> None:
    if cache.problem:
        raise CouldNotRun(cache.problem)
