"""Ignore comments: how one reads, and where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lsp.core.findings import Edit, Finding
    from aiops_lsp.core.text import TextDocument


def ignore_edit(document: TextDocument, finding: Finding) -> Edit | None:
    """The edit of the current text that silences `finding` by a comment; None where the language has no comments."""
    return None


def ignore_comment(document: TextDocument, finding: Finding) -> str | None:
    """The comment of that edit."""
    edit = ignore_edit(document, finding)
    return edit.new_text.strip() if edit is not None else None
