"""How comments are written, by LSP language identifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommentSyntax:
    """The marks of comments. `line` opens one that ends with its line, `block` opens and closes one that need not.

    Empty where the language has none of that sort. `also` are further marks that open comments; they are read and
    never written. `mixed` marks files of several languages, in which no sort of comment is one everywhere.
    """

    line: str = ""
    block: tuple[str, str] | None = None
    also: tuple[str, ...] = ()
    mixed: bool = False

    @property
    def openings(self) -> tuple[str, ...]:
        """The marks with which a comment can begin."""
        own = (self.line, self.block[0] if self.block else "", *self.also)
        return tuple(mark for mark in own if mark)

    def comment(self, text: str) -> str:
        """`text`, of one line, as a comment; a line comment where the language has them."""
        if self.line:
            return f"{self.line} {text}"
        assert self.block is not None
        return f"{self.block[0]} {text} {self.block[1]}"


_SLASHES = CommentSyntax("//", ("/*", "*/"))
_HASH = CommentSyntax("#")
_MARKUP = CommentSyntax(block=("<!--", "-->"))

_TABLE: tuple[tuple[CommentSyntax, str], ...] = (
    (
        _SLASHES,
        "c cpp cuda-cpp csharp dart fsharp go groovy java javascript javascriptreact jsonc kotlin less objective-c"
        " objective-cpp proto rust scala scss solidity swift systemverilog typescript typescriptreact verilog",
    ),
    (
        _HASH,
        "bash cmake coffeescript crystal dockerfile elixir graphql julia makefile nim nix perl properties python r ruby"
        " sh shellscript starlark tcl toml yaml",
    ),
    (CommentSyntax("//", ("/*", "*/"), also=("#",)), "php"),
    (CommentSyntax("//"), "zig"),
    (CommentSyntax("#", ("<#", "#>")), "powershell"),
    (CommentSyntax("#", ("/*", "*/"), also=("//",)), "hcl terraform"),
    (CommentSyntax("--", ("--[[", "]]")), "lua"),
    (CommentSyntax("--", ("/*", "*/")), "pgsql plsql sql"),
    (CommentSyntax("--", ("/*", "*/"), also=("#",)), "mysql"),
    (CommentSyntax("--", ("{-", "-}")), "haskell elm purescript"),
    (CommentSyntax("--"), "ada vhdl"),
    (CommentSyntax(";"), "asm clojure commonlisp emacs-lisp lisp racket scheme"),
    (CommentSyntax(";", also=("#",)), "ini"),
    (CommentSyntax("%"), "bibtex erlang latex matlab prolog tex"),
    (CommentSyntax(block=("/*", "*/")), "css"),
    (CommentSyntax(block=("(*", "*)")), "ocaml"),
    (_MARKUP, "html markdown xml xsl"),
    (CommentSyntax(block=("<!--", "-->"), also=("//", "/*"), mixed=True), "astro svelte vue"),
)
_BY_LANGUAGE = {identifier: syntax for syntax, identifiers in _TABLE for identifier in identifiers.split()}


def comment_syntax(identifier: str) -> CommentSyntax | None:
    """How comments are written in the LSP language `identifier`; None where it has none, or none that we know."""
    return _BY_LANGUAGE.get(identifier)
