"""Messages to the user, each cause at most once in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsprotocol import types

_MOST_CAUSES = 1000


class Messages:
    """Remembers what was said."""

    def __init__(self, say: Callable[[types.MessageType, str], None]) -> None:
        self._say = say
        self._causes: set[str] = set()

    def is_new(self, cause: str) -> bool:
        """True the first time that `cause` is asked about. After very many causes none is new."""
        if cause in self._causes or len(self._causes) >= _MOST_CAUSES:
            return False
        self._causes.add(cause)
        return True

    def once(self, cause: str, urgency: types.MessageType, text: str) -> None:
        """Show `text` unless something was shown for this cause."""
        if self.is_new(cause):
            self._say(urgency, text)
