"""The commands, one module each with `run(options) -> int`; only the one that is asked for is imported."""
