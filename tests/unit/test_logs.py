"""Logs: what a line holds, what it never holds, where it goes and how long it stays."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiops_lsp.observability import logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-ant-api03-" + "aB3dE5fG7hJ9" * 8
OWN_KEY = "correct horse battery"
DAY = 86_400
NOON = 1_795_348_800.0  # 2026-11-22T12:00:00Z


@pytest.fixture
def known() -> logs.KnownSecrets:
    secrets = logs.KnownSecrets()
    secrets.add(OWN_KEY)
    return secrets


@pytest.fixture
def handler(tmp_path: Path, known: logs.KnownSecrets) -> Iterator[logs.DailyFiles]:
    """A handler of its own, attached to nothing that other tests use."""
    made = logs.DailyFiles(tmp_path / "logs")
    known.add_patterns([r"ACME-\d+"])
    made.addFilter(logs.RedactingFilter(logs.redact_with(known)))
    yield made
    made.close()


@pytest.fixture
def logger(handler: logging.Handler) -> logging.Logger:
    """A logger outside the global tree."""
    own = logging.Logger("aiops_lsp.test", logging.DEBUG)
    own.addHandler(handler)
    return own


def fail(text: str) -> None:
    """Raise an error that has another as its cause, both with this text."""
    try:
        int(text)
    except ValueError as cause:
        raise RuntimeError("outer " + text) from cause


def lines(folder: Path, level: str = "*") -> list[dict[str, Any]]:
    """All lines of a level, parsed."""
    return [
        json.loads(line) for path in sorted(folder.glob(f"{level}-*.jsonl")) for line in path.read_text().splitlines()
    ]


def test_a_line_has_time_level_name_message_and_the_ids(logger: logging.Logger, tmp_path: Path) -> None:
    with logs.log_context(review_id="r-1"), logs.log_context(request_id="q-1"):
        logger.info("sent %d regions", 3, extra={"model": "openai:x", "tokens": 5, "path": tmp_path})
    logger.info("after")
    first, second = lines(tmp_path / "logs", "info")
    assert first["message"] == "sent 3 regions"
    assert (first["review_id"], first["request_id"], first["model"], first["tokens"]) == ("r-1", "q-1", "openai:x", 5)
    assert (first["level"], first["logger"], first["pid"]) == ("INFO", "aiops_lsp.test", os.getpid())
    assert first["path"] == str(tmp_path)
    assert first["time"].endswith("+00:00")
    assert {"review_id", "request_id"}.isdisjoint(second)


async def test_the_ids_follow_the_tasks(logger: logging.Logger, tmp_path: Path) -> None:
    async def work(name: str) -> None:
        with logs.log_context(review_id=name):
            await asyncio.sleep(0)
            logger.info("%s", name)

    await asyncio.gather(*(work(name) for name in ("a", "b", "c")))
    assert all(line["review_id"] == line["message"] for line in lines(tmp_path / "logs"))


def test_each_level_has_its_file_and_each_file_is_private(logger: logging.Logger, tmp_path: Path) -> None:
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "x")
    folder = tmp_path / "logs"
    assert [line["level"] for line in lines(folder, "debug")] == ["DEBUG"]
    assert [line["level"] for line in lines(folder, "info")] == ["INFO", "WARNING"]
    assert [line["level"] for line in lines(folder, "error")] == ["ERROR", "CRITICAL"]
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_day_has_a_new_file(handler: logs.DailyFiles, tmp_path: Path) -> None:
    for created in (NOON, NOON + DAY, NOON):
        record = logging.LogRecord("x", logging.INFO, "", 0, "text", None, None)
        record.created = created
        handler.handle(record)
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [
        "info-2026-11-22.jsonl",
        "info-2026-11-23.jsonl",
    ]
    assert len(lines(tmp_path / "logs")) == 3


@pytest.mark.parametrize("secret", [KEY, OWN_KEY, "ACME-12345"])
def test_no_secret_is_written_wherever_it_stands(logger: logging.Logger, tmp_path: Path, secret: str) -> None:
    logger.info("in the message " + secret)
    logger.info("in the arguments %s and %r", secret, {"key": secret})
    logger.info("in a field", extra={"detail": secret, "more": [secret]})
    logger.info("does not fit %d", secret)
    logger.info("deep in a long text %s", "x " * 2000 + secret)
    try:
        fail(secret)
    except RuntimeError:
        logger.exception("in the exception")
    written = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
    assert secret not in written
    assert secret[:14] not in written
    assert len(lines(tmp_path / "logs")) == 6
    (error,) = lines(tmp_path / "logs", "error")
    assert "RuntimeError: outer [" in error["exception"]
    assert "ValueError: invalid literal" in error["exception"]


def test_what_was_read_is_not_quoted_by_errors_that_would(logger: logging.Logger, tmp_path: Path) -> None:
    try:
        compile("def private_source(:\n", "x.py", "exec")
    except SyntaxError:
        logger.exception("could not parse")
    (error,) = lines(tmp_path / "logs")
    assert "SyntaxError" in error["exception"]
    assert "private_source" not in error["exception"].replace('compile("def private_source(', "")


def test_long_texts_are_cut(logger: logging.Logger, tmp_path: Path) -> None:
    logger.info("%s", "word " * 50_000)
    (line,) = lines(tmp_path / "logs")
    assert len(line["message"]) < 5000


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file stands in the way")
    handler = logs.DailyFiles(tmp_path / "logs" / "deep")
    logger = logging.Logger("aiops_lsp.test", logging.DEBUG)
    logger.addHandler(handler)
    for text in ("one", "two"):
        logger.info(text)
        logger.warning(text)
    out, err = capfd.readouterr()
    assert out == ""
    told, *rest = err.splitlines()
    assert "cannot write logs to" in told
    assert "AIOPS_STATE_DIR" in told
    assert [json.loads(line)["message"] for line in rest] == ["one", "two"]


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be deleted there")
def test_a_deleted_file_is_made_anew(logger: logging.Logger, tmp_path: Path) -> None:
    logger.info("one")
    for path in (tmp_path / "logs").iterdir():
        path.unlink()
    logger.info("two")
    assert [line["message"] for line in lines(tmp_path / "logs")] == ["two"]


def test_retention_is_by_level(tmp_path: Path) -> None:
    names = [
        *("error-2026-08-23.jsonl", "error-2026-08-24.jsonl", "info-2026-10-22.jsonl", "info-2026-10-23.jsonl"),
        *(
            "debug-2026-11-14.jsonl",
            "debug-2026-11-15.jsonl",
            "info-2026-99-99.jsonl",
            "mine.jsonl",
            "info-2020-01-01.txt",
        ),
    ]
    for name in names:
        (tmp_path / name).touch()
    assert logs.prune(tmp_path, NOON) == ["debug-2026-11-14.jsonl", "error-2026-08-23.jsonl", "info-2026-10-22.jsonl"]
    assert logs.prune(tmp_path, NOON) == []
    assert len(list(tmp_path.iterdir())) == 6
    assert logs.prune(tmp_path / "missing", NOON) == []


def test_many_processes_write_whole_lines(tmp_path: Path) -> None:
    code = (
        "import logging, sys, pathlib; from aiops_lsp.observability import logs\n"
        "logs.configure(pathlib.Path(sys.argv[1]), str)\n"
        "for n in range(300): logging.getLogger('aiops_lsp.x').info('%s %d', 'z' * 3000, n)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == [b""] * 3
    assert len(lines(tmp_path)) == 900


CONFIGURED = """
import logging, sys, pathlib
before = set(sys.modules)
from aiops_lsp.observability import logs
heavy = {"pydantic", "aiops_lsp.core.redaction", "pythonjsonlogger", "asyncio"} & (set(sys.modules) - before)
assert not heavy, heavy
logs.configure(pathlib.Path(sys.argv[1]), str)
logs.configure(pathlib.Path(sys.argv[1]), str, level=logging.DEBUG)
for name in logs.LIBRARIES:
    logging.getLogger(name).info("body of a request")
    logging.getLogger(name + ".deeper").debug("body of a request")
    logging.getLogger(name).warning("heard")
logging.getLogger("aiops_lsp.engine").debug("own")
"""


def test_libraries_are_heard_from_warning_up_and_the_module_is_light(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [line["logger"] for line in lines(tmp_path, "info")] == list(logs.LIBRARIES)
    assert [line["message"] for line in lines(tmp_path, "debug")] == ["own"]


def test_ids_are_fresh() -> None:
    assert len({logs.new_id() for _ in range(100)}) == 100
