"""Loads the prompts' wording, which is kept as text files beside this module: adding a language is adding a file."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from types import MappingProxyType

from aiops_lsp.core.prompts import LAYOUT_VERSION, REVIEW_SCHEMA, VERDICT_SCHEMA, PromptTexts

_HEADING = "languages:"


@cache
def load_prompt_texts() -> PromptTexts:
    """The wording as installed. Blocks on files the first time: not for the event loop.

    A guidance file begins with a line such as `languages: c cpp`, of LSP language identifiers. The version is a hash
    of all files, the schemas and the layout, so that no cached result outlives the prompt that it was made with.
    Raises ValueError for a file that breaks these rules.
    """
    folder = resources.files("aiops_lsp.llm") / "prompts"
    rules = (folder / "rules.md").read_text("utf-8")
    second_opinion = (folder / "second_opinion.md").read_text("utf-8")
    guidance: dict[str, str] = {}
    files = sorted((folder / "guidance").iterdir(), key=lambda file: file.name)
    for file in files:
        heading, _, text = file.read_text("utf-8").partition("\n")
        languages = heading.removeprefix(_HEADING).split()
        if not heading.startswith(_HEADING) or not languages or not text.strip():
            raise ValueError(f'{file.name} does not begin with "{_HEADING}" and languages, followed by text')
        for language in languages:
            if language in guidance:
                raise ValueError(f"{file.name} gives guidance on {language}, which another file already does")
            guidance[language] = text.strip()
    material = json.dumps([LAYOUT_VERSION, rules, second_opinion, guidance, REVIEW_SCHEMA, VERDICT_SCHEMA])
    version = hashlib.sha256(material.encode()).hexdigest()[:12]
    return PromptTexts(version, rules, MappingProxyType(guidance), second_opinion)
