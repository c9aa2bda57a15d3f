"""Requests and answers as files, so that anyone can answer, and every run can be kept and replayed.

In a folder of transcripts, `requests` holds one text file for each request: the system message and the user message,
and nothing else. The answer to it is the file of the same name in `answers`. `calls` holds what a provider billed, for
runs that were recorded.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lsp.llm.client import ModelRequest

_DELIMITER = re.compile(r"=== ([0-9a-f]{16}) ")
_NO_DELIMITER = "0" * 16


@dataclass(frozen=True, slots=True)
class Call:
    """What one call took. Seconds are None where nobody measured them; `estimated` says that nobody counted tokens."""

    model: str
    purpose: str
    input_tokens: int
    output_tokens: int
    estimated: bool
    micro_usd: int = 0
    seconds: float | None = None
    first_seconds: float | None = None


class Transcripts:
    """One folder of them. `outdated` are the requests that were written with other instructions than those of today."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outdated: set[str] = set()

    def name(self, request: ModelRequest) -> str:
        """The name of a request's files: made of what is asked about, whatever its random delimiter.

        The instructions are no part of it, so that a request keeps its name when they change; `ask` compares them.
        """
        material = "\x1f".join((request.schema_name, with_delimiter(request.user)))
        return f"{hashlib.sha256(material.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.txt"

    def ask(self, request: ModelRequest, group: int = 0) -> str:
        """Write the request, unless it is there; in a folder of its own for each `group` but 0. Returns its name.

        The delimiter is replaced by the name, so that the file is the same each time.
        """
        name = self.name(request)
        user = with_delimiter(request.user, name.removesuffix(".txt"))
        text = f"##### system message #####\n{request.system}\n\n##### user message #####\n{user}\n"
        known = self._request_file(name)
        if known is None:
            folder = self.folder / "requests" / (f"batch-{group}" if group else "")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8", newline="\n")
        elif known.read_text("utf-8") != text:
            self.outdated.add(name)
        return name

    def answer(self, name: str) -> str | None:
        """The answer, if there is one."""
        try:
            text = (self.folder / "answers" / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        return text if text.strip() else None  # an empty file is one that is still being written

    def call(self, name: str) -> Call | None:
        """What the call was billed, if it was recorded."""
        try:
            return Call(**json.loads((self.folder / "calls" / f"{name.removesuffix('.txt')}.json").read_text("utf-8")))
        except FileNotFoundError:
            return None

    def keep(self, name: str, answer: str, call: Call) -> None:
        """Keep an answer that a provider gave, and what it was billed."""
        for folder in ("answers", "calls"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        (self.folder / "answers" / name).write_text(answer, "utf-8", newline="\n")
        path = self.folder / "calls" / f"{name.removesuffix('.txt')}.json"
        path.write_text(json.dumps(asdict(call), indent=1) + "\n", "utf-8")

    def _request_file(self, name: str) -> Path | None:
        return next(iter(sorted((self.folder / "requests").rglob(name))), None)


def with_delimiter(user: str, delimiter: str = _NO_DELIMITER) -> str:
    """A user message with `delimiter` in place of the random one, so that it is the same each time."""
    found = _DELIMITER.match(user)
    return user.replace(found[1], delimiter) if found else user
