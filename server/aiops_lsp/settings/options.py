"""Every option with its default, its bounds and its description: the one source of the schema and of the documents.

Options nest as they do in the configuration file. All objects are frozen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations at run time
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aiops_lsp.core.secret_patterns import pattern_problems

Trigger = Literal["change", "save", "manual"]
Scope = Literal["changed", "file"]
RuleSeverity = Literal["critical", "high", "medium", "low", "off"]

_DAY = 86_400


class Section(BaseModel):
    """A group of options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_chain(value: object) -> object:
    """One model is a chain of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _model_name(value: str) -> str:
    provider, _, model = value.partition(":")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", provider) or not re.fullmatch(r"\S{1,200}", model):
        raise ValueError('must be of the form "provider:model", as in "openai:gpt-6-luna"')
    return value


def _base_url(value: str) -> str:
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        valid = False
        url = urlsplit("")
    if not valid or re.search(r"\s", value):
        raise ValueError('must be an http or https address, as in "http://127.0.0.1:11434/v1"')
    if url.username is not None or url.password is not None or url.query or url.fragment:
        raise ValueError("must hold no user name, password, query or fragment")
    return value.rstrip("/")


def _host(value: str) -> str:
    """A host name or address, optionally with a port, in lower case."""
    host = value.strip().lower()
    bare = re.sub(r":\d{1,5}$", "", host) if host.count(":") == 1 or host.startswith("[") else host
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?", bare):
        try:
            ip_address(bare.strip("[]"))
        except ValueError:
            raise ValueError('must hold host names without scheme or path, as in "api.openai.com"') from None
    return host


def _expression(value: str) -> str:
    if problems := pattern_problems([value]):
        raise ValueError(f"cannot be used ({problems[0].rpartition(': ')[2]})")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", value):
        raise ValueError("must be the name of an environment variable, never the key itself")
    return value


def _keyring_entry(value: str) -> str:
    service, slash, name = value.partition("/")
    if not (service.strip() and slash and name.strip()):
        raise ValueError('must be of the form "service/name"')
    return value


ModelChain = Annotated[tuple[Annotated[str, AfterValidator(_model_name)], ...], BeforeValidator(_as_chain)]
Glob = Annotated[str, Field(min_length=1, max_length=500)]


class Models(Section):
    """Which model answers for which tier: "provider:model", or a list whose next is asked when the first is down."""

    simple: ModelChain = Field(default=(), description="For small, plain regions. Default: by the key that is present.")
    medium: ModelChain = Field(default=(), description="For regions of middling size and branching.")
    complex: ModelChain = Field(
        default=(), description="For large, nested or security-sensitive regions, and for deep reviews."
    )

    def chain(self, tier: str) -> tuple[str, ...]:
        """The models of `tier` (simple, medium or complex), in the order in which they are asked."""
        chains = {"simple": self.simple, "medium": self.medium, "complex": self.complex}
        return chains[tier]


class Provider(Section):
    """Where a provider is and where its key is found. Only the user's file and the environment may say so."""

    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        default=None, description="An OpenAI-compatible server; default: the provider's official host."
    )
    api_key_env: Annotated[str, AfterValidator(_variable)] | None = Field(
        default=None, description="Name of the environment variable that holds the key."
    )
    api_key_file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Path of a file that holds the key and nothing else."
    )
    api_key_keyring: Annotated[str, AfterValidator(_keyring_entry)] | None = Field(
        default=None, description='Entry of the system\'s keyring that holds the key, as "service/name".'
    )


class Price(Section):
    """USD per million tokens of one model, for models whose price is not known or differs."""

    input: float = Field(ge=0, le=100_000, allow_inf_nan=False, description="USD per million input tokens.")
    output: float = Field(ge=0, le=100_000, allow_inf_nan=False, description="USD per million output tokens.")


class Privacy(Section):
    """What may leave the machine."""

    allow_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(), description="Hosts that may receive source without asking."
    )
    redact_patterns: tuple[Annotated[str, AfterValidator(_expression)], ...] = Field(
        default=(),
        description="Regular expressions of further secrets, beside the built-in table. Those of all places add up.",
    )


class Review(Section):
    """When to review, what, and what to show."""

    enabled: bool = Field(default=True, description="Review at all.")
    trigger: Trigger = Field(default="change", description="What starts a review by itself: typing, saving, nothing.")
    scope: Scope = Field(
        default="changed", description="Send only regions that differ from HEAD (or were edited), or all of a file."
    )
    debounce_ms: int = Field(default=600, ge=0, le=60_000, description="Milliseconds without typing before a review.")
    settle_ms: int = Field(
        default=2000, ge=0, le=600_000, description="Milliseconds that an edited region rests before it is sent."
    )
    min_confidence: int = Field(default=80, ge=0, le=100, description="Findings below this confidence are not shown.")
    min_severity: Literal["critical", "high", "medium", "low"] = Field(
        default="medium", description="Findings below this severity are not shown; low shows as a hint."
    )
    second_opinion: Literal["off", "high", "all"] = Field(
        default="high", description="Which findings a stronger model tries to refute before they show."
    )
    language: str = Field(
        default="", max_length=60, description="Language of the findings' prose; default: the locale's."
    )
    ignore: tuple[Glob, ...] = Field(
        default=(), description="Paths that are not reviewed, as .gitignore writes them. Those of all places add up."
    )


