"""The base protocol's frames: a header with the length in bytes, an empty line, the body.

Strict on purpose. A web page can make a browser send any body to a port of this machine, and only the header tells
such a request from an editor's message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HEADER_BYTES = 4096
MAX_BODY_BYTES = 256 * 1024 * 1024

_KNOWN_FIELDS = frozenset({b"content-length", b"content-type"})


class BadFrame(Exception):
    """What came is not the base protocol. Where the next message starts cannot be known, so the connection ends."""


class FrameReader:
    """Cuts the client's bytes into message bodies, however they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete with `data`, one after the other. Raises BadFrame after the last good one."""
        self._buffer += data
        while (body := self._next()) is not None:
            yield body

    def _next(self) -> bytes | None:
        if self._length is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end > MAX_HEADER_BYTES or (end < 0 and len(self._buffer) > MAX_HEADER_BYTES):
                raise BadFrame(f"a header is longer than {MAX_HEADER_BYTES} bytes")
            if end < 0:
                _check_fields(bytes(self._buffer).split(b"\r\n")[:-1])
                return None
            self._length = _content_length(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length = None
        return body


def frame(body: bytes) -> bytes:
    """`body` with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _check_fields(lines: list[bytes]) -> dict[bytes, bytes]:
    fields = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or name.lower() not in _KNOWN_FIELDS:
            raise BadFrame("a header line is neither Content-Length nor Content-Type")
        fields[name.lower()] = value.strip()
    return fields


def _content_length(header: bytes) -> int:
    value = _check_fields(header.split(b"\r\n")).get(b"content-length", b"")
    if not value.isdigit() or len(value) > 12:
        raise BadFrame("a header does not say the length of its body")
    if int(value) > MAX_BODY_BYTES:
        raise BadFrame(f"a message is longer than {MAX_BODY_BYTES:,} bytes")
    return int(value)
