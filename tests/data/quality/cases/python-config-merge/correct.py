from typing import Any


def merged(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `override`, tables merged key by key. Neither argument is changed.

    A value of None in `override` removes the key.
    """
    result = dict(base)
    for key, value in override.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result


def load(layers: list[dict[str, Any]], defaults: dict[str, Any]) -> dict[str, Any]:
    """The settings that hold: `defaults`, overridden by each of `layers` in turn."""
    settings = defaults
    for layer in layers:
        settings = merged(settings, layer)
    return settings
