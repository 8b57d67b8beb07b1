"""The kind of a column: known by its dtype, or by its values where the dtype does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .findings import IncomparableDataError, Kind

if TYPE_CHECKING:
    import pandas as pd

TEXT_SHARE = 0.5
"""Strings of which more than this share differ from each other are text, not categories."""

TEXT_LEAST = 50
"""Up to so many different strings are categories in any case."""


def recognise(there: pd.Series[Any]) -> tuple[Kind, pd.Series[Any]]:
    """Return the kind of a column without its missing values, and the values in a dtype of that kind."""
    import pandas as pd
    from pandas.api import types

    if not len(there):
        return Kind.EMPTY, there
    dtype = there.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Kind.CATEGORICAL, there
    if types.is_bool_dtype(dtype):
        return Kind.BOOLEAN, there
    if types.is_complex_dtype(dtype):
        return Kind.OTHER, there
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind == "m":
        return Kind.NUMERIC, there.astype("timedelta64[us]")
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return Kind.NUMERIC, there
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return Kind.DATETIME, there
    return _of_objects(there)


def _of_objects(there: pd.Series[Any]) -> tuple[Kind, pd.Series[Any]]:
    """Return what `recognise` does, for strings, Python objects, and Arrow types that pandas does not name."""
    import pandas as pd
    from pandas.api import types

    inferred = types.infer_dtype(there, skipna=True)
    if inferred == "string":
        distinct = there.nunique()
        return (Kind.TEXT if distinct > max(TEXT_LEAST, TEXT_SHARE * len(there)) else Kind.CATEGORICAL), there
    if inferred == "boolean":
        return Kind.BOOLEAN, there
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        return Kind.NUMERIC, there.astype("float64")
    if inferred in ("datetime", "datetime64", "date"):
        return Kind.DATETIME, pd.to_datetime(there, utc=True)
    if inferred in ("timedelta", "timedelta64"):
        return Kind.NUMERIC, pd.to_timedelta(there)
    try:
        distinct = there.nunique()
    except (TypeError, NotImplementedError):  # lists, dicts, arrays
        return Kind.OTHER, there
    return (Kind.OTHER if distinct > max(TEXT_LEAST, TEXT_SHARE * len(there)) else Kind.CATEGORICAL), there


def liken(name: str, there: pd.Series[Any], kind: Kind, like: Kind) -> tuple[Kind, pd.Series[Any]]:
    """Return (kind, values) of a current column as the reference's kind, `like`, where that loses nothing.

    Raises
    ------
    IncomparableDataError
        The kinds differ, and the values cannot be taken as the reference's.
    """
    import pandas as pd

    strings = {Kind.CATEGORICAL, Kind.TEXT, Kind.BOOLEAN}
    if like is Kind.EMPTY or like is Kind.OTHER:
        return kind, there
    if {kind, like} <= strings or (kind is Kind.NUMERIC and like is Kind.CATEGORICAL and there.nunique() <= TEXT_LEAST):
        return like, there
    if {kind, like} == {Kind.NUMERIC, Kind.BOOLEAN} and there.isin([0, 1]).all():
        return like, there.astype("bool" if like is Kind.BOOLEAN else "float64")
    if like is Kind.NUMERIC and kind is Kind.CATEGORICAL and isinstance(there.dtype, pd.CategoricalDtype):
        held, numeric = recognise(there.astype(there.cat.categories.dtype))
        if held is like:
            return like, numeric
    if like is Kind.DATETIME and kind in strings:  # a csv's dates beside a parquet's
        dates = pd.to_datetime(there.astype("str"), errors="coerce", utc=True, format="ISO8601")
        if dates.notna().all():
            return like, dates
    both = f"{like.value} in the reference and {kind.value} in the current data"
    raise IncomparableDataError(f"column {name!r} is {both}: convert one, or leave it out")
