"""One layer's raw values, checked option by option: what is valid counts, the rest becomes problems in words.

The input is untrusted and may have any shape. Nothing here raises for it, and no value that may be a secret is
repeated in a problem.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.settings.options import Options
from aiops_lsp.settings.problem import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Path = tuple[str, ...]
"""The way to an option, as in ("review", "debounce_ms"). Maps add their key, as in ("prices", "openai:x", "input")."""

_MAX_ENTRIES = 1000
_MAX_SHOWN = 40


class Layer(Enum):
    """Where values come from, by the name that problems call it."""

    USER = "config.toml"
    ENVIRONMENT = "environment"
    EDITOR = "editor settings"
    REPOSITORY = "repository file"


@dataclass(slots=True)
class Reading:
    """What a layer holds: valid values by path, and what is wrong with the rest."""

    layer: Layer
    values: dict[Path, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(self, path: Path, what: str, hint: str = "") -> None:
        """Add a problem with the option at `path`."""
        self.problems.append(Problem(where_of(self.layer, path), what, hint))


def where_of(layer: Layer, path: Path) -> str:
    """How a problem names an option of a layer."""
    if layer is Layer.ENVIRONMENT and path:
        plain = itertools.takewhile(lambda part: re.fullmatch(r"[A-Za-z0-9_]+", part), path)
        return "AIOPS_" + "__".join(plain).upper()
    return f"{layer.value}: {dotted(path)}" if path else layer.value


def dotted(path: Path) -> str:
    """The path as a configuration file writes it, keys quoted where TOML wants it."""
    text = ".".join(part if re.fullmatch(r"[A-Za-z0-9_\-\[\]]+", part) else json.dumps(part) for part in path)
    return re.sub(r"\.\[", "[", text)


def read_layer(raw: object, layer: Layer) -> Reading:
    """Check all that a layer says. An empty list counts as an empty table, since Lua cannot tell them apart."""
    reading = Reading(layer)
    if raw is None or raw == []:
        return reading
    if not isinstance(raw, Mapping):
        reading.report((), f"a table of options is expected, not {_kind(raw)}")
        return reading
    _Walk(reading, textual=layer is Layer.ENVIRONMENT).section(Options, raw, ())
    return reading


def looks_like_secret(value: object) -> bool:
    """Whether a string may be a key that was pasted where it does not belong."""
    if not isinstance(value, str) or len(value) < 16 or re.search(r"\s", value):
        return False
    if find_secrets(value):
        return True
    mixed = re.search(r"[A-Za-z]", value) and re.search(r"\d", value)
    return bool(len(value) >= 20 and mixed and re.fullmatch(r"[A-Za-z0-9_\-+=~]+", value))


_KEY_NAMES = re.compile(r"(?i)(^|_)(api_?)?(key|token|secret|password)s?$")


@dataclass(slots=True)
class _Walk:
    reading: Reading
    textual: bool

    def section(self, model: type[BaseModel], raw: Mapping[object, object], path: Path) -> None:
        """Read the options of one table."""
        for key, value in list(raw.items())[:_MAX_ENTRIES]:
            name = self._option_name(key)
            if name in model.model_fields:
                if value is not None:
                    self._option(model, name, value, (*path, name))
            else:
                self._unknown(model, str(key), value, path)

    def _option_name(self, key: object) -> str:
        """Editors write `debounceMs` where files write `debounce_ms`."""
        text = str(key)
        if self.reading.layer is Layer.EDITOR and re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", text):
            return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), text)
        return text

    def _unknown(self, model: type[BaseModel], key: str, value: object, path: Path) -> None:
        shown = key if len(key) <= _MAX_SHOWN and not looks_like_secret(key) else "(not shown)"
        if (isinstance(value, str) and _KEY_NAMES.search(key)) or looks_like_secret(value):
            self.reading.report(
                (*path, shown),
                "a key does not belong in settings, and this one was not read",
                "Set the variable OPENAI_API_KEY or ANTHROPIC_API_KEY, or name the key's place with api_key_env, "
                "api_key_file or api_key_keyring under [providers] in config.toml; if it was a real key, replace it",
            )
            return
        near = get_close_matches(key.lower(), model.model_fields, n=1, cutoff=0.6)
        home = _home_of(key) if not near else None
        hint = f"Did you mean {dotted((*path, near[0]))}" if near else f"Did you mean {home}" if home else ""
        self.reading.report((*path, shown), "there is no such option", hint + "?" if hint else "")

    def _option(self, model: type[BaseModel], name: str, value: object, path: Path) -> None:
        annotation = model.model_fields[name].annotation
        entries = _entry_model(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if (table := self._table(value, path)) is not None:
                self.section(annotation, table, path)
        elif get_origin(annotation) is Mapping:
            if (table := self._table(value, path)) is not None:
                self._map(entries, model, name, table, path)
        elif entries is not None:
            self._list(entries, value, path)
        else:
            self._leaf(_adapter(model, name), value, path)

    def _table(self, value: object, path: Path) -> Mapping[object, object] | None:
        if self.textual and isinstance(value, str):
            value = _json_or_text(value)
        if value == []:
            return {}
        if isinstance(value, Mapping):
            return value
        self.reading.report(path, f"a table of options is expected, not {_kind(value)}")
        return None

    def _map(
        self,
        entries: type[BaseModel] | None,
        model: type[BaseModel],
        name: str,
        table: Mapping[object, object],
        path: Path,
    ) -> None:
        """Entries under names that the user chooses; one that is wrong leaves the others."""
        for key, value in list(table.items())[:_MAX_ENTRIES]:
            entry_path = (*path, str(key))
            if looks_like_secret(str(key)):
                self.reading.report(path, "a name in it looks like a key, which does not belong in settings")
            elif entries is not None:
                if (entry := self._entry(entries, value, entry_path)) is not None:
                    self.reading.values.update(entry)
            elif value is not None:
                self._leaf(_value_adapter(model, name), value, entry_path)

    def _list(self, entries: type[BaseModel], value: object, path: Path) -> None:
        """A list of tables; one that is wrong leaves the others."""
        if self.textual and isinstance(value, str):
            value = _json_or_text(value)
        if not isinstance(value, list):
            self.reading.report(path, f"a list of tables is expected, not {_kind(value)}")
            return
        kept = []
        for index, item in enumerate(value[:_MAX_ENTRIES]):
            item_path = (*path, f"[{index}]")
            if (entry := self._entry(entries, item, item_path)) is not None:
                kept.append(entries.model_validate({where[-1]: part for where, part in entry.items()}))
        self.reading.values[path] = tuple(kept)

    def _entry(self, model: type[BaseModel], raw: object, path: Path) -> dict[Path, Any] | None:
        """One table that stands or falls with its required options."""
        inner = _Walk(Reading(self.reading.layer), self.textual and not _is_json(raw))
        if (table := self._table(raw, path)) is None:
            return None
        inner.section(model, table, path)
        self.reading.problems += inner.reading.problems
        required = [name for name, info in model.model_fields.items() if info.is_required()]
        missing = [name for name in required if (*path, name) not in inner.reading.values]
        for name in missing:
            if table.get(name) is None:
                self.reading.report(path, f"{name} is missing, so it is left out")
        return None if missing else inner.reading.values

    def _leaf(self, adapter: TypeAdapter[Any], value: object, path: Path) -> None:
        if self.textual and isinstance(value, str) and _wants_list(adapter):
            value = _listed(value)
        if not isinstance(value, list) or not _wants_list(adapter):
            self._keep(adapter, value, path, path, value)
            return
        self.reading.values[path] = ()
        for index, item in enumerate(value[:_MAX_ENTRIES]):
            # One that is wrong leaves the others.
            self._keep(adapter, [item], path, (*path, f"[{index}]"), item)

    def _keep(self, adapter: TypeAdapter[Any], value: object, path: Path, place: Path, given: object) -> None:
        """Validate a value, or a list of one, and keep it; what is wrong with what was `given` is told of `place`."""
        try:
            valid = _validated(adapter, value, textual=self.textual)
        except ValidationError as error:
            self.reading.report(place, f"{_in_words(error.errors(include_url=False)[0])}, not {_shown(given)}")
        except (TypeError, ValueError, RecursionError):
            # What JSON cannot say (a TOML date, a lone surrogate, endless nesting) fits no option.
            self.reading.report(place, f"{_kind(given)} does not fit here")
        else:
            self.reading.values[path] = (*self.reading.values.get(path, ()), *valid) if place != path else valid


def _validated(adapter: TypeAdapter[Any], value: object, *, textual: bool) -> Any:
    """Strict, so that "600" is no number and 1 no boolean; but the environment has only text."""
    if textual and isinstance(value, str):
        return adapter.validate_strings(value)
    return adapter.validate_json(json.dumps(_whole_numbers(value)), strict=True)


def _listed(text: str) -> list[object]:
    """A variable holds a list as JSON or with commas."""
    decoded = _json_or_text(text)
    return decoded if isinstance(decoded, list) else [part.strip() for part in text.split(",") if part.strip()]


def _wants_list(adapter: TypeAdapter[Any]) -> bool:
    return adapter.json_schema().get("type") == "array"


def _whole_numbers(value: object) -> object:
    """Some clients write every number with a fraction."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _json_or_text(text: str) -> object:
    """A variable that holds a JSON table or list is one; anything else is text."""
    if not _is_json(text):
        return text
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded


