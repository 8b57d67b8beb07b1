"""What kinds of values there are for capture: code, data that cannot change in place, plain data, our own objects."""

from __future__ import annotations

import sys
import types
from typing import Any

from mlops_jupyter.runtime.fingerprints.hooks import attributes

FROZEN = (int, float, complex, bool, str, bytes, type(None), range)
"""Types whose values cannot change in place, so that only a rebinding needs looking at."""

CODE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
"""What a name may be bound to that travels as source."""


def has_state(value: object) -> bool:
    """Whether a function or class of the notebook carries data that using it can change.

    A mutable default, an attribute set on a function, a variable that it closes over, a class attribute that is no
    method: such a thing is not only its source.
    """
    if getattr(value, "__module__", None) != "__main__":
        return False
    if type(value) is types.FunctionType:
        held = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *vars(value).values()]
        return bool(value.__closure__) or not all(is_a(v, *FROZEN, *CODE) for v in held)
    if isinstance(value, type):
        held = [v for n, v in vars(value).items() if not (n.startswith("__") and n.endswith("__"))]
        return any(isinstance(v, (list, dict, set, int, float, str)) for v in held)
    return False


def module_of(value: object) -> str:
    """Return the name of the module in which a value was defined, or else its class; no code of the class runs."""
    kind = type(value)
    if issubclass(kind, type):
        found = type.__getattribute__(value, "__module__")
    elif kind in (types.FunctionType, types.BuiltinFunctionType):
        found = value.__module__
    else:
        found = (attributes(value) or {}).get("__module__") or type.__getattribute__(kind, "__module__")
    return found if type(found) is str else ""


def is_own_wrapper(value: object) -> bool:
    """Say whether a value stands for a function of the notebook that a decorator of a library wrapped."""
    return callable(value) and (attributes(value) or {}).get("__module__") == "__main__"


def is_ours(value: object) -> bool:
    """Whether a value is an object of this package (a run, a table of steps): it belongs to the notebook alone."""
    return type(value).__module__.partition(".")[0] == "mlops_jupyter"


def plain(value: object) -> bool:
    """Whether a value is data that cannot hold a function, nor a file: numbers, text, arrays and frames of such.

    Of a class of the notebook it is not: that class is code.
    """
    if type.__getattribute__(type(value), "__module__") == "__main__":
        return False
    if is_a(value, *FROZEN):
        return True
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and is_a(value, numpy.ndarray, numpy.generic):
        return not (value.dtype.hasobject or is_a(value, numpy.memmap))  # type: ignore[attr-defined]
    if pandas is not None and is_a(value, pandas.DataFrame, pandas.Series, pandas.Index):
        return True
    box = next((box for box in BOXES if is_a(value, box)), None)
    if box is None or box.__len__(value) >= 1000:
        return False
    return all(type(v) in FROZEN for v in (dict.values(value) if box is dict else box.__iter__(value)))  # type: ignore[arg-type]


BOXES: tuple[Any, ...] = (list, tuple, set, frozenset, dict)
"""Asked by their own methods: those of a class derived from one may do anything."""


def is_a(value: object, *kinds: type) -> bool:
    """Whether a value is of one of some classes. `isinstance` asks its `__class__` too, which may be its own code."""
    return issubclass(type(value), kinds)
