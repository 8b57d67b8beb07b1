"""Why a value could not be saved: the innermost object that pickling refuses, and its path."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from ..fingerprints.decompose import a, decompose, why_opaque
from ..fingerprints.walk import OpaqueValueError

DEEPEST = 50
MOST = 20_000
"""Parts of one container that are tried."""
WORDS = {
    types.GeneratorType: "a generator",
    types.CoroutineType: "a coroutine",
    types.FrameType: "a running frame",
    types.TracebackType: "a traceback",
    types.ModuleType: "a module",
}


def find_unpicklable(values: Mapping[str, Any], fault: BaseException) -> tuple[str, str]:
    """Return (variable, reason) for the first variable that cannot be pickled."""
    for name, value in values.items():
        if not _passes(value):
            path, inner = _innermost(value, name, 0)
            what = _words(inner, fault)
            return name, f"it is {what}" if path == name else f"it holds {what} at {path}"
    return next(iter(values), ""), f"{type(fault).__name__}: {fault}"


def _passes(value: Any) -> bool:
    try:
        pickle.dumps(value, 5)
    except KeyboardInterrupt:
        raise
    except BaseException:  # hooks of the value's classes may raise anything
        return False
    return True


def _innermost(value: Any, path: str, depth: int) -> tuple[str, Any]:
    if depth < DEEPEST:
        for label, part in _parts(value):
            if not _passes(part):
                return _innermost(part, f"{path}{label}", depth + 1)
    return path, value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    kind = type(value)  # `isinstance` would ask the value's own `__class__`, which may raise
    if numpy is not None and issubclass(kind, numpy.ndarray):
        value = value.tolist() if value.dtype.hasobject else []
    if pandas is not None and issubclass(kind, pandas.DataFrame):
        value = {name: list(value[name]) for name in value.columns if value[name].dtype == object}
    if pandas is not None and issubclass(kind, pandas.Series):
        value = list(value)
    if type(value) is dict:
        pairs = list(value.items())[:MOST]
        yield from ((f"[{key!r:.60}]", part) for key, part in pairs)
    elif type(value) in (list, tuple, set, frozenset):
        yield from ((f"[{place}]", part) for place, part in enumerate(list(value)[:MOST]))
    elif not issubclass(type(value), type | types.FunctionType | types.ModuleType | types.GeneratorType):
        try:
            yield from decompose(value).parts
        except OpaqueValueError:
            return


def _words(value: Any, fault: BaseException) -> str:
    kind = type(value)
    if kind in WORDS:
        return WORDS[kind]
    if kind is types.FunctionType:
        return f"the function {value.__name__!r}, which another process cannot import"
    if issubclass(kind, type):
        return f"the class {value.__name__!r}, which another process cannot import"
    if isinstance(fault, RecursionError):
        return f"{a(kind)} that is nested too deep"
    return why_opaque(kind) or f"{a(kind)}, which cannot leave its process ({type(fault).__name__})"
