"""The parquet codec: DataFrames, Series (as one column) and Arrow tables; the file's metadata says which it was."""

from __future__ import annotations

import io
import json
import sys
import warnings
from typing import Any

KEY = b"mlops"
"""Name of our own entry in the file's metadata, which other readers ignore."""


def takes(value: Any) -> bool:
    """Return whether a value is a table that parquet may hold; loading the file again shows whether it does."""
    pandas, arrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    if pandas is not None and type(value) in (pandas.DataFrame, pandas.Series):
        return _readable(value)
    return arrow is not None and type(value) is arrow.Table


def _readable(value: Any) -> bool:
    """Return whether other readers see the same column names: in parquet each is text, and occurs once."""
    names = list(value.columns) if value.ndim == 2 else []
    return all(type(name) is str for name in names) and len(set(names)) == len(names)


def save(value: Any) -> bytes:
    """Return the table as a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    own: dict[str, Any] = {"kind": type(value).__name__}
    if type(value) is pa.Table:
        table = value
    else:
        own["step"] = getattr(value.index, "freqstr", None) if hasattr(value.index, "freq") else None
        frame = value
        if value.ndim == 1:
            own["named"] = value.name is not None
            frame = value.to_frame(name=value.name if value.name is not None else "value")
        with warnings.catch_warnings():  # pyarrow uses what pandas is about to change; a filter may make that an error
            warnings.simplefilter("ignore")
            table = pa.Table.from_pandas(frame)
        own["attrs"] = value.attrs
    metadata = {**(table.schema.metadata or {}), KEY: json.dumps(own).encode()}
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), stream)
    return stream.getvalue()


def load(data: bytes) -> Any:
    """Return the DataFrame, Series or Arrow table; a parquet file of another program gives a DataFrame."""
    import pyarrow.parquet as pq

    metadata = dict(pq.read_schema(io.BytesIO(data)).metadata or {})
    own = json.loads(metadata.pop(KEY, b"{}"))
    if own.get("kind") == "Table":
        return pq.read_table(io.BytesIO(data)).replace_schema_metadata(metadata or None)
    import pandas as pd

    table: Any = pd.read_parquet(io.BytesIO(data), engine="pyarrow")
    if own.get("kind") == "Series":
        table = table.iloc[:, 0]
        if not own["named"]:
            table.name = None
    table.attrs = own.get("attrs", {})
    if own.get("step"):
        table.index = type(table.index)(table.index, freq=own["step"])
    return table
