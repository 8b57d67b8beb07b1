"""Short texts of values for people."""

from __future__ import annotations

import inspect
import sys
import types
from typing import Any

LONGEST = 120
FEW = 6


def shown(value: object) -> str:
    """Return a text of at most 120 characters that tells a person what a value is. Never raises, never slow.

    No code of the value's own class is run.

    >>> shown(0.87314159)
    '0.873142'
    >>> shown(list(range(1000)))
    'list of 1,000'
    """
    try:
        text = _shown(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a class may do anything when it is looked at
        text = _class_name(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _class_name(value: object) -> str:
    try:
        return str(type(value).__name__)
    except Exception:
        return "object"


def _shown(value: Any, inner: bool = False) -> str:
    kind = type(value)
    simple = SIMPLE.get(kind)
    if simple is not None:
        return str(simple(value))
    if kind in (list, tuple, set, frozenset, dict):
        return _box(value, inner)
    text = _of_library(value, kind)
    if text:
        return text
    if isinstance(value, type):
        return f"class {value.__name__}"
    if any(base.__module__.partition(".")[0] == "sklearn" for base in kind.__mro__):
        return kind.__name__ if inner else _estimator(value, kind)
    return kind.__name__


def _integer(value: int) -> str:
    return repr(value) if value.bit_length() < 320 else f"int of {value.bit_length():,} bits"


def _text(value: str) -> str:
    return repr(value) if len(value) <= 80 else f"{value[:80]!r}… ({len(value):,} characters)"


SIMPLE: dict[type, Any] = {
    type(None): repr,
    bool: repr,
    int: _integer,
    float: lambda value: f"{value:.6g}",
    complex: lambda value: f"{value:.6g}",
    str: _text,
    bytes: lambda value: f"bytes, {len(value):,}",
    types.FunctionType: lambda value: f"function {value.__name__}",
    types.BuiltinFunctionType: lambda value: f"function {value.__name__}",
    types.ModuleType: lambda value: f"module {value.__name__}",
    types.GeneratorType: lambda value: f"generator {value.__name__}",
}


def _box(value: Any, inner: bool) -> str:
    name = type(value).__name__
    if not value:
        return f"empty {name}"
    if inner or len(value) > FEW:
        return f"{name} of {len(value):,}"
    if type(value) is dict:
        return "{" + ", ".join(f"{_shown(k, True)}: {_shown(v, True)}" for k, v in value.items()) + "}"
    parts = ", ".join(_shown(part, True) for part in value)
    return {"list": f"[{parts}]", "tuple": f"({parts})"}.get(name, "{" + parts + "}")


def _of_library(value: Any, kind: type) -> str:
    root = kind.__module__.partition(".")[0]
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.generic):
        return _shown(value.item()) if not isinstance(value.item(), numpy.generic) else str(value)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _array(value)
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return f"{kind.__name__} {_size(value.shape)}"
    if pandas is not None and isinstance(value, pandas.Series | pandas.Index):
        return f"{kind.__name__} of {len(value):,} {value.dtype}"
    if root == "pandas" and hasattr(value, "isoformat"):
        return str(value)
    if root in ("scipy", "pyarrow", "polars", "torch") and hasattr(value, "shape"):
        return f"{kind.__name__} {_size(value.shape)}"
    if root == "datetime" or kind.__name__ == "Decimal":
        return str(value)
    return ""


def _array(value: Any) -> str:
    if 0 < value.size <= FEW and value.ndim == 1 and value.dtype.kind in "biufU":
        return f"array [{', '.join(_shown(part, True) for part in value.tolist())}]"
    return f"array {_size(value.shape)} of {value.dtype}"


def _size(shape: Any) -> str:
    return " x ".join(f"{int(n):,}" for n in shape) or "()"


def _estimator(value: Any, kind: type) -> str:
    """Return an estimator with the parameters that are not the defaults; its own `__repr__` may take milliseconds."""
    state = object.__getattribute__(value, "__dict__")
    if type(state.get("steps")) is list:
        return f"{kind.__name__}({', '.join(_shown(step[1], True) for step in state['steps'])})"
    given = []
    for name, parameter in inspect.signature(kind.__init__).parameters.items():  # type: ignore[misc]
        part = state.get(name)
        usual = parameter.default
        if name not in state or (type(part) is type(usual) and (part == usual or (part != part and usual != usual))):
            continue
        given.append(f"{name}={_shown(part, True)}")
    return f"{kind.__name__}({', '.join(given)})"
