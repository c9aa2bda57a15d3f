"""A process that spends as fast as it can, to be killed at any moment: `python -m tests.support.ledger_process`.

It plays server and provider: before it books a request it appends what the provider bills for it to a file of its
own (its hard cap beside it, and whether it tells), so that the sum over all processes, dead ones included, is what was
truly billed.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from aiops_lsp.store.ledger import Ledger, Limits, Reservation, ReservationRequest

NOON = 1_795_348_800.0
EXPIRES_IN = 60.0


def spend(folder: Path, seed: int, limit: int, bills_up_to: int) -> None:
    """Reserve, bill and settle until the budget is spent. A bill is up to `bills_up_to` times the hard cap."""
    chance = random.Random(seed)
    ledger = Ledger.open(folder, lambda: NOON, utc_offset=lambda _moment: 0.0, busy_seconds=60.0)
    limits = Limits(daily_tokens=limit, monthly_micro_usd=limit)
    bills = os.open(folder / f"bills.{seed}", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    refused = 0
    while refused < 200:
        hard = chance.randint(1, 60)
        request = ReservationRequest(hard // 3, hard // 3, hard, hard, model="m", tier="simple", expires_in=EXPIRES_IN)
        answer = ledger.reserve(request, limits)
        if not isinstance(answer, Reservation):
            refused += 1
            continue
        settle(ledger, answer, bills, chance, bills_up_to)
    ledger.close()


def settle(ledger: Ledger, reservation: Reservation, bills: int, chance: random.Random, bills_up_to: int) -> None:
    fate = chance.random()
    if fate < 0.1:
        ledger.release(reservation)
        return
    bill = chance.randint(0, reservation.request.hard_tokens * bills_up_to)
    told = fate >= 0.2
    os.write(bills, f"{bill} {reservation.request.hard_tokens} {int(told)}\n".encode())
    if not told:
        ledger.commit_in_full(reservation)
    else:
        ledger.commit(reservation, input_tokens=bill, output_tokens=0, micro_usd=bill)


if __name__ == "__main__":
    spend(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:5]))
