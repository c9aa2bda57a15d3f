"""The gate that a fix passes before it is offered, and what is asked of it again before it is applied.

A fix is offered only on text that is exactly what was reviewed. It replaces whole lines, as few as it can, and its
old text is never empty, so that anybody can see whether the document still holds it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING

from aiops_lsp.core.anchors import document_line
from aiops_lsp.core.findings import Edit, Fix
from aiops_lsp.core.fix_lines import BLANKS, flattened, indentation, locate, restored, with_comments
from aiops_lsp.core.injection import REMOVED, neutralise
from aiops_lsp.core.language_table import AROUND_MEMBERS, Newlines
from aiops_lsp.core.languages import language_of
from aiops_lsp.core.text import Position, Range, common_lines, line_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aiops_lsp.core.anchors import Anchor
    from aiops_lsp.core.findings import Claim, ClaimedFix
    from aiops_lsp.core.fix_lines import Replacement
    from aiops_lsp.core.regions import Region
    from aiops_lsp.core.text import Snapshot

MOST_LINES = 20
"""Lines that an edit may take away, and lines that it may put there."""

_NEEDS_OPENING = frozenset({"php"})
"""Languages in which a piece of code alone is taken for plain text, in which nothing is a parse error."""

_MOST_BLOCKS = 3
"""Blocks around a cut in a function for which its parts are still parsed alone."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class FixRejectionReason(StrEnum):
    """Why a fix is not offered. The finding stands all the same."""

    NONE_PROPOSED = "none_proposed"
    NEEDS_CONTEXT = "needs_context"
    NOT_EXACT = "not_exact"
    OLD_LINES = "old_lines"
    OUTDATED = "outdated"
    NO_CHANGE = "no_change"
    TOO_LONG = "too_long"
    INDENTATION = "indentation"
    PLACEHOLDER = "placeholder"
    UNSEEN_TEXT = "unseen_text"
    OUTSIDE_REGION = "outside_region"
    PARSE_ERROR = "parse_error"


@dataclass(frozen=True, slots=True)
class FixRejection:
    """A fix that is not offered."""

    reason: FixRejectionReason


