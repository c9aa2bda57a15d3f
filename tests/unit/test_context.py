"""Context blocks: what of the file a region's key depends on, and what it does not."""

from __future__ import annotations

import re

import pytest

from aiops_lsp.core.context import LONGEST_BLOCK
from aiops_lsp.core.splitting import split
from aiops_lsp.core.text import Snapshot

SOURCE = '''\
import os
import json
from lib import (one, two as second, three)  # all three

LIMIT = 5  # the most
OTHER = 6


@cached(1)
def callee(a: int, *, b: str = "x") -> bool:  # note
    """Doc."""
    return a > LIMIT


def unrelated(x):
    return x


class Base:
    size = 3

    def __init__(self, root: str) -> None:
        self.root = root

    def sibling(self, y):
        return y

    def method(self, z):
        return self.sibling(z) + self.size


def subject(value):
    made = Base(value)
    return callee(second(made), b=f"{OTHER}")
'''


def context(text: str, symbol: str = "subject", language: str = "python") -> str:
    regions = split(Snapshot("file:///t", 1, language, text)).regions
    (found,) = (region.context for region in regions if region.symbol == symbol and region.kind != "class_body")
    return found


def test_a_function_sees_what_it_uses_most_valuable_first() -> None:
    assert context(SOURCE).splitlines() == [
        '@cached(1) def callee(a: int, *, b: str = "x") -> bool:',
        "class Base: def __init__(self, root: str) -> None:",
        "OTHER = 6",
        "from lib import two as second",
    ]


def test_a_method_sees_its_class_and_the_members_it_uses() -> None:
    assert context(SOURCE, "Base.method").splitlines() == ["class Base:", "def sibling(self, y):", "size = 3"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a > LIMIT", "a > LIMIT + 1"),
        ('"""Doc."""', '"""Another."""'),
        ("  # note", "  # another note"),
        ("def unrelated(x)", "def unrelated(x, y=1)"),
        ("import json", "import json, sys"),
        ("one, two as second, three", "zero, two as second"),
        ("LIMIT = 5", "LIMIT = 7"),
        ("# the most", ""),
        ("def sibling(self, y)", "def sibling(self, y, z)"),
        ('a: int, *, b: str = "x"', 'a: int,\n           *, b: str = "x"'),
        ("import os\n", "import os\n\n\n# more\n"),
    ],
)
def test_what_does_not_change_it(old: str, new: str) -> None:
    assert old in SOURCE
    assert context(SOURCE.replace(old, new)) == context(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: int", "a: str"),
        ("-> bool", "-> int"),
        ("@cached(1)", "@cached(2)"),
        ("two as second", "four as second"),
        ("OTHER = 6", "OTHER = 7"),
        ("root: str", "root: bytes"),
        ("class Base:", "class Base(Other):"),
    ],
)
def test_what_changes_it(old: str, new: str) -> None:
    assert old in SOURCE
    assert context(SOURCE.replace(old, new)) != context(SOURCE)


def test_order_in_the_file_does_not_count() -> None:
    definitions = ["def a(x):\n    return x\n", "def b(y):\n    return y\n", "C = 1\n", "D = 2\n"]
    subject = "def subject():\n    return a(C) + b(D)\n"
    forward = "\n\n".join([*definitions, subject])
    backward = "\n\n".join([subject, *reversed(definitions)])
    assert context(forward) == context(backward) == "def a(x):\ndef b(y):\nC = 1\nD = 2"


def test_it_is_bounded_and_keeps_the_most_valuable() -> None:
    functions = "".join(f"def f{n}(argument_{n}):\n    return 1\n\n\n" for n in range(100))
    values = "".join(f"V{n} = {n}\n" for n in range(100))
    uses = " + ".join([*(f"f{n}(V{n})" for n in range(100))])
    block = context(f"{functions}{values}\n\ndef subject():\n    return {uses}\n")
    assert LONGEST_BLOCK - 40 < len(block) <= LONGEST_BLOCK
    assert block.startswith("def f")


