"""Artifacts between steps: several variables in one pickle, so that what they share is one object again afterwards.

Only bytes that this project's own store wrote may be given to `load_exact`: unpickling runs code.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
import types
from collections.abc import Mapping
from typing import Any

from ..fingerprints.hooks import is_quiet, stored_parts, unready
from ..fingerprints.reachable import reachable_objects
from ..secret_values import KnownSecrets
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
        A variable cannot be pickled; the message names it and the object inside it that is the cause.

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


def held_secret(secrets: KnownSecrets, value: object) -> str:
    """Return the name of a secret that a value holds, wherever in it; "" if it holds none, as far as is known."""
    try:
        return secrets.held_by(save_exact({"value": value}).data) if secrets else ""
    except SerializationError:
        return ""


def is_picklable(value: object, most_bytes: int) -> bool:
    """Return whether a value can be pickled; True too if that is not known after so many bytes. Never raises.

    Of objects whose pickling hooks may have effects it is asked whether what they store can be pickled.

    Examples
    --------
    >>> is_picklable([1, "a"], 1000), is_picklable([lambda: 1], 1000)
    (True, False)
    """
    pickler = _Quiet(_Nowhere(most_bytes), PROTOCOL, buffer_callback=lambda _: None)
    pickler.dispatch_table = _table()
    try:
        pickler.dump(value)
    except (_EnoughError, KeyboardInterrupt):
        return True
    except BaseException:  # hooks of the values' classes may raise anything
        return False
    return True


class _Quiet(pickle.Pickler):
    """Pickles for nobody, so it calls no hook that may have effects."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if issubclass(kind, type | types.FunctionType) or (is_quiet(kind) and not unready(value)):
            return NotImplemented
        return tuple, ([part for _, part in stored_parts(value)],)


class _EnoughError(Exception):
    """So many bytes were written as may be."""


class _Nowhere:
    """A file that keeps nothing, and raises `_EnoughError` when it has taken too many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise _EnoughError
        return len(data)


class _Loader(pickle.Unpickler):
    """Unpickles; finds the functions of `MADE_HERE` under whatever package name the writer had."""

    def find_class(self, module: str, name: str) -> Any:
        if module.endswith((".codecs.exact", ".codecs.tensors")) and name in MADE_HERE:
            return MADE_HERE[name]
        return super().find_class(module, name)


class _Exact(pickle.Pickler):
    """Pickles arrays that share memory as views of one run of bytes; refuses `__main__` with `importable_only`."""

    def __init__(self, stream: io.BytesIO, owners: dict[int, Any], importable_only: bool) -> None:
        super().__init__(stream, PROTOCOL)
        self._owners = owners
        self._importable_only = importable_only
        self._flat: dict[int, Any] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Return an object's reduction; pickle calls this for every object that is not of a builtin type."""
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
    """Notes which arrays lie in the memory of which owner, and pickles none of their content."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, PROTOCOL)
        self.seen: dict[int, dict[int, Any]] = {}
        self.owners: dict[int, Any] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Return an object's reduction; pickle calls this for every object that is not of a builtin type."""
        if not _is_array(obj):
            return NotImplemented
        owner = _owner(obj)
        self.owners[id(owner)] = owner
        self.seen.setdefault(id(owner), {})[id(obj)] = obj
        return NotImplemented if obj.dtype.hasobject else (int, ())


def _shared_owners(group: dict[str, Any]) -> dict[int, Any]:
    """Return `id` -> array for the arrays in whose memory several arrays of the group lie."""
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
    """Return an array over memory that other arrays may share."""
    import numpy as np

    view: Any = np.ndarray(shape, dtype, buffer=flat, offset=start, strides=strides)
    view.flags.writeable = writeable
    return view


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
    """Return a memory-mapped array's reduction, with its content; refuse an array whose writes go to its file."""
    if value._mmap is not None and value.mode in ("r+", "w+"):
        raise SerializationError("", f"what is written to it goes to the file {value.filename!s}")
    return value.__reduce__()


def _random_state(value: Any) -> Any:
    """Return a generator's reduction; numpy's shared one (estimators hold it) becomes the loading process's own."""
    return (shared_random_state, ()) if value is shared_random_state() else value.__reduce__()


def shared_random_state() -> Any:
    """Return the generator behind `numpy.random`'s functions."""
    import numpy as np

    return np.random.mtrand._rand


MADE_HERE = {"view_of": view_of, "shared_random_state": shared_random_state} | tensors.MADE_HERE
"""Name -> function of this module (and of `tensors`) that saved bytes call."""
