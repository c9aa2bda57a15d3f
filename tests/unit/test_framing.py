"""The base protocol's frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.lsp.framing import BadFrame, FrameReader, frame


@given(bodies=st.lists(st.binary(max_size=60), max_size=5), data=st.data())
def test_bodies_come_out_however_the_bytes_arrive(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()
    received: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += reader.feed(stream[start:end])
    assert received == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"Content-Length:2\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
    ],
)
def test_headers_of_every_allowed_form(header: bytes) -> None:
    assert list(FrameReader().feed(header + b"{}")) == [b"{}"]


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        b"GET / HTTP/1.1\r\n",
        b"Host: localhost\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: 99999999999999\r\n\r\n",
        b"Content-Length: 999999999999\r\n\r\n",
        b"Content-Type: text/plain\r\n\r\n{}",
        b"\r\n\r\n",
        b"x" * 5000,
    ],
)
def test_anything_else_ends_the_connection(data: bytes) -> None:
    with pytest.raises(BadFrame):
        list(FrameReader().feed(data))


def test_what_came_before_a_bad_frame_counts() -> None:
    bodies = FrameReader().feed(frame(b"{}") + b"POST / HTTP/1.1\r\n\r\n")
    assert next(bodies) == b"{}"
    with pytest.raises(BadFrame):
        next(bodies)
