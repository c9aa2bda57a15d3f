"""How large requests are estimated to be, and what fits into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lsp.core.prompts import review_prompt
from aiops_lsp.core.routing import Tier, tier_of
from aiops_lsp.engine.packing import answer_bound
from aiops_lsp.llm.tokens import estimate_tokens, most_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops_lsp.core.prompts import PromptTexts
    from aiops_lsp.core.regions import Region

_REGION_FRAME_TOKENS = 75
_MOST_OF_A_NUMBER = 10
"""Bytes of a line's number, the sign after it and the line's end."""

_LEAST_ROOM = 150
"""Tokens for code below which nothing is cut: hardly a statement with its context would fit, whatever the cuts."""


def fixed_tokens(
    texts: PromptTexts, language: str, instructions: Sequence[str], answer_language: str, model: str
) -> int:
    """The estimate of the part that each request of a document repeats. `language` is LSP's identifier."""
    key = (texts.version, language, tuple(instructions), answer_language, model)
    if key not in _fixed:
        if len(_fixed) >= _MOST_FIXED:
            _fixed.clear()
        prompt = review_prompt(texts, language, instructions, answer_language, [], delimiter="0" * 16)
        _fixed[key] = estimate_tokens(prompt.system + prompt.user, model)
    return _fixed[key]


_MOST_FIXED = 256
_fixed: dict[tuple[str, str, tuple[str, ...], str, str], int] = {}
"""Asked for at each look at a document, and the same for all of a language."""


def region_tokens(region: Region, model: str) -> int:
    """The estimate of what a region adds to a request: its context, its numbered lines and its delimiters."""
    numbered = "".join(f"{number}| {line}\n" for number, line in enumerate(region.lines, start=1))
    return estimate_tokens(f"{region.context}\n{numbered}", model) + _REGION_FRAME_TOKENS


@dataclass(frozen=True, slots=True)
class RequestBound:
    """What a request about one region may hold: `max_tokens`, of which `fixed_tokens` are in every request.

    Estimated for `model`. It decides where regions are cut, and so is part of what their keys come from: it depends on
    settings alone, not on what a model was found to bill, nor on how much of the budget is left.
    """

    max_tokens: int
    fixed_tokens: int
    model: str

    @classmethod
    def of(
        cls,
        models: Iterable[str],
        max_tokens: int,
        texts: PromptTexts,
        language: str,
        instructions: Sequence[str],
        answer_language: str,
    ) -> RequestBound | None:
        """The bound for the one of `models` that counts the most tokens.

        None where nothing is to be cut: without a model, or when the bound leaves hardly any room for code.
        """
        one_each = {model.partition(":")[0]: model for model in models}.values()  # a provider's count alike
        counted = [(fixed_tokens(texts, language, instructions, answer_language, model), model) for model in one_each]
        if not counted:
            return None
        fixed, model = max(counted)
        bound = cls(max_tokens, fixed, model)
        return bound if bound.room(Tier.SIMPLE) >= _LEAST_ROOM else None

    def room(self, tier: Tier) -> int:
        """The tokens that a request about one region of `tier` leaves for it and its context."""
        return self.max_tokens - self.fixed_tokens - answer_bound(1, reasoning=tier is Tier.COMPLEX)

    def holds(self, region: Region) -> bool:
        """Whether a request about `region` alone is small enough."""
        room = self.room(tier_of(region.shape))
        most = most_tokens(region.context) + most_tokens(region.code) + _MOST_OF_A_NUMBER * len(region.lines)
        return most + _REGION_FRAME_TOKENS <= room or region_tokens(region, self.model) <= room
