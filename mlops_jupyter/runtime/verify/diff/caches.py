"""Parts of objects that mean nothing for what an object is: values computed when they are asked for, and addresses.

Only what one side lacks may be such a part. What both sides have is compared, whatever its name.
"""

from __future__ import annotations

import re
import types
from typing import Any

CACHE = re.compile(r"\._\w*cache\w*|\._data_in_cache").fullmatch
"""Match the label of an attribute that holds what was computed."""

ON_DEMAND = {"statsmodels": frozenset({".diagn", "._nobs_int"})}
"""Library -> attributes that its results get when they are asked for something, by other names."""

ADDRESS = range(0x500000000000, 0x800000000000, 8)
"""Where objects lie in memory on Linux."""


def is_computed(kind: type, label: str) -> bool:
    """Return whether an attribute is there only where it has been asked for: a cached property, or a cache.

    >>> from functools import cached_property
    >>> class Fit:
    ...     @cached_property
    ...     def score(self): return 1
    >>> is_computed(Fit, ".score"), is_computed(Fit, ".coef_")
    (True, False)
    """
    root = str(kind.__module__).partition(".")[0]
    if CACHE(label) or label in ON_DEMAND.get(root, ()):
        return True
    name = label.removeprefix(".")
    part = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    return hasattr(type(part), "__get__") and not isinstance(part, PLAIN)


PLAIN = (types.FunctionType, types.MemberDescriptorType, types.GetSetDescriptorType, staticmethod, classmethod)


def computed_keys(kind: type, label: str, before: Any, after: Any) -> frozenset[Any]:
    """Return the keys of a cache that one side lacks and that are attributes which the class computes when asked."""
    if not (CACHE(label) and type(before) is type(after) is dict):
        return frozenset()
    return frozenset(key for key in before.keys() ^ after.keys() if type(key) is str and is_computed(kind, f".{key}"))


def is_address(label: str, before: Any, after: Any) -> bool:
    """Return whether an attribute holds the `id` of an object on both sides."""
    return (
        label.startswith("._")
        and label.endswith("_id")
        and type(before) is type(after) is int
        and before in ADDRESS
        and after in ADDRESS
    )