def test_a_long_definition_is_cut_short() -> None:
    table = ", ".join(f"{n}: {n}" for n in range(500))
    block = context(f"TABLE = {{{table}}}\n\n\ndef subject():\n    return TABLE\n")
    assert block.startswith("TABLE = {0: 0, 1: 1,")
    assert block.endswith("…")
    assert len(block) < 310


def test_long_comments_in_a_definition_do_not_cut_it_short() -> None:
    text = SOURCE.replace("(a: int, *,", f"(  #{' long' * 300}\n    a: int, *,")
    assert context(text) == context(SOURCE.replace("(a: int, *,", "( a: int, *,"))


def test_own_definitions_are_left_out() -> None:
    assert context("def subject(n):\n    return subject(n - 1)\n") == ""


def test_attributes_of_others_are_no_uses() -> None:
    assert context("def get(a):\n    return a\n\n\ndef subject(x):\n    return x.get(1)\n") == ""


def test_names_in_plain_strings_are_no_uses() -> None:
    assert context('LIMIT = 5\n\n\ndef subject(x):\n    return "LIMIT"  # LIMIT\n') == ""


@pytest.mark.parametrize(
    ("line", "block"),
    [
        ('import a from "https://me:hush@host/a";', 'import a from "https://me:REDACTED_KEY_1@host/a"'),
        ('const a = "hush";', 'const a = "REDACTED_KEY_1";'),
        ('const a = f({ x: "hush", y: "hush" });', 'const a = f({ x: "REDACTED_KEY_1", y: "REDACTED_KEY_1" });'),
        ('function a(x = "hush") {\n}', 'function a(x = "REDACTED_KEY_1")'),
        ('class a extends b("hush") {\n  f() {\n  }\n}', 'class a extends b("REDACTED_KEY_1")'),
    ],
)
def test_secrets_are_replaced(line: str, block: str) -> None:
    text = f"{line}\nfunction s() {{\n  return a;\n}}\n"
    secrets = [(match.start(), match.end(), "key") for match in re.finditer("hush", text)]
    (found,) = (r for r in split(Snapshot("file:///t", 1, "javascript", text), secrets).regions if r.symbol == "s")
    assert found.context == block


def test_a_secret_longer_than_the_import_it_is_in() -> None:
    text = 'import a from "hush";import b from "b";\nfunction s() {\n  return a;\n}\n'
    secrets = [(text.index("hush"), text.index(' from "b"'), "key")]
    (found,) = (r for r in split(Snapshot("file:///t", 1, "javascript", text), secrets).regions if r.symbol == "s")
    assert found.context == 'import a from "REDACTED_KEY_1'


@pytest.mark.parametrize(
    ("language", "text", "symbol", "block"),
    [
        (
            "javascript",
            'import a, * as b from "m";\nimport { c as d } from "n";\nfunction s() {\n  return a(b, d);\n}\n',
            "s",
            'import * as b from "m"\nimport a from "m"\nimport { c as d } from "n"',
        ),
        (
            "rust",
            "use a::{self, b::{C, D as E}, f};\nfn s() {\n    a(C, E)\n}\n",
            "s",
            "use a::b::C;\nuse a::b::D as E;\nuse a::self;",
        ),
        (
            "go",
            'package p\n\nimport (\n\t"a/go-redis/v9"\n\ty "gopkg.in/yaml.v3"\n)\nfunc s() {\n\tredis.A(y.B)\n}\n',
            "s",
            'import "a/go-redis/v9"\nimport y "gopkg.in/yaml.v3"',
        ),
        (
            "java",
            "import a.B;\nimport a.C;\nclass K {\n  int f() {\n    return new B().x;\n  }\n}\n",
            "K.f",
            "class K\nimport a.B;",
        ),
        ("python", "import a.b\nimport c as d\n\n\ndef s():\n    return a.b(d)\n", "s", "import a.b\nimport c as d"),
    ],
)
def test_imports_one_name_at_a_time(language: str, text: str, symbol: str, block: str) -> None:
    assert context(text, symbol, language) == block
