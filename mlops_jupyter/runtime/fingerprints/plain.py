"""The fast path for what most variables hold: numbers, text, and lists, tuples and dicts of them.

One pass over the types at C speed, level by level, then `marshal`. Whether a value is plain depends on its content
alone, so equal values always take the same path.
"""

from __future__ import annotations

import gc
import marshal
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .hash_records import CANONICAL_NAN

ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})
BOXES = frozenset({list, tuple, dict})
LEVELS = 12
"""Deeper values are walked one by one: there, shared parts are hashed once, here each time they are met."""
MOST = 50_000_000
"""Elements, shared ones counted each time, above which a value is walked part by part."""
SECONDS_EACH = 5e-8
"""Time that an element takes, in seconds."""
FEW = 8
NUMBERS = frozenset({float, int, bool})
WITH_NAN = frozenset({float, complex})
UNUSUAL_NAN = re.compile(rb"g(?!\0{6}(?:\xf8\x7f|\xf0[\x7f\xff])).{6}[\xf0-\xff][\x7f\xff]", re.DOTALL)
"""What a float of `marshal` that is a NaN with other bits than the usual looks like (as may some text)."""

Enough = Callable[[float], None]
"""Function that raises if less than so many seconds of the budget are left."""


def image(value: Any, enough: Enough) -> bytes | None:
    """Return the bytes that stand for a plain value; None if it is not plain.

    Two values have the same bytes exactly if they have the same types, structure and content; all NaN are one.

    >>> image([1, "a"], lambda seconds: None) == image([1, "a"], lambda seconds: None)
    True
    >>> image([object()], lambda seconds: None) is None
    True
    """
    if len(value) <= FEW and _odd(value):
        return None
    boxes: list[Any] = [value]
    doubts: set[type] = set()
    count = 0
    for _ in range(LEVELS):
        count += sum(map(len, boxes))
        if count > MOST:
            return None
        enough(count * SECONDS_EACH)
        inner = gc.get_referents(*boxes)  # keys too, but for dicts that have none but text
        kinds = set(map(type, inner))
        doubts |= _maybe_nan(inner, kinds)
        if not kinds & BOXES:
            return _marshalled(value, doubts) if kinds <= ATOMS else None
        if not kinds <= ATOMS | BOXES:
            return None
        boxes = inner if kinds <= BOXES else [x for x in inner if type(x) in BOXES]
    return None


def _odd(value: Any) -> bool:
    """Return whether one of a small container's own elements has a type that is not plain."""
    parts = value.values() if type(value) is dict else value
    return any(type(part) not in ATOMS and type(part) not in BOXES for part in parts)


def _maybe_nan(parts: list[Any], kinds: set[type]) -> set[type]:
    """Return the types of parts that may be a NaN. None may if the parts' sum is a number."""
    if kinds <= NUMBERS:
        with suppress(OverflowError):
            total = sum(parts)
            if total == total:
                return set()
    return kinds & WITH_NAN


def _marshalled(value: Any, doubts: set[type]) -> bytes:
    data = marshal.dumps(value, 2)
    unusual = complex in doubts or (float in doubts and UNUSUAL_NAN.search(data))
    return marshal.dumps(tidy(value), 2) if unusual else data


def atom(value: Any) -> bytes:
    """Return the bytes that stand for a value whose type is in `ATOMS`."""
    return marshal.dumps(tidy(value) if value != value else value, 2)


def tidy(value: Any) -> Any:
    """Return an equal plain value in which every NaN has the same bits."""
    kind = type(value)
    if kind is float:
        return value if value == value else struct.unpack("<d", CANONICAL_NAN)[0]
    if kind is complex:
        return complex(tidy(value.real), tidy(value.imag)) if value != value else value
    if kind is list:
        return [tidy(x) for x in value]
    if kind is tuple:
        return tuple([tidy(x) for x in value])
    if kind is dict:
        return {tidy(k): tidy(v) for k, v in value.items()}
    return value
