"""Which mutable objects a value reaches, as the garbage collector sees it, so none of the value's own code runs."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import gc
import logging
import pathlib
import re
import sys
import types
import uuid
import weakref
import zoneinfo
from contextlib import suppress
from fractions import Fraction
from itertools import compress
from operator import not_
from typing import Any

from .budget import Budget
from .tensors import dense

IMMUTABLE = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range, slice}
    | {datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo}
    | {decimal.Decimal, Fraction, uuid.UUID, re.Pattern, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath}
    | {types.ModuleType, types.CodeType, types.BuiltinFunctionType, types.GetSetDescriptorType, types.FrameType}
    | {types.MemberDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType, type, logging.Logger}
    | {weakref.ReferenceType, logging.RootLogger}
)
"""Classes whose objects cannot change, or belong to the whole process: neither counted nor looked into."""
TRANSPARENT = frozenset(
    {tuple, frozenset, types.FunctionType, types.MethodType, functools.partial, types.MappingProxyType}
)
"""Classes whose objects are not counted themselves, but the objects that they hold are. (A closure's cell is counted:
functions that were defined in one call share it, and one of them may bind its variable anew.)"""
COLLECTED = frozenset({list, tuple, dict, set, frozenset})
"""Containers whose content the garbage collector gives in one go."""


def reachable_ids(value: Any, budget_seconds: float | None = None) -> frozenset[int]:
    """Return the `id` of each mutable object that can be reached from a value, and from elsewhere too. Never raises.

    An object to which only one reference exists, held by another object that is reached, is looked into but not
    counted: nobody else can get at it but through its holder. So the answers for two values intersect exactly if they
    share something, as long as both are taken between the same two statements.

    Left out: what belongs to the process (modules, classes, loggers), immutable values, a frame's labels, and columns
    that pandas itself copies before it writes to them (copy on write).

    Examples
    --------
    >>> inner = []
    >>> id(inner) in reachable_ids({"a": (inner,)})
    True
    """
    return frozenset(reachable_objects(value, budget_seconds))


def reachable_objects(value: Any, budget_seconds: float | None = None) -> dict[int, Any]:
    """Return `id` -> object for the objects that `reachable_ids` counts."""
    budget = Budget(budget_seconds)
    visited: dict[int, Any] = {}  # keeps what it holds alive, so that an id stays its own
    counted: dict[int, Any] = {}
    level: list[Any] = [value, value]  # one reference more, so that the value itself counts
    while level and not budget.spent():
        with suppress(Exception):  # libraries that changed their inside: what was counted so far stands
            level = _next_level(level, visited, counted)
            continue
        break
    return counted


def _alone() -> int:
    """Return how many references `getrefcount` shows for an object that one container and the list of a level hold."""
    box = [[object()]]
    return next(map(sys.getrefcount, gc.get_referents(box[0])))


ALONE = _alone()


def _next_level(level: list[Any], found: dict[int, Any], counted: dict[int, Any]) -> list[Any]:
    """Note the shared objects of a level in `found` and `counted`; return what all its objects hold directly."""
    every = set(map(type, level))
    kinds = {kind: how for kind in every if (how := _treatment(kind)) is not None}
    if not kinds:
        return []
    many = bytes(map(ALONE.__lt__, map(sys.getrefcount, level)))
    fresh = {id(x): x for x in compress(level, many) if type(x) in kinds and id(x) not in found}
    found.update(fresh)
    if not any(many) and every <= COLLECTED:
        return gc.get_referents(*level)
    alone = [x for x in compress(level, map(not_, many)) if type(x) in kinds]
    inner = gc.get_referents(*(x for x in alone if type(x) in COLLECTED))
    for x in alone:
        if type(x) not in COLLECTED:
            inner += kinds[type(x)](x)[1]
    for key, x in fresh.items():
        counts, held = kinds[type(x)](x)
        inner += held
        if counts:
            counted[key] = x
        else:
            inner += held  # twice: who holds the tuple holds what is in it, so that is not one holder's alone
    return inner


def _treatment(kind: type) -> Any:
    """Return the function that says whether an object of a class counts and what it holds; None if it is ignored."""
    if kind in IMMUTABLE or issubclass(kind, type | enum.Enum | types.ModuleType):
        return None
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__ if isinstance(base.__module__, str)}
    for root, treatment in LIBRARIES.items():
        if root in roots and root in sys.modules:
            how = treatment(kind)
            if how is not _object:
                return how
    if kind in TRANSPARENT or issubclass(kind, tuple | frozenset):
        return _function if kind is types.FunctionType else _see_through
    return _object


def _object(value: Any) -> tuple[bool, list[Any]]:
    return True, [x for x in gc.get_referents(value) if type(x) is not dict or "__builtins__" not in x]


def _see_through(value: Any) -> tuple[bool, list[Any]]:
    return False, gc.get_referents(value)


def _function(value: Any) -> tuple[bool, list[Any]]:
    return False, [value.__closure__, value.__defaults__, value.__kwdefaults__, *vars(value).values()]


def _numpy(kind: type) -> Any:
    import numpy as np

    if issubclass(kind, np.ndarray):
        return _array
    return None if issubclass(kind, np.generic | np.dtype | np.ufunc) else _object


def _array(value: Any) -> tuple[bool, list[Any]]:
    """Return the base among what an array holds: arrays that view the same memory have its owner as their last base."""
    held: list[Any] = [value.base, *gc.get_referents(value)]
    if isinstance(value.base, memoryview):
        held.append(value.base.obj)
    if value.dtype.hasobject and value.dtype.names is None and value.dtype.kind == "O":
        held += sys.modules["numpy"].asarray(value).ravel().tolist()
    if value.base is None and "torch" in sys.modules:
        held += _memory(value.__array_interface__["data"][0])
    return True, held


def _pandas(kind: type) -> Any:
    import pandas as pd

    if issubclass(kind, pd.DataFrame | pd.Series):
        return _frame
    if issubclass(kind, pd.Index):
        return lambda value: (True, [])
    if issubclass(kind, pd.api.extensions.ExtensionArray):
        return lambda value: (True, [getattr(value, "_ndarray", None), getattr(value, "_data", None)])
    return None if kind.__module__.startswith("pandas._libs.") or "dtype" in kind.__name__.lower() else _object


def _frame(value: Any) -> tuple[bool, list[Any]]:
    """Return the memory of a frame's columns, except what pandas copies before it writes to it (copy on write)."""
    held: list[Any] = [value.attrs]
    lazy = copies_on_write()
    for block in value._mgr.blocks:
        if not (lazy and block.refs.has_reference()):
            held.append(block.values)
        elif block.values.dtype == object:
            held += block.values.ravel().tolist()
    return True, held


