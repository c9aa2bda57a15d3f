"""A look at an edited text finds what a look at it without any before finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.text import Snapshot
from aiops_lsp.engine.examine import Examined, Recipe, examine

BODIES = (
    "    return 1\n",
    "    return one() + other\n",
    "    return eval(x)  # aiops: ignore\n",
    "    # AIOPS:ignore[bug] on purpose\n    return 2\n",
    '    return "aiops: ignore"\n',
    "    if x:\n        return 3\n\n\n",
    "    return (\n",
)
EDIT = st.tuples(st.integers(0, 9), st.sampled_from(("put in", "take out", "rewrite")), st.sampled_from(BODIES))


def looked_at(functions: list[str], recipe: Recipe, previous: Examined | None) -> Examined:
    text = "import os\n\n\n" + "\n\n".join(functions) + "\n\nLAST = 1\n"
    return examine(Snapshot("file:///t.py", 1, "python", text), recipe, None, (), previous)


@given(st.lists(EDIT, min_size=1, max_size=6), st.booleans())
def test_a_look_after_edits_finds_what_a_first_look_finds(edits: list[tuple[int, str, str]], instructed: bool) -> None:
    functions = [f"def f{number}(x):\n{BODIES[number % 2]}" for number in range(6)]
    plain, other = Recipe("1", (), "en"), Recipe("1", ("Mind the gap.",), "en")
    looked = looked_at(functions, plain, None)
    for count, (chosen, what, body) in enumerate(edits):
        place = min(chosen, len(functions) - 1)
        if what == "put in":
            functions.insert(place, f"def g{count}(x):\n{body}")
        elif what == "rewrite":
            functions[place] = functions[place].partition("\n")[0] + "\n" + body
        elif len(functions) > 1:
            del functions[place]
        recipe = other if instructed and count % 2 else plain
        looked = looked_at(functions, recipe, looked)
        fresh = looked_at(functions, recipe, None)
        assert looked.ignores == fresh.ignores
        if not fresh.split.errors:
            assert looked.split.regions == fresh.split.regions
            assert looked.keys == fresh.keys