def _is_json(value: object) -> bool:
    return isinstance(value, str) and value.lstrip().startswith(("{", "["))


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(model.model_fields[name].rebuild_annotation())


@cache
def _value_adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """For the values of a map."""
    return TypeAdapter(get_args(model.model_fields[name].annotation)[1])


def _entry_model(annotation: object) -> type[BaseModel] | None:
    """The model of the entries of a map or list, if they are tables."""
    return next((arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, BaseModel)), None)


@cache
def _homes() -> dict[str, str]:
    homes = {}
    for section, info in Options.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            homes.update({name: f"{section}.{name}" for name in info.annotation.model_fields})
    return homes


def _home_of(key: str) -> str | None:
    """The option of that name in another section."""
    near = get_close_matches(key.lower(), _homes(), n=1, cutoff=0.8)
    return _homes()[near[0]] if near else None


def _kind(value: object) -> str:
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        ((list, tuple), "a list"),
        (Mapping, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "something else")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        short = len(value) <= _MAX_SHOWN and value.isprintable() and not looks_like_secret(value)
        return json.dumps(value, ensure_ascii=False) if short else "the value given (not shown)"
    return _kind(value)


def _number(value: float) -> str:
    """Briefly; an integer may be too large to be a float at all."""
    return "such a number" if abs(value) >= 10**15 else f"{value:.15g}"


def _in_words(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    expected = {
        "greater_than_equal": "must be at least {ge}",
        "less_than_equal": "must be at most {le}",
        "literal_error": "must be {expected}",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "int_parsing_size": "must be a smaller whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "finite_number": "must be a finite number",
        "string_type": "must be a string",
        "string_too_short": "must not be empty",
        "string_too_long": "must have at most {max_length} characters",
        "tuple_type": "must be a list",
        "value_error": "{error}",
    }.get(error["type"])
    context = {name: _number(value) if isinstance(value, (int, float)) else value for name, value in context.items()}
    return expected.format(**context) if expected else error["msg"][:1].lower() + error["msg"][1:]
