"""Visitors of expressions."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.names_in_strings import EVALUATORS, FORMULAS, MAGIC, names_in_call, names_in_string
from mlops_jupyter.analysis.facts.scopes import Names, Scope, ScopeKind, join
from mlops_jupyter.analysis.facts.uncertain_calls import DOUBTFUL, doubt_call
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits
from mlops_jupyter.analysis.nondeterminism_rules import ATTRIBUTE_TAILS, CALL_TAILS
from mlops_jupyter.analysis.syntax.parsing import ParseError, parse

_TEXT_CALLS = EVALUATORS | FORMULAS | {MAGIC}
_WATCHED = CALL_TAILS | DOUBTFUL | _TEXT_CALLS


@visits(ast.Name)
def name(scope: Scope, node: ast.Name) -> None:
    """Visit a name, which is read, bound or deleted according to its context."""
    context = type(node.ctx)
    if context is ast.Load:
        scope.load(node.id)
    elif context is ast.Store:
        scope.bind(node.id)
    else:
        scope.delete(node.id)


@visits(ast.Attribute)
def attribute(scope: Scope, node: ast.Attribute) -> None:
    """Visit `a.b`, which reads `a`, also where `b` is set or deleted."""
    visit(scope, node.value)
    if node.attr in ATTRIBUTE_TAILS:
        scope.notes.causes.attribute(node)


@visits(ast.Subscript)
def subscript(scope: Scope, node: ast.Subscript) -> None:
    """Visit `a[b]`, which reads both names, also where the item is set or deleted."""
    visit(scope, node.value)
    visit(scope, node.slice)


@visits(ast.Constant)
def constant(scope: Scope, node: ast.Constant) -> None:
    """Visit a constant: a string may name variables that a library looks up."""
    value = node.value
    if type(value) is str and ("@" in value or "~" in value):
        _text(scope, names_in_string(value))


@visits(ast.BinOp)
def operation(scope: Scope, node: ast.BinOp) -> None:
    """Visit a binary operation, left before right. A long sum leans left: it is unwound, not recursed into."""
    rights = []
    left: ast.expr = node
    while type(left) is ast.BinOp:
        rights.append(left.right)
        left = left.left
    visit(scope, left)
    visit_all(scope, reversed(rights))


@visits(ast.BoolOp)
def choice(scope: Scope, node: ast.BoolOp) -> None:
    """Visit `and` or `or`: only the first operand is sure to be evaluated."""
    visit(scope, node.values[0])
    after = scope.flow()
    visit_all(scope, node.values[1:])
    scope.resume(after)


@visits(ast.Compare)
def comparison(scope: Scope, node: ast.Compare) -> None:
    """Visit a comparison: of a chain, only the first two operands are sure to be evaluated."""
    visit(scope, node.left)
    visit(scope, node.comparators[0])
    after = scope.flow()
    visit_all(scope, node.comparators[1:])
    scope.resume(after)


@visits(ast.IfExp)
def conditional(scope: Scope, node: ast.IfExp) -> None:
    """Visit `a if test else b`: the test, then one of the branches."""
    visit(scope, node.test)
    start = scope.flow()
    visit(scope, node.body)
    body = scope.flow()
    scope.resume(start)
    visit(scope, node.orelse)
    scope.resume(join(body, scope.flow()))


@visits(ast.NamedExpr)
def walrus(scope: Scope, node: ast.NamedExpr) -> None:
    """Visit `(a := b)`, which binds in the nearest scope that is no comprehension."""
    visit(scope, node.value)
    owner = scope
    while owner.kind is ScopeKind.COMPREHENSION and owner.outer:
        owner.assigned |= {node.target.id}
        owner = owner.outer
    if owner is scope:
        owner.bind(node.target.id)
    else:
        owner.may_bind(node.target.id)


@visits(ast.Await)
def awaiting(scope: Scope, node: ast.Await) -> None:
    """Visit `await`, which makes the cell a coroutine if it stands at the top level."""
    note_await(scope)
    visit(scope, node.value)


def note_await(scope: Scope) -> None:
    """Note an `await`, `async for` or `async with`, if it stands at the cell's top level."""
    while scope.kind is ScopeKind.COMPREHENSION and scope.outer:
        scope = scope.outer
    if scope.kind is ScopeKind.MODULE:
        scope.notes.awaits = True


@visits(ast.Call)
def call(scope: Scope, node: ast.Call) -> None:
    """Visit a call: the function, its arguments, and the rules for functions of that name."""
    func = node.func
    tail = ""
    if isinstance(func, ast.Attribute):
        tail = func.attr
        visit(scope, func.value)
    elif isinstance(func, ast.Name):
        tail = func.id
        scope.load(tail)
    else:
        visit(scope, func)
    if tail in _WATCHED or tail in scope.notes.causes.aliases:
        _watched(scope, node, tail)
    visit_all(scope, node.args)
    for keyword in node.keywords:
        visit(scope, keyword.value)


def _watched(scope: Scope, node: ast.Call, tail: str) -> None:
    scope.notes.causes.call(node, tail)
    if tail in _TEXT_CALLS:
        _text(scope, names_in_call(node, tail))
    if tail in ("eval", "exec") and isinstance(node.func, ast.Name):
        _python_text(scope, node)
    elif tail in DOUBTFUL:
        doubt_call(scope, node, tail)


def _text(scope: Scope, found: Names) -> None:
    """Note candidates for names in a string: inside a function as reads, elsewhere apart from the reads."""
    scope.notes.names_in_strings |= found
    if scope.kind in (ScopeKind.MODULE, ScopeKind.CLASS):
        scope.notes.text_names |= found
        return
    for candidate in found:
        scope.load(candidate)


def _python_text(scope: Scope, node: ast.Call) -> None:
    """Visit the text of `exec` and `eval`: constant text as if it stood here; any other text is a doubt."""
    if len(node.args) > 1 and not _is_globals(node.args[1]):
        return  # runs in a namespace of its own
    text = node.args[0] if node.args else None
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        try:
            body = parse(text.value.strip()).body
        except ParseError:
            return  # the cell will raise
        for statement in body:
            for inner in ast.walk(statement):
                ast.copy_location(inner, node)
                if isinstance(inner, ast.Name):
                    scope.notes.names_in_strings.add(inner.id)
        _walk_text(scope, body)
    elif text is not None:
        name_of = node.func.id if isinstance(node.func, ast.Name) else "exec"
        scope.notes.doubt(node.lineno, f"{name_of}() runs text that is known only when it runs")


def _walk_text(scope: Scope, body: list[ast.stmt]) -> None:
    if scope.kind is ScopeKind.MODULE:
        visit_all(scope, body)
        return
    inner = Scope(ScopeKind.FUNCTION, scope.notes, scope, scope.passed_on())  # it binds none of a function's locals
    visit_all(inner, body)
    scope.absorb(inner)


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"
