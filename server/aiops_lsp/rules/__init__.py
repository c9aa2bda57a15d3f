"""The offline rule engine: what reviews with no key, and what remains when a provider is down."""
