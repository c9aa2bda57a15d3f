"""The layers of options, later ones winning: defaults, user file, environment, editor; the repository restricts.

Pure: what the layers say comes as arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiops_lsp.settings.options import VENDOR_VARIABLES, Settings
from aiops_lsp.settings.problem import Problem
from aiops_lsp.settings.reading import Layer, Path, Reading, dotted, read_layer, where_of
from aiops_lsp.settings.repository import restrict

_ADDING_UP: frozenset[Path] = frozenset({("privacy", "redact_patterns"), ("review", "ignore")})
"""Lists of which a later layer adds to the earlier ones: it must not undo a protection by saying something else."""

_KEY_SOURCES = ("api_key_env", "api_key_file", "api_key_keyring")

OWN_VARIABLES = ("AIOPS_STATE_DIR", "AIOPS_CACHE_DIR")

_EDITORS_OWN = frozenset({"server", "trace"})
"""What editors keep in the same section for themselves: how to start the server, what to trace."""


def resolve(
    user: Mapping[str, object] | None,
    env: Mapping[str, str],
    editor: object | None,
    repository: Mapping[str, object] | None,
) -> tuple[Settings, list[Problem]]:
    """The settings that hold, and what of the layers was not applied and why.

    `user` and `repository` are parsed files, `env` the process's environment, `editor` whatever the client sent.
    None of them can make this fail.
    """
    layers = [
        read_layer(user, Layer.USER),
        read_layer(_from_environment(env), Layer.ENVIRONMENT),
        _without_reserved(read_layer(_from_editor(editor), Layer.EDITOR)),
    ]
    values, origins = _merged(layers)
    problems = [problem for layer in layers for problem in layer.problems]
    problems += _stray_variables(env)
    problems += _bind_providers(values, origins, env)
    problems += _check_chains(values, origins)
    reading = read_layer(repository, Layer.REPOSITORY)
    additions, restrictions = restrict(reading, values, origins)
    problems += reading.problems
    settings = Settings.model_validate(
        _nested(values)
        | {
            "repository": additions,
            "restricted_by": tuple(restrictions),
            "origins": {dotted(path): origin for path, origin in origins.items()},
        }
    )
    return settings, list(dict.fromkeys(problems))


def _from_environment(env: Mapping[str, str]) -> dict[str, object]:
    """`AIOPS_REVIEW__SCOPE=file` as {"review": {"scope": "file"}}; empty variables count as unset."""
    tree: dict[str, object] = {}
    for name, value in sorted(env.items()):
        path = name.removeprefix("AIOPS_").lower().split("__")
        known = len(path) > 1 or path[0] in Settings.model_fields.keys() - _RESOLVED
        if not name.startswith("AIOPS_") or name in OWN_VARIABLES or not value.strip() or not known:
            continue
        node: object = tree
        for part in path[:-1]:
            node = node.setdefault(part, {}) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node[path[-1]] = value
    return tree


_RESOLVED = {"repository", "restricted_by", "origins"}


def _stray_variables(env: Mapping[str, str]) -> list[Problem]:
    """Misspelt variables of ours that have no section to be checked in. Other programs may own other AIOPS_ names."""
    return [
        Problem(name, "there is no such variable", f"Did you mean {own}?")
        for name in sorted(env)
        for own in OWN_VARIABLES
        if name != own and re.sub(r"[^A-Z]", "", name.upper()) == own.replace("_", "")
    ]


def _from_editor(editor: object) -> object:
    """Some clients send the section wrapped in its own name, and all keep options of their own in it."""
    if isinstance(editor, Mapping) and set(editor) == {"aiops"}:
        editor = editor["aiops"]
    if not isinstance(editor, Mapping):
        return editor
    return {key: value for key, value in editor.items() if key not in _EDITORS_OWN}


def _without_reserved(reading: Reading) -> Reading:
    """An editor's settings may come from a folder that was merely opened: they choose no host, no key, no price."""
    for path in [path for path in reading.values if path[0] in ("providers", "prices") or path[-1] == "allow_hosts"]:
        del reading.values[path]
        reading.report(path, "editor settings cannot set this", "Put it into config.toml or the environment")
    return reading


