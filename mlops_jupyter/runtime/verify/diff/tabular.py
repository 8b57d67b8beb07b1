"""Comparison of arrays, frames, sparse matrices and Arrow tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...fingerprints import sparse
from ...fingerprints.tensors import content, dense, gradient
from .findings import CloseNumbers, Path, PathElement, told
from .messages import shown

if TYPE_CHECKING:
    from .differ import Differ

Comparer = Callable[["Differ", Path, Any, Any], None]


def comparer(kind: type) -> Comparer | None:
    """Return the function that compares values of a class; None if the class is no table or array."""
    for module, name, function in COMPARERS:
        library = sys.modules.get(module)
        if library is not None and issubclass(kind, getattr(library, name)):
            return function
    return None


def arrays(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare shape, dtype, then values; note the first place where values differ, and how many do."""
    import numpy as np

    if expected.shape != actual.shape:
        differ.findings.part(path, f"shape {expected.shape} became {actual.shape}")
    if expected.dtype != actual.dtype:
        differ.findings.part(path, f"dtype {expected.dtype} became {actual.dtype}")
    if isinstance(expected, np.ma.MaskedArray):
        arrays(differ, (*path, PathElement(".mask", "mask")), np.ma.getmaskarray(expected), np.ma.getmaskarray(actual))
        expected, actual = np.ma.filled(expected), np.ma.filled(actual)
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.dtype.names is not None:
        for name in expected.dtype.names:
            arrays(differ, (*path, PathElement(f"[{name!r}]", name)), expected[name], actual[name])
    elif expected.dtype.kind == "O":
        _objects(differ, path, expected, actual)
    elif expected.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            _floats(differ, path, expected, actual)
    else:
        wrong = expected != actual
        if expected.dtype.kind in "mM":
            wrong &= ~(np.isnat(expected) & np.isnat(actual))
        if wrong.any():
            _first(differ, path, expected, actual, wrong)


