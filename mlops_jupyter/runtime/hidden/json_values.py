"""Values of options as JSON.

A function among them (a number format) is carried if it is a text's `format` method; others have no value that could
cross to another process and are left out: they change how things look, not what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

NOT_TRANSFERABLE = object()
"""What `encode` gives for a value that cannot cross."""


def encode(value: Any) -> Any:
    """Return an option's value as JSON, or `NOT_TRANSFERABLE`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        parts = [encode(one) for one in value]
        return NOT_TRANSFERABLE if NOT_TRANSFERABLE in parts else parts
    if isinstance(value, dict):
        coded = {str(key): encode(one) for key, one in value.items()}
        return NOT_TRANSFERABLE if NOT_TRANSFERABLE in coded.values() else coded
    if isinstance(getattr(value, "__self__", None), str) and value.__name__ == "format":
        return {"str.format": value.__self__}
    if type(value).__name__ == "Cycler":
        return {"cycler": encode(value.by_key())}
    return NOT_TRANSFERABLE


def decode(value: Any) -> Any:
    """Undo `encode`; tuples come back as lists."""
    if isinstance(value, list):
        return [decode(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"str.format"}:
        return str(value["str.format"]).format
    if set(value) == {"cycler"}:
        from cycler import cycler

        return cycler(**value["cycler"])
    return {key: decode(one) for key, one in value.items()}


def encode_pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return name -> value as JSON, without what cannot cross."""
    found = ((name, encode(value)) for name, value in pairs)
    return {name: value for name, value in found if value is not NOT_TRANSFERABLE}
