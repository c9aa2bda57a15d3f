"""Logs: JSON lines in the state folder, one file per level and day, with nothing secret in them.

A line is written by one `write` to a file opened for appending, so any number of processes share the files. Nothing
is ever written to stdout, which belongs to the protocol. Light to import: the server's start does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
import traceback
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Redact = Callable[[str], str]

RETENTION_DAYS = {"error": 90, "info": 30, "debug": 7}
"""How long the files of each level are kept. Warnings stand with info."""

LIBRARIES = ("pygls", "openai", "anthropic", "httpx2", "httpcore2", "httpx", "httpcore", "asyncio")
"""Their INFO and DEBUG lines hold message and request bodies, that is, source code."""

_LONGEST_TEXT = 4000
_DAY_SECONDS = 86_400
_FILE_NAME = re.compile(r"(error|info|debug)-(\d{4}-\d{2}-\d{2})\.jsonl")
_NEVER_QUOTED = frozenset({"ValidationError", "SyntaxError", "IndentationError", "TabError", "UnicodeDecodeError"})
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_review_id: ContextVar[str | None] = ContextVar("review_id", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def new_id() -> str:
    """A fresh id for a review or a request."""
    return os.urandom(6).hex()


@contextmanager
def log_context(*, review_id: str | None = None, request_id: str | None = None) -> Iterator[None]:
    """Put these ids into every line that is logged within, in tasks started there too. None leaves one as it is."""
    tokens = [
        (variable, variable.set(value))
        for variable, value in ((_review_id, review_id), (_request_id, request_id))
        if value is not None
    ]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


class KnownSecrets:
    """The keys that this process has read, which never appear in a line, whatever their shape.

    `patterns` are the users' own, of all settings that this process works by; what matches one is a secret too.
    """

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self.patterns: frozenset[str] = frozenset()

    def add(self, key: str) -> None:
        """Hide `key` from now on. A few characters are no key, and hiding them would garble the lines."""
        if len(key) >= 6 and key not in self._keys:
            self._keys = tuple(sorted((*self._keys, key), key=len, reverse=True))

    def add_patterns(self, patterns: Iterable[str]) -> None:
        """Count what matches one of `patterns` as a secret from now on."""
        self.patterns = self.patterns.union(patterns)

    def hide(self, text: str) -> str:
        """The text without them."""
        for key in self._keys:
            text = text.replace(key, "[key]")
        return text


PROCESS_KEYS = KnownSecrets()
"""The keys that this process uses. Logging is one for the process, and so is what it must hide."""


def redact_with(known: KnownSecrets) -> Redact:
    """What hides the keys in `known` and what matches its patterns, also later ones, and what looks like a secret.

    The table of secrets is loaded with the first line that is logged, not with this module.
    """

    def redact(text: str) -> str:
        from aiops_lsp.core.redaction import find_secrets  # noqa: PLC0415 - takes 25 ms

        text = known.hide(text)
        parts, end = [], 0
        for span in find_secrets(text, sorted(known.patterns)):
            parts += [text[end : span.start], f"[{span.kind}]"]
            end = span.end
        return "".join((*parts, text[end:]))

    return redact


class RedactingFilter(logging.Filter):
    """Makes a record's message, arguments, extra fields and exception into redacted, bounded text."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place, so that no other handler sees more. Always true."""
        record.msg, record.args = self._clean(_message(record)), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._clean(_exception_text(record.exc_info[1]))
        elif record.exc_text:
            record.exc_text = self._clean(record.exc_text)
        record.exc_info = None
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS and not isinstance(value, (bool, int, float, type(None))):
                setattr(record, name, self._clean(str(value)))
        return True

    def _clean(self, text: str) -> str:
        # Redacted before it is cut, so that no half of a secret remains.
        redacted = self._redact(text[: 4 * _LONGEST_TEXT])
        return redacted if len(redacted) <= _LONGEST_TEXT else redacted[:_LONGEST_TEXT] + " ..."


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (its arguments do not fit)"


def _exception_text(error: BaseException | None) -> str:
    """The traceback without the text of errors that quote what they failed on, which may be source code."""
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        name = type(error).__name__
        words = "" if _NEVER_QUOTED & {base.__name__ for base in type(error).__mro__} else f": {error}"
        lines = [*traceback.format_tb(error.__traceback__), name + words + "\n", *lines]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(lines).rstrip()


