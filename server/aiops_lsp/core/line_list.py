"""A long list of lines in which replacing a few costs the same wherever they stand and however many there are."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 4096
"""Lines in a chunk when it is made. Moving so many pointers costs less than the rest of an edit, as does counting the
chunks of a document of 100,000 lines."""


class LineList:
    """Lines kept in chunks of `CHUNK // 4` to `2 * CHUNK`, so that an insertion at the top moves one chunk only.

    Never empty. Indices count from 0.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._chunks = _chunked(list(lines))
        self._count_starts()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> str:
        """The line at `index`. Raises IndexError outside 0 up to the number of lines."""
        if not 0 <= index < self._length:
            raise IndexError(f"line {index} of {self._length}")
        chunk, offset = self._find(index)
        return self._chunks[chunk][offset]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._chunks)

    def replace(self, start: int, stop: int, lines: list[str]) -> None:
        """Put `lines`, at least one, in the place of the lines from `start` up to and not including `stop`.

        `start` is below `stop`, and both lie in the list.
        """
        first, low = self._find(start)
        last, high = self._find(stop - 1)
        if first == last:
            chunk = self._chunks[first]
            chunk[low : high + 1] = lines
            if len(lines) == stop - start:
                return
        else:
            chunk = [*self._chunks[first][:low], *lines, *self._chunks[last][high + 1 :]]
            self._chunks[first : last + 1] = [chunk]
        self._balance(first)
        self._count_starts()

    def _find(self, index: int) -> tuple[int, int]:
        chunk = bisect_right(self._starts, index) - 1
        return chunk, index - self._starts[chunk]

    def _balance(self, index: int) -> None:
        """Join a chunk that has become too small to its neighbour, and cut one that has become too large."""
        size = len(self._chunks[index])
        if size > 2 * CHUNK:
            self._chunks[index : index + 1] = _chunked(self._chunks[index])
        elif size < CHUNK // 4 and len(self._chunks) > 1:
            index = max(0, index - 1)
            self._chunks[index : index + 2] = _chunked(self._chunks[index] + self._chunks[index + 1])

    def _count_starts(self) -> None:
        starts = list(accumulate(map(len, self._chunks), initial=0))
        self._length = starts.pop()
        self._starts = starts


def _chunked(lines: list[str]) -> list[list[str]]:
    """`lines` in chunks of about the same length, one that is not too large in one piece."""
    if len(lines) <= 2 * CHUNK:
        return [lines]
    pieces = -(-len(lines) // CHUNK)
    size = -(-len(lines) // pieces)
    return [lines[at : at + size] for at in range(0, len(lines), size)]
