"""Which handler a class belongs to, found by the classes it derives from; no library is imported for it."""

from __future__ import annotations

import sys
import types

from . import arrays, arrow, builtin, decompose, frames, sparse, tensors
from .walk import Handler


def find_handler(kind: type) -> Handler:
    """Return the handler for a class: the most special that knows it, else that of `pieces`."""
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