def _merged(layers: list[Reading]) -> tuple[dict[Path, Any], dict[Path, str]]:
    values: dict[Path, Any] = {}
    origins: dict[Path, str] = {}
    for layer in layers:
        for path in [path for path in layer.values if path[0] == "providers" and path[-1] in _KEY_SOURCES]:
            for other in _KEY_SOURCES:
                values.pop((*path[:-1], other), None)
                origins.pop((*path[:-1], other), None)
        for path, value in layer.values.items():
            values[path] = (*values.get(path, ()), *value) if path in _ADDING_UP else value
            origins[path] = where_of(layer.layer, path) if layer.layer is Layer.ENVIRONMENT else layer.layer.value
    return values, origins


def _bind_providers(values: dict[Path, Any], origins: dict[Path, str], env: Mapping[str, str]) -> list[Problem]:
    """Fill in the vendors' own variables, and bind each key to the host that it was given for.

    A key of the user's file never goes to a host that the environment names. A vendor's variable goes to the
    official host or to the host of the vendor's own base URL variable, and elsewhere only when the file says so.
    """
    problems = _one_source_each(values, origins)
    for name in sorted({*VENDOR_VARIABLES, *(path[1] for path in values if path[0] == "providers")}):
        key_variable, url_variable = VENDOR_VARIABLES.get(name, ("", ""))
        url_path: Path = ("providers", name, "base_url")
        if url_path not in values or origins[url_path] == Layer.USER.value:
            problems += _vendor_url(values, origins, env, url_path, url_variable)
        url_origin = origins.get(url_path)
        sources = [p for p in values if p[:2] == ("providers", name) and p[-1] in _KEY_SOURCES]
        for path in sources:
            if origins[path] == Layer.USER.value and url_origin not in (None, Layer.USER.value):
                del values[path], origins[path]
                if url_origin != url_variable:
                    problems.append(
                        Problem(
                            f"config.toml: {dotted(path)}",
                            f"this key is bound to another host than {url_origin} names, so it is not used",
                            "Name the key's place beside that address",
                        )
                    )
        has_source = any((*url_path[:2], source) in values for source in _KEY_SOURCES)
        if key_variable and not has_source and url_origin in (None, url_variable):
            values["providers", name, "api_key_env"] = key_variable
    return problems


def _vendor_url(
    values: dict[Path, Any], origins: dict[Path, str], env: Mapping[str, str], path: Path, variable: str
) -> list[Problem]:
    """Take the base URL of the vendor's own variable, which as part of the environment wins over the user's file."""
    text = env.get(variable, "").strip() if variable else ""
    if not text:
        return []
    reading = read_layer({"providers": {path[1]: {"base_url": text}}}, Layer.ENVIRONMENT)
    if path in reading.values:
        values[path], origins[path] = reading.values[path], variable
    return [Problem(variable, problem.what, problem.hint) for problem in reading.problems]


def _one_source_each(values: dict[Path, Any], origins: dict[Path, str]) -> list[Problem]:
    problems = []
    for name in sorted({path[1] for path in values if path[0] == "providers"}):
        named = [source for source in _KEY_SOURCES if ("providers", name, source) in values]
        for extra in named[1:]:
            path = ("providers", name, extra)
            del values[path]
            problems.append(Problem(f"{origins.pop(path)}: {dotted(path)}", f"{named[0]} is set too, which is used"))
    return problems


def _check_chains(values: dict[Path, Any], origins: dict[Path, str]) -> list[Problem]:
    """A model can only be asked of a provider whose address is known."""
    problems = []
    for path in [path for path in values if path[0] == "models"]:
        known = tuple(m for m in values[path] if _has_address(m.partition(":")[0], values))
        for model in values[path]:
            provider = model.partition(":")[0]
            if model not in known:
                hint = f"Set base_url under [providers.{provider}] in config.toml, or name openai or anthropic"
                what = f"the provider {provider} has no address"
                problems.append(Problem(f"{origins[path]}: {dotted(path)}", what, hint))
        values[path] = known
    return problems


def _has_address(provider: str, values: Mapping[Path, Any]) -> bool:
    return provider in VENDOR_VARIABLES or ("providers", provider, "base_url") in values


def _nested(values: Mapping[Path, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = value
    return tree
