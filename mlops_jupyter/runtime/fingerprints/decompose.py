"""Decomposition of an object into its class's name and labelled parts, for fingerprints and for comparisons."""

from __future__ import annotations

import copyreg
import enum
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from .builtin import last_name
from .hash_records import Record
from .hooks import is_quiet, reader_of_attributes, stored_parts, unready
from .plain import ATOMS
from .walk import Handler, OpaqueValueError, Walk

CLOSED_BOXES = {
    "_thread.lock": "a lock",
    "_thread.RLock": "a lock",
    "_thread._local": "data of one thread",
    "threading.Thread": "a thread",
    "socket.socket": "a network connection",
    "_socket.socket": "a network connection",
    "sqlite3.Connection": "a database connection",
    "sqlite3.Cursor": "a database cursor",
    "sqlalchemy.engine.base.Engine": "a database connection",
    "subprocess.Popen": "a running process",
    "concurrent.futures._base.Executor": "a pool of workers",
    "concurrent.futures._base.Future": "an unfinished result",
    "multiprocessing.pool.Pool": "a pool of workers",
    "_asyncio.Future": "an unfinished result",
    "asyncio.events.AbstractEventLoop": "an event loop",
    "weakref.ReferenceType": "a weak reference",
    "weakref.ProxyType": "a weak reference",
    "weakref.CallableProxyType": "a weak reference",
    "_io._IOBase": "an open file",
    "_csv.reader": "a reader of an open file",
    "_ctypes._SimpleCData": "a C value",
    "_ctypes._Pointer": "a C pointer",
    "matplotlib.artist.Artist": "a figure",
    "matplotlib.figure.FigureBase": "a figure",
}
"""Opaque classes, with all derived from them: they mean nothing outside their process or are compared as pictures."""

MAKERS = (copyreg.__newobj__, copyreg.__newobj_ex__, vars(copyreg)["_reconstructor"])  # type: ignore[attr-defined]
"""Functions that rebuild an object for its reducer, and whose first argument is the class."""
SCRATCH = frozenset({"_tmp_like_exog"})
"""Attributes that are not content: memory from `np.empty` that is filled at each use. statsmodels' GLM has one."""
_EMPTY = type("_Empty", (), {})


@dataclass(frozen=True)
class Decomposition:
    """An object's parts, in an order that does not depend on how it was built.

    Attributes
    ----------
    name : the class's qualified name.
    parts : (label, part); labels are as one would write access to the part: ``.coef_``, ``[2]``.
    """

    name: str
    parts: tuple[tuple[str, Any], ...]


def decompose(value: Any) -> Decomposition:
    """Return an object's parts; raise `OpaqueValueError` if they cannot be known.

    Plain objects (no pickling hooks of their own) are read directly. For others the class's own reducer (`copyreg`,
    `__reduce_ex__`) says what they consist of if it has no effects; else they are read as they are stored.
    """
    return decomposer(type(value))(value)


def decomposer(kind: type) -> Callable[[Any], Decomposition]:
    """Return the function that decomposes objects of a class. What depends on the class alone is computed once."""
    reason = why_opaque(kind)
    if reason:
        return partial(_closed, reason)
    numpy = sys.modules.get("numpy.random.mtrand")
    if numpy is not None and issubclass(kind, numpy.RandomState):
        return _random
    if issubclass(kind, enum.Enum):
        return lambda value: Decomposition(last_name(kind), ((".name", value._name_), (".value", value._value_)))
    if kind.__dictoffset__ and kind.__basicsize__ == _EMPTY.__basicsize__ and _no_hooks(kind):
        return partial(_plain, last_name(kind), reader_of_attributes(kind))
    return partial(_reduced, kind) if is_quiet(kind) else partial(_stored, last_name(kind))


def _closed(reason: str, value: Any) -> Decomposition:
    raise OpaqueValueError(f"it holds {reason}")


def _plain(name: str, read: Callable[[Any], dict[str, Any]] | None, value: Any) -> Decomposition:
    return Decomposition(name, tuple(_attributes(read(value) if read else {})))


def _stored(name: str, value: Any) -> Decomposition:
    return Decomposition(name, tuple(part for part in stored_parts(value) if part[0].removeprefix(".") not in SCRATCH))


def _random(value: Any) -> Decomposition:
    return Decomposition(last_name(type(value)), ((".state", state_of(value)),))


