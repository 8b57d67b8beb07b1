"""Checks of what may be logged: the names, numbers and paths that MLflow takes, before anything is written.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from ..errors import UserError
from ..secret_values import MASK, KnownSecrets, looks_like_one

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
    """Return a parameter's value as MLflow keeps it; raise `NotLoggableError` for one too long to keep whole.

    A secret is masked: see `secret_values`.
    """
    shown = str(value)
    shown = MASK if looks_like_one(key, shown) else KnownSecrets.of_environment().masked(shown)
    if len(shown) > LONGEST_PARAMETER:
        raise NotLoggableError(
            f"parameter {key!r} has {len(shown)} characters and MLflow keeps {LONGEST_PARAMETER}: log it as an artifact"
        )
    return shown


def artifact_data(path: str, data: bytes) -> bytes:
    """Return a file's content with secrets masked; raise `NotLoggableError` if one is in a file that is no text."""
    secrets = KnownSecrets.of_environment()
    secret = secrets.held_by(data)
    if not secret:
        return data
    try:
        return secrets.masked(data.decode()).encode()
    except UnicodeDecodeError:
        raise NotLoggableError(f"the file {path!r} holds the secret {secret!r}: log one without it") from None


def whole_step(step: object) -> int:
    """Return a metric's step, 0 if none is given; raise `NotLoggableError` if it is no whole number of 64 bits.

    Examples
    --------
    >>> whole_step(3.0)
    3
    """
    if step is None:
        return 0
    try:
        place = int(step)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        raise NotLoggableError(f"a step is a whole number, not {step!r}") from None
    if place != step or not -(2**63) <= place < 2**63:
        raise NotLoggableError(f"a step is a whole number, not {step!r}")
    return int(place)


class MetricClock:
    """Gives each value of a metric its timestamp. It remembers the last timestamp of each run and metric.

    Several values at one step get a millisecond each, the finest time that MLflow knows: so it keeps all of them, and
    takes the last one for the latest.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, float]] = {}

    def time(self, run: str, key: str, step: int, now: float) -> float:
        """Return the timestamp of one more value, in seconds since the epoch; remember it."""
        before = self._last.get((run, key))
        if before is not None and before[0] == step and now < before[1] + 0.001:
            now = before[1] + 0.001
        self._last[run, key] = (step, now)
        return now


def refuse_changes(before: Mapping[str, str], params: Mapping[str, str]) -> None:
    """Raise `NotLoggableError` for a parameter that a run already has with another value."""
    for key, value in params.items():
        if before.get(key, value) != value:
            raise NotLoggableError(
                f"parameter {key!r} of this run is {before[key]!r} already, not {value!r}: start a new run"
            )


def artifact_path(path: str) -> str:
    """Return an artifact's path, cleaned; raise `NotLoggableError` for one that leads out of the run's folder."""
    clean = PurePosixPath(path)
    if clean.is_absolute() or not clean.parts or ".." in clean.parts or not path.isprintable() or "\\" in path:
        raise NotLoggableError(f"{path!r} is no path for an artifact: give a relative one, as in 'plots/roc.png'")
    return str(clean)


def check_called(what: str, word: str) -> None:
    """Raise `NotLoggableError` if a text cannot be the name of a run or of an experiment."""
    if not word.strip() or len(word) > 250 or not word.isprintable():
        raise NotLoggableError(f"{word!r} is no name for a {what}: give 1 to 250 printable characters")


def _shown(value: object) -> str:
    whole = repr(value).replace("\n", " ")
    return f"{type(value).__name__} {whole if len(whole) <= 40 else whole[:39] + '…'}"
