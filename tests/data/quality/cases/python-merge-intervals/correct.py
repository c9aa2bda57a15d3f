from collections.abc import Iterable

Interval = tuple[int, int]


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of half-open intervals, as disjoint ones in ascending order. Those that touch become one."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def free_slots(busy: Iterable[Interval], day: Interval) -> list[Interval]:
    """What `busy` leaves of `day`, in ascending order."""
    slots = []
    cursor, closing = day
    for start, end in merge(busy):
        if cursor < min(start, closing):
            slots.append((cursor, min(start, closing)))
        cursor = max(cursor, end)
    if cursor < closing:
        slots.append((cursor, closing))
    return slots
