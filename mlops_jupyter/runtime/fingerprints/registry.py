"""The registry of handlers: it finds a class's handler by the classes it derives from, and imports no library."""

from __future__ import annotations

import sys
import types

from . import arrays, arrow, builtin, decompose, frames, sparse, tensors
from .walk import Handler


def find_handler(kind: type) -> Handler:
    """Return the most specific handler for a class, or the one of `decompose` if no other knows the class."""
    known = builtin.HANDLERS.get(kind)
    if known is not None:
        return known
    if issubclass(kind, type):
        return builtin.HANDLERS[type]
    if issubclass(kind, types.ModuleType):
        return builtin.HANDLERS[types.ModuleType]
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__ if isinstance(base.__module__, str)}
    for root, family in FAMILIES.items():
        if root in roots and root in sys.modules:
            handler: Handler = family.handler_for(kind)
            return handler
    return decompose.handler_for(kind)


FAMILIES = {"pandas": frames, "pyarrow": arrow, "polars": arrow, "scipy": sparse, "torch": tensors, "numpy": arrays}
