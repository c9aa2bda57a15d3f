"""Regular expressions of rules, which are mostly asked whether they occur in a text at all.

That is put to the regex crate, whose engine searches for all alternatives at once and never goes back: on a text of
2,600 lines it takes some 10 us where `re` takes 50 to 30,000. It is reached through pydantic's check of a string's
pattern (https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.regex_engine), which is here anyway.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MEANS_ANOTHER_THING = re.compile(r"\$|\\[AZzN]|\(\?[a-zA-Z]*[xLau]|\(\?#|(?<!\\)\[(?:\\.|[^\]\\])*(?:\[|&&|--|~~)|\{,")
"""What the two engines may read in different ways, or only one of them: ends of texts, flags, sets within sets."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class Expression:
    """A regular expression as `re` writes them. Raises `re.error` for what is none."""

    def __init__(self, source: str) -> None:
        self._pattern = re.compile(source)

    @classmethod
    def of_words(cls, words: Iterable[str]) -> Expression:
        """The expression that occurs where one of `words` does."""
        return cls("|".join(map(re.escape, words)))

    def occurs_in(self, text: str) -> bool:
        """Whether some part of `text` matches."""
        if self._quick is not None and self._quick(text):
            return True
        # What cannot be encoded is refused like what does not match.
        if self._quick is None or (not text.isascii() and _SURROGATE.search(text) is not None):
            return self._pattern.search(text) is not None
        return False

    def starts(self, text: str) -> Iterator[int]:
        """The offsets at which parts of `text` that match begin, also within one that began before."""
        found = self._pattern.search(text)
        while found is not None:
            yield found.start()
            found = self._pattern.search(text, found.start() + 1)

    @cached_property
    def _quick(self) -> Callable[[str], bool] | None:
        from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415  # settings have it by then

        if _MEANS_ANOTHER_THING.search(self._pattern.pattern) is not None:
            return None
        try:
            return SchemaValidator(core_schema.str_schema(pattern=self._pattern.pattern)).isinstance_python
        except SchemaError:  # it looks around or back, which only `re` can
            return None
