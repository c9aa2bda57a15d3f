"""The options for people and tools: a JSON schema, and the settings that hold with where each came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from aiops_lsp.settings.options import Options, Settings
from aiops_lsp.settings.reading import Path, dotted


def schema() -> dict[str, object]:
    """The JSON schema of a configuration file, with defaults, bounds and descriptions."""
    return Options.model_json_schema()


def show(settings: Settings) -> str:
    """All options as TOML, each with its origin as a comment, and what the repository restricts or adds.

    No key is ever part of the settings, so none can be shown.
    """
    lines: list[str] = []
    for name in Options.model_fields:
        lines += _table((name,), getattr(settings, name), settings.origins)
    if settings.restricted_by:
        lines += ["", "# Restricted by the repository's file:", *(f"#   {text}" for text in settings.restricted_by)]
    if settings.repository.rules_dir:
        lines += [f"# Rules of the repository: {_toml(settings.repository.rules_dir)}"]
    if settings.repository.instructions:
        lines += ["# Instructions of the repository:"]
        lines += [f"#   {', '.join(i.paths) or 'all files'}: {i.text}" for i in settings.repository.instructions]
    return "\n".join(lines).strip() + "\n"


def _table(path: Path, value: object, origins: Mapping[str, str]) -> Iterator[str]:
    if isinstance(value, tuple):
        origin = origins.get(dotted(path), "default")
        for entry in value:
            yield from ("", f"[[{dotted(path)}]]  # {origin}", *(f"{k} = {_toml(v)}" for k, v in entry))
        return
    items = dict(value) if isinstance(value, (BaseModel, Mapping)) else {}
    simple = {name: item for name, item in items.items() if not isinstance(item, (BaseModel, Mapping))}
    if any(item is not None for item in simple.values()):
        yield from ("", f"[{dotted(path)}]")
    for name, item in simple.items():
        if item is not None:
            place = dotted((*path, name))
            yield f"{dotted((name,))} = {_toml(item)}  # {origins.get(place, 'default')}"
    for name, item in items.items():
        if name not in simple:
            yield from _table((*path, name), item, origins)


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (str, bool)) else f"{value}"
