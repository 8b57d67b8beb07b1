"""Digests of Python's own containers, functions, classes and modules."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

from . import plain
from .code import does
from .hash_records import Record
from .walk import Handler, OpaqueValueError, Walk

MANY = 16
"""Lists of at least so many numpy numbers of one type are hashed as an array."""
ORDERED = ({str}, {int}, {bytes})
"""Sets whose elements all have this one type are sorted by value and hashed as a plain list."""
NOT_CONTENT = frozenset({"_abc_impl", "__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__name__"})
INTERPRETER = ("__annot", "__abstract", "__static_attr", "__firstlineno", "__slotnames__")
"""Class attributes that the interpreter makes, by name and by prefix (the last one when an instance is pickled)."""


def _box(record: Record) -> Handler:
    def handler(walk: Walk, value: Any) -> bytes:
        image = plain.image(value, walk.enough)
        if image is not None:
            return walk.stored(Record.PLAIN, image)
        numbers = _numbers(value)
        if numbers is not None:
            return walk.record(Record.SCALARS, walk.digest(type(value).__name__), walk.digest(numbers))
        return walk.each(record, value)

    return handler


def _numbers(value: Any) -> Any:
    """Return a long list or tuple of numpy numbers of one type as an array; None for any other."""
    numpy = sys.modules.get("numpy")
    if numpy is None or len(value) < MANY or not issubclass(type(value[0]), numpy.number | numpy.bool_):
        return None
    kinds = set(map(type, value))
    if len(kinds) > 1 or issubclass(type(value[0]), numpy.timedelta64):  # their units may differ
        return None
    return numpy.array(value, dtype=type(value[0]))


def _dict(walk: Walk, value: dict[Any, Any]) -> bytes:
    image = plain.image(value, walk.enough)
    if image is not None:
        return walk.stored(Record.PLAIN, image)
    return walk.each(Record.DICT, [part for pair in value.items() for part in pair])


def _set(record: Record) -> Handler:
    def handler(walk: Walk, value: Any) -> bytes:
        if set(map(type, value)) in ORDERED:
            return walk.record(record, walk.digest(sorted(value)))
        parts = []
        for element in value:
            parts.append(walk.alone(element))  # noqa: PERF401 (a comprehension would recurse through one frame more)
        return walk.record(record, *sorted(parts))

    return handler


def _memoryview(walk: Walk, value: memoryview) -> bytes:
    return walk.record(Record.MEMORYVIEW, walk.digest((value.format, value.shape)), value.tobytes())


def _named(*words: str) -> Handler:
    """Return a handler for objects that are known by name alone; `words` are the attributes that make up the name."""

    def handler(walk: Walk, value: Any) -> bytes:
        return walk.record(Record.NAMED, walk.digest([type(value).__name__, *(getattr(value, w) for w in words)]))

    return handler


def last_name(kind: Any) -> str:
    """Return a class's or function's qualified name without the functions it was defined in.

    The module is left out: a class of the notebook is `__main__.Model` there and `churn.model.Model` in its bundle.
    """
    return str(kind.__qualname__).rpartition("<locals>.")[2]


def _function(walk: Walk, value: Any) -> bytes:
    closure = tuple(content for cell in value.__closure__ or () for content in cell_contents(cell))
    parts = (value.__code__, value.__defaults__, value.__kwdefaults__, closure, value.__dict__)
    return walk.each(Record.FUNCTION, parts)


def cell_contents(cell: types.CellType) -> tuple[Any, ...]:
    """Return the value that a closure's cell holds as a tuple, which is empty while the variable is not bound."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _code(walk: Walk, code: types.CodeType) -> bytes:
    return walk.each(Record.CODE, does(code))


def _class(walk: Walk, kind: type) -> bytes:
    if not written_here(kind):
        return walk.record(Record.NAMED, walk.digest(["class", last_name(kind)]))
    content = {k: v for k, v in sorted(vars(kind).items()) if k not in NOT_CONTENT and not k.startswith(INTERPRETER)}
    bases = [last_name(base) for base in kind.__bases__]
    return walk.each(Record.CLASS, (last_name(kind), bases, content))


def written_here(kind: type) -> bool:
    """Return whether a class is the user's own: not of the standard library, not of an installed package, not in C."""
    root = str(kind.__module__).partition(".")[0]
    if root == "__main__":
        return True
    if root in sys.stdlib_module_names:
        return False
    where = str(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")
    return where.endswith(".py") and "site-packages" not in where and "dist-packages" not in where


def _bound(walk: Walk, value: Any) -> bytes:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return walk.record(Record.NAMED, walk.digest(["function", value.__qualname__]))
    return walk.each(Record.LIST, ("method", value.__name__, owner))


def _method(walk: Walk, value: types.MethodType) -> bytes:
    return walk.each(Record.LIST, ("method", value.__func__, value.__self__))


def _wrapped(*names: str) -> Handler:
    """Return a handler for thin wrappers, which hashes the wrapper's class and the attributes of these names."""

    def handler(walk: Walk, value: Any) -> bytes:
        return walk.each(Record.LIST, (type(value).__name__, *(getattr(value, name) for name in names)))

    return handler


def _listed(walk: Walk, value: Any) -> bytes:
    return walk.each(Record.LIST, (type(value).__name__, list(value)))


def _mapping(walk: Walk, value: Any) -> bytes:
    return walk.each(Record.LIST, (type(value).__name__, dict(value)))


def _nothing(reason: str) -> Handler:
    def handler(walk: Walk, value: Any) -> bytes:
        raise OpaqueValueError(reason)

    return handler


HANDLERS: dict[type, Handler] = {
    list: _box(Record.LIST),
    tuple: _box(Record.TUPLE),
    dict: _dict,
    set: _set(Record.SET),
    frozenset: _set(Record.FROZENSET),
    bytearray: lambda walk, value: walk.record(Record.BYTEARRAY, bytes(value)),
    memoryview: _memoryview,
    range: _wrapped("start", "stop", "step"),
    slice: _wrapped("start", "stop", "step"),
    type(NotImplemented): lambda walk, value: walk.record(Record.NAMED, walk.digest("NotImplemented")),
    types.FunctionType: _function,
    types.CodeType: _code,
    types.MethodType: _method,
    types.BuiltinFunctionType: _bound,
    types.MethodWrapperType: _bound,
    types.WrapperDescriptorType: _named("__qualname__"),
    types.MethodDescriptorType: _named("__qualname__"),
    types.ClassMethodDescriptorType: _named("__qualname__"),
    types.GetSetDescriptorType: _named("__qualname__"),
    types.MemberDescriptorType: _named("__qualname__"),
    types.ModuleType: _named("__name__"),
    type: _class,
    types.MappingProxyType: _mapping,
    type({}.keys()): _listed,
    type({}.values()): _listed,
    type({}.items()): _listed,
    property: _wrapped("fget", "fset", "fdel"),
    staticmethod: _wrapped("__func__"),
    classmethod: _wrapped("__func__"),
    functools._lru_cache_wrapper: _wrapped("__wrapped__"),
    functools.cached_property: _wrapped("func"),
    types.CellType: _wrapped("cell_contents"),
    types.GeneratorType: _nothing("it holds a generator, which is used up by reading"),
    types.CoroutineType: _nothing("it holds a coroutine"),
    types.AsyncGeneratorType: _nothing("it holds an asynchronous generator"),
    types.FrameType: _nothing("it holds a running frame"),
    types.TracebackType: _nothing("it holds a traceback"),
}
