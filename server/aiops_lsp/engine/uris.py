"""Between `file:` URIs, as clients write them, and paths."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit


def path_of(uri: str) -> Path | None:
    """The path of a `file:` URI; None for any other scheme."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    if parts.netloc and parts.netloc != "localhost":
        return Path(_path_in_url(f"//{parts.netloc}{parts.path}"))
    return Path(_path_in_url(parts.path))


def _path_in_url(path: str) -> str:
    if sys.platform == "win32":
        from urllib.request import url2pathname  # noqa: PLC0415 - brings HTTP and mail, which every start would pay

        return url2pathname(path)
    return unquote(path)


def uri_of(path: Path) -> str:
    """The `file:` URI of a path, which is made absolute."""
    return path.absolute().as_uri()


def relative_path(uri: str, root: Path | None) -> str:
    """The path of a document below its workspace folder, with `/` between names; its name alone when it is elsewhere.

    Empty for a document that is no file.
    """
    path = path_of(uri)
    if path is None:
        return ""
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
