"""Visitors of simple statements."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.functions import held, named_lambda
from mlops_jupyter.analysis.facts.scopes import Scope, ScopeKind
from mlops_jupyter.analysis.facts.uncertain_calls import doubt_target
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits
from mlops_jupyter.analysis.syntax.spans import makes_class


@visits(ast.Expr)
def expression(scope: Scope, node: ast.Expr) -> None:
    """Visit an expression statement; a docstring or another constant does nothing."""
    if not isinstance(node.value, ast.Constant):
        visit(scope, node.value)


@visits(ast.Assign)
def assign(scope: Scope, node: ast.Assign) -> None:
    """Visit an assignment: the value, then the targets from left to right."""
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node.value, ast.Lambda) and scope.keeps_late and len(names) == len(node.targets):
        named_lambda(scope, names, node.value)
        return
    visit(scope, node.value)
    visit_all(scope, node.targets)
    for target in node.targets:
        doubt_target(scope, target)
    scope.notes.causes.assigned(names, node.value)
    if scope.kind is ScopeKind.MODULE and makes_class(node):
        scope.notes.definitions.update(names)
    _hold(scope, names, node.value)


@visits(ast.AnnAssign)
def annotated(scope: Scope, node: ast.AnnAssign) -> None:
    """Visit `x: T = v`. Without a value nothing is bound, but in a function the name is local all the same."""
    simple = isinstance(node.target, ast.Name)
    if isinstance(node.value, ast.Lambda) and scope.keeps_late and isinstance(node.target, ast.Name):
        named_lambda(scope, [node.target.id], node.value)
    elif node.value:
        visit(scope, node.value)
        visit(scope, node.target)
        doubt_target(scope, node.target)
        names = [node.target.id] if isinstance(node.target, ast.Name) else []
        scope.notes.causes.assigned(names, node.value)
        _hold(scope, names, node.value)
    elif not simple:
        visit(scope, node.target)
    elif scope.kind is ScopeKind.FUNCTION and isinstance(node.target, ast.Name):
        scope.bound.setdefault(scope.mangled(node.target.id), 0)
    # Pydantic and its like evaluate a class's annotations at once, even those that the __future__ import left as text.
    if scope.kind is ScopeKind.CLASS or (scope.kind is ScopeKind.MODULE and not scope.notes.lazy_annotations):
        visit(scope, node.annotation)


def _hold(scope: Scope, names: list[str], value: ast.expr) -> None:
    if names and scope.keeps_late and (scope.late or scope.notes.code):
        late = held(scope, value)
        if late:
            for name in names:
                scope.keep(name, late)


@visits(ast.AugAssign)
def augmented(scope: Scope, node: ast.AugAssign) -> None:
    """Visit `x += v`: read `x`, then the value, then bind; `x.a += v` and `x[i] += v` mutate the value of `x`."""
    if isinstance(node.target, ast.Name):
        scope.load(node.target.id)
        visit(scope, node.value)
        scope.bind(node.target.id)
        return
    visit(scope, node.target)
    visit(scope, node.value)
    doubt_target(scope, node.target)


@visits(ast.Delete)
def delete(scope: Scope, node: ast.Delete) -> None:
    """Visit `del a, b.c, d[e]`."""
    visit_all(scope, node.targets)
    for target in node.targets:
        doubt_target(scope, target)


@visits(ast.Global)
def global_(scope: Scope, node: ast.Global) -> None:
    """Visit `global x`."""
    scope.declare(node.names)


@visits(ast.Nonlocal)
def nonlocal_(scope: Scope, node: ast.Nonlocal) -> None:
    """Visit `nonlocal x`: a name of an enclosing function, never a global."""
    scope.nonlocals.update(map(scope.mangled, node.names))


@visits(ast.Return, ast.Raise)
def leave(scope: Scope, node: ast.Return | ast.Raise) -> None:
    """Visit `return` and `raise`: what follows is unreachable."""
    for name in node._fields:
        value = getattr(node, name)
        if value:
            visit(scope, value)
    scope.unreachable = True


@visits(ast.Break, ast.Continue)
def jump(scope: Scope, node: ast.Break | ast.Continue) -> None:
    """Visit `break` and `continue`: the path goes on after the loop, or at its head."""
    if scope.loops:
        breaks, continues = scope.loops[-1]
        (breaks if isinstance(node, ast.Break) else continues).append(scope.flow())
    scope.unreachable = True


@visits(ast.Assert)
def check(scope: Scope, node: ast.Assert) -> None:
    """Visit `assert`, whose message is evaluated only if it fails."""
    visit(scope, node.test)
    after = scope.flow()
    if node.msg:
        visit(scope, node.msg)
    scope.resume(after)
