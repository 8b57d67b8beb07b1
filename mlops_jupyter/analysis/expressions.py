"""What expressions do to names."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.cause_rules import ATTRIBUTE_TAILS, CALL_TAILS
from mlops_jupyter.analysis.doubts import DOUBTFUL, doubt_call
from mlops_jupyter.analysis.names_in_text import EVALUATORS, FORMULAS, MAGIC, names_in_call, names_in_string
from mlops_jupyter.analysis.parsing import ParseError, parse
from mlops_jupyter.analysis.scopes import Names, Scope, ScopeKind, join
from mlops_jupyter.analysis.walk import handles, walk, walk_all

_TEXT_CALLS = EVALUATORS | FORMULAS | {MAGIC}
_WATCHED = CALL_TAILS | DOUBTFUL | _TEXT_CALLS


@handles(ast.Name)
def name(scope: Scope, node: ast.Name) -> None:
    """A name: read, bound or deleted by its place."""
    context = type(node.ctx)
    if context is ast.Load:
        scope.load(node.id)
    elif context is ast.Store:
        scope.bind(node.id)
    else:
        scope.delete(node.id)


@handles(ast.Attribute)
def attribute(scope: Scope, node: ast.Attribute) -> None:
    """`a.b`: reads `a`, also where `b` is set or deleted."""
    walk(scope, node.value)
    if node.attr in ATTRIBUTE_TAILS:
        scope.notes.causes.attribute(node)


@handles(ast.Subscript)
def subscript(scope: Scope, node: ast.Subscript) -> None:
    """`a[b]`: reads both, also where the item is set or deleted."""
    walk(scope, node.value)
    walk(scope, node.slice)


@handles(ast.Constant)
def constant(scope: Scope, node: ast.Constant) -> None:
    """Text may name variables that a library looks up."""
    value = node.value
    if type(value) is str and ("@" in value or "~" in value):
        _text(scope, names_in_string(value))


@handles(ast.BinOp)
def operation(scope: Scope, node: ast.BinOp) -> None:
    """Left before right. A long sum leans left: it is unwound, not recursed into."""
    rights = []
    left: ast.expr = node
    while type(left) is ast.BinOp:
        rights.append(left.right)
        left = left.left
    walk(scope, left)
    walk_all(scope, reversed(rights))


@handles(ast.BoolOp)
def choice(scope: Scope, node: ast.BoolOp) -> None:
    """Only the first operand is sure to be evaluated."""
    walk(scope, node.values[0])
    after = scope.flow()
    walk_all(scope, node.values[1:])
    scope.resume(after)


@handles(ast.Compare)
def comparison(scope: Scope, node: ast.Compare) -> None:
    """Of a chain, only the first two operands are sure to be evaluated."""
    walk(scope, node.left)
    walk(scope, node.comparators[0])
    after = scope.flow()
    walk_all(scope, node.comparators[1:])
    scope.resume(after)


@handles(ast.IfExp)
def conditional(scope: Scope, node: ast.IfExp) -> None:
    """`a if test else b`: the test, then one of them."""
    walk(scope, node.test)
    start = scope.flow()
    walk(scope, node.body)
    body = scope.flow()
    scope.resume(start)
    walk(scope, node.orelse)
    scope.resume(join(body, scope.flow()))


@handles(ast.NamedExpr)
def walrus(scope: Scope, node: ast.NamedExpr) -> None:
    """`(a := b)` binds in the nearest scope that is no comprehension."""
    walk(scope, node.value)
    owner = scope
    while owner.kind is ScopeKind.COMPREHENSION and owner.outer:
        owner.settled |= {node.target.id}
        owner = owner.outer
    if owner is scope:
        owner.bind(node.target.id)
    else:
        owner.may_bind(node.target.id)


@handles(ast.Await)
def awaiting(scope: Scope, node: ast.Await) -> None:
    """`await` at the cell's top level makes the cell a coroutine."""
    note_await(scope)
    walk(scope, node.value)


def note_await(scope: Scope) -> None:
    """Note an `await`, `async for` or `async with`."""
    while scope.kind is ScopeKind.COMPREHENSION and scope.outer:
        scope = scope.outer
    if scope.kind is ScopeKind.MODULE:
        scope.notes.awaits = True


@handles(ast.Call)
def call(scope: Scope, node: ast.Call) -> None:
    """A call: what is called, its arguments, and what we know of functions of that name."""
    func = node.func
    tail = ""
    if isinstance(func, ast.Attribute):
        tail = func.attr
        walk(scope, func.value)
    elif isinstance(func, ast.Name):
        tail = func.id
        scope.load(tail)
    else:
        walk(scope, func)
    if tail in _WATCHED or tail in scope.notes.causes.aliases:
        _watched(scope, node, tail)
    walk_all(scope, node.args)
    for keyword in node.keywords:
        walk(scope, keyword.value)


def _watched(scope: Scope, node: ast.Call, tail: str) -> None:
    scope.notes.causes.call(node, tail)
    if tail in _TEXT_CALLS:
        _text(scope, names_in_call(node, tail))
    if tail in ("eval", "exec") and isinstance(node.func, ast.Name):
        _python_text(scope, node)
    elif tail in DOUBTFUL:
        doubt_call(scope, node, tail)


def _text(scope: Scope, found: Names) -> None:
    """Note candidates: as reads of a function, whose own names they may be, else apart."""
    scope.notes.spoken |= found
    if scope.kind in (ScopeKind.MODULE, ScopeKind.CLASS):
        scope.notes.text_names |= found
        return
    for candidate in found:
        scope.load(candidate)


def _python_text(scope: Scope, node: ast.Call) -> None:
    """`exec` and `eval`: constant text is walked as if it stood here; other text is a doubt."""
    if len(node.args) > 1 and not _is_globals(node.args[1]):
        return  # runs in a namespace of its own
    text = node.args[0] if node.args else None
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        try:
            body = parse(text.value.strip()).body
        except ParseError:
            return  # the cell will raise
        for part in body:
            for inner in ast.walk(part):
                ast.copy_location(inner, node)
                if isinstance(inner, ast.Name):
                    scope.notes.spoken.add(inner.id)
        _walk_text(scope, body)
    elif text is not None:
        name_of = node.func.id if isinstance(node.func, ast.Name) else "exec"
        scope.notes.doubt(node.lineno, f"{name_of}() runs text that is known only when it runs")


def _walk_text(scope: Scope, body: list[ast.stmt]) -> None:
    if scope.kind is ScopeKind.MODULE:
        walk_all(scope, body)
        return
    inner = Scope(ScopeKind.FUNCTION, scope.notes, scope, scope.passed_on())  # it binds none of a function's locals
    walk_all(inner, body)
    scope.absorb(inner)


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"
