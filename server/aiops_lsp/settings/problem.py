"""What is wrong with an option or a configuration file, in words that tell the user what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was not applied. `where` names file, variable or option; `hint`, perhaps empty, what to do.

    None of the three ever holds a value that may be a secret.
    """

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {_sentence(self.what)}" + (f" {_sentence(self.hint)}" if self.hint else "")


def _sentence(words: str) -> str:
    return words if words.endswith(("?", ".")) else words + "."
