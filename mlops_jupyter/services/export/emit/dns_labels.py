"""Names for systems that take lower-case letters, digits and hyphens alone (RFC 1123), readable and each its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mlops_jupyter.runtime.hashing import name_mark

LONGEST = 52
"""Of 63 signs, so that a system can add its own ending: a cron job the time, for one."""


def label(name: str, longest: int = LONGEST) -> str:
    """Return a name in that form; one that does not say the whole name (case, other letters) ends with a mark of it.

    Examples
    --------
    >>> label("train_model"), label("Train"), label("région")
    ('train-model', 'train-2fa311', 'region-953975')
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if made.replace("-", "_") == name and made[:1].isalpha() and len(made) <= longest:
        return made
    mark = name_mark(name, 3)
    made = made[: longest - len(mark) - 1].strip("-")
    return f"{made}-{mark}" if made[:1].isalpha() else f"x-{mark}"


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
