"""Which classes may say themselves what their objects consist of, and how the others are read: without code of theirs.

A pickling hook may do anything: load an image, run a query, read a stream to its end, print. Looking at a value must
not change it. So a hook is called only if it is compiled, comes from a library whose hooks are known to have no
effects, or does nothing but copy attributes. Objects of all other classes are read as the interpreter stores them.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import collections
import copyreg
import dis
import sys
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from .walk import OpaqueValueError

LIBRARIES = frozenset(
    {"PIL", "altair", "attr", "attrs", "catboost", "category_encoders", "dask", "formulaic", "geopandas"}
    | {"imblearn", "joblib", "keras", "lifelines", "lightgbm", "linearmodels", "matplotlib", "mlflow"}
    | {"mpmath", "networkx", "numpy", "optuna", "pandas", "patsy", "plotly", "polars"}
    | {"pyarrow", "pydantic", "pyproj", "requests", "scipy", "seaborn", "shap", "shapely", "sklearn"}
    | {"spacy", "sqlalchemy", "statsmodels", "sympy", "tensorflow", "thinc", "torch", "xarray", "xgboost"}
    | {"zarr"}
)
"""Libraries whose pickling hooks read and copy, except where `UNREADY` says of an object that it is not ready."""

HOOKS = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs_ex__", "__getnewargs__", "__getattribute__")
CONTAINER_HOOKS = ("__iter__", "__len__", "__getitem__", "keys", "items")
"""Methods by which reducers of lists, dicts and sets read them."""

COMPILED = (types.GetSetDescriptorType, types.MemberDescriptorType)
"""What gives an attribute without code of Python's."""

