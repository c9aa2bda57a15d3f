"""What is to be sent for a document, and what that has cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.allowance import Allowance
    from aiops_lsp.engine.changes import Hunk
    from aiops_lsp.engine.governor import Permit
    from aiops_lsp.engine.host import Folder
    from aiops_lsp.engine.models import ModelPool
    from aiops_lsp.engine.packing import Job


@dataclass(frozen=True, slots=True)
class Order:
    """What a request needs beside its regions.

    `wanted` says whether a job not sent yet still makes sense, `current` whether the settings that it was made with
    still hold: if not, nothing more may be sent for it. `stands` says whether a job's code is still that of an open
    document, as of its last look. `changes` are told to the model as far as there is room; what is found with their
    help is not cached. `allowance` is what the command that sends it may cost.
    """

    uri: str
    folder: Folder
    snapshot: Snapshot
    pool: ModelPool
    instructions: tuple[str, ...]
    answer_language: str
    wanted: Callable[[Job], bool]
    current: Callable[[], bool]
    stands: Callable[[Job], bool]
    changes: tuple[Hunk, ...] = ()
    allowance: Allowance | None = None


@dataclass(slots=True)
class Spent:
    """What an order has cost so far."""

    tokens: int = 0
    micro_usd: int = 0

    def add(self, permit: Permit) -> None:
        """Count a request that has ended, as it was booked: where nobody knows the bill, at what it may be at most."""
        self.tokens += permit.booked[0]
        self.micro_usd += permit.booked[1]
