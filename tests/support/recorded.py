"""Servers whose sessions with a real editor are recorded, and the check of each message against LSP's meta model."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.support.editors import find_meta_model
from tests.support.meta_model import MetaModel, read_recording

TEE = Path(__file__).with_name("lsp_tee.py")
CUSTOM = {"aiops/status", "aiops/usage"}


def recorded_command(recording: Path) -> list[str]:
    """The command that starts the server and records its sessions, one after the other, in `recording`."""
    return [sys.executable, str(TEE), str(recording), sys.executable, "-m", "aiops_lsp", "serve", "--stdio"]


def recorded_program(recording: Path, program: Path) -> Path:
    """A program that does what the server's does, and records its sessions; it is written beside `recording`."""
    wrapper = recording.with_name("aiops-lsp")
    wrapper.write_text(
        f"#!/bin/sh\n"
        f'[ "$1" = serve ] || exec "{program}" "$@"\n'
        f'exec "{sys.executable}" "{TEE}" "{recording}" "{program}" "$@"\n',
        "utf-8",
    )
    wrapper.chmod(0o755)
    return wrapper


def kill_recorded(recording: Path) -> None:
    """Kill the server whose session is recorded there, as a crash does."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(TEE) in words and str(recording) in words:
            for server in process.children():
                server.kill()


def faults(recording: Path) -> list[str]:
    """What is wrong with the sessions, in sentences.

    Left out are requests that a session which was broken off left without an answer, and what clients announce that is
    newer than the model.
    """
    model = MetaModel.load(find_meta_model(), CUSTOM)
    found = []
    for session in _sessions(read_recording(recording)):
        complete = session[-1]["msg"].get("method") == "exit"
        told = [fault for fault in model.check_messages(session) if not _NEWER.search(fault)]
        found += told if complete else [fault for fault in told if not fault.endswith(": no answer")]
    return found


_NEWER = re.compile(r"from the client: initialize\.capabilities\..*: not in the meta model$")


def _sessions(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    sessions: list[list[dict[str, Any]]] = []
    for message in messages:
        if message["msg"].get("method") == "initialize":
            sessions.append([])
        sessions[-1].append(message)
    return sessions
