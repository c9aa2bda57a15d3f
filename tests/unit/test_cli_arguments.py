"""What may be written after `aiops-lsp`."""

from __future__ import annotations

import pytest

from aiops_lsp import __version__
from aiops_lsp.cli.arguments import parse


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"command": "serve", "stdio": False, "tcp": None, "ws": None}),
        (["--stdio"], {"command": "serve", "stdio": True}),
        (["serve", "--stdio"], {"command": "serve", "stdio": True}),
        (["--tcp", "127.0.0.1:2087"], {"command": "serve", "tcp": ("127.0.0.1", 2087)}),
        (["--tcp=127.0.0.1:0"], {"command": "serve", "tcp": ("127.0.0.1", 0)}),
        (["serve", "--ws", "[::1]:2087"], {"command": "serve", "ws": ("::1", 2087)}),
        (["review"], {"command": "review", "paths": [], "diff": None, "format": "text", "fail_on": "medium"}),
        (["review", "a", "b"], {"paths": ["a", "b"], "offline": False, "max_cost": None, "write_baseline": False}),
        (["review", "--diff"], {"diff": "HEAD", "paths": []}),
        (["review", "--diff", "main", "a.py"], {"diff": "main", "paths": ["a.py"]}),
        (["review", "a.py", "--diff"], {"diff": "HEAD", "paths": ["a.py"]}),
        (["review", "--offline", "--max-cost", "0.25"], {"offline": True, "max_cost": 0.25}),
        (["doctor"], {"command": "doctor", "path": None}),
        (["allow", "api.openai.com", "--everywhere"], {"host": "api.openai.com", "everywhere": True, "revoke": False}),
        (["usage", "--days", "7", "--json"], {"days": 7, "json": True}),
        (["cache", "clear"], {"command": "cache", "action": "clear"}),
        (["config", "schema"], {"command": "config", "action": "schema"}),
        (["rule"], {"command": "rule", "id": None}),
    ],
)
def test_words_are_understood(words: list[str], expected: dict[str, object]) -> None:
    options = vars(parse(words))
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tcp", "2087"], "HOST:PORT"),
        (["--tcp", "::1:2087"], "HOST:PORT"),
        (["--tcp", "localhost:70000"], "not a port"),
        (["--tcp", "localhost:²"], "not a port"),
        (["--stdio", "--tcp", "localhost:1"], "not allowed with"),
        (["review", "--fail-on", "severe"], "invalid choice"),
        (["review", "--format", "xml"], "invalid choice"),
        (["review", "--max-cost", "-1"], "US dollars"),
        (["review", "--max-cost", "nan"], "US dollars"),
        (["usage", "--days", "0"], "number of days"),
        (["cache"], "required"),
        (["frobnicate"], "invalid choice"),
        (["review", "--off"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(words)
    assert leaving.value.code == 2
    assert told in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"aiops-lsp {__version__}\n"
