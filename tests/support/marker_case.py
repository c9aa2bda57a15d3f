"""Marker tests: one text file a case, run against the language server, with what must come of it written into the file.

A file is a head in YAML and then sections, which are done one after the other. What the sections `shown`, `hints`,
`hover`, `actions`, `apply`, `status` and `sent` hold is what is expected; `run` returns the file as it really came
out. tests/markers/README.md describes them all.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.buffer import Buffer
from tests.support.client import MODERN
from tests.support.provider import answer, finding
from tests.support.scripted_model import Call, ScriptedModel, verdicts
from tests.support.server_world import WITH_A_MODEL, ServerWorld

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from aiops_lsp.llm.client import ModelRequest

Message = dict[str, Any]

_SECTION = re.compile(r"^~~~~ (\w+)(?: (.*))?$", re.MULTILINE)
_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}
_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_HEAD = {
    "about",
    "language",
    "path",
    "encoding",
    "line_ends",
    "settings",
    "without",
    "bare",
    "offline",
    "rules",
    "verdicts",
}


class MarkerModel(ScriptedModel):
    """Says what a case's `model` section says, at once unless the case holds it."""

    def __init__(self, upheld: str | None) -> None:
        super().__init__()
        self.claims: list[Message] = []
        self.held = False
        self._upheld = upheld

    def stream(self, request: ModelRequest) -> Any:
        events = super().stream(request)
        if not self.held:
            self.reply(self.calls[-1])
        return events

    def reply(self, call: Call) -> None:
        if names := call.sent.finding_ids:
            call.say(verdicts(names, refuted=self._upheld == "refuted") if self._upheld else "no idea")
            return
        call.say(answer({name: list(self._found(lines)) for name, lines in call.sent.regions.items()}))

    def _found(self, lines: Sequence[str]) -> Iterator[Message]:
        for claim in self.claims:
            fields = dict(claim)
            wanted = fields.pop("in", fields.get("quote", "")).strip()
            number = next((number for number, line in enumerate(lines, 1) if wanted in line), None)
            if number is None:
                continue
            there = lines[number - 1]
            line = fields.pop("line", number)
            old = fields.pop("old", there).splitlines()
            new = fields.pop("fix", None)
            if "replace" in fields:
                new = there.replace(*fields.pop("replace"))
            if new is not None:
                fields["fix"] = {
                    "start_line": line,
                    "end_line": line + len(old) - 1,
                    "old_lines": old,
                    "new_lines": _indented(new.splitlines(), there),
                }
            fields.setdefault("quote", there)
            yield finding(fields.pop("quote"), line, **fields)


