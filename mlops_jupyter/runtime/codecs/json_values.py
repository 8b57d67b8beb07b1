"""The json codec: the bare value, for None, bool, numbers, text, and lists and dicts (with text as keys) of these.

NaN and the infinities are written as `NaN`, `Infinity`, `-Infinity`, as Python's and pandas' readers take them (strict
readers refuse them): `null` would give back something else. numpy's numbers become plain ones. Tuples, sets and dates
have no json of their own, so they are left to another format.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SMALL = 200
"""Up to so many characters a value stays on one line."""


class NotJsonError(Exception):
    """The value, or a part of it, has no json that gives it back."""


def takes(value: Any) -> bool:
    """Return whether a value's own type is one of json's."""
    return type(value) in (type(None), bool, int, float, str, list, dict) or _numpy_number(value)


def save(value: Any) -> bytes:
    """Return the json text of a value; raise `NotJsonError` if the text would not give back the same value."""
    bare = plain(value)
    try:
        line = json.dumps(bare, ensure_ascii=False)
        text = line if len(line) <= SMALL else json.dumps(bare, ensure_ascii=False, indent=1)
        return text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs
        return json.dumps(bare).encode()
    except (RecursionError, ValueError) as fault:
        raise NotJsonError(str(fault)) from fault


def load(data: bytes) -> Any:
    """Return the value that json text holds."""
    return json.loads(data)


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as json gives it back, with numpy's numbers as Python's; raise `NotJsonError` if json cannot."""
    kind = type(value)
    if kind in (type(None), bool, int, float, str):
        return value
    if depth > 100:
        raise NotJsonError("it is nested too deep for json")
    if kind is list:
        return [plain(part, depth + 1) for part in value]
    if kind is dict:
        odd = next((key for key in value if type(key) is not str), None)
        if odd is not None:
            raise NotJsonError(f"json has only text as keys, not {type(odd).__name__}")
        return {key: plain(part, depth + 1) for key, part in value.items()}
    if _numpy_number(value):
        return value.item()
    raise NotJsonError(f"json has no {kind.__name__}")


def _numpy_number(value: Any) -> bool:
    """Return whether a value is a numpy number or text that Python's own types hold exactly."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.generic):
        return False
    return value.dtype.kind in "biuU" or (value.dtype.kind == "f" and value.dtype.itemsize <= 8)