def copies_on_write() -> bool:
    """Return whether pandas copies columns that several frames share before one of them is changed."""
    import pandas as pd

    if int(pd.__version__.partition(".")[0]) >= 3:
        return True
    return bool(pd.options.mode.copy_on_write is True)


def _matplotlib(kind: type) -> Any:
    return _drawn if any(base.__name__ == "Artist" for base in kind.__mro__) else _object


def _drawn(value: Any) -> tuple[bool, list[Any]]:
    """Return the figure for all that is drawn on it, because they change together."""
    figure = getattr(value, "figure", None)
    return True, [] if figure is None else [figure]


def _ignored(kind: type) -> Any:
    return None


def _torch(kind: type) -> Any:
    torch: Any = sys.modules["torch"]

    if issubclass(kind, torch.Tensor):
        return _tensor
    return (lambda value: (True, [])) if issubclass(kind, torch.UntypedStorage) else _object


def _tensor(value: Any) -> tuple[bool, list[Any]]:
    """Return a tensor's memory, which other tensors and numpy's arrays may share, and its gradient."""
    held: list[Any] = [value.grad if value.is_leaf else None, *gc.get_referents(value)]
    if dense(value):
        storage = value.untyped_storage()
        held += [storage, storage, *_memory(storage.data_ptr())]  # twice: only torch knows who else holds it
    return True, held


class _Memory:
    """Stands for the memory at an address, which objects of different libraries may share."""


_memories: dict[int, _Memory] = {}


def _memory(address: int) -> list[_Memory]:
    """Return the `_Memory` of an address twice, because objects of other libraries may hold that memory too."""
    return [_memories.setdefault(address, _Memory())] * 2 if address else []


LIBRARIES = {"pandas": _pandas, "matplotlib": _matplotlib, "pyarrow": _ignored, "torch": _torch, "numpy": _numpy}