class MarkerCase:
    """One case while it runs."""

    def __init__(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first = _SECTION.search(text)
        assert first is not None, "a case has at least one section"
        self.head = yaml.safe_load(text[: first.start()]) or {}
        unknown = set(self.head) - _HEAD
        assert not unknown, f"unknown in the head: {unknown}"
        self.text = text
        self.model = MarkerModel(self.head.get("verdicts"))
        self.line_end = _ENDS[self.head.get("line_ends", "lf")]
        self.world = ServerWorld(
            monkeypatch,
            self.head.get("encoding", "utf-16"),
            model=self.model,
            capabilities=_capabilities(self.head),
            configuration='[rules]\nruff = "off"\n' if self.head.get("offline") else WITH_A_MODEL,
            options={
                "rules": {"enabled": "rules" in self.head or "offline" in self.head},
                **self.head.get("settings", {}),
            },
        )
        self._opened: Buffer | None = None

    @property
    def buffer(self) -> Buffer:
        """The document's text, as the client has it."""
        assert self._opened is not None, "the document was not opened yet"
        return self._opened

    def run(self) -> str:
        """The file with what really came."""
        sections = list(_SECTION.finditer(self.text))
        parts = [self.text[: sections[0].start()]]
        for section, following in zip(sections, [*sections[1:], None], strict=True):
            body = self.text[section.end() + 1 : following.start() if following else len(self.text)]
            step = getattr(self, f"do_{section[1]}", None)
            assert step is not None, f"there is no section {section[1]!r}"
            given = step(section[2] or "", body)
            parts.append(f"{section[0]}\n{body if given is None else given}")
        return "".join(parts)

    # What is done.

    def do_model(self, _argument: str, body: str) -> None:
        self.model.claims = yaml.safe_load(body) or []

    def do_open(self, _argument: str, body: str) -> None:
        language = self.head.get("language", "python")
        uri = f"file:///w/{self.head.get('path', 'case')}"
        text = body.replace("\n", self.line_end) or self.buffer.text
        self._opened = Buffer(uri, text, self.world.encoding, language)
        self.world.open(self.buffer)
        self.world.turns(200)

    def do_edit(self, _argument: str, body: str) -> None:
        """YAML: `{at: text, with: text}`, or `{after: text, with: text}`; `whole: text` replaces everything."""
        changes = []
        for one in yaml.safe_load(body):
            if "whole" in one:
                changes.append(self.buffer.whole(one["whole"]))
                continue
            old = one.get("at", "")
            anchor = old or one["after"]
            start = self.buffer.text.index(anchor) + (0 if old else len(anchor))
            changes.append(self.buffer.replace(start, start + len(old), one["with"]))
        self.world.change(self.buffer, changes)
        self.world.turns(200)

    def do_undo(self, _argument: str, _body: str) -> None:
        self.world.change(self.buffer, [self.buffer.whole(self.buffer.undone[-1])])
        self.world.turns(200)

    def do_wait(self, argument: str, _body: str) -> None:
        self.world.advance(float(argument))
        self.world.turns(200)

    def do_save(self, _argument: str, _body: str) -> None:
        self.world.save(self.buffer)
        self.world.turns(200)

    def do_close(self, _argument: str, _body: str) -> None:
        self.world.shut(self.buffer)

    def do_hold(self, _argument: str, _body: str) -> None:
        """From here on answers wait for `release` or `fail`."""
        self.model.held = True

    def do_release(self, _argument: str, _body: str) -> None:
        self.model.held = False
        for call in self.model.open:
            self.model.reply(call)
        self.world.turns(200)

    def do_fail(self, argument: str, _body: str) -> None:
        for call in self.model.open:
            call.fail(argument)
        self.world.turns(200)

    def do_review(self, argument: str, _body: str) -> None:
        self.world.review(self.buffer, deep=argument == "deep")
        self.world.turns(300)

    def do_dismiss(self, argument: str, _body: str) -> None:
        action = self._action(f"Dismiss for good: {argument}", "")
        self.world.ask("workspace/executeCommand", _command(action))
        self.world.turns(200)

    # What is expected.

    def do_shown(self, _argument: str, _body: str) -> str:
        """Each line with findings, what is underlined in «», and what is said of it."""
        uri = self.buffer.uri
        parts = []
        if self.world.shown[uri] and self.world.shown_version[uri] != self.buffer.version:
            parts.append(f"(of version {self.world.shown_version[uri]})\n")
        text = self.buffer.versions[self.world.shown_version.get(uri, self.buffer.version)]
        for one in self.world.shown[uri]:
            start, end = self.buffer.span(one["range"], self.world.shown_version[uri])
            left = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
            right = next((at for at in range(end, len(text)) if text[at] in "\r\n"), len(text))
            marked = f"{text[left:start]}«{text[start:end]}»{text[end:right]}"
            number = one["range"]["start"]["line"] + 1
            lines = re.split(r"\r\n|\r|\n", marked)
            parts += [f"{number + index}|{line}\n" for index, line in enumerate(lines)]
            message = one["message"].split("\n")
            caveats = [line for line in message[1:] if line.startswith("(")]
            said = " ".join([message[0], *caveats])
            parts.append(f"    {_SEVERITIES[one['severity']]} {one['code']}: {said}\n")
        return "".join(parts) or "nothing\n"

    def do_hints(self, _argument: str, _body: str) -> str:
        params = {"textDocument": {"uri": self.buffer.uri}, "range": self._whole()}
        found = self.world.ask("textDocument/inlayHint", params)
        lines = re.split(r"\r\n|\r|\n", self.buffer.text)
        parts = []
        for hint in found:
            line, character = hint["position"]["line"], hint["position"]["character"]
            end = self.buffer.offset(line, character) - self.buffer.offset(line, 0)
            parts.append(f"{line + 1}|{lines[line][:end]}« {hint['label']}»{lines[line][end:]}\n")
        return "".join(parts) or "nothing\n"

    def do_hover(self, argument: str, _body: str) -> str:
        """At the first place of the argument in the text."""
        line, character = self.buffer.place(self.buffer.text.index(argument))
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": self.buffer.uri}, "position": position}
        hover = self.world.ask("textDocument/hover", params)
        return "nothing\n" if hover is None else f"{hover['contents']['value']}\n"

    def do_actions(self, argument: str, _body: str) -> str:
        """At the first place of the argument; everywhere without one."""
        parts = []
        for action in self._actions(argument):
            edits = [" (preferred)"] if action.get("isPreferred") else []
            edits += [" (by a model)"] if action.get("tags") else []
            parts.append(f"{action.get('kind', 'command')}: {action['title']}{''.join(edits)}\n")
        return "".join(parts) or "nothing\n"

    def do_apply(self, argument: str, _body: str) -> str:
        """Carry out the action whose title starts with the argument, and show the lines that change."""
        action = self._action(argument, "")
        if "edit" not in action and "kind" in action:
            action = self.world.ask("codeAction/resolve", action) or {}
        if "edit" not in action and "command" not in action:
            return "refused\n"
        if "edit" in action:
            edit = action["edit"]
        else:
            self.world.client.answers["workspace/applyEdit"] = lambda _params: {"applied": True}
            self.world.ask("workspace/executeCommand", _command(action))
            edit = self.world.client.asked("workspace/applyEdit")[-1]["edit"]
        before = self.buffer.text
        edits = self.world.edits_of(self.buffer, edit)
        form = "documentChanges" if "documentChanges" in edit else "changes"
        changes = [self.buffer.replace(start, end, new) for start, end, new in reversed(edits)]
        self.world.change(self.buffer, changes)
        self.world.turns(200)
        return f"{form}\n{_difference(before, self.buffer.text)}"

    def do_status(self, _argument: str, _body: str) -> str:
        status = self.world.client.server.session.status()
        assert status is not None
        (document,) = status.documents
        parts = [f"{status.state.value}: {document.words}\n"]
        parts += [f"    {count}: {words}\n" for words, count in document.not_reviewed.items()]
        parts += [f"    {document.note}\n"] if document.note else []
        return "".join(parts)

    def do_sent(self, _argument: str, _body: str) -> str:
        """The first line with code of each region that was sent since the section before."""
        calls, self.model.calls = self.model.calls, []
        regions = [lines for call in calls for lines in call.sent.regions.values()]
        return "".join(f"{next(filter(str.strip, lines), '').strip()}\n" for lines in regions) or "nothing\n"

    def _actions(self, where: str) -> list[Message]:
        span = self._whole()
        if where:
            line, character = self.buffer.place(self.buffer.text.index(where))
            span = {name: {"line": line, "character": character} for name in ("start", "end")}
        params = {"textDocument": {"uri": self.buffer.uri}, "range": span, "context": {"diagnostics": []}}
        return self.world.ask("textDocument/codeAction", params) or []

    def _action(self, title: str, where: str) -> Message:
        found = [action for action in self._actions(where) if action["title"].startswith(title)]
        assert found, f"no action {title!r} among {[action['title'] for action in self._actions(where)]}"
        return found[0]

    def _whole(self) -> Message:
        line, character = self.buffer.place(len(self.buffer.text))
        return {"start": {"line": 0, "character": 0}, "end": {"line": line, "character": character}}


def run(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a case; returns its file with what really came in place of what was expected."""
    case = MarkerCase(text, monkeypatch)
    try:
        return case.run()
    finally:
        case.world.close()


def _command(action: Message) -> Message:
    command = action["command"] if isinstance(action["command"], dict) else action
    return {"command": command["command"], "arguments": command["arguments"]}


def _capabilities(head: Message) -> Message:
    """A client of today without what the head says; with `bare: true` one that announces nothing."""
    if head.get("bare"):
        return {}
    capabilities = copy.deepcopy(MODERN)
    for path in head.get("without", ()):
        *above, name = path.split(".")
        node = capabilities
        for step in above:
            node = node[step]
        del node[name]
    return capabilities


def _indented(lines: list[str], like: str) -> list[str]:
    """A single line gets the indentation of the one that it replaces, unless it brings its own."""
    if len(lines) != 1 or lines[0][:1].isspace():
        return lines
    return [like[: len(like) - len(like.lstrip())] + lines[0]]


def _difference(before: str, after: str) -> str:
    old, new = (re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) for text in (before, after))
    head = next(
        (at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
    )
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    removed, added = old[head : len(old) - tail], new[head : len(new) - tail]
    return "".join(f"{sign}{_seen(line)}\n" for sign, lines in (("-", removed), ("+", added)) for line in lines)


def _seen(line: str) -> str:
    return line.rstrip("\n").replace("\r", "␍")
