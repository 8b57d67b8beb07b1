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
    """A file format for delivered outputs.

    Attributes
    ----------
    takes : function that says whether a value may be tried in this format.
    save, load : functions from value to bytes and back; `save` may raise if the value does not fit.
    same : function from a value to what `load` must give back; None if that is the value itself.
    checked : whether to load the bytes again and check that they give the same value. Pickles are exact; pictures
        give nothing back.
    open : whether people can open the file; if not, the note of a saved value says why no open format would do.
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
"""Names of the formats that pickle: they give back whatever a value's own code makes of it."""


def save_open(value: object) -> Saved:
    """Save a value in the first format that a person can open and that gives the same value back, else in joblib.

    json holds bare values, npy arrays, parquet DataFrames and Series, png and html figures, skops estimators.

    Raises
    ------
    SerializationError
        Not even pickling can save the value.

    Examples
    --------
    >>> save_open(0.5)
    Saved(format='json', suffix='.json', data=b'0.5', note='')
    >>> save_open((1, 2)).format
    'joblib'
    """
    notes: list[str] = []
    for candidate in FORMATS:
        if not candidate.takes(value):
            continue
        try:
            data = candidate.save(value)
            if candidate.checked and not _comes_back(candidate, value, data):
                notes.append(f"{candidate.name} would not give back the same value")
                continue
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # hooks of the value's class may raise anything
            if not candidate.open:
                _, reason = find_unpicklable({"value": value}, fault)
                raise SerializationError("", reason.replace(" at value", " at ")) from fault
            notes.append(_why(candidate.name, fault))
            continue
        note = candidate.note if candidate.open else _fallback(notes, value)
        return Saved(candidate.name, candidate.suffix, data, note)
    raise SerializationError("", "no format takes it")


def load_open(path: Path, format: str) -> Any:
    """Return the value of a file that `save_open` made: of a png its bytes, of an html page its text.

    Raises
    ------
    UnknownFormatError
        No codec reads the format; the message names those that there are.
    models.UntrustedTypesError
        A skops file asks for types that are neither scikit-learn's, numpy's, scipy's nor the bundle's own.
    """
    return _reader(format)(Path(path).read_bytes())


def read_open(data: bytes, format: str) -> Any:
    """Return the value of the bytes of a file that `save_open` made, as `load_open` does."""
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
    text = str(fault).strip().split("\n")[0]
    return (
        text
        if name == "json" and isinstance(fault, json_values.NotJsonError)
        else f"{name} cannot hold it: {text[:120]}"
    )


def _fallback(notes: list[str], value: Any) -> str:
    return "; ".join(notes) or f"no open format for {type(value).__name__}"
