"""What goes to a client through a pipe: in order, whole, and without waiting for a client that does not read."""

from __future__ import annotations

import os
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lsp.lsp.serving import _PipeWriter


def read_all(descriptor: int, into: bytearray) -> None:
    while data := os.read(descriptor, 3_000):
        into.extend(data)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 20_000), max_size=30), st.booleans())
def test_messages_of_any_size_arrive_whole_and_in_order(sizes: list[int], reads_late: bool) -> None:
    messages = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    reading, writing = os.pipe()
    received = bytearray()
    reader = threading.Thread(target=read_all, args=(reading, received))
    writer = _PipeWriter(writing)
    if not reads_late:
        reader.start()
    for message in messages:
        writer.write(message)  # returns, although more than a pipe holds may wait for a client that reads late
    if reads_late:
        reader.start()
    writer.finish()
    os.close(writing)
    reader.join()
    os.close(reading)
    assert bytes(received) == b"".join(messages)