class _RejectedError(Exception):
    def __init__(self, reason: FixRejectionReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def offer(
    claim: Claim,
    anchor: Anchor,
    region: Region,
    snapshot: Snapshot,
    *,
    verified: bool,
    title: str,
    count_errors: Callable[[str], int],
) -> Fix | FixRejection:
    """The fix of `claim`, anchored in `region` of `snapshot`, as an edit of the document, or why it is not offered.

    `count_errors` counts the parse errors of a piece of code in the snapshot's language. It is called last.
    """
    try:
        replacement = _replacement(claim, anchor, region, snapshot.language)
        edit = _Rewriting(region, snapshot, replacement).edit()
        _check_parse(edit, replacement, region, snapshot, count_errors)
    except _RejectedError as rejected:
        return FixRejection(rejected.reason)
    return Fix(title, (edit,), verified)


def still_applies(fix: Fix, line: Callable[[int], str]) -> bool:
    """Whether the text still holds what each edit of `fix` replaces.

    `line` gives a line by its index from 0, with its end, and raises IndexError past the last one.
    """
    return all(_text_at(edit.range, line) == edit.old_text for edit in fix.edits)


def merge(fixes: Iterable[Fix]) -> list[Edit]:
    """The edits of `fixes` that can be made together, in document order.

    A fix is taken as a whole or not at all: one that overlaps an earlier one is left out, where earlier means nearer
    to the document's start. Of two fixes with the same edits one is taken.
    """
    merged: list[Edit] = []
    for fix in sorted(fixes, key=lambda fix: [(edit.range, edit.new_text) for edit in fix.edits]):
        if not any(_collide(edit.range, other.range) for edit in fix.edits for other in merged):
            merged += fix.edits
    return sorted(merged, key=lambda edit: edit.range)


def _collide(one: Range, other: Range) -> bool:
    """Whether two ranges share text; an empty one collides with all that it touches, since its order is unclear."""
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _text_at(span: Range, line: Callable[[int], str]) -> str | None:
    """The text that `span` covers, None where the text ends before it."""
    try:
        lines = [line(index) for index in range(span.start.line, span.end.line + 1)]
    except IndexError:
        return None
    if span.start.column > len(lines[0]) or span.end.column > len(lines[-1]):
        return None
    lines[-1] = lines[-1][: span.end.column]
    lines[0] = lines[0][span.start.column :]
    return "".join(lines)


def _replacement(claim: Claim, anchor: Anchor, region: Region, language: str) -> Replacement:
    """The lines that the claim's fix means, and what it would put there."""
    fix = _proposed(claim, anchor)
    old, new = flattened(fix.old_lines), flattened(fix.new_lines)
    if not any(line.strip(BLANKS) for line in old):
        raise _RejectedError(FixRejectionReason.OLD_LINES)
    # A model that miscounts does so in the fix as in the quote.
    stated = fix.start_line - 1 + anchor.line - (claim.start_line - 1)
    found = locate(region.lines, old, new, stated=stated, anchored=anchor.line)
    if not found and (shown := neutralise(region.lines, language)) != region.lines:
        found = [
            with_comments(place, shown, region.lines)
            for place in locate(shown, old, new, stated=stated, anchored=anchor.line)
        ]
    if len(found) != 1 or any(REMOVED in line for line in found[0].new_lines):
        raise _RejectedError(FixRejectionReason.OLD_LINES)
    (replacement,) = found
    _check_indentation(region.lines[replacement.start : replacement.end], replacement.new_lines)
    return replacement


def _proposed(claim: Claim, anchor: Anchor) -> ClaimedFix:
    if claim.fix is None:
        raise _RejectedError(FixRejectionReason.NONE_PROPOSED)
    if claim.needs_outside_context:
        raise _RejectedError(FixRejectionReason.NEEDS_CONTEXT)
    if not anchor.exact:
        raise _RejectedError(FixRejectionReason.NOT_EXACT)
    return claim.fix


def _check_indentation(old: Sequence[str], new: Sequence[str]) -> None:
    """The new code begins where the old began, and none of it is further out than any of the old."""
    old_indents = [indentation(line) for line in old if line.strip(BLANKS)]
    new_indents = [indentation(line) for line in new if line.strip(BLANKS)]
    if not new_indents:
        return
    least = min(old_indents, key=len)
    if new_indents[0] != old_indents[0] or not all(indent.startswith(least) for indent in new_indents):
        raise _RejectedError(FixRejectionReason.INDENTATION)


def _check_parse(
    edit: Edit, replacement: Replacement, region: Region, snapshot: Snapshot, count_errors: Callable[[str], int]
) -> None:
    """No more parse errors than before: in the region where it can be parsed alone, else in the whole document."""
    lines = region.lines
    before = "\n".join(lines)
    after = "\n".join((*lines[: replacement.start], *replacement.new_lines, *lines[replacement.end :]))
    errors = 0
    for opening, closing in _surroundings(snapshot.language):
        if not count_errors(opening + before + closing):
            after = opening + after + closing
            break
    else:
        start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
        after = snapshot.text[:start] + edit.new_text + snapshot.text[end:]
        errors = count_errors(snapshot.text)
    if count_errors(after) > errors:
        raise _RejectedError(FixRejectionReason.PARSE_ERROR)


def _surroundings(identifier: str) -> Iterator[tuple[str, str]]:
    """What may stand before and after a region so that it is parsed without its document: nothing, the end of a class
    of which it is the head, a class around its member, the blocks that a part of a function closes or leaves open.

    The document may be a thousand times as long, and is another one after each keystroke.
    """
    if identifier in _NEEDS_OPENING:
        return
    yield "", ""
    language = language_of(identifier)
    if language is not None and language.newlines is not Newlines.INDENT:
        yield "", "\n}"
        if language.grammar in AROUND_MEMBERS:
            yield AROUND_MEMBERS[language.grammar]
        for depth in range(1, _MOST_BLOCKS + 1):
            yield "{" * depth + "\n", ""
            yield "", "\n" + "}" * (depth + 1)


class _Rewriting:
    """One replacement in a region's sent lines on its way to an edit of the document.

    `first` up to and not including `end` are the lines that are replaced, in the region, from 0; `parts` what takes
    their place: the content of each line and its end.
    """

    def __init__(self, region: Region, snapshot: Snapshot, replacement: Replacement) -> None:
        self.region = region
        self.snapshot = snapshot
        for line in range(replacement.start, replacement.end):
            self.document(line)
        sent = [line.rstrip(BLANKS) for line in region.lines[replacement.start : replacement.end]]
        new = [line.rstrip(BLANKS) for line in replacement.new_lines]
        head, tail = common_lines(sent, new)
        self.first, self.end = replacement.start + head, replacement.end - tail
        if sent == new:
            raise _RejectedError(FixRejectionReason.NO_CHANGE)
        self.new = list(replacement.new_lines[head : len(new) - tail])
        if max(self.end - self.first, len(self.new)) > MOST_LINES:
            raise _RejectedError(FixRejectionReason.TOO_LONG)
        self.check_seen()
        self.bounds = range(replacement.start, replacement.end)
        self.parts = self.rewritten()
        if self.parts and not "".join(self.document(line) for line in range(self.first, self.end)):
            self.take_in_a_neighbour()

    def edit(self) -> Edit:
        """The edit of the document, its old text never empty."""
        span, text = self.spanned()
        old_text = self.snapshot.slice(span)
        if text == old_text:
            raise _RejectedError(FixRejectionReason.NO_CHANGE)
        return Edit(span, old_text, text)

    def document(self, line: int) -> str:
        content = document_line(self.region, self.snapshot, line)
        if content is None:
            raise _RejectedError(FixRejectionReason.OUTDATED)
        return content

    def ending(self, line: int) -> str:
        """The line end of a line of the region; at the end of the text that of the line before."""
        for index in range(self.region.start_line + line, -1, -1):
            whole = self.snapshot.lines[index]
            if len(whole) > len(line_content(whole)):
                return whole[len(line_content(whole)) :]
        return "\n"

    def check_seen(self) -> None:
        """Nothing comes in that nobody sees: control and format characters, bidirectional overrides."""
        known = set(self.region.code)
        fresh = {character for line in self.new for character in line} - known - {"\t"}
        if any(unicodedata.category(character) in _UNSEEN for character in fresh):
            raise _RejectedError(FixRejectionReason.UNSEEN_TEXT)

    def rewritten(self) -> list[tuple[str, str]]:
        """The new lines as the document is to have them. Lines among them that stay are taken from the document."""
        region, first = self.region, self.first
        new = restored(self.new, region, range(first, self.end))
        if new is None:
            raise _RejectedError(FixRejectionReason.PLACEHOLDER)
        margin = self.margin()
        sent = [line.rstrip(BLANKS) for line in region.lines[first : self.end]]
        matcher = SequenceMatcher(None, sent, [line.rstrip(BLANKS) for line in self.new], autojunk=False)
        parts: list[tuple[str, str]] = []
        for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
            if tag == "equal":
                lines = range(first + old_start, first + old_end)
                parts += [(self.document(line), self.ending(line)) for line in lines]
            elif new_start < new_end:
                ending = self.ending(max(0, first + old_end - 1))
                parts += [(margin + line if line.strip(BLANKS) else "", ending) for line in new[new_start:new_end]]
        self.check_blanks(parts)
        return parts

    def margin(self) -> str:
        """The indentation that was taken from the replaced lines; where all are blank, from all the old lines."""
        lines = self.region.lines
        replaced = [line for line in range(self.first, self.end) if lines[line].strip(BLANKS)]
        filled = replaced or [line for line in self.bounds if lines[line].strip(BLANKS)]
        margins = {self.document(line)[: self.region.dedents[line]] for line in filled}
        if len(margins) > 1:
            raise _RejectedError(FixRejectionReason.INDENTATION)
        return margins.pop()

    def check_blanks(self, parts: Sequence[tuple[str, str]]) -> None:
        """Where code is indented by tabs alone, or by blanks alone, the new lines are too."""
        lines = self.snapshot.lines
        own = lines[self.region.start_line : self.region.end_line]
        kinds = _kinds(own) or _kinds(lines)
        if kinds and not _kinds(content for content, _ in parts) <= kinds:
            raise _RejectedError(FixRejectionReason.INDENTATION)

    def spanned(self) -> tuple[Range, str]:
        """The range of the replaced lines and its new text."""
        lines = self.snapshot.lines
        first, end = self.region.start_line + self.first, self.region.start_line + self.end
        if self.parts:
            text = "".join(content + ending for content, ending in self.parts)
            text = text[: len(text) - len(self.parts[-1][1])]
            return Range(Position(first, 0), Position(end - 1, len(line_content(lines[end - 1])))), text
        if end < len(lines):
            return Range(Position(first, 0), Position(end, 0)), ""
        if self.first == 0:
            raise _RejectedError(FixRejectionReason.OUTSIDE_REGION)
        before = Position(first - 1, len(line_content(lines[first - 1])))
        return Range(before, Position(end - 1, len(lines[end - 1]))), ""

    def take_in_a_neighbour(self) -> None:
        """Replace the nearest line of the old ones that is not blank as well, by itself."""
        while self.first > self.bounds.start:
            self.first -= 1
            self.parts.insert(0, (self.document(self.first), self.ending(self.first)))
            if self.region.lines[self.first].strip(BLANKS):
                return
        while self.end < self.bounds.stop:
            self.parts.append((self.document(self.end), self.ending(self.end)))
            self.end += 1
            if self.region.lines[self.end - 1].strip(BLANKS):
                return


def _kinds(lines: Iterable[str]) -> set[str]:
    """The characters with which code is indented in `lines`."""
    return {character for line in lines if line.strip(BLANKS) for character in indentation(line)}
