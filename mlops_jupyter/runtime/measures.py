"""What may be logged: the names and the numbers that MLflow takes, checked before anything is written."""

from __future__ import annotations

import re

from .errors import UserError

KEY = re.compile(r"[A-Za-z0-9_\-. :/]{1,250}")
"""Names of metrics, parameters and tags (MLflow's own rule)."""

LONGEST_PARAMETER = 6000
"""Characters of a parameter's value that MLflow keeps."""


class NotLoggableError(UserError, ValueError):
    """A name or value that cannot be logged: one line saying which and what to do."""


def check_key(key: object) -> str:
    """Return a name that MLflow takes; raise `NotLoggableError` for any other.

    Examples
    --------
    >>> check_key("val/auc")
    'val/auc'
    """
    if isinstance(key, str) and KEY.fullmatch(key) and _no_path_trick(key):
        return key
    raise NotLoggableError(f"{key!r} is no name to log under: use letters, digits and _ - . / : (1 to 250 of them)")


def _no_path_trick(key: str) -> bool:
    return not key.startswith(("/", "..")) and key.strip() == key and not {".", "..", ""} & set(key.split("/"))


def number(key: str, value: object) -> float:
    """Return a metric's value as a float. NaN and infinities are numbers; text and containers are not.

    Raises
    ------
    NotLoggableError
        One line that names the key.

    Examples
    --------
    >>> number("auc", True)
    1.0
    """
    if not isinstance(value, (str, bytes, bytearray, complex, type)) and hasattr(value, "__float__"):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass  # an array of several, a masked value, a whole number beyond every float
    raise NotLoggableError(
        f"metric {key!r} takes one number, not {_shown(value)}: log a parameter or an artifact instead"
    )


def text(key: str, value: object) -> str:
    """Return a parameter's value as MLflow keeps it; raise `NotLoggableError` for one too long to keep whole."""
    shown = str(value)
    if len(shown) > LONGEST_PARAMETER:
        raise NotLoggableError(
            f"parameter {key!r} has {len(shown)} characters and MLflow keeps {LONGEST_PARAMETER}: log it as an artifact"
        )
    return shown


def _shown(value: object) -> str:
    whole = repr(value).replace("\n", " ")
    return f"{type(value).__name__} {whole if len(whole) <= 40 else whole[:39] + '…'}"