class _JsonLine(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": f"{_utc('%Y-%m-%dT%H:%M:%S', record.created)}.{int(record.created % 1 * 1000):03}+00:00",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        entry.update({name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS})
        ids = {"review_id": _review_id.get(), "request_id": _request_id.get()}
        entry |= {name: value for name, value in ids.items() if value is not None}
        if record.exc_text:
            entry["exception"] = record.exc_text
        return json.dumps(entry, ensure_ascii=True, default=str)


class DailyFiles(logging.Handler):
    """Appends lines to `<level>-<day>.jsonl` in a folder; days are those of UTC.

    While the folder cannot be written, warnings and errors go to stderr, and one line there says why. `folder` may be
    a function that finds it, which is called with the first line.
    """

    def __init__(self, folder: Path | Callable[[], Path]) -> None:
        super().__init__()
        self._given = folder
        self._open: dict[str, tuple[str, int]] = {}
        self._told = False
        self.setFormatter(_JsonLine())

    @cached_property
    def _folder(self) -> Path:
        return self._given() if callable(self._given) else self._given

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. Never raises: a log that cannot be written must not stop a review."""
        line = self.format(record) + "\n"
        try:
            os.write(self._descriptor(record), line.encode())
        except OSError as error:
            self._fall_back(record, line, error)

    def _descriptor(self, record: logging.LogRecord) -> int:
        level = _level_name(record.levelno)
        name = f"{level}-{_utc('%Y-%m-%d', record.created)}.jsonl"
        opened, descriptor = self._open.get(level, ("", -1))
        # A file that somebody deleted takes lines and keeps none.
        if opened == name and os.fstat(descriptor).st_nlink > 0:
            return descriptor
        self._close(level)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._folder / name, flags, 0o600)
        self._open[level] = (name, descriptor)
        return descriptor

    def _fall_back(self, record: logging.LogRecord, line: str, error: OSError) -> None:
        lines = [line] if record.levelno >= logging.WARNING else []
        if not self._told:
            self._told = True
            reason = error.strerror or type(error).__name__
            hint = "set AIOPS_STATE_DIR to a folder that can be written"
            lines.insert(0, f"aiops-lsp: cannot write logs to {self._folder} ({reason}); {hint}\n")
        with suppress(OSError, ValueError, AttributeError):  # stderr may be closed, or missing under pythonw
            sys.stderr.write("".join(lines))
            sys.stderr.flush()

    def _close(self, level: str) -> None:
        _, descriptor = self._open.pop(level, ("", -1))
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def close(self) -> None:
        """Close the files."""
        for level in list(self._open):
            self._close(level)
        super().close()


def _utc(form: str, seconds: float) -> str:
    return time.strftime(form, time.gmtime(seconds))


def _level_name(levelno: int) -> str:
    if levelno >= logging.ERROR:
        return "error"
    return "info" if levelno >= logging.INFO else "debug"


def configure(folder: Path | Callable[[], Path], redact: Redact, *, level: int = logging.INFO) -> DailyFiles:
    """Send all logging of this process to files in `folder`, redacted by `redact`. Replaces what was configured.

    A function that finds the folder is called when there is something to write.

    `level` counts for our own loggers; libraries are heard from WARNING up.
    """
    handler = DailyFiles(folder)
    handler.addFilter(RedactingFilter(redact))
    root = logging.getLogger()
    for former in list(root.handlers):
        if isinstance(former, DailyFiles):
            root.removeHandler(former)
            former.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("aiops_lsp").setLevel(level)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    return handler


def prune(folder: Path, now: float) -> list[str]:
    """Delete the files that are past their retention; `now` is in seconds since the epoch. Safe with many processes.

    Returns the names of the deleted files. Files that are not ours are left alone.
    """
    from datetime import UTC, datetime  # noqa: PLC0415  # nothing that the server's start needs

    deleted = []
    for path in folder.glob("*.jsonl"):
        name = _FILE_NAME.fullmatch(path.name)
        if name is None:
            continue
        try:
            end_of_day = datetime.fromisoformat(name[2]).replace(tzinfo=UTC).timestamp() + _DAY_SECONDS
        except ValueError:
            continue
        if now - end_of_day > RETENTION_DAYS[name[1]] * _DAY_SECONDS:
            # Another process may have been faster, or (on Windows) still have it open.
            with suppress(OSError):
                path.unlink()
                deleted.append(path.name)
    return sorted(deleted)
