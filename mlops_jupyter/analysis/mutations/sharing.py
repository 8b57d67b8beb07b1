"""What an expression may share objects with, from its text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlops_jupyter.analysis.mutations.records import CallSite, Root
from mlops_jupyter.analysis.mutations.vocabulary import SHARING_FUNCTIONS, SHARING_METHODS

NONE: frozenset[Root] = frozenset()


def roots(node: ast.expr) -> frozenset[Root]:
    """Return the variables and the results of calls that an expression may share objects with.

    Examples
    --------
    >>> sorted(roots(ast.parse("[rows[0], table.columns]", mode="eval").body))
    ['rows', 'table']
    """
    if isinstance(node, ast.Name):
        return frozenset({node.id})
    if isinstance(node, ast.Call):
        return frozenset({call_site(node)})
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await | ast.NamedExpr):
        return roots(node.value)
    return NONE.union(*(roots(part) for part in _parts(node)))


def called_name(node: ast.Call) -> str:
    """Return the last name of what is called; "" for any other expression."""
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def call_site(node: ast.Call, is_discarded: bool = False) -> CallSite:
    """Return what matters of a call."""
    func = node.func
    return CallSite(
        function=called_name(node),
        is_method=isinstance(func, ast.Attribute),
        receiver=roots(func.value) if isinstance(func, ast.Attribute) else NONE,
        positional=tuple(roots(arg) for arg in node.args),
        keywords=tuple((keyword.arg or "", roots(keyword.value)) for keyword in node.keywords),
        is_discarded=is_discarded,
    )


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions whose objects become part of a display, or one of which is the result."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield from node.elts
    elif isinstance(node, ast.Dict):
        yield from node.values
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        yield node.elt
    elif isinstance(node, ast.DictComp):
        yield node.value


def shared(site: CallSite) -> frozenset[Root]:
    """Return what the result of a call of a function that is not the code's own may share objects with."""
    if site.is_method:
        return site.receiver if site.function in SHARING_METHODS else NONE
    return NONE.union(*site.positional) if site.function in SHARING_FUNCTIONS else NONE


def dotted_path(node: ast.expr, through_calls: bool = True) -> tuple[str, ...]:
    """Return the parts of a dotted name; items on the way are passed over. () if no name is at its root."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript) or (through_calls and isinstance(node, ast.Call)):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def last_name(node: ast.expr) -> str:
    path = dotted_path(node)
    return path[-1] if path else ""


def constant_text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def may_be(node: ast.expr, value: bool) -> bool:
    """Say whether an expression may have a truth value, as far as its text tells."""
    return not isinstance(node, ast.Constant) or bool(node.value) == value
