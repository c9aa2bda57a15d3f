"""Makes plain, bounded text of what a model writes: it is shown to people, and nothing in it may act or mislead."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|.)?", re.DOTALL
)
_MARKDOWN_LINK = re.compile(r"(?<![\w)\]])!?\[([^\[\]]*)\]\([^()\s]*(?:\s+[\"'][^()]*)?\)")
_HTML = re.compile(
    r"<(?:a|img|iframe|script|style|svg|embed|form)\s[^<>]*>|</?(?:script|style|svg|iframe)>|</a>", re.IGNORECASE
)
_AUTOLINK = re.compile(r"<(?:[a-z][a-z0-9+.-]*:|www\.)[^<>\s]*>", re.IGNORECASE)
_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,30}://[^\s<>\"'`)\]]+|\bwww\.[^\s<>\"'`)\]]+"
    r"|\b(?:javascript|data|vbscript|mailto|command|vscode|file):[^\s<>\"'`)\]]+",
    re.IGNORECASE,
)


def plain(text: str, limit: int) -> str:
    """`text` as one line of plain text with at most `limit` characters.

    Terminal escapes, control and invisible characters go, and so do links: of a link with a text the text stays.
    """
    text = _ESCAPES.sub("", text[: limit * 20])
    text = "".join(" " if char.isspace() else char for char in text if char.isspace() or visible(char))
    before = None
    while text != before:  # what taking a link out puts together may be another link
        before = text
        text = _MARKDOWN_LINK.sub(r"\1", text)
        text = _URL.sub("", _AUTOLINK.sub("", _HTML.sub("", text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def visible(char: str) -> bool:
    """Whether a character shows as itself: no control, format (as text direction), surrogate or unassigned one."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Co")
