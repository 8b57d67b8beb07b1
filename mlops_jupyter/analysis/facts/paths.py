"""Visitors of control flow: branches, loops, `with` and `try` blocks, with what is assigned where paths meet."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.expressions import note_await
from mlops_jupyter.analysis.facts.scopes import Assignment, Scope, join
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits
from mlops_jupyter.analysis.syntax.vocabulary import words

_SUPPRESSORS = words(
    "suppress ignored ignore raises assertRaises assertRaisesRegex ExitStack AsyncExitStack TaskGroup skip_on_error"
)
"""Context managers known to swallow exceptions. With any other, the block is taken to end before what follows it."""

_KEEPS_COUNT = frozenset({"enumerate", "sorted", "reversed", "list", "tuple", "set", "tqdm", "track", "iter"})
"""Functions that return items if their argument has any."""


@visits(ast.If)
def branch(scope: Scope, node: ast.If) -> None:
    """Visit `if`: one of two blocks runs; with `if True:` it is always the first."""
    visit(scope, node.test)
    start = scope.flow()
    visit_all(scope, node.body)
    body = scope.flow()
    scope.resume(start)
    visit_all(scope, node.orelse)
    scope.resume(body if _always(node.test) else join(body, scope.flow()))


@visits(ast.For, ast.AsyncFor)
def for_(scope: Scope, node: ast.For | ast.AsyncFor) -> None:
    """Visit `for`: the body runs any number of times; at least once over an iterable that is plainly not empty."""
    visit(scope, node.iter)
    scope.notes.causes.iterated(node.iter)
    if isinstance(node, ast.AsyncFor):
        note_await(scope)
    start = scope.flow()
    scope.loops.append(([], []))
    visit(scope, node.target)
    visit_all(scope, node.body)
    breaks, continues = scope.loops.pop()
    if _filled(node.iter):
        scope.resume(join(scope.flow(), *continues))
    else:
        scope.resume(_interrupted(scope, start))
    visit_all(scope, node.orelse)
    scope.resume(join(scope.flow(), *breaks))


@visits(ast.While)
def while_(scope: Scope, node: ast.While) -> None:
    """Visit `while`: the test runs at least once; `while True:` ends only by `break`."""
    visit(scope, node.test)
    start = scope.flow()
    scope.loops.append(([], []))
    visit_all(scope, node.body)
    breaks, _ = scope.loops.pop()
    scope.resume(_interrupted(scope, start)._replace(unreachable=start.unreachable or _always(node.test)))
    visit_all(scope, node.orelse)
    scope.resume(join(scope.flow(), *breaks))


@visits(ast.With, ast.AsyncWith)
def with_(scope: Scope, node: ast.With | ast.AsyncWith) -> None:
    """Visit `with`: a context manager may swallow the exceptions of the block."""
    if isinstance(node, ast.AsyncWith):
        note_await(scope)
    start = scope.flow()
    swallows = False
    for item in node.items:
        visit(scope, item.context_expr)
        if not swallows:
            start = scope.flow()
        swallows = swallows or _suppresses(item.context_expr)
        if item.optional_vars:
            visit(scope, item.optional_vars)
    visit_all(scope, node.body)
    if swallows:
        scope.resume(join(scope.flow(), _interrupted(scope, start)))


@visits(ast.Try, *([ast.TryStar] if hasattr(ast, "TryStar") else []))
def try_(scope: Scope, node: ast.Try) -> None:
    """Visit `try`: the body may stop anywhere, so a handler starts with what was assigned before the body."""
    start = scope.flow()
    visit_all(scope, node.body)
    stopped = _interrupted(scope, start)
    visit_all(scope, node.orelse)
    ends = [scope.flow()]
    for handler in node.handlers:
        scope.resume(stopped)
        if handler.type:
            visit(scope, handler.type)
        if handler.name:
            scope.bind(handler.name)
        visit_all(scope, handler.body)
        if handler.name:
            scope.unbind(handler.name)  # the compiler adds `del name`
        ends.append(scope.flow())
    after = join(*ends)
    scope.resume(after)
    if node.finalbody:
        scope.resume(_interrupted(scope, start))
        visit_all(scope, node.finalbody)
        last = scope.flow()
        scope.resume(Assignment(after.assigned | last.assigned, last.unassigned, after.unreachable or last.unreachable))


def _interrupted(scope: Scope, start: Assignment) -> Assignment:
    """Return what is assigned after a block that may have stopped anywhere: as before it, less what may be deleted."""
    return Assignment(start.assigned, start.unassigned | scope.deleted, start.unreachable)


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _suppresses(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    tail = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return tail in _SUPPRESSORS


def _filled(node: ast.expr) -> bool:
    """Return whether a loop over this surely runs: over a display with items, text, `range(3)`, or a wrapper of one."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return any(not isinstance(item, ast.Starred) for item in node.elts)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(node.value)
    if isinstance(node, ast.Dict):
        return any(key is not None for key in node.keys)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
        return False
    if node.func.id == "range":
        numbers = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, int)]
        plain = len(numbers) == len(node.args) <= 3 and (len(numbers) < 3 or numbers[2] > 0)
        return plain and bool(range(*numbers))
    return node.func.id in _KEEPS_COUNT and _filled(node.args[0])