def _objects(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    import numpy as np

    for place in np.ndindex(expected.shape):
        text = ", ".join(map(str, place))
        differ.compare((*path, PathElement(f"[{text}]", text)), expected[place], actual[place])


def _floats(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    import numpy as np

    both_nan = np.isnan(expected) & np.isnan(actual)
    same = (expected == actual) | both_nan
    gap, size = np.abs(expected - actual), np.abs(expected)
    within = same | ((gap <= differ.findings.atol + differ.findings.rtol * size) & np.isfinite(size))
    if not within.all():
        _first(differ, path, expected, actual, ~within)
    count = int(expected.size - np.count_nonzero(same))
    signs = int(np.count_nonzero(np.signbit(expected.real) != np.signbit(actual.real) & ~both_nan)) if not count else 0
    if count or signs:
        share = np.where(same, 0.0, gap / np.maximum(size, np.abs(actual)))
        differ.findings.near.append(CloseNumbers(told(path), count or signs, int(expected.size), float(share.max())))


def _first(differ: Differ, path: Path, expected: Any, actual: Any, wrong: Any) -> None:
    """Note the first place where values differ, and how many do."""
    import numpy as np

    place = tuple(int(n) for n in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    before, after = expected[place], actual[place]
    texts = (shown(before), shown(after)) if shown(before) != shown(after) else (repr(before), repr(after))
    count = f" ({int(wrong.sum()):,} of {wrong.size:,} values differ)" if wrong.size > 1 else ""
    text = ", ".join(map(str, place))
    where = (*path, PathElement(f"[{text}]", text)) if place else path
    differ.findings.part(where, f"{texts[0]} became {texts[1]}{count}")


def frames(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare shape, columns, index, then column by column."""
    if expected.shape != actual.shape:
        differ.findings.part(path, f"shape {expected.shape} became {actual.shape}")
    indexes(differ, (*path, PathElement("columns", "columns")), expected.columns, actual.columns)
    indexes(differ, (*path, PathElement("index", "index")), expected.index, actual.index)
    for place, name in enumerate(expected.columns):
        where = (*path, PathElement(f"column {shown(name)}", str(name)))
        columns(differ, where, expected.iloc[:, place], actual.iloc[:, place])
    differ.compare((*path, PathElement(".attrs", "attrs")), expected.attrs, actual.attrs)


def series(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare length, name, index, then values."""
    if len(expected) != len(actual):
        differ.findings.part(path, f"length {len(expected):,} became {len(actual):,}")
    differ.compare((*path, PathElement("name", "name")), expected.name, actual.name)
    indexes(differ, (*path, PathElement("index", "index")), expected.index, actual.index)
    columns(differ, path, expected, actual)
    differ.compare((*path, PathElement(".attrs", "attrs")), expected.attrs, actual.attrs)


def indexes(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare kinds, names, regular step and labels of two indexes."""
    if type(expected) is not type(actual):
        differ.findings.part(path, f"{type(expected).__name__} became {type(actual).__name__}")
    if len(expected) != len(actual):
        differ.findings.part(path, f"length {len(expected):,} became {len(actual):,}")
    differ.compare((*path, PathElement("names", "names")), list(expected.names), list(actual.names))
    steps = [getattr(one, "freqstr", None) if hasattr(one, "freq") else None for one in (expected, actual)]
    differ.compare((*path, PathElement("step", "step")), *steps)
    if expected.nlevels > 1:
        if expected.nlevels != actual.nlevels:
            differ.findings.part(path, f"{expected.nlevels} levels became {actual.nlevels}")
        for level in range(expected.nlevels):
            where = (*path, PathElement(f"level {level}", str(level)))
            columns(differ, where, expected.get_level_values(level), actual.get_level_values(level))
    else:
        columns(differ, path, expected, actual)


def columns(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare the values of two columns of equal length (Series or Index)."""
    import numpy as np
    import pandas as pd

    if differ.findings.passes(path):
        if not expected.equals(actual):
            differ.findings.ignored.append(path[-1].bare)
        return
    if expected.dtype != actual.dtype:
        if isinstance(expected.dtype, pd.CategoricalDtype) and isinstance(actual.dtype, pd.CategoricalDtype):
            differ.findings.part(path, "its categories changed")
        differ.findings.part(path, f"dtype {expected.dtype} became {actual.dtype}")
    before, after = _plain(expected), _plain(actual)
    arrays(differ, path, np.asarray(before), np.asarray(after))


def _plain(column: Any) -> Any:
    """Return a column as a numpy array: of numbers where it holds numbers, else of objects."""
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if pd.api.types.is_float_dtype(column.dtype) and not isinstance(column.dtype, pd.SparseDtype):
        return column.to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(column, dtype=object)


def matrices(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare sparse matrices by what they store."""
    if expected.format != actual.format:
        differ.findings.part(path, f"format {expected.format} became {actual.format}")
    if expected.shape != actual.shape:
        differ.findings.part(path, f"shape {expected.shape} became {actual.shape}")
    before, after = sparse.storage(expected), sparse.storage(actual)
    for name, part in before.items():
        differ.compare((*path, PathElement(f".{name}", name)), part, after[name])


def tables(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare Arrow tables by names, types and columns."""
    if expected.shape != actual.shape:
        differ.findings.part(path, f"shape {expected.shape} became {actual.shape}")
    if expected.schema.names != actual.schema.names:
        differ.compare((*path, PathElement("columns", "columns")), expected.schema.names, actual.schema.names)
    for place, name in enumerate(expected.schema.names):
        where = (*path, PathElement(f"column {name!r}", name))
        arrow_columns(differ, where, expected.column(place), actual.column(place))


def arrow_columns(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare Arrow arrays by type, length and values."""
    if expected.type != actual.type:
        differ.findings.part(path, f"type {expected.type} became {actual.type}")
    differ.compare(path, expected.to_pylist(), actual.to_pylist())


def scalars(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare numpy scalars that are no numbers: text, times, records."""
    import numpy as np

    arrays(differ, path, np.asarray(expected), np.asarray(actual))


def tensors(differ: Differ, path: Path, expected: Any, actual: Any) -> None:
    """Compare tensors as arrays, then their gradients."""
    if not (dense(expected) and dense(actual)):
        return differ.whole(path, expected, actual)
    for name in ("dtype", "shape", "requires_grad"):
        before, after = getattr(expected, name), getattr(actual, name)
        if before != after:
            differ.findings.part(path, f"{name} {before} became {after}")
    arrays(differ, path, content(expected), content(actual))
    differ.compare((*path, PathElement(".grad", "grad")), gradient(expected), gradient(actual))


COMPARERS: tuple[tuple[str, str, Comparer], ...] = (
    ("pandas", "DataFrame", frames),
    ("pandas", "Series", series),
    ("pandas", "Index", indexes),
    ("scipy.sparse", "sparray", matrices),
    ("scipy.sparse", "spmatrix", matrices),
    ("pyarrow", "Table", tables),
    ("pyarrow", "RecordBatch", tables),
    ("pyarrow", "ChunkedArray", arrow_columns),
    ("pyarrow", "Array", arrow_columns),
    ("torch", "Tensor", tensors),
    ("numpy", "ndarray", arrays),
    ("numpy", "generic", scalars),
)
