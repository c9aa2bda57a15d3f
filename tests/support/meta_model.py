"""Checks recorded LSP messages against LSP's own meta model: methods, directions, every property and its type.

A recorded message is `{"from": "client" or "server", "msg": the JSON-RPC message}`, as `lsp_tee` writes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Type = dict[str, Any]

_ANYTHING = {"LSPAny", "LSPObject", "LSPArray"}
_DIRECTIONS = {"client": "clientToServer", "server": "serverToClient"}
_OTHER = {"client": "server", "server": "client"}


def read_recording(path: Path) -> list[dict[str, Any]]:
    """The messages of a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class MetaModel:
    """LSP's meta model, as its JSON file says it.

    `custom` are methods of our own, which are not looked into.
    """

    model: Mapping[str, Any]
    custom: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path, custom: Iterable[str] = ()) -> MetaModel:
        """Read the file."""
        return cls(json.loads(path.read_text(encoding="utf-8")), frozenset(custom))

    def check_messages(self, messages: Sequence[Mapping[str, Any]]) -> list[str]:
        """What is wrong with a session, one sentence each; empty when nothing is."""
        session = _Session(self)
        for number, message in enumerate(messages, 1):
            session.take(number, message["from"], message["msg"])
        return [*session.errors, *session.unanswered()]

    @cached_property
    def structures(self) -> dict[str, Type]:
        """By name."""
        return {entry["name"]: entry for entry in self.model["structures"]}

    @cached_property
    def enumerations(self) -> dict[str, Type]:
        """By name."""
        return {entry["name"]: entry for entry in self.model["enumerations"]}

    @cached_property
    def aliases(self) -> dict[str, Type]:
        """By name."""
        return {entry["name"]: entry for entry in self.model["typeAliases"]}

    @cached_property
    def requests(self) -> dict[str, Type]:
        """By method."""
        return {entry["method"]: entry for entry in self.model["requests"]}

    @cached_property
    def notifications(self) -> dict[str, Type]:
        """By method."""
        return {entry["method"]: entry for entry in self.model["notifications"]}

    def properties(self, name: str) -> dict[str, Type]:
        """All properties of a structure, inherited ones included."""
        structure, found = self.structures[name], {}
        for base in structure.get("extends", []) + structure.get("mixins", []):
            found.update(self.properties(base["name"]))
        found.update({entry["name"]: entry for entry in structure["properties"]})
        return found

    def check(self, kind: Type, value: object, at: str) -> list[str]:
        """What is wrong with a value of this type; `at` says where it stands."""
        return getattr(self, "_" + re.sub(r"\w+Literal$", "constant", kind["kind"]))(kind, value, at)  # type: ignore[no-any-return]  # dispatch by name

    def check_object(self, properties: Mapping[str, Type], value: object, at: str) -> list[str]:
        """What is wrong with an object of these properties."""
        if not isinstance(value, dict):
            return [f"{at}: object expected, got {type(value).__name__}"]
        errors = [
            f"{at}.{name}: missing" for name, p in properties.items() if name not in value and not p.get("optional")
        ]
        errors += [f"{at}.{name}: not in the meta model" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            errors += self.check(properties[name]["type"], value[name], f"{at}.{name}")
        return errors

    def _base(self, kind: Type, value: object, at: str) -> list[str]:
        name = kind["name"]
        if (
            name in ("URI", "DocumentUri")
            and isinstance(value, str)
            and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value)
        ):
            return [f"{at}: not a URI: {value!r:.60}"]
        return [] if _is_base(name, value) else [f"{at}: {name} expected, got {value!r:.60}"]

    def _reference(self, kind: Type, value: object, at: str) -> list[str]:
        name = kind["name"]
        if name in _ANYTHING:
            return []
        if name in self.structures:
            return self.check_object(self.properties(name), value, at)
        if name in self.aliases:
            return self.check(self.aliases[name]["type"], value, at)
        enumeration = self.enumerations[name]
        if not _is_base(enumeration["type"]["name"], value):
            return [f"{at}: {name} expects {enumeration['type']['name']}, got {value!r:.60}"]
        known = enumeration.get("supportsCustomValues") or value in [entry["value"] for entry in enumeration["values"]]
        return [] if known else [f"{at}: {value!r} is not in {name}"]

    def _array(self, kind: Type, value: object, at: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{at}: array expected"]
        return [error for n, item in enumerate(value) for error in self.check(kind["element"], item, f"{at}[{n}]")]

    def _map(self, kind: Type, value: object, at: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at}: map expected"]
        return [error for key, item in value.items() for error in self.check(kind["value"], item, f"{at}[{key}]")]

    def _or(self, kind: Type, value: object, at: str) -> list[str]:
        """The alternative that fits, else what the one that fits best says."""
        return min((self.check(item, value, at) for item in kind["items"]), key=len)

    def _and(self, kind: Type, value: object, at: str) -> list[str]:
        merged = {name: p for item in kind["items"] for name, p in self.properties(item["name"]).items()}
        return self.check_object(merged, value, at)

    def _tuple(self, kind: Type, value: object, at: str) -> list[str]:
        items = kind["items"]
        if not isinstance(value, list) or len(value) != len(items):
            return [f"{at}: tuple of {len(items)} expected"]
        pairs = enumerate(zip(items, value, strict=True))
        return [error for n, (item, part) in pairs for error in self.check(item, part, f"{at}[{n}]")]

    def _literal(self, kind: Type, value: object, at: str) -> list[str]:
        return self.check_object({p["name"]: p for p in kind["value"]["properties"]}, value, at)

    def _constant(self, kind: Type, value: object, at: str) -> list[str]:
        return [] if value == kind["value"] else [f"{at}: {kind['value']!r} expected"]


def _is_base(name: str, value: object) -> bool:
    if name in ("integer", "uinteger", "decimal"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        lowest = {"integer": -(2**31), "uinteger": 0}.get(name)
        return lowest is None or (int(value) == value and lowest <= value < 2**31)
    if name == "boolean":
        return isinstance(value, bool)
    return value is None if name == "null" else isinstance(value, str)


@dataclass
class _Session:
    """Pairs responses with their requests."""

    meta: MetaModel
    errors: list[str] = field(default_factory=list)
    pending: dict[tuple[str, object], str] = field(default_factory=dict)

    def take(self, number: int, sender: str, message: Mapping[str, Any]) -> None:
        errors = [] if message.get("jsonrpc") == "2.0" else ["the field jsonrpc is not 2.0"]
        method = message.get("method")
        if method is not None:
            if "id" in message:
                self.pending[sender, message["id"]] = method
            errors += self._call(method, sender, message)
        elif "id" in message:
            errors += self._response(sender, message)
        else:
            errors.append("neither a call nor a response")
        self.errors += [f"message {number} from the {sender}: {error}" for error in errors]

    def unanswered(self) -> list[str]:
        """Requests that got no answer."""
        return [f"{method} (id {i!r}) from the {sender}: no answer" for (sender, i), method in self.pending.items()]

    def _call(self, method: str, sender: str, message: Mapping[str, Any]) -> list[str]:
        if method in self.meta.custom:
            return []
        known = self.meta.requests if "id" in message else self.meta.notifications
        definition = known.get(method)
        if definition is None:
            kind = "request" if "id" in message else "notification"
            return [] if method.startswith("$/") else [f"{method}: unknown {kind}"]
        errors = []
        if definition["messageDirection"] not in (_DIRECTIONS[sender], "both"):
            errors.append(f"{method}: not for the {sender} to send")
        if definition.get("proposed"):
            errors.append(f"{method}: only proposed")
        params = message.get("params")
        if method == "$/progress":
            errors += self._progress(params)
        if "params" in definition:
            errors += self.meta.check(definition["params"], params, method)
        elif params not in (None, {}, []):
            errors.append(f"{method}: takes no params")
        return errors

    def _progress(self, params: object) -> list[str]:
        """The model says that a progress may be anything; ours are work-done progresses."""
        value = params.get("value") if isinstance(params, dict) else None
        if not isinstance(value, dict) or "kind" not in value:
            return []
        name = "WorkDoneProgress" + str(value["kind"]).capitalize()
        if name not in self.meta.structures:
            return [f"$/progress.value.kind: {value['kind']!r}"]
        return self.meta.check_object(self.meta.properties(name), value, "$/progress.value")

    def _response(self, sender: str, message: Mapping[str, Any]) -> list[str]:
        method = self.pending.pop((_OTHER[sender], message["id"]), None)
        if method is None:
            return [f"a response to the unknown id {message['id']!r}"]
        if "error" in message:
            error = message["error"]
            sound = isinstance(error.get("code"), int) and isinstance(error.get("message"), str)
            return [] if sound else [f"{method}: an error without code or message"]
        if "result" not in message:
            return [f"{method}: neither result nor error"]
        definition = self.meta.requests.get(method)
        return self.meta.check(definition["result"], message["result"], f"{method} result") if definition else []
