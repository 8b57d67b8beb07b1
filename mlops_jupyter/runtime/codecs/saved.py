"""What saving gives, and the ways in which it fails."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UserError


@dataclass(frozen=True)
class Saved:
    """A value as bytes.

    Attributes
    ----------
    format : name to give `load_open`: pickle, json, npy, parquet, skops, joblib, png, html.
    suffix : of the file, with its dot.
    note : why a format that people cannot open had to be taken, or what the file does not keep; "" if nothing.
    """

    format: str
    suffix: str
    data: bytes
    note: str = ""


class SerializationError(UserError):
    """A value cannot leave its process.

    Attributes
    ----------
    name : the variable, "" where it has none.
    reason : what in it stands in the way.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r} cannot be saved: {reason}" if name else f"cannot be saved: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type[SerializationError], tuple[str, str]]:
        return type(self), (self.name, self.reason)


class UnknownFormatError(UserError):
    """A format that no codec here reads."""
