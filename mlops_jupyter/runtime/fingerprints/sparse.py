"""Digests of scipy's sparse matrices by the arrays that they store; no matrix is made dense."""

from __future__ import annotations

import sys
from typing import Any

from . import arrays, decompose
from .builtin import last_name
from .hash_records import Record
from .walk import Handler, Walk

STORAGE = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "coords"),
    "dia": ("data", "offsets"),
}


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of scipy's, or derived from one."""
    module = sys.modules.get("scipy.sparse")
    if module is not None and issubclass(kind, module.sparray | module.spmatrix):
        return _matrix
    import numpy as np

    return arrays.handler_for(kind) if issubclass(kind, np.ndarray) else decompose.handler_for(kind)


def _matrix(walk: Walk, value: Any) -> bytes:
    stored = storage(value)
    head = (last_name(type(value)), value.format, tuple(int(n) for n in value.shape))
    return walk.each(Record.SPARSE, [head, *stored.values()])


def storage(value: Any) -> dict[str, Any]:
    """Return the arrays that a sparse matrix consists of, by name."""
    names = STORAGE.get(value.format)
    if names is None:  # lists of lists and dictionaries of keys: in the order of their coordinates
        value = value.tocsr().tocoo()
        names = STORAGE["coo"]
    if names == STORAGE["coo"] and not hasattr(value, "coords"):  # scipy before 1.13
        return {"data": value.data, "row": value.row, "col": value.col}
    return {name: getattr(value, name) for name in names}
