"""A saved value, and the errors of saving and loading one."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UserError


@dataclass(frozen=True)
class Saved:
    """A value as bytes.

    Attributes
    ----------
    format : name to give `load_open`: pickle, json, npy, parquet, skops, joblib, png, html.
    suffix : the file name's suffix, with its dot.
    note : why no format would do that people can open, or what the file does not keep; "" if neither.
    """

    format: str
    suffix: str
    data: bytes
    note: str = ""


class SerializationError(UserError):
    """A value cannot be saved.

    Attributes
    ----------
    name : the variable, "" where it has none.
    reason : which object inside the value cannot be saved, and why.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r} cannot be saved: {reason}" if name else f"cannot be saved: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type[SerializationError], tuple[str, str]]:
        return type(self), (self.name, self.reason)


class UnknownFormatError(UserError):
    """No codec reads the format of a file."""
