"""The languages that are known: by the identifiers that editors use and by the names of files."""

from __future__ import annotations

from aiops_lsp.core.language_table import (
    BASH,
    CPP,
    CSHARP,
    GO,
    JAVA,
    JAVASCRIPT,
    KOTLIN,
    LUA,
    PHP,
    PYTHON,
    RUBY,
    RUST,
    SCALA,
    SWIFT,
    TSX,
    TYPESCRIPT,
    C,
    Language,
)

LANGUAGES: dict[str, Language] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "javascriptreact": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "typescriptreact": TSX,
    "go": GO,
    "java": JAVA,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
    "csharp": CSHARP,
    "ruby": RUBY,
    "php": PHP,
    "kotlin": KOTLIN,
    "swift": SWIFT,
    "scala": SCALA,
    "lua": LUA,
    "shellscript": BASH,
    "sh": BASH,
    "bash": BASH,
}
"""LSP's language identifiers, and those that editors use beside them, to their rows."""

_EXTENSIONS = {
    "python": "py pyi pyw",
    "javascript": "js mjs cjs",
    "javascriptreact": "jsx",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "go": "go",
    "java": "java",
    "rust": "rs",
    "c": "c h",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp",
    "csharp": "cs csx",
    "ruby": "rb rake gemspec ru",
    "php": "php phtml",
    "kotlin": "kt kts",
    "swift": "swift",
    "scala": "scala sc",
    "lua": "lua",
    "shellscript": "sh bash zsh ksh",
    "perl": "pl pm",
    "r": "r",
    "dart": "dart",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "haskell": "hs",
    "ocaml": "ml mli",
    "fsharp": "fs fsx",
    "clojure": "clj cljs cljc",
    "julia": "jl",
    "zig": "zig",
    "nim": "nim",
    "groovy": "groovy gradle",
    "objective-c": "m",
    "objective-cpp": "mm",
    "powershell": "ps1 psm1",
    "sql": "sql",
    "vue": "vue",
    "svelte": "svelte",
    "terraform": "tf",
    "solidity": "sol",
    "markdown": "md markdown",
    "restructuredtext": "rst",
    "latex": "tex",
    "plaintext": "txt",
    "json": "json",
    "yaml": "yaml yml",
    "toml": "toml",
    "xml": "xml",
    "html": "html htm",
    "css": "css",
    "scss": "scss",
    "less": "less",
}
_BY_EXTENSION = {extension: identifier for identifier, text in _EXTENSIONS.items() for extension in text.split()}

_BY_NAME = {
    "dockerfile": "dockerfile",
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "jenkinsfile": "groovy",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "sconstruct": "python",
    ".bashrc": "shellscript",
    ".bash_profile": "shellscript",
    ".profile": "shellscript",
    ".zshrc": "shellscript",
}

_BY_INTERPRETER = {
    "python": "python",
    "node": "javascript",
    "deno": "typescript",
    "ruby": "ruby",
    "php": "php",
    "lua": "lua",
    "sh": "shellscript",
    "bash": "shellscript",
    "dash": "shellscript",
    "zsh": "shellscript",
    "ksh": "shellscript",
    "perl": "perl",
}


def language_of(identifier: str) -> Language | None:
    """The row of an LSP language identifier, or None for a language that is split into paragraphs."""
    return LANGUAGES.get(identifier)


def identifier_of(path: str, first_line: str = "") -> str | None:
    """The LSP language identifier of a file by its name, else by the interpreter that `first_line` names, or None.

    `path` may use either separator. A name counts without regard to case.
    """
    name = path.replace("\\", "/").rpartition("/")[2].lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    found = _BY_EXTENSION.get(name.rpartition(".")[2]) if "." in name else None
    if found is not None or not first_line.startswith("#!"):
        return found
    words = [word.rpartition("/")[2] for word in first_line[2:].split()]
    interpreter = next((word for word in words if word != "env" and not word.startswith("-") and "=" not in word), "")
    return _BY_INTERPRETER.get(interpreter.rstrip("0123456789."))
