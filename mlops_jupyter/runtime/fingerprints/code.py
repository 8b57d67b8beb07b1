"""What a function does, read from its bytecode, so that a function is the same in a notebook and in its bundle.

The compiler writes `np.exp(x)` in another way where the import of `np` stands in the same text. And a function with
free variables is defined inside its step's function in a bundle, where it reads them from a closure.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

SILENT = frozenset(
    {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "PUSH_NULL", "LOAD_CLOSURE", "NOP", "CACHE", "EXTENDED_ARG"}
)
"""Instructions that compute nothing: they say where variables are stored, or fill space."""

FROM_OUTSIDE = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"})
"""Instructions that load a free or a global variable."""


@lru_cache(maxsize=1024)
def does(code: types.CodeType) -> tuple[Any, ...]:
    """Return what a function does, wherever it is defined. Its docstring and line numbers are left out.

    >>> def outer():
    ...     base = 1
    ...     def add(x): return x + base
    ...     return add
    >>> def add(x): return x + base
    >>> does(outer().__code__) == does(add.__code__)
    True
    """
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    own = code.co_varnames[: sum(counts) + 2]
    instructions = list(_kept(code))
    places = {instruction.offset: place for place, instruction in enumerate(instructions)}
    jumps = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
    return code.co_name, counts, own, tuple(_acts(one, places, one.opcode in jumps) for one in instructions)


def _kept(code: types.CodeType) -> Iterator[dis.Instruction]:
    before = ""
    for instruction in dis.get_instructions(code):
        of_cells = instruction.opname == "BUILD_TUPLE" and before == "LOAD_CLOSURE"
        if instruction.opname not in SILENT and not of_cells:
            yield instruction
        before = instruction.opname


def _acts(one: dis.Instruction, places: dict[int, int], jumps: bool) -> tuple[Any, ...]:
    if one.opname in FROM_OUTSIDE:
        return ("LOAD", one.argval)
    if one.opname in ("LOAD_METHOD", "LOAD_ATTR"):
        return ("LOAD_ATTR", one.argval)
    if one.opname == "MAKE_FUNCTION":
        return (one.opname, (one.arg or 0) & ~8)  # the flag of a closure
    if jumps:
        return (one.opname, min((p for offset, p in places.items() if offset >= one.argval), default=-1))
    if isinstance(one.argval, types.CodeType):
        return (one.opname, does(one.argval))
    return (one.opname, type(one.argval).__name__, repr(one.argval))