def state_of(value: Any) -> Any:
    """Return the state of a RandomState; "shared" for the one behind `numpy.random`, whose state is a hidden variable.

    The seed sequence is left out: `RandomState(0)` has one from the machine's entropy, which it never uses.
    """
    shared = sys.modules["numpy.random.mtrand"]._rand
    return "shared" if value is shared else value.get_state(legacy=False)


def why_opaque(kind: type) -> str:
    """Return in words what a class is ("a lock") if its objects cannot be decomposed, "" if they can."""
    if kind in (io.BytesIO, io.StringIO):
        return ""
    for base in kind.__mro__:
        reason = CLOSED_BOXES.get(f"{base.__module__}.{base.__qualname__}")
        if reason:
            return reason
    return ""


def _no_hooks(kind: type) -> bool:
    """Return whether a class leaves pickling to `object`: attributes (and builtin content) are all of an object."""
    return (
        getattr(kind, "__reduce_ex__", None) is object.__reduce_ex__
        and getattr(kind, "__reduce__", None) is object.__reduce__
        and getattr(kind, "__getstate__", None) is getattr(object, "__getstate__", None)
        and not hasattr(kind, "__getnewargs_ex__")
        and not hasattr(kind, "__getnewargs__")
        and kind not in copyreg.dispatch_table
    )


def _attributes(state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield attributes sorted by name, since the order in which they were set means nothing."""
    for name in sorted(state, key=str):
        if name not in SCRATCH:
            yield f".{name}", state[name]


def _reduced(kind: type, value: Any) -> Decomposition:
    reason = unready(value)
    if reason:
        raise OpaqueValueError(f"it holds {reason}")
    try:
        reducer = copyreg.dispatch_table.get(kind)
        hook: Any = kind.__reduce_ex__
        reduced: Any = reducer(value) if reducer else hook(value, 4)
        function: Any
        args: Any
        state: Any
        items: Any
        pairs: Any
        if isinstance(reduced, str):
            return Decomposition(reduced.rpartition(".")[2], ())
        function, args, state, items, pairs = (*reduced, None, None, None)[:5]
        listed = [] if items is None else [("[:]", list(items))]
        paired = [] if pairs is None else [("{:}", dict(pairs))]
    except KeyboardInterrupt:
        raise
    except BaseException as fault:
        raise OpaqueValueError(f"it holds {a(kind)}, which cannot be taken apart ({type(fault).__name__})") from fault
    if function in MAKERS:
        name, args = last_name(args[0]), args[1:]
    else:
        name = last_name(function) if hasattr(function, "__qualname__") else type(function).__name__
    numbered = [(f"[{number}]", arg) for number, arg in enumerate(args)]
    return Decomposition(name, (*numbered, *_state(state), *listed, *paired))


def _state(state: Any) -> list[tuple[str, Any]]:
    if state is None:
        return []
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict and type(state[0]) in (dict, type(None)):
        return [*_attributes(state[0] or {}), *_attributes(state[1])]  # attributes, then slots
    if type(state) is dict:
        return list(_attributes(state))
    return [(".state", state)]


def a(kind: type) -> str:
    """Return the class's name with its article: "an Engine"."""
    name = str(kind.__name__)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of which nothing more special is known."""
    take = decomposer(kind)
    return lambda walk, value: _digest(walk, take(value))


def _digest(walk: Walk, pieces: Decomposition) -> bytes:
    """Return the digest of an object by its class's name and its parts; parts of atomic types are hashed together."""
    small = {label: part for label, part in pieces.parts if type(part) in ATOMS}
    others = {label: part for label, part in pieces.parts if type(part) not in ATOMS}
    parts = [walk.digest(pieces.name), walk.made(small), walk.made(list(others))]
    for part in others.values():
        parts.append(walk.digest(part))
        if sys.getrefcount(part) <= ALONE and _is_owner(part):
            walk.forget(part)
    return walk.record(Record.OBJECT, *parts)


def _is_owner(part: Any) -> bool:
    """Return whether a part is an array with memory of its own, as reducers of compiled classes make for each call."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(part) is numpy.ndarray and part.base is None


def _alone() -> int:
    """Return how many references `_digest` sees to a part that nothing but its object, or nothing at all, holds."""
    held = [object()]
    pieces = Decomposition("", ((".part", held[0]),))
    others = dict(pieces.parts)
    known = {0: (b"", others[".part"], True)}
    for part in others.values():
        return sys.getrefcount(part)
    return len(known)


ALONE = _alone()
