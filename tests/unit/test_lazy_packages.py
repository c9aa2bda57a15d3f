"""Packages that only pass names on, imported without the modules that they pass them on from."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import pytest

from aiops_lsp.llm.lazy_packages import lazy_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

Make: TypeAlias = "Callable[[dict[str, str]], str]"

_numbers = count()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write the files of a package below one with a new name, whose name it returns."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(files: dict[str, str]) -> str:
        made.append(f"sdk{next(_numbers)}")
        for path, source in {"__init__.py": "", **files}.items():
            file = tmp_path / made[-1] / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
        importlib.invalidate_caches()
        return made[-1]

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in made]:
        del sys.modules[name]


def imported(name: str) -> ModuleType:
    with lazy_packages(name):
        return importlib.import_module(name)


TYPES = '''"""What there is."""
from __future__ import annotations
from .dog import Dog as Dog, Puppy as Young
from .cat import Cat
from .deep.fish import Fish
'''
CLASSES = {
    "types/__init__.py": TYPES,
    "types/dog.py": "class Dog: ...\nclass Puppy: ...",
    "types/cat.py": "from . import Dog\nclass Cat:\n    enemy = Dog",
    "types/deep/__init__.py": "from .fish import Fish\nfrom .whale import Whale",
    "types/deep/fish.py": "class Fish: ...",
    "types/deep/whale.py": "class Whale: ...",
}


def test_a_name_is_imported_when_it_is_asked_for(make: Make) -> None:
    root = make(CLASSES)
    types = imported(f"{root}.types")
    assert f"{root}.types.dog" not in sys.modules
    assert types.Young.__name__ == "Puppy"
    assert f"{root}.types.dog" in sys.modules
    assert f"{root}.types.cat" not in sys.modules


def test_a_name_is_the_same_however_it_is_asked_for(make: Make) -> None:
    root = make(CLASSES)
    with lazy_packages(f"{root}.types"):
        types = importlib.import_module(f"{root}.types")
        assert types.Fish is importlib.import_module(f"{root}.types.deep").Fish
    assert f"{root}.types.deep.whale" not in sys.modules
    assert types.Cat.enemy is types.Dog is importlib.import_module(f"{root}.types.dog").Dog


def test_modules_below_can_be_imported_as_ever(make: Make) -> None:
    root = make(CLASSES)
    imported(f"{root}.types")
    scope: dict[str, object] = {}
    exec(f"from {root}.types import cat\nimport {root}.types.deep.whale as whale", scope)
    assert scope["cat"] is sys.modules[f"{root}.types.cat"]
    assert scope["whale"] is sys.modules[f"{root}.types.deep.whale"]


def test_a_name_that_is_not_there_is_missed_in_words(make: Make) -> None:
    types = imported(f"{make(CLASSES)}.types")
    with pytest.raises(AttributeError, match=r"types' has no attribute 'Bird'"):
        _ = types.Bird
    assert not hasattr(types, "__wrapped__")


@pytest.mark.parametrize(
    ("extra", "names"), [("", {"Dog", "Young", "Cat", "Fish"}), ("\n__all__ = ['Dog']", {"Dog"})], ids=["all", "listed"]
)
def test_a_star_stands_for_the_same_names(make: Make, extra: str, names: set[str]) -> None:
    root = make({**CLASSES, "types/__init__.py": TYPES + "from .cat import Cat as _Cat" + extra})
    imported(f"{root}.types")
    scope: dict[str, object] = {}
    exec(f"from {root}.types import *", scope)
    assert set(scope) - {"__builtins__"} == names


@pytest.mark.parametrize(
    "source",
    [
        "from .dog import Dog\ncalled = Dog()",
        "from .dog import *",
        "from .dog import Dog\nimport json",
        "from .dog import Dog\nfrom json import loads",
        "from .dog import Dog\nif True:\n    from .cat import Cat",
        "from . import dog",
        "from .dog import Dog as dog",  # the module would take the place of what it passes on
    ],
)
def test_a_package_that_does_more_is_imported_as_ever(make: Make, source: str) -> None:
    root = make({**CLASSES, "types/cat.py": "class Cat: ...", "types/__init__.py": source})
    imported(f"{root}.types")
    assert f"{root}.types.dog" in sys.modules


def test_everything_else_is_imported_as_ever(make: Make) -> None:
    root, other = (
        make({**CLASSES, "typeset/__init__.py": "from .dog import Dog", "typeset/dog.py": "Dog = 1"}),
        make(CLASSES),
    )
    with lazy_packages(f"{root}.types"):
        importlib.import_module(f"{root}.typeset")
        importlib.import_module(f"{other}.types")
    assert {f"{root}.typeset.dog", f"{other}.types.dog"} <= set(sys.modules)
    importlib.import_module(f"{root}.types")
    assert f"{root}.types.dog" in sys.modules


SAME = """
import importlib, json, sys
from aiops_lsp.llm.lazy_packages import lazy_packages
sdk, lazily = sys.argv[1:]
if lazily:
    with lazy_packages(f"{sdk}.types"):
        root = importlib.import_module(sdk)
else:
    root = importlib.import_module(sdk)
loaded = sum(name.startswith(f"{sdk}.types") for name in sys.modules)
names = {}
for package in ("types", "types.chat", "types.responses", "types.shared", "types.beta"):
    try:
        module = importlib.import_module(f"{sdk}.{package}")
    except ModuleNotFoundError:
        continue
    scope = {}
    exec(f"from {sdk}.{package} import *", scope)
    names |= {f"{package}.{n}": repr(value) for n, value in scope.items() if n[0].isupper()}
    names |= {n: repr(getattr(root, n)) for n in root.__all__}
print(json.dumps([loaded, names]))
"""


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_the_sdks_have_the_same_names_and_load_fewer_modules(sdk: str) -> None:
    def run(lazily: str) -> tuple[int, dict[str, str]]:
        command = [sys.executable, "-c", SAME, sdk, lazily]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        loaded, names = json.loads(done.stdout)
        return loaded, {name: value.partition(" at 0x")[0] for name, value in names.items()}

    (few, lazy), (all_, usual) = run("lazily"), run("")
    assert lazy == usual
    assert len(lazy) > 100
    assert few < 0.8 * all_
