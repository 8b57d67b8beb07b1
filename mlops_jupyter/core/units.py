"""Parse and format amounts as people write them: sizes, durations, counts. Standard library only."""

from __future__ import annotations

import re

from mlops_jupyter.core.errors import UserError

SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
BYTES = {
    "": 1, "b": 1, "k": 1000, "kb": 1000, "m": 1000**2, "mb": 1000**2, "g": 1000**3, "gb": 1000**3, "t": 1000**4,
    "tb": 1000**4, "ki": 1 << 10, "kib": 1 << 10, "mi": 1 << 20, "mib": 1 << 20, "gi": 1 << 30, "gib": 1 << 30,
    "ti": 1 << 40, "tib": 1 << 40,
}  # fmt: skip
"""Units as the International System and IEC 80000-13 have them; case does not matter."""

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def seconds(text: str) -> float:
    """Return a duration in seconds.

    Raises
    ------
    UserError
        The text is no number with a unit of time, or the number is zero.

    Examples
    --------
    >>> seconds("90"), seconds("15m"), seconds("1.5 h")
    (90.0, 900.0, 5400.0)
    """
    return _amount(text, SECONDS, "duration", "30s, 15m, 6h or 1d")


def size(text: str) -> int:
    """Return a size in bytes.

    Raises
    ------
    UserError
        The text is no number with a unit of bytes, or the number is zero.

    Examples
    --------
    >>> size("4GB"), size("512Mi")
    (4000000000, 536870912)
    """
    return round(_amount(text, BYTES, "size", "512MB, 4GB or 2GiB"))


def _amount(text: str, units: dict[str, int], what: str, such: str) -> float:
    match = _AMOUNT.fullmatch(text)
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None or not float(match[1]):
        raise UserError(f"{text!r} is no {what}: write it as {such}")
    return float(match[1]) * factor


def count_of(number: int, word: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    Examples
    --------
    >>> count_of(1, "step"), count_of(2, "step")
    ('1 step', '2 steps')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