CONTENT: dict[type, Callable[[Any], Any]] = {
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: set(frozenset.__iter__(value)),
    collections.deque: lambda value: list(collections.deque.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    collections.OrderedDict: lambda value: dict(dict.items(value)),
    collections.defaultdict: lambda value: dict(dict.items(value)),
    bytearray: lambda value: bytes(memoryview(value)),
    str: str.__str__,
    bytes: lambda value: bytes(memoryview(value)),
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
}
"""Builtin classes, each with the function that reads the content of an object derived from it."""
BOXES = (list, set, frozenset, dict, collections.deque)

UNREADY: dict[str, Callable[[dict[str, Any]], str]] = {
    "PIL": lambda held: "an image that is not loaded yet" if held.get("tile") or _has_news(held.get("palette")) else "",
    "requests": lambda held: "" if held.get("_content_consumed", True) else "an answer that is not read yet",
}
"""Library -> what an object of it, told by its attributes, is while reading it would load or use up something."""

QUIET_STEPS = frozenset(
    {"RESUME", "CACHE", "NOP", "PRECALL", "CALL", "KW_NAMES", "PUSH_NULL", "RETURN_VALUE", "LOAD_FAST"}
    | {"LOAD_CONST", "POP_TOP", "BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP"}
    | {"DICT_UPDATE"}
)
"""Instructions that change nothing but what the hook itself has made."""
EDITS = frozenset({"STORE_SUBSCR", "DELETE_SUBSCR", "pop", "update", "setdefault"})
COPIES = frozenset({"copy", "items", "keys", "values"})
BUILTIN = frozenset({"dict", "list", "tuple", "type"})


def is_quiet(kind: type) -> bool:
    """Return whether taking an object of a class apart by its own reducer has no effects.

    >>> class Loads:
    ...     def __getstate__(self): print("loaded")
    >>> is_quiet(Loads), is_quiet(dict)
    (False, True)
    """
    names = HOOKS + CONTAINER_HOOKS if issubclass(kind, BOXES) else HOOKS
    hooks = [hook for name in names if (hook := _found(kind, name)) is not None]
    reducer = copyreg.dispatch_table.get(kind)
    stored = _found(kind, "__dict__")
    return (
        all(_harmless(hook, kind) for hook in (*hooks, reducer) if hook is not None)
        and (stored is None or type(stored) in COMPILED)
        and (_found(kind, "__class__") is vars(object)["__class__"] or _of_library(kind.__module__))
    )


def unready(value: Any) -> str:
    """Return in words what an object is while reading it would load or use up something; "" if it is ready."""
    kind = type(value)
    root = str(kind.__module__).partition(".")[0]
    if root not in UNREADY or root not in sys.modules:
        return ""
    return UNREADY[root](attributes(value) or {})


def attributes(value: Any) -> dict[str, Any] | None:
    """Return the dict in which the interpreter keeps an object's attributes, whatever its class says; None without."""
    read = reader_of_attributes(type(value))
    return None if read is None else read(value)


def reader_of_attributes(kind: type) -> Callable[[Any], dict[str, Any]] | None:
    """Return the function that returns the attributes of a class's objects as stored; None if they have none."""
    stored: Iterator[Any] = (vars(base).get("__dict__") for base in kind.__mro__)
    return next((part.__get__ for part in stored if type(part) in COMPILED), None)


def stored_parts(value: Any) -> list[tuple[str, Any]]:
    """Return an object's attributes, slots and builtin content by label, as stored: no code of its class runs.

    Raise `OpaqueValueError` if a compiled base keeps something that only its own code can read.
    """
    kind = type(value)
    base = _layout(kind)
    if base is None:
        raise OpaqueValueError(f"it holds an object of {kind.__name__}, which only its own code can read")
    parts = [("[:]", CONTENT[base](value))] if base in CONTENT else []
    if issubclass(base, BaseException):
        parts.append((".args", vars(BaseException)["args"].__get__(value)))
    named = {**dict(_slots(kind, value)), **(attributes(value) or {})}
    return [*parts, *((f".{name}", named[name]) for name in sorted(named, key=str))]


def _layout(kind: type) -> type | None:
    """Return the builtin class whose content a class's objects hold, `object` for none; None if it is another's."""
    base = kind
    while base is not object and base not in CONTENT and not _builtin_fault(base):
        own = vars(base)
        slots = sum(type(part) is types.MemberDescriptorType for part in own.values())
        room = tuple.__itemsize__ * (slots + ("__weakref__" in own) + ("__dict__" in own))
        below = base.__base__
        if below is None or base.__basicsize__ - below.__basicsize__ > room:
            return None
        base = below
    return base


def _builtin_fault(kind: type) -> bool:
    return issubclass(kind, BaseException) and kind.__module__ == "builtins"


def _slots(kind: type, value: Any) -> Iterator[tuple[str, Any]]:
    for base in kind.__mro__:
        for name, part in vars(base).items():
            if type(part) is types.MemberDescriptorType and name != "__dict__" and not _builtin_fault(base):
                try:
                    yield name, part.__get__(value)
                except AttributeError:  # a slot that is empty
                    continue


def _found(kind: type, name: str) -> Any:
    """Return what a class has under a name, as it is stored there; None for nothing."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _harmless(hook: Any, kind: type) -> bool:
    if isinstance(hook, property | classmethod | staticmethod):
        hook = hook.fget if isinstance(hook, property) else hook.__func__
    if type(hook) is not types.FunctionType:  # compiled
        return type(hook).__module__ == "builtins" or "cython" in type(hook).__name__ or _of_library(kind.__module__)
    return _of_library(hook.__module__) or (_found(kind, "__getattr__") is None and _only_copies(hook.__code__, kind))


def _of_library(module: Any) -> bool:
    root = str(module).partition(".")[0]
    return root in LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


@lru_cache(maxsize=1024)
def _only_copies(code: types.CodeType, kind: type) -> bool:
    """Return whether a hook only copies the attributes of its object, and changes nothing but that copy."""
    steps = [one for one in dis.get_instructions(code) if one.opname not in ("PRECALL", "CACHE", "KW_NAMES")]
    edits = any(one.opname in EDITS or one.argval in EDITS for one in steps if one.opname != "LOAD_CONST")
    calls = any(one.opname == "CALL" for one in steps)
    around = zip([None, *steps], steps, [*steps[1:], None], strict=False)
    return all(_is_copying(before, one, after, kind, edits, calls) for before, one, after in around)


def _is_copying(
    before: dis.Instruction | None,
    one: dis.Instruction,
    after: dis.Instruction | None,
    kind: type,
    edits: bool,
    calls: bool,
) -> bool:
    """Return whether one instruction, between two others, is a step of copying attributes."""
    name, word = one.opname, str(one.argval)
    last, following = before and before.opname, after and after.opname
    if name == "STORE_FAST":
        return last != "LOAD_ATTR"
    if name == "LOAD_GLOBAL":
        return word in BUILTIN or not calls
    if name == "LOAD_METHOD":
        of_attributes = last == "LOAD_ATTR" and before is not None and before.argval == "__dict__"
        return (of_attributes and word in COPIES) or (last == "LOAD_FAST" and word in COPIES | EDITS)
    if name == "LOAD_ATTR" and last == "LOAD_FAST":
        if word == "__dict__":
            return following in ("LOAD_METHOD", "CALL", "LOAD_CONST", "DICT_UPDATE")
        return word == "__class__" or (not edits and _is_stored(kind, word))
    return name in QUIET_STEPS or name in EDITS


def _is_stored(kind: type, name: str) -> bool:
    """Return whether an attribute is stored in the object itself, so that asking for it runs no code."""
    part = _found(kind, name)
    return part is None or type(part) is types.MemberDescriptorType


def _has_news(palette: Any) -> bool:
    """Return whether an image's palette is another than the one that its pixels were given, until it is loaded."""
    return bool((attributes(palette) or {}).get("dirty"))
