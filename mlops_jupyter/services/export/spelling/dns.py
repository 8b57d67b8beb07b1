"""Names for systems that take lower-case letters, digits and hyphens alone (RFC 1123), readable and each its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

LONGEST = 52
"""Of 63 letters, so that a system can add its own ending."""


def label(name: str) -> str:
    """Return a name in that form; one that does not say the whole name (case, other letters) ends with a mark of it.

    Examples
    --------
    >>> label("sum_up"), label("Größe")
    ('sum-up', 'gr-e-8ddf')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST].strip("-")
    if plain.replace("-", "_") == name and plain[:1].isalpha():
        return plain
    mark = blake2b(name.encode(), digest_size=2).hexdigest()
    start = plain if plain[:1].isalpha() else f"p-{plain}".strip("-")
    return f"{start[: LONGEST - 5].strip('-')}-{mark}"


def labels(names: Iterable[str]) -> dict[str, str]:
    """Return name -> label, different for different names.

    Examples
    --------
    >>> labels(["load", "sum_up"])
    {'load': 'load', 'sum_up': 'sum-up'}
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        wanted, number = label(name), 2
        while wanted in found.values():
            wanted, number = f"{label(name)}-{number}", number + 1
        found[name] = wanted
    return found