class Budget(Section):
    """What may be spent. The limits of the user's file hold for all windows together."""

    max_tokens_per_request: int = Field(
        default=4000, ge=100, le=1_000_000, description="Input and reserved output of one request, in tokens."
    )
    daily_token_budget: int = Field(default=1_000_000, ge=0, le=10**12, description="Tokens a day, of all providers.")
    monthly_cost_limit: float = Field(
        default=500.0, ge=0, le=10_000_000, allow_inf_nan=False, description="USD a month, by price."
    )


class Limits(Section):
    """Rates."""

    reviews_per_document_per_minute: int = Field(default=10, ge=1, le=600, description="Reviews of one document.")
    requests_per_minute: int = Field(default=60, ge=1, le=10_000, description="Requests of all windows together.")
    concurrent_requests: int = Field(default=8, ge=1, le=64, description="Requests under way to one provider.")


class Cache(Section):
    """How long a result is fresh, and how large the cache may grow."""

    ttl_seconds: int = Field(default=7 * _DAY, ge=0, le=365 * _DAY, description="Seconds that a result is fresh.")
    security_ttl_seconds: int = Field(
        default=3600, ge=0, le=365 * _DAY, description="The same for security-sensitive regions."
    )
    size_limit_mb: int = Field(default=512, ge=1, le=1_000_000, description="Size of the cache in megabytes.")


class Rules(Section):
    """The offline rules."""

    enabled: bool = Field(default=True, description="Run the offline rules.")
    ruff: Literal["auto", "on", "off"] = Field(
        default="auto", description="auto leaves to the workspace's own ruff what it already reports."
    )
    rules_dir: str = Field(default="", max_length=4096, description="Folder of further ast-grep rules.")
    severity: Mapping[str, RuleSeverity] = Field(
        default_factory=dict, description="Rule id to the severity that it reports, or off."
    )


class Instruction(Section):
    """A team's own rule, in words, for the files that match one of `paths` (all files when empty)."""

    paths: tuple[Glob, ...] = Field(default=(), description="Globs, as .gitignore writes them.")
    text: str = Field(min_length=1, max_length=4000, description="What to look for.")


class Options(BaseModel):
    """All options, as the configuration file nests them."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="aiops-lsp")

    models: Models = Field(default=Models(), description="Tier to model.")
    providers: Mapping[str, Provider] = Field(default_factory=dict, description="Provider name to its connection.")
    prices: Mapping[str, Price] = Field(default_factory=dict, description='"provider:model" to its price.')
    privacy: Privacy = Field(default=Privacy(), description="What may leave the machine.")
    review: Review = Field(default=Review(), description="When to review, what, and what to show.")
    budget: Budget = Field(default=Budget(), description="What may be spent.")
    limits: Limits = Field(default=Limits(), description="Rates.")
    cache: Cache = Field(default=Cache(), description="Freshness and size of the result cache.")
    rules: Rules = Field(default=Rules(), description="The offline rules.")
    instructions: tuple[Instruction, ...] = Field(default=(), description="A team's own rules, in words.")


class RepositoryAdditions(BaseModel):
    """What the repository's file may add, kept apart from the user's own so that nothing of it can steer.

    `daily_token_budget` and `monthly_cost_limit` bound what this repository may spend of the user's limits; None is
    no bound of its own. `rules_dir` is relative to the repository's root and without `..`; whoever opens it must
    still resolve symbolic links. `instructions` are to be quoted as data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    daily_token_budget: int | None = None
    monthly_cost_limit: float | None = None
    rules_dir: str = ""
    instructions: tuple[Instruction, ...] = ()


class Settings(Options):
    """The options that hold, resolved from all layers.

    `restricted_by` says in words what the repository's file restricts. `origins` names for each option that is not
    at its default (dotted path) where its value came from.
    """

    repository: RepositoryAdditions = RepositoryAdditions()
    restricted_by: tuple[str, ...] = ()
    origins: Mapping[str, str] = Field(default_factory=dict)


VENDOR_VARIABLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    }
)
"""Official providers, with their own variables for key and base URL."""

_DEFAULT_MODELS = {
    "anthropic": Models(
        simple=("anthropic:claude-haiku-5-5",),
        medium=("anthropic:claude-sonnet-5-5",),
        complex=("anthropic:claude-opus-5-5",),
    ),
    "openai": Models(simple=("openai:gpt-6-luna",), medium=("openai:gpt-6.1-terra",), complex=("openai:gpt-6.1-sol",)),
}


def default_models(keys_present: set[str]) -> Models:
    """The models for the providers whose key is present; anthropic when both are, no model when none is."""
    return next((models for provider, models in _DEFAULT_MODELS.items() if provider in keys_present), Models())


def effective_models(settings: Settings, keys_present: set[str]) -> Models:
    """The models that the settings name, and the default where they name none for a tier."""
    defaults, chosen = default_models(keys_present), settings.models
    return Models(
        simple=chosen.simple or defaults.simple,
        medium=chosen.medium or defaults.medium,
        complex=chosen.complex or defaults.complex,
    )
