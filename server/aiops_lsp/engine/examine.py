"""The look at a snapshot that costs nothing: secrets, regions, keys, ignore comments. CPU only; runs on a thread."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.redaction import find_secrets
from aiops_lsp.core.regions import region_keys
from aiops_lsp.core.splitting import respliced, resplit, split
from aiops_lsp.core.suppressions import mentions_us, parse_ignores
from aiops_lsp.engine.workspace import matches_any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.core.regions import RegionKeys
    from aiops_lsp.core.splitting import Split
    from aiops_lsp.core.suppressions import Ignores
    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.engine.sizes import RequestBound
    from aiops_lsp.settings import Settings


@dataclass(frozen=True, slots=True)
class Recipe:
    """What shapes the answers beside the code: it is part of every key.

    `instructions` are those that apply to the document's path, in order; `language` is that of the prose.
    """

    prompt_version: str
    instructions: tuple[str, ...]
    language: str

    @property
    def digest(self) -> str:
        """The recipe as part of a key."""
        material = "\x1f".join((self.prompt_version, self.language, *self.instructions))
        return hashlib.sha256(material.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Examined:
    """A snapshot's regions and their keys, in the same order, and what else one look at the text tells.

    `bound` is what the regions were cut to, None where none was cut. `redact_patterns` are the user's own.
    """

    snapshot: Snapshot
    recipe: Recipe
    bound: RequestBound | None
    redact_patterns: tuple[str, ...]
    split: Split
    keys: tuple[RegionKeys, ...]
    ignores: Ignores

    def still_holds(
        self, snapshot: Snapshot, recipe: Recipe, bound: RequestBound | None, redact_patterns: tuple[str, ...]
    ) -> bool:
        """Whether a look at `snapshot` with these would find the same."""
        same = (self.recipe, self.bound, self.redact_patterns) == (recipe, bound, redact_patterns)
        return same and (self.snapshot.language, self.snapshot.text) == (snapshot.language, snapshot.text)


def examine(
    snapshot: Snapshot,
    recipe: Recipe,
    bound: RequestBound | None,
    redact_patterns: Sequence[str],
    previous: Examined | None,
) -> Examined:
    """Split `snapshot` and key its regions, with those cut that exceed `bound`.

    `previous` is the last look at the same document.
    """
    patterns = tuple(redact_patterns)
    fits = None if bound is None else bound.holds
    if previous is not None and (previous.bound, previous.redact_patterns) != (bound, patterns):
        previous = None
    found = None
    if previous is not None and not patterns:  # a user's pattern may look at the text as a whole
        found = respliced(snapshot, previous.split, previous.snapshot, lambda text: bool(find_secrets(text)), fits)
    if found is None:
        secrets = [(span.start, span.end, span.kind) for span in find_secrets(snapshot.text, patterns)]
        if previous is None:
            found = split(snapshot, secrets, fits)
        else:
            found = resplit(snapshot, previous.split, previous.snapshot, secrets, fits)
    keys = _keys(found, snapshot.language, recipe, previous)
    return Examined(snapshot, recipe, bound, patterns, found, keys, _ignores(found, snapshot, previous))


def _ignores(found: Split, snapshot: Snapshot, previous: Examined | None) -> Ignores:
    """The ignore comments. Where there was none, only the regions that were not taken over can have brought one."""
    if previous is not None and not previous.ignores.entries and any(found.kept):
        texts = ("".join(snapshot.lines[one.start_line : one.end_line]) for one in found.fresh)
        if not any(map(mentions_us, texts)):
            return previous.ignores
    return parse_ignores(snapshot)


def _keys(found: Split, language: str, recipe: Recipe, previous: Examined | None) -> tuple[RegionKeys, ...]:
    """The keys of the regions; those of regions that were taken over from the look before are not worked out again."""
    digest = recipe.digest
    if previous is None or (previous.recipe, previous.snapshot.language) != (recipe, language):
        return tuple(region_keys(region, language, digest) for region in found.regions)
    first, last = found.kept[0], len(previous.keys) - found.kept[1]
    before = zip(previous.split.regions[first:last], previous.keys[first:last], strict=True)
    known = {id(one.lines): (one, keys) for one, keys in before}
    fresh_keys = []
    for region in found.fresh:
        one, keys = known.get(id(region.lines), (None, None))
        if keys is None or one is None or one.context is not region.context or one.loose is not region.loose:
            keys = region_keys(region, language, digest)
        fresh_keys.append(keys)
    return (*previous.keys[:first], *fresh_keys, *previous.keys[last:])


def instructions_for(settings: Settings, relative_path: str) -> tuple[str, ...]:
    """The instructions that apply to a file: the user's own, and what the repository adds."""
    return tuple(
        instruction.text
        for instruction in (*settings.instructions, *settings.repository.instructions)
        if not instruction.paths or matches_any(relative_path, instruction.paths)
    )
