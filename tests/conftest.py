"""What holds for every test: nothing of the user's own set-up is read, no log handler outlives its test, and no
property depends on how fast the machine is.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from aiops_lsp.observability.logs import DailyFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_KEPT = ("AIOPS_REQUIRE_EDITORS", "AIOPS_TEST_EDITORS", "AIOPS_TEST_PICTURES")


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No keys and settings from outside, and state, cache and configuration in the test's own folder."""
    for name in list(os.environ):
        if name.startswith(("AIOPS_", "OPENAI_", "ANTHROPIC_")) and name not in _KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AIOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AIOPS_CACHE_DIR", str(tmp_path / "cache"))
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, DailyFiles):
            root.removeHandler(handler)
            handler.close()
