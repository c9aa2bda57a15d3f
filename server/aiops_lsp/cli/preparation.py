"""What a run works with: settings fitted to the command line, and each project's folder."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from aiops_lsp.core.findings import Severity
from aiops_lsp.engine.baseline import read_baseline
from aiops_lsp.engine.host import Folder
from aiops_lsp.settings.folders import state_dir
from aiops_lsp.settings.options import VENDOR_VARIABLES, Models
from aiops_lsp.store.decisions import Decisions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiops_lsp.cli.project import ProjectSettings
    from aiops_lsp.engine.baseline import Baseline
    from aiops_lsp.settings import Settings


_NONE: frozenset[str] = frozenset()


class Preparation:
    """Settings and folders of one run.

    Nothing is sent by itself: a file is put to a model only by asking for it. With `offline` no provider is known and
    no key looked up. `fail_on` is a severity that has to be seen to fail on it. `problems` gathers what the user should
    know of the projects' files.
    """

    def __init__(self, projects: ProjectSettings, *, offline: bool, fail_on: str) -> None:
        self._projects = projects
        self._offline = offline
        self._fail_on = Severity(fail_on)
        self.problems: list[str] = []
        self._baseline = cache(self._read_baseline)
        self._fitted_for = cache(self._fit)
        self._allowed_hosts = cache(self._read_allowed_hosts)
        self.settings = self._fitted(projects.of(None), frozenset())
        vendors_keys = {key for key, _ in VENDOR_VARIABLES.values()} if offline else set()
        self.environ: Mapping[str, str] = {
            name: value for name, value in os.environ.items() if name not in vendors_keys
        }

    def folder(self, path: Path, root: Path, *, with_baseline: bool) -> Folder:
        """The folder at `root` for the file `path`; without its baseline every finding shows."""
        return Folder(root, self._fitted_for(root), baseline=self._baselined(path, root) if with_baseline else _NONE)

    def folder_in_editor(self, path: Path, root: Path) -> Folder:
        """The same as an editor has it: reviews begin by themselves."""
        settings = _with_hosts(self._projects.of(root), self._allowed_hosts(root))
        return Folder(root, settings, baseline=self._baselined(path, root))

    def allowed_hosts(self, root: Path) -> tuple[str, ...]:
        """The hosts that may receive source from the project at `root`, each once."""
        return tuple(dict.fromkeys((*self._projects.of(root).privacy.allow_hosts, *sorted(self._allowed_hosts(root)))))

    def _baselined(self, path: Path, root: Path) -> frozenset[str]:
        real = path.resolve()
        return self._baseline(root).ids_in(real.relative_to(root).as_posix()) if real.is_relative_to(root) else _NONE

    def _read_baseline(self, root: Path) -> Baseline:
        baseline = read_baseline(root)
        if baseline.problem:
            self.problems.append(baseline.problem)
        return baseline

    def _fit(self, root: Path) -> Settings:
        return self._fitted(self._projects.of(root), self._allowed_hosts(root))

    def _fitted(self, settings: Settings, allowed: frozenset[str]) -> Settings:
        review = settings.review
        lowest = min(Severity(review.min_severity), self._fail_on, key=lambda severity: severity.rank)
        changes: dict[str, object] = {
            "review": review.model_copy(
                update={
                    "trigger": "manual",
                    "scope": "file",
                    "min_severity": lowest.value,
                    "enabled": review.enabled and not self._offline,
                }
            ),
        }
        if self._offline:
            changes |= {"models": Models(), "providers": {}}
        return _with_hosts(settings.model_copy(update=changes), allowed)

    def _read_allowed_hosts(self, root: Path) -> frozenset[str]:
        """The hosts that were allowed with `aiops-lsp allow` or in an editor."""
        if self._offline:
            return frozenset()
        decisions = Decisions(state_dir(), time.time)
        try:
            return frozenset(one.host for one in decisions.allowed_hosts() if one.workspace in (None, str(root)))
        finally:
            decisions.close()


def _with_hosts(settings: Settings, hosts: frozenset[str]) -> Settings:
    privacy = settings.privacy
    allowed = privacy.model_copy(update={"allow_hosts": (*privacy.allow_hosts, *sorted(hosts))})
    return settings.model_copy(update={"privacy": allowed})
