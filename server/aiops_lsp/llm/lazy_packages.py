"""Lets an SDK be imported without the modules of which it only passes names on.

Most of an SDK is a class for each thing that its API knows, in hundreds of modules. Its packages collect these names
with `from .module import Name`, so that to import one name imports all. A request needs none of them.
"""

from __future__ import annotations

import ast
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType


@contextmanager
def lazy_packages(package: str) -> Iterator[None]:
    """`package` and packages below it, first imported within, do not import the modules whose names they pass on.

    Such a module is imported when one of its names is asked for, also after this. It makes a difference to no one
    but who counts on what a module does when it is imported. A package that does more than pass names on is imported
    as ever.
    """
    finder = _Finder(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._package and not name.startswith(f"{self._package}."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.submodule_search_locations is not None:
            loader = spec.loader
            if type(loader) is SourceFileLoader:
                spec.loader = _Loader(loader.name, loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Loads a package that passes names on without importing what they come from."""

    def exec_module(self, module: ModuleType) -> None:
        package = module.__name__
        passed_on, public = _passed_on(self.get_source(package) or "")
        if not passed_on:
            super().exec_module(module)
            return

        def get(name: str) -> object:
            if name not in passed_on:
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            source, its_name = passed_on[name]
            value = getattr(import_module(f"{package}.{source}"), its_name)
            setattr(module, name, value)
            return value

        module.__dict__.update(__getattr__=get, __all__=public)


def _passed_on(source: str) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """The names that a package passes on, each with the module below it and the name there; and what `*` stands for.

    Nothing when the package does anything else.
    """
    passed_on: dict[str, tuple[str, str]] = {}
    public: list[str] | None = None
    for statement in ast.parse(source).body:
        match statement:
            case ast.ImportFrom(module="__future__") | ast.Expr(value=ast.Constant()):
                pass
            case ast.ImportFrom(module=str(module), level=1, names=names) if all(one.name != "*" for one in names):
                passed_on |= {one.asname or one.name: (module, one.name) for one in names}
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List() as listed):
                public = ast.literal_eval(listed)
            case _:
                return {}, []
    # Importing a module binds its name in its package, which would hide what the package has under that name.
    modules = {module.partition(".")[0] for module, _ in passed_on.values()}
    if modules.intersection(passed_on):
        return {}, []
    return passed_on, [name for name in passed_on if not name.startswith("_")] if public is None else public
