"""The visitor of a syntax tree: a handler for each kind of node that has rules, all others child by child."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mlops_jupyter.analysis.facts.scopes import Scope

Handler = Callable[[Scope, Any], None]
_AnyHandler = TypeVar("_AnyHandler", bound=Handler)

HANDLERS: dict[type[ast.AST], Handler] = {}


def visits(*kinds: type[ast.AST]) -> Callable[[_AnyHandler], _AnyHandler]:
    """Register the decorated function as the handler of these kinds of nodes."""

    def register(handler: _AnyHandler) -> _AnyHandler:
        for kind in kinds:
            HANDLERS[kind] = handler
        return handler

    return register


def visit(scope: Scope, node: ast.AST) -> None:
    """Visit one node: note its accesses in the scope."""
    HANDLERS.get(type(node), visit_children)(scope, node)


def visit_all(scope: Scope, nodes: Iterable[ast.AST]) -> None:
    """Visit several nodes in order."""
    for node in nodes:
        HANDLERS.get(type(node), visit_children)(scope, node)


def visit_children(scope: Scope, node: ast.AST) -> None:
    """Visit the children of a node in the grammar's order: right for nodes without rules of their own."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            visit_all(scope, (item for item in value if isinstance(item, ast.AST)))
        elif isinstance(value, ast.AST):
            visit(scope, value)
