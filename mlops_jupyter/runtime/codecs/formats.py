"""The formats of delivered outputs, in the order in which they are tried. To add one, add it to `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..fingerprints.fingerprint import fingerprint
from . import arrays, figures, json_values, models, tables
from .saved import Saved, SerializationError, UnknownFormatError
from .unpicklable import find_unpicklable


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    takes : whether a value may be tried.
    save, load : value to bytes and back; `save` may raise where the value does not fit.
    same : what must come back; the value itself where it is None.
    checked : whether to read the bytes back and see that they give the same value. Pickles are exact; pictures
        give nothing back.
    open : whether people can open it; if not, the note says why nothing better would do.
    note : what the file does not keep.
    """

    name: str
    suffix: str
    takes: Callable[[Any], bool]
    save: Callable[[Any], bytes]
    load: Callable[[bytes], Any]
    same: Callable[[Any], Any] | None = None
    checked: bool = True
    open: bool = True
    note: str = ""


FORMATS = (
    Format("json", ".json", json_values.takes, json_values.save, json_values.load, same=json_values.plain),
    Format("npy", ".npy", arrays.takes, arrays.save, arrays.load),
    Format("parquet", ".parquet", tables.takes, tables.save, tables.load),
    Format("png", ".png", figures.drawn, figures.picture, figures.load_picture, checked=False, note="a picture of it"),
    Format("html", ".html", figures.interactive, figures.page, figures.load_page, checked=False, note="a page of it"),
    Format("skops", ".skops", models.estimator, models.save_skops, models.load_skops),
    Format("joblib", ".joblib", models.joblib_there, models.save_joblib, models.load_joblib, checked=False, open=False),
    Format("pickle", ".pkl", lambda value: True, models.save_pickle, models.load_pickle, checked=False, open=False),
)

PICKLED = frozenset(one.name for one in FORMATS if not one.open)
"""Formats that give back whatever a value's own code makes of it."""


def save_open(value: object) -> Saved:
    """Save a value in the first format that a person can open and that gives the same value back, else in joblib.

    json holds bare values, npy arrays, parquet DataFrames and Series, png and html figures, skops estimators.

    Raises
    ------
    SerializationError
        If not even pickling can keep the value.

    Examples
    --------
    >>> save_open(0.5)
    Saved(format='json', suffix='.json', data=b'0.5', note='')
    >>> save_open((1, 2)).format
    'joblib'
    """
    notes: list[str] = []
    for one in FORMATS:
        if not one.takes(value):
            continue
        try:
            data = one.save(value)
            if one.checked and not _comes_back(one, value, data):
                notes.append(f"{one.name} would not give back the same value")
                continue
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # hooks of the value's class may raise anything
            if not one.open:
                _, reason = find_unpicklable({"value": value}, fault)
                raise SerializationError("", reason.replace(" at value", " at ")) from fault
            notes.append(_why(one.name, fault))
            continue
        return Saved(one.name, one.suffix, data, one.note if one.open else _fallback(notes, value))
    raise SerializationError("", "no format takes it")


def load_open(path: Path, format: str) -> Any:
    """Read a file that `save_open` made. A png gives its bytes, an html page its text.

    Raises
    ------
    UnknownFormatError
        Naming the formats there are.
    models.UntrustedTypesError
        If a skops file asks for types that are neither scikit-learn's, numpy's, scipy's nor the bundle's own.
    """
    return _reader(format)(Path(path).read_bytes())


def read_open(data: bytes, format: str) -> Any:
    """Read the bytes of such a file."""
    return _reader(format)(data)


def _reader(format: str) -> Callable[[bytes], Any]:
    for one in FORMATS:
        if one.name == format:
            return one.load
    known = ", ".join(one.name for one in FORMATS)
    raise UnknownFormatError(f"unknown format {format!r} of a file: there are {known}")


def _comes_back(one: Format, value: Any, data: bytes) -> bool:
    expected = fingerprint(one.same(value) if one.same else value)
    return isinstance(expected, str) and fingerprint(one.load(data)) == expected


def _why(name: str, fault: BaseException) -> str:
    said = str(fault).strip().split("\n")[0]
    return (
        said
        if name == "json" and isinstance(fault, json_values.NotJsonError)
        else f"{name} cannot hold it: {said[:120]}"
    )


def _fallback(notes: list[str], value: Any) -> str:
    return "; ".join(notes) or f"no open format for {type(value).__name__}"
