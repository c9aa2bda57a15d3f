"""Stands between an editor and a server on stdio and records every message, with its direction and time.

Run `python lsp_tee.py RECORDING.jsonl SERVER ARGUMENTS...` where the editor would start the server. Each line of the
recording is `{"t": seconds, "from": "client" or "server", "msg": message}`. Ends as the server does, by the same signal
if by one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO


class Recording:
    """A file to which two threads append whole lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, sender: str, body: bytes) -> None:
        """Write one message down."""
        line = json.dumps({"t": time.time(), "from": sender, "msg": json.loads(body)})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()


def _pump(source: IO[bytes], target: IO[bytes], sender: str, recording: Recording) -> None:
    """Pass messages on until one side closes."""
    try:
        while message := _message(source):
            header, body = message
            recording.add(sender, body)
            target.write(header + body)
            target.flush()
    except (BrokenPipeError, ValueError) as error:
        print(f"lsp_tee: the {sender}'s side ended: {error}", file=sys.stderr)
    finally:
        with suppress(BrokenPipeError):  # the other side has gone already
            target.close()


def _message(source: IO[bytes]) -> tuple[bytes, bytes] | None:
    header = b""
    while not header.endswith(b"\r\n\r\n"):
        byte = source.read(1)
        if not byte:
            return None
        header += byte
    fields = (line.partition(b":") for line in header.splitlines())
    length = next(int(value) for name, _, value in fields if name.strip().lower() == b"content-length")
    return header, source.read(length)


def main() -> int:
    """Start the server and stand in between."""
    recording = Recording(Path(sys.argv[1]))
    with subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        to_server = (sys.stdin.buffer, server.stdin, "client", recording)
        threading.Thread(target=_pump, args=to_server, daemon=True).start()
        _pump(server.stdout, sys.stdout.buffer, "server", recording)
        code = server.wait()
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    ended = main()
    sys.stderr.flush()
    os._exit(ended)  # an orderly end aborts while the thread still reads what the editor may send
