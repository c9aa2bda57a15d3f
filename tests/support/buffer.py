"""A client's own copy of a text: plain strings and offsets, sharing no code with the program's text."""

from __future__ import annotations

import re
from typing import Any

_BREAK = re.compile(r"\r\n|\r|\n")


def units(text: str, encoding: str) -> int:
    """How long `text` is in the units of `encoding` (utf-8, utf-16 or utf-32)."""
    if encoding == "utf-32":
        return len(text)
    data = text.encode("utf-16-le" if encoding == "utf-16" else encoding)
    return len(data) // 2 if encoding == "utf-16" else len(data)


class Buffer:
    """One open text. `versions` keeps each text that was told to the server, by its version."""

    def __init__(self, uri: str, text: str, encoding: str, language: str = "python") -> None:
        self.uri = uri
        self.language = language
        self.encoding = encoding
        self.text = text
        self.version = 1
        self.versions = {1: text}
        self.undone: list[str] = []

    def place(self, offset: int) -> tuple[int, int]:
        """Line and character of an offset, in the client's units. The offset is not inside of a line end."""
        before = self.text[:offset]
        breaks = before.count("\n") + before.count("\r") - before.count("\r\n")
        start = max(before.rfind("\n"), before.rfind("\r")) + 1
        return breaks, units(before[start:], self.encoding)

    def offset(self, line: int, character: int, text: str | None = None) -> int:
        """The offset of a place that must lie in the text, on the border of a character, before the line's end."""
        whole = self.text if text is None else text
        start = 0
        for _ in range(line):
            found = _BREAK.search(whole, start)
            assert found is not None, f"there is no line {line}"
            start = found.end()
        end = _BREAK.search(whole, start)
        content = whole[start : end.start() if end else len(whole)]
        for column in range(len(content) + 1):
            if units(content[:column], self.encoding) == character:
                return start + column
        raise AssertionError(f"character {character} of line {line} is no place in {content!r}")

    def span(self, place: dict[str, Any], version: int | None = None) -> tuple[int, int]:
        """The offsets of a range as the protocol has it, in the text of `version`."""
        text = self.versions[self.version if version is None else version]
        start, end = place["start"], place["end"]
        return (
            self.offset(start["line"], start["character"], text),
            self.offset(end["line"], end["character"], text),
        )

    def border(self, offset: int) -> int:
        """The nearest offset at or before this one that is not inside of a \\r\\n."""
        offset = min(offset, len(self.text))
        inside = 0 < offset < len(self.text) and self.text[offset - 1 : offset + 1] == "\r\n"
        return offset - inside

    def replace(self, start: int, end: int, new: str) -> dict[str, Any]:
        """Put `new` in place of the text between two offsets; returns the change as the protocol has it."""
        begin, stop = self.place(start), self.place(end)
        self.text = self.text[:start] + new + self.text[end:]
        return {
            "range": {
                "start": {"line": begin[0], "character": begin[1]},
                "end": {"line": stop[0], "character": stop[1]},
            },
            "text": new,
        }

    def whole(self, new: str) -> dict[str, Any]:
        """Put `new` in place of everything."""
        self.text = new
        return {"text": new}

    def told(self) -> int:
        """The text as it is now goes to the server under the next version, which is returned."""
        self.undone.append(self.versions[self.version])
        self.version += 1
        self.versions[self.version] = self.text
        return self.version
