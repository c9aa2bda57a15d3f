import csv
import io
from collections import defaultdict
from decimal import Decimal


def totals_by_customer(text: str) -> dict[str, Decimal]:
    """The sum of paid and refunded amounts of each customer in a CSV export.

    Columns are customer, kind (payment or refund) and amount, which is never negative. Refunds are subtracted.
    """
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in csv.DictReader(io.StringIO(text)):
        amount = Decimal(row["amount"].strip())
        if row["kind"] == "refund":
            amount = -amount
        totals[row["customer"]] += amount
    return dict(totals)


def debtors(totals: dict[str, Decimal], limit: int = 10) -> list[str]:
    """The customers whose total is negative, the lowest total first, at most `limit`."""
    owing = [name for name, total in totals.items() if total < 0]
    return sorted(owing, key=lambda name: totals[name])[:limit]
