"""The check of recorded sessions finds what it is for, and the recorder records what passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.editors import find_meta_model
from tests.support.meta_model import MetaModel, read_recording

TEE = Path(__file__).parents[1] / "support" / "lsp_tee.py"
ECHO = (
    "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data); sys.stdout.buffer.flush(); sys.exit(3)"
)


@pytest.fixture(scope="module")
def model() -> MetaModel:
    return MetaModel.load(find_meta_model(), custom={"aiops/status"})


def sent(sender: str, **message: Any) -> dict[str, Any]:
    """A recorded message."""
    return {"from": sender, "msg": {"jsonrpc": "2.0", **message}}


POSITION = {"line": 0, "character": 1}
RANGE = {"start": POSITION, "end": POSITION}
DIAGNOSTIC = {"range": RANGE, "message": "x", "severity": 2, "code": 5, "data": {"any": ["thing"]}}
HOVER = sent(
    "client", id=1, method="textDocument/hover", params={"textDocument": {"uri": "file:///a"}, "position": POSITION}
)


def publish(**diagnostic: Any) -> dict[str, Any]:
    """A publication of one diagnostic."""
    params = {"uri": "file:///a", "version": 1, "diagnostics": [DIAGNOSTIC | diagnostic]}
    return sent("server", method="textDocument/publishDiagnostics", params=params)


@pytest.mark.parametrize(
    ("messages", "errors"),
    [
        ([publish()], []),
        ([HOVER, sent("server", id=1, result=None)], []),
        ([HOVER, sent("server", id=1, result={"contents": {"kind": "markdown", "value": ""}, "range": RANGE})], []),
        ([HOVER, sent("server", id=1, error={"code": -32800, "message": ""})], []),
        ([sent("server", method="aiops/status", params={"x": 1})], []),
        ([sent("server", method="$/progress", params={"token": "t", "value": {"kind": "end"}})], []),
        ([publish(severity=9)], ["9 is not in DiagnosticSeverity"]),
        ([publish(extra=1)], [".extra: not in the meta model"]),
        ([publish(message=None)], [".message: string expected, got None"]),
        ([publish(range={"start": POSITION})], [".range.end: missing"]),
        ([publish(range={"start": POSITION, "end": {"line": -1, "character": 0}})], ["uinteger expected, got -1"]),
        ([HOVER], ["textDocument/hover (id 1) from the client: no answer"]),
        ([HOVER, sent("server", id=1)], ["neither result nor error"]),
        ([HOVER, sent("server", id=2, result=None)], ["unknown id 2", "no answer"]),
        ([HOVER, sent("server", id=1, result={})], ["textDocument/hover result.contents: missing"]),
        ([publish() | {"from": "client"}], ["not for the client to send"]),
        ([sent("server", method="aiops/other")], ["aiops/other: unknown notification"]),
        ([sent("server", method="$/progress", params={"token": 1, "value": {"kind": "begin"}})], [".title: missing"]),
        ([{"from": "server", "msg": {"id": 1}}], ["jsonrpc", "unknown id 1"]),
    ],
)
def test_each_fault_is_found(model: MetaModel, messages: list[dict[str, Any]], errors: list[str]) -> None:
    found = model.check_messages(messages)
    assert len(found) == len(errors), found
    for text, expected in zip(found, errors, strict=True):
        assert expected in text


def test_the_recorder_passes_everything_on(tmp_path: Path) -> None:
    bodies = [b'{"jsonrpc":"2.0","method":"initialized","params":{}}', '{"jsonrpc":"2.0","id":1,"result":"ü"}'.encode()]
    stream = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    recording = tmp_path / "session.jsonl"
    command = [sys.executable, str(TEE), str(recording), sys.executable, "-c", ECHO]
    done = subprocess.run(command, input=stream, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (3, stream)
    assert sorted(message["from"] for message in read_recording(recording)) == ["client", "client", "server", "server"]
