"""Data files as tables of rows and cells, to be edited and written back: CSV and the like, JSON, Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

LARGEST = 64 * 2**20
"""Bytes: a larger file stays as it is."""

DELIMITERS = ",;\t|"


@dataclass
class DataTable:
    """Rows of cells, and the names of the columns.

    Attributes
    ----------
    write : returns the bytes of a file of the same format that holds the given rows.
    """

    columns: list[str]
    rows: list[list[Any]]
    write: Callable[[list[list[Any]]], bytes] = field(repr=False)


def read_table(path: str, data: bytes) -> DataTable | None:
    """Read a data file; None if it is too large, or no table in a format that is known by its suffix.

    Examples
    --------
    >>> table = read_table("a.csv", b"n,name\\n1,x\\n")
    >>> table.columns, table.rows, table.write([["2", "y"], ["3", "z"]])
    (['n', 'name'], [['1', 'x']], b'n,name\\n2,y\\n3,z\\n')
    """
    reader = READERS.get(PurePosixPath(path).suffix.lower())
    if reader is None or len(data) > LARGEST:
        return None
    try:
        return reader(data)
    except Exception:  # the file is not what its name says
        return None


def _delimited(data: bytes) -> DataTable | None:
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = data.decode(encoding)
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    end = "\r\n" if "\r\n" in text else "\n"
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not lines:
        return None
    columns, rows = lines[0], lines[1:]

    def write(rows: list[list[Any]]) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([columns, *rows])
        return out.getvalue().encode(encoding)

    return DataTable(columns, [row for row in rows if row], write)


def _records(values: list[Any], write: Callable[[list[Any]], bytes]) -> DataTable | None:
    """Return a list of JSON values as a table: a column a key of objects, or one column of other values."""
    if not all(isinstance(value, dict) for value in values):
        return DataTable(["value"], [[value] for value in values], lambda rows: write([row[0] for row in rows]))
    columns = list(dict.fromkeys(key for value in values for key in value))
    rows = [[value.get(key, ABSENT) for key in columns] for value in values]

    def back(row: list[Any]) -> dict[str, Any]:
        return {key: cell for key, cell in zip(columns, row, strict=True) if cell is not ABSENT}

    return DataTable(columns, rows, lambda rows: write([back(row) for row in rows]))


ABSENT = object()
"""The cell of a JSON object that lacks the key."""


def _json(data: bytes) -> DataTable | None:
    value = json.loads(data)
    if isinstance(value, list):
        return _records(value, lambda values: json.dumps(values, indent=1).encode())
    if isinstance(value, dict):
        table = _records([value], lambda values: json.dumps(values[0] if values else {}, indent=1).encode())
        return table
    return None


def _json_lines(data: bytes) -> DataTable | None:
    values = [json.loads(line) for line in data.splitlines() if line.strip()]
    return _records(values, lambda values: b"".join(json.dumps(value).encode() + b"\n" for value in values))


def _parquet(data: bytes) -> DataTable | None:
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(data))
    dtypes = frame.dtypes.to_dict()

    def write(rows: list[list[Any]]) -> bytes:
        made = pd.DataFrame(rows, columns=frame.columns)
        for name, dtype in dtypes.items():
            try:
                made[name] = made[name].astype(dtype)
            except (TypeError, ValueError):  # an empty cell where the dtype has none
                made[name] = made[name].infer_objects()
        return bytes(made.to_parquet(None))

    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return DataTable([str(name) for name in frame.columns], rows, write)


READERS: Mapping[str, Callable[[bytes], DataTable | None]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".data", ".tab"), _delimited),
    ".json": _json,
    **dict.fromkeys((".jsonl", ".ndjson"), _json_lines),
    **dict.fromkeys((".parquet", ".pq"), _parquet),
}
"""Suffix -> reader of a file's bytes."""
