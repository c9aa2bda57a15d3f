"""Options and folders: what the user, the environment, the editor and the repository ask for, made into `Settings`.

The names below are loaded on first use, because pydantic is: the server's start needs only `folders`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.settings.describe import schema, show
    from aiops_lsp.settings.files import read_repository_file, read_user_file
    from aiops_lsp.settings.folders import cache_dir, config_file, state_dir
    from aiops_lsp.settings.layers import resolve
    from aiops_lsp.settings.options import (
        VENDOR_VARIABLES,
        Instruction,
        Models,
        Price,
        Provider,
        Settings,
        default_models,
        effective_models,
    )
    from aiops_lsp.settings.problem import Problem

__all__ = [
    "VENDOR_VARIABLES",
    "Instruction",
    "Models",
    "Price",
    "Problem",
    "Provider",
    "Settings",
    "cache_dir",
    "config_file",
    "default_models",
    "effective_models",
    "read_repository_file",
    "read_user_file",
    "resolve",
    "schema",
    "show",
    "state_dir",
]

_HOMES = {
    "VENDOR_VARIABLES": "options",
    "Instruction": "options",
    "Models": "options",
    "Price": "options",
    "Problem": "problem",
    "Provider": "options",
    "Settings": "options",
    "cache_dir": "folders",
    "config_file": "folders",
    "default_models": "options",
    "effective_models": "options",
    "read_repository_file": "files",
    "read_user_file": "files",
    "resolve": "layers",
    "schema": "describe",
    "show": "describe",
    "state_dir": "folders",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
