"""The npy codec: numpy's own format for arrays, never with pickled objects inside."""

from __future__ import annotations

import io
import sys
from typing import Any


def takes(value: Any) -> bool:
    """Return whether a value is a plain array (an array of a subclass would come back as a plain one)."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) in (numpy.ndarray, numpy.memmap) and not value.dtype.hasobject


def save(value: Any) -> bytes:
    """Return an array as an npy file."""
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(value), allow_pickle=False)
    return stream.getvalue()


def load(data: bytes) -> Any:
    """Return the array of an npy file."""
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)
