"""A parameter's value as JSON: how every system hands it to a step."""

from __future__ import annotations

import json


def in_json(value: object) -> str:
    """Return a value as JSON in plain ASCII on one line; "" where it does not go there and come back unchanged.

    NaN, infinities, tuples and keys that are no text do not.

    Examples
    --------
    >>> print(in_json({"a": [1e3, None, "é"]}))
    {"a": [1000.0, null, "\\u00e9"]}
    >>> in_json(float("nan"))
    ''
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return ""
    return text if repr(json.loads(text)) == repr(value) else ""
