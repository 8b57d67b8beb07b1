"""Encode values of options as JSON.

A function (a number format) can be encoded if it is the `format` method of a text. Other functions cannot be
transferred to another process and are left out: they change how values look, not what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

NOT_TRANSFERABLE = object()
"""What `encode` returns for a value that cannot be transferred to another process."""


def encode(value: Any) -> Any:
    """Return an option's value as JSON, or `NOT_TRANSFERABLE`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        parts = [encode(part) for part in value]
        return NOT_TRANSFERABLE if NOT_TRANSFERABLE in parts else parts
    if isinstance(value, dict):
        coded = {str(key): encode(part) for key, part in value.items()}
        return NOT_TRANSFERABLE if NOT_TRANSFERABLE in coded.values() else coded
    if isinstance(getattr(value, "__self__", None), str) and value.__name__ == "format":
        return {"str.format": value.__self__}
    if type(value).__name__ == "Cycler":
        return {"cycler": encode(value.by_key())}
    return NOT_TRANSFERABLE


def decode(value: Any) -> Any:
    """Return the value that `encode` encoded; tuples become lists."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"str.format"}:
        return str(value["str.format"]).format
    if set(value) == {"cycler"}:
        from cycler import cycler

        return cycler(**value["cycler"])
    return {key: decode(part) for key, part in value.items()}


def encode_pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return name -> value as JSON, without values that cannot be transferred."""
    encoded = ((name, encode(value)) for name, value in pairs)
    return {name: value for name, value in encoded if value is not NOT_TRANSFERABLE}
