"""Reads a column of a frame as what can be compared: its kind, a sample of numbers or categories, its missing rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .findings import IncomparableDataError, Kind
from .kinds import liken, recognise
from .levels import Levels
from .numbers import Numbers, numbers

if TYPE_CHECKING:
    import pandas as pd

ROW_NAMES = re.compile(r"(?i)(^|[_\W])(id|ids|key|uuid|guid|index|rowid|row_number)$|^Unnamed: \d+$|(?-i:[a-z]I[dD])$")
"""Names of columns that hold a row's key or number."""

Sample = Numbers | Levels | None


@dataclass(frozen=True)
class Column:
    """One column of the reference or of the current data; only one is in memory at a time.

    Attributes
    ----------
    sample : Numbers for numeric, datetime (seconds since 1970) and text (lengths in characters); Levels for
        categorical and boolean; None for other kinds and where there are no values.
    missing : rows without a usable value: None, NaN, NaT, NA and infinite numbers.
    infinite : how many of the missing rows hold infinite numbers.
    key : whether every value differs and the name says that the column only names rows ("customer_id", "Unnamed: 0").
    """

    name: str
    kind: Kind
    sample: Sample
    rows: int
    missing: int
    infinite: int = 0
    key: bool = False


def frame(data: object, role: str) -> pd.DataFrame:
    """Return data as a pandas frame; raise `IncomparableDataError` if it is no frame, lacks rows or repeats a name."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame) and hasattr(data, "to_pandas"):  # polars, pyarrow
        data = data.to_pandas()
    if not isinstance(data, pd.DataFrame):
        hint = "use .to_frame()" if isinstance(data, pd.Series) else "give a pandas DataFrame"
        raise IncomparableDataError(f"the {role} data is a {type(data).__name__}, not a frame: {hint}")
    if not len(data):
        raise IncomparableDataError(f"the {role} data has no rows: nothing to compare")
    names = [str(name) for name in data.columns]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise IncomparableDataError(f"the {role} data has columns of the same name: {_listed(twice)}; rename them")
    return data


def chosen(
    wanted: Sequence[str] | str | None, before: Sequence[str], after: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return (names of the columns to compare, names that only the current data has).

    Raises
    ------
    IncomparableDataError
        There are no columns to compare, or one side lacks one of them.
    """
    names = [wanted] if isinstance(wanted, str) else list(before) if wanted is None else [str(name) for name in wanted]
    if not names:
        raise IncomparableDataError("no columns to compare: name at least one")
    for role, own in (("reference", before), ("current", after)):
        absent = [name for name in names if name not in set(own)]
        if absent:
            raise IncomparableDataError(
                f"the {role} data lacks the column{'s' * (len(absent) > 1)} {_listed(absent)}: it has {_listed(own)}"
            )
    known = set(before)
    return list(dict.fromkeys(names)), [name for name in after if name not in known]


def read(data: pd.DataFrame, name: str, like: Kind | None = None) -> Column:
    """Return one column of a frame, as the reference's kind (`like`) where the values allow it.

    Raises
    ------
    IncomparableDataError
        The values are of another kind than the reference's.
    """
    position = [str(label) for label in data.columns].index(name)
    series = data.iloc[:, position]
    present = series.dropna()
    kind, present = recognise(present)
    if like is not None and kind not in (like, Kind.EMPTY):
        kind, present = liken(name, present, kind, like)
    missing = len(series) - len(present)
    if kind in (Kind.EMPTY, Kind.OTHER):
        return Column(name, kind, None, len(series), missing)
    if kind in (Kind.CATEGORICAL, Kind.BOOLEAN):
        return Column(name, kind, _levels(present), len(series), missing)
    return _measured(name, kind, present, len(series), missing)


def _levels(there: pd.Series[Any]) -> Levels:
    counts: dict[str, int] = {}
    for value, count in there.value_counts(sort=False).items():
        if count:
            label = _label(value)
            counts[label] = counts.get(label, 0) + int(count)
    return Levels(counts)


def _label(value: object) -> str:
    """Return a category's name. 1, 1.0 and "1" have one name, because a missing value turns integers into floats."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _measured(name: str, kind: Kind, there: pd.Series[Any], rows: int, missing: int) -> Column:
    import numpy as np

    values = _floats(kind, there)
    finite = np.isfinite(values)
    infinite = 0
    if not finite.all():
        infinite, missing = int(np.isinf(values).sum()), missing + int((~finite).sum())
        values = values[finite]
    if not len(values):
        return Column(name, Kind.EMPTY, None, rows, missing, infinite)
    key = bool(ROW_NAMES.search(name)) and kind in (Kind.NUMERIC, Kind.TEXT) and bool(there.is_unique)
    return Column(name, kind, numbers(values), rows, missing, infinite, key)


def _floats(kind: Kind, there: pd.Series[Any]) -> Any:
    """Return a fresh float64 array: numbers, seconds since 1970 (or of a duration), or lengths in characters."""
    import numpy as np
    import pandas as pd

    if kind is Kind.TEXT:
        return there.astype("str").str.len().to_numpy(dtype="float64")
    if isinstance(there.dtype, pd.PeriodDtype):
        there = there.dt.to_timestamp()
    if kind is Kind.DATETIME:
        if isinstance(there.dtype, pd.ArrowDtype):
            there = pd.to_datetime(there)
        if there.dt.tz is not None:
            there = there.dt.tz_convert("UTC").dt.tz_localize(None)
        return there.to_numpy(dtype="datetime64[us]").astype("int64") / 1e6
    if pd.api.types.is_timedelta64_dtype(there.dtype):
        return there.to_numpy(dtype="timedelta64[us]").astype("int64") / 1e6
    return np.array(there.to_numpy(dtype="float64"), copy=True)


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
