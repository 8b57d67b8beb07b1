"""What a dotted name means by the import that bound its beginning: `np.random.seed` is `numpy.random.seed`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache

Qualified = Callable[[str], str]
"""Name -> the import statement that bound it, "" if none did or if anything else did, too."""


def root_name(node: ast.expr) -> str:
    """Return the name that a chain of attributes, items and calls begins with; "" if with none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def qualified_name(node: ast.expr, origin: Qualified) -> str:
    """Return a dotted name in full; "" if it is none, or does not begin with an import.

    Examples
    --------
    >>> qualified(ast.parse("np.random.seed", mode="eval").body, {"np": "import numpy as np"}.get)
    'numpy.random.seed'
    """
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.append(node.attr)
        node = node.value
    module = _imported(origin(node.id), node.id) if isinstance(node, ast.Name) else ""
    return ".".join([module, *reversed(rest)]) if module else ""


@lru_cache(maxsize=256)
def _imported(text: str, name: str) -> str:
    """Return what an import statement binds a name to."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            return f"{node.module}.{node.names[0].name}"
        if isinstance(node, ast.Import):
            return node.names[0].name if node.names[0].asname else name
    return ""
