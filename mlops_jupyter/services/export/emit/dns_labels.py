"""Names for systems that take lower-case letters, digits and hyphens alone (RFC 1123), readable and each its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mlops_jupyter.runtime.hashing import name_mark

LONGEST = 52
"""Of 63 signs, so that a system can add its own ending: a cron job the time, for one."""


def label(name: str, longest: int = LONGEST) -> str:
    """Return a name as a label. Where the label loses a part of it (case, other letters), it ends with a hash of it.

    Examples
    --------
    >>> label("train_model"), label("Train"), label("région")
    ('train-model', 'train-2fa311', 'region-953975')
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if text.replace("-", "_") == name and text[:1].isalpha() and len(text) <= longest:
        return text
    mark = name_mark(name, 3)
    text = text[: longest - len(mark) - 1].strip("-")
    return f"{text}-{mark}" if text[:1].isalpha() else f"x-{mark}"


def labels(names: Iterable[str]) -> dict[str, str]:
    """Return name -> label, unique among them.

    Examples
    --------
    >>> labels(["load", "sum_up"])
    {'load': 'load', 'sum_up': 'sum-up'}
    """
    unique: dict[str, str] = {}
    for name in dict.fromkeys(names):
        candidate, number = label(name), 2
        while candidate in unique.values():
            candidate, number = f"{label(name)}-{number}", number + 1
        unique[name] = candidate
    return unique
