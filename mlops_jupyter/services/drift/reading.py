"""Read the data of a drift check from a file: csv, parquet, or the profile of a reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.drift import IncomparableDataError, Profile

if TYPE_CHECKING:
    import pandas as pd

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
PARQUET = (".parquet", ".pq")
DATE = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?"
"""Pattern of text that counts as a date: ISO 8601, the one form that cannot be mistaken for another."""


def read(path: str | Path) -> pd.DataFrame | Profile:
    """Read a csv or parquet file with rows, or a profile (`.json`, as `Profile.to_json` wrote it).

    A csv's columns of ISO 8601 dates become datetimes.

    Raises
    ------
    NotFoundError
        If there is no such file.
    UserError
        If the file is of another kind, damaged, or has no rows: one line with the file's name.
    """
    file = Path(path)
    name = file.name.lower()
    if file.is_dir() and not any(file.glob("*.parquet")):
        raise UserError(f"{str(path)!r} is a folder without parquet files: name a csv or parquet file")
    if not file.exists():
        raise NotFoundError(f"no file {str(path)!r}: check the name, or the folder you are in")
    if name.endswith(".json"):
        return _profile(file)
    if not (name.endswith(CSV + PARQUET) or file.is_dir()):
        raise UserError(
            f"{str(path)!r} is neither csv nor parquet: give a file that ends in {', '.join(CSV + PARQUET)}"
        )
    try:
        data = _csv(file) if name.endswith(CSV) else _parquet(file)
    except (OSError, ValueError) as fault:  # what pandas and pyarrow raise for damaged files
        kind = "csv" if name.endswith(CSV) else "parquet"
        raise UserError(f"cannot read {str(path)!r} as {kind}: {_first_line(fault)}; check the file") from fault
    if not len(data):
        raise UserError(f"{str(path)!r} has no rows: nothing to compare")
    return data


def _profile(file: Path) -> Profile:
    try:
        return Profile.from_json(file.read_text(encoding="utf-8"))
    except (IncomparableDataError, ValueError) as fault:
        raise UserError(f"{str(file)!r}: {fault}") from fault


def _parquet(file: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(file)


def _csv(file: Path) -> pd.DataFrame:
    import pandas as pd

    separator = "\t" if ".tsv" in file.name.lower() else ","
    data = pd.read_csv(file, sep=separator, low_memory=False)
    for name in data.columns:
        data[name] = _dated(data[name])
    return data


def _dated(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of ISO 8601 dates as datetimes (UTC), any other column unchanged."""
    import pandas as pd

    present = column.dropna()
    if pd.api.types.is_numeric_dtype(column.dtype) or not len(present):
        return column
    if not present.head(100).astype("str").str.fullmatch(DATE).all():
        return column
    try:
        return pd.to_datetime(column, format="ISO8601", utc=True)
    except (ValueError, TypeError):  # it only began like dates
        return column


def _first_line(fault: Exception) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[0].rstrip(".")
