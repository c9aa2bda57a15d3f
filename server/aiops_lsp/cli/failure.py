"""Why a command cannot run at all."""

from __future__ import annotations


class CouldNotRun(Exception):
    """The command cannot do what was asked. `str()` says in words what is wrong and what to do; the exit code is 2."""
