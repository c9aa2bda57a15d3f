from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page of a listing. `number` counts from 1."""

    items: Sequence[Any]
    number: int
    pages: int

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.pages


def paginate(items: Sequence[Any], number: int, size: int = 20) -> Page:
    """Page `number` of `items`. A number beyond either end gives the nearest page; no items are one empty page."""
    if size < 1:
        raise ValueError("size must be positive")
    pages = len(items) // size + 1
    number = min(max(number, 1), pages)
    start = (number - 1) * size
    return Page(items[start : start + size], number, pages)
