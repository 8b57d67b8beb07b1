"""Values of literals: an assignment of one is a candidate for a parameter that a run may override."""

from __future__ import annotations

import ast
from typing import Any

ABSENT = object()
"""What `literal` returns for an expression that is no literal."""

_SCALARS = (bool, int, float, str, type(None))


def literal(node: ast.expr) -> object:
    """Return the value of a literal, or `ABSENT`.

    Literals are None, bool, int, float, str, signed numbers, and lists, tuples and dicts of literals: what JSON and
    YAML can hold (a tuple as a list). Bytes, sets, complex numbers and `...` are not.

    Examples
    --------
    >>> literal(ast.parse("{'a': [1, -2.5]}", mode="eval").body)
    {'a': [1, -2.5]}
    """
    kind = type(node)
    if kind is ast.Constant:
        value: Any = node.value  # type: ignore[attr-defined]
        return value if isinstance(value, _SCALARS) else ABSENT
    if isinstance(node, ast.UnaryOp):
        return _signed(node)
    if isinstance(node, (ast.List, ast.Tuple)):
        return _sequence(node)
    if isinstance(node, ast.Dict):
        return _mapping(node)
    return ABSENT


def _signed(node: ast.UnaryOp) -> object:
    value = literal(node.operand)
    if type(value) not in (int, float):  # `-True` is arithmetic, not a literal
        return ABSENT
    if isinstance(node.op, ast.USub):
        return -value  # type: ignore[operator]
    return value if isinstance(node.op, ast.UAdd) else ABSENT


def _sequence(node: ast.List | ast.Tuple) -> object:
    values = [literal(item) for item in node.elts]
    if ABSENT in values:
        return ABSENT
    return values if isinstance(node, ast.List) else tuple(values)


def _mapping(node: ast.Dict) -> object:
    keys = [ABSENT if key is None else literal(key) for key in node.keys]  # None stands for `**other`
    values = [literal(item) for item in node.values]
    if ABSENT in keys or ABSENT in values:
        return ABSENT
    try:
        return dict(zip(keys, values, strict=True))
    except TypeError:  # a list as a key: the cell itself will raise
        return ABSENT
