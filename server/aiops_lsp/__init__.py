"""A language server that reviews code with a language model while it is written."""

__version__ = "0.1.0"
