"""Artifacts between steps: several variables in one pickle, so that what they share is one object again afterwards.

Only bytes that this project's own store wrote may be given to `load_exact`: unpickling runs code.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
import time
import types
from collections.abc import Mapping
from typing import Any

from ..fingerprints.reachable import reachable_objects
from . import tensors
from .saved import Saved, SerializationError
from .tensors import Tensors
from .unpicklable import find_unpicklable

PROTOCOL = 5


def save_exact(values: Mapping[str, object], *, importable_only: bool = False) -> Saved:
    """Save variables together; identity among them is kept, and views stay views of one array.

    Parameters
    ----------
    values : variable -> value.
    importable_only : also refuse values that need a class or function of `__main__`, which another program lacks.

    Raises
    ------
    SerializationError
        Naming the variable and the object inside it that cannot leave the process.

    Examples
    --------
    >>> row = [1]
    >>> loaded = load_exact(save_exact({"row": row, "rows": [row]}).data)
    >>> loaded["rows"][0] is loaded["row"]
    True
    """
    group = dict(values)
    try:
        owners = _shared_owners(group)
        stream = io.BytesIO()
        plain = not owners and not importable_only
        pickler = pickle.Pickler(stream, PROTOCOL) if plain else _Exact(stream, owners, importable_only)
        pickler.dispatch_table = _table()
        pickler.dump(group)
        return Saved("pickle", ".pkl", stream.getvalue())
    except KeyboardInterrupt:
        raise
    except SerializationError as fault:
        raise SerializationError(fault.name or (min(group) if len(group) == 1 else ""), fault.reason) from fault
    except BaseException as fault:  # hooks of the values' classes may raise anything
        name, reason = find_unpicklable(group, fault)
        raise SerializationError(name, reason) from fault


def load_exact(data: bytes) -> dict[str, object]:
    """Return the variables that `save_exact` saved."""
    return dict(_Loader(io.BytesIO(data)).load())


def is_picklable(value: object, budget_seconds: float) -> bool:
    """Return whether a value can leave its process, as far as a budget lets that be told. Never raises.

    Examples
    --------
    >>> can_leave([1, "a"], 1.0), can_leave([lambda: 1], 1.0)
    (True, False)
    """
    pickler = pickle.Pickler(_Nowhere(time.perf_counter() + budget_seconds), PROTOCOL, buffer_callback=lambda _: None)
    pickler.dispatch_table = _table()
    try:
        pickler.dump(value)
    except (_EnoughError, KeyboardInterrupt):
        return True
    except BaseException:  # hooks of the values' classes may raise anything
        return False
    return True


class _EnoughError(Exception):
    """The time is up."""


class _Nowhere:
    """A file that keeps nothing, and ends the writing when the time is up."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def write(self, data: bytes) -> int:
        if time.perf_counter() > self._deadline:
            raise _EnoughError
        return len(data)


class _Loader(pickle.Unpickler):
    """Finds what this module makes under whatever package name the writer had."""

    def find_class(self, module: str, name: str) -> Any:
        if module.endswith((".codecs.exact", ".codecs.tensors")) and name in MADE_HERE:
            return MADE_HERE[name]
        return super().find_class(module, name)


class _Exact(pickle.Pickler):
    """Writes arrays that share memory as views of one run of bytes; refuses `__main__` if asked to."""

    def __init__(self, stream: io.BytesIO, owners: dict[int, Any], importable_only: bool) -> None:
        super().__init__(stream, PROTOCOL)
        self._owners = owners
        self._importable_only = importable_only
        self._flat: dict[int, Any] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Called for every object that is not of a builtin type."""
        if self._importable_only and isinstance(obj, type | types.FunctionType) and obj.__module__ == "__main__":
            raise SerializationError("", f"it needs {obj.__qualname__!r} of the notebook, which its steps must define")
        if self._owners and _is_array(obj):
            owner = _owner(obj)
            flat = self._flat.get(id(owner)) if id(owner) in self._owners else obj
            if flat is None:
                flat = self._flat[id(owner)] = _flat(owner)
            if flat is not obj:
                start = obj.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
                return view_of, (flat, obj.dtype, obj.shape, obj.strides, start, bool(obj.flags.writeable))
        return NotImplemented


class _Survey(pickle.Pickler):
    """Writes nothing of arrays' content, but counts which of them lie in the memory of which."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, PROTOCOL)
        self.seen: dict[int, dict[int, Any]] = {}
        self.owners: dict[int, Any] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Called for every object that is not of a builtin type."""
        if not _is_array(obj):
            return NotImplemented
        owner = _owner(obj)
        self.owners[id(owner)] = owner
        self.seen.setdefault(id(owner), {})[id(obj)] = obj
        return NotImplemented if obj.dtype.hasobject else (int, ())


def _shared_owners(group: dict[str, Any]) -> dict[int, Any]:
    """Return the arrays in whose memory several arrays of the group lie, by `id`."""
    if "numpy" not in sys.modules or not any(_is_array(one) for one in reachable_objects(group).values()):
        return {}
    survey = _Survey(io.BytesIO())
    survey.dump(group)
    return {key: survey.owners[key] for key, arrays in survey.seen.items() if len(arrays) > 1}


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray


def _owner(value: Any) -> Any:
    while _is_array(value.base):
        value = value.base
    return value


def _flat(owner: Any) -> Any:
    """Return an owner's memory in the order in which it lies: as bytes, or as the Python objects that it holds."""
    import numpy as np

    order = np.argsort([-stride for stride in owner.strides], kind="stable")
    flat = owner.transpose(order).reshape(-1)
    return flat if owner.dtype.hasobject else flat.view(np.uint8)


def view_of(flat: Any, dtype: Any, shape: Any, strides: Any, start: int, writeable: bool) -> Any:
    """Return an array over memory that others may lie in too."""
    import numpy as np

    found: Any = np.ndarray(shape, dtype, buffer=flat, offset=start, strides=strides)
    found.flags.writeable = writeable
    return found


def _table() -> dict[type, Any]:
    numpy, random = sys.modules.get("numpy"), sys.modules.get("numpy.random.mtrand")
    own: dict[type, Any] = {}
    if random is not None:
        own[random.RandomState] = _random_state
    if numpy is not None:
        own[numpy.memmap] = _mapped
    if torch := sys.modules.get("torch"):
        own[torch.Tensor] = own[torch.nn.Parameter] = Tensors().reduced
    return copyreg.dispatch_table | own


def _mapped(value: Any) -> Any:
    """An array that lies in a file is saved as what it holds, unless writing to it writes to the file."""
    if value._mmap is not None and value.mode in ("r+", "w+"):
        raise SerializationError("", f"what is written to it goes to the file {value.filename!s}")
    return value.__reduce__()


def _random_state(value: Any) -> Any:
    """An estimator may hold the generator that numpy shares; it must hold the other process's afterwards."""
    return (shared_random_state, ()) if value is shared_random_state() else value.__reduce__()


def shared_random_state() -> Any:
    """Return the generator behind `numpy.random`'s functions."""
    import numpy as np

    return np.random.mtrand._rand


MADE_HERE = {"view_of": view_of, "shared_random_state": shared_random_state} | tensors.MADE_HERE
"""What saved bytes may name of this module."""
