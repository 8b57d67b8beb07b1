"""Qualified names: a dotted name resolved by the import of its first part (`np.random.seed` is `numpy.random.seed`)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache

Qualified = Callable[[str], str]
"""Name -> the import statement that bound it; "" if no import did, or if something else bound it, too."""


def root_name(node: ast.expr) -> str:
    """Return the name at the root of a chain of attributes, items and calls; "" if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def qualified_name(node: ast.expr, origin: Qualified) -> str:
    """Return the qualified name of a dotted name; "" for any other expression, and if no import bound its root.

    Examples
    --------
    >>> qualified_name(ast.parse("np.random.seed", mode="eval").body, {"np": "import numpy as np"}.get)
    'numpy.random.seed'
    """
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.append(node.attr)
        node = node.value
    return qualified_path((node.id, *reversed(rest)), origin) if isinstance(node, ast.Name) else ""


def qualified_path(path: Sequence[str], origin: Qualified) -> str:
    """Return the qualified name of a dotted name, given by its parts; "" if no import bound the first.

    Examples
    --------
    >>> qualified_path(("np", "random", "seed"), {"np": "import numpy as np"}.get)
    'numpy.random.seed'
    """
    root, *rest = path
    module = _imported(origin(root), root)
    return ".".join([module, *rest]) if module else ""


@lru_cache(maxsize=256)
def _imported(text: str, name: str) -> str:
    """Return the qualified name of what an import statement binds to a name."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            return f"{node.module}.{node.names[0].name}"
        if isinstance(node, ast.Import):
            return node.names[0].name if node.names[0].asname else name
    return ""
