"""Digests of pandas' values: labels, types, and each column by the buffers it lies in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import arrays, arrow, decompose
from .builtin import last_name
from .hash_records import Record
from .walk import Handler, Walk


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of pandas', or derived from one."""
    import pandas as pd

    for base, handler in (
        (pd.DataFrame, frame),
        (pd.Series, series),
        (pd.MultiIndex, multi_index),
        (pd.RangeIndex, range_index),
        (pd.Index, index),
        (pd.api.extensions.ExtensionArray, column),
    ):
        if issubclass(kind, base):
            return handler
    if issubclass(kind, pd.api.extensions.ExtensionDtype):
        return _dtype
    return decompose.handler_for(kind)


def frame(walk: Walk, value: Any) -> bytes:
    """Return the digest of a DataFrame, which does not depend on how pandas groups its columns in memory."""
    columns: list[bytes] = [b""] * len(value.columns)
    for places, block in blocks(value):
        digests = arrays.rows(walk, block) if numeric(block) else [column(walk, block)]
        for place, digest in zip(places, digests, strict=True):
            columns[place] = digest
    own = {name: getattr(value, name, None) for name in value._metadata}
    heads = (last_name(type(value)), value.index, value.columns, value.attrs, [_flag(value), own])
    return walk.record(Record.FRAME, *[walk.digest(head) for head in heads], *columns)


def blocks(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (places of its columns, values) for each block of a frame: a 2-d numpy array, or an extension array."""
    for block in value._mgr.blocks:
        places, values = block.mgr_locs.as_array, block.values
        kind = type(values).__module__.partition(".")[0]
        if kind != "numpy" and getattr(values, "ndim", 1) == 2:  # datetimes with 2-d storage
            for place, row in zip(places, values, strict=True):
                yield [place], row
        else:
            yield places, values


def numeric(block: Any) -> bool:
    """Return whether a block is a two-dimensional numpy array."""
    import numpy as np

    return isinstance(block, np.ndarray)


def series(walk: Walk, value: Any) -> bytes:
    """Return the digest of a Series."""
    own = {name: getattr(value, name, None) for name in value._metadata if name != "_name"}
    heads = (last_name(type(value)), value.index, value.name, value.attrs, [_flag(value), own])
    return walk.record(Record.SERIES, *[walk.digest(head) for head in heads], column(walk, value._values))


def _flag(value: Any) -> bool:
    return bool(value.flags.allows_duplicate_labels)


def index(walk: Walk, value: Any) -> bytes:
    """Return the digest of an Index by its labels, their type and its frequency."""
    step = getattr(value, "freqstr", None) if hasattr(value, "freq") else None
    head = walk.digest((last_name(type(value)), step))
    return walk.record(Record.INDEX, head, walk.digest(list(value.names)), column(walk, value._values))


def range_index(walk: Walk, value: Any) -> bytes:
    """Return the digest of a RangeIndex without making its labels."""
    head = walk.digest(("RangeIndex", (value.start, value.stop, value.step)))
    return walk.record(Record.INDEX, head, walk.digest(list(value.names)))


def multi_index(walk: Walk, value: Any) -> bytes:
    """Return the digest of a MultiIndex by the labels of its rows; levels that no row uses do not count."""
    parts = [column(walk, value.get_level_values(level)._values) for level in range(value.nlevels)]
    head = walk.digest((last_name(type(value)), len(value)))
    return walk.record(Record.INDEX, head, walk.digest(list(value.names)), *parts)


def column(walk: Walk, values: Any) -> bytes:
    """Return the digest of one column's values, a numpy array or an extension array."""
    import numpy as np
    import pandas as pd

    if isinstance(values, np.ndarray):
        return arrays.array(walk, values)
    parts: list[Any]
    if isinstance(values, pd.Categorical):
        parts = [values.codes, values.categories, values.ordered]
    elif hasattr(values, "_pa_array"):
        return walk.record(Record.COLUMN, _dtype(walk, values.dtype), arrow.chunked(walk, values._pa_array))
    elif isinstance(values, pd.arrays.IntervalArray):
        parts = [values.left, values.right, values.closed]
    elif isinstance(values, pd.arrays.SparseArray):
        parts = [values.sp_values, values.sp_index.indices, values.fill_value, len(values)]
    elif hasattr(values, "_mask") and hasattr(values, "_data"):
        parts = _masked(values._data, values._mask)
    elif hasattr(values, "asi8"):
        parts = [values.asi8]
    elif hasattr(values, "_ndarray"):
        parts = [values._ndarray]
    else:
        parts = [last_name(type(values)), np.asarray(values, dtype=object)]
    return walk.record(Record.COLUMN, _dtype(walk, values.dtype), *[walk.digest(part) for part in parts])


def _masked(data: Any, mask: Any) -> list[Any]:
    """Return (data, mask) with zeros under the mask, since values there do not count."""
    if mask.any():
        data = data.copy()
        data[mask] = 0
    return [data, mask]


def _dtype(walk: Walk, value: Any) -> bytes:
    """Return the digest of a dtype by its class, its text and its missing value, in which string dtypes differ."""
    missing = repr(getattr(value, "na_value", None))
    return walk.record(Record.NAMED, walk.digest([last_name(type(value)), str(value), missing]))
