"""What statements do to names, and how paths part and meet."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.doubts import doubt_target
from mlops_jupyter.analysis.expressions import note_await
from mlops_jupyter.analysis.functions import held, named_lambda
from mlops_jupyter.analysis.notes import Notes
from mlops_jupyter.analysis.scopes import Flow, Late, Scope, ScopeKind, join
from mlops_jupyter.analysis.vocabulary import words
from mlops_jupyter.analysis.walk import handles, walk, walk_all

_SUPPRESSORS = words(
    "suppress ignored ignore raises assertRaises assertRaisesRegex ExitStack AsyncExitStack TaskGroup skip_on_error"
)
"""Context managers known to swallow exceptions. Of others we take it that what follows them has seen their body end."""

_KEEPS_COUNT = frozenset({"enumerate", "sorted", "reversed", "list", "tuple", "set", "tqdm", "track", "iter"})


def top_level(notes: Notes, late: dict[str, Late], node: ast.stmt) -> Scope:
    """Walk one statement of the cell's top level by itself; `late` is what the cell's functions are known to do."""
    scope = Scope(ScopeKind.MODULE, notes)
    scope.late = late
    walk(scope, node)
    return scope


@handles(ast.Expr)
def expression(scope: Scope, node: ast.Expr) -> None:
    """An expression for its own sake; a docstring does nothing."""
    if not isinstance(node.value, ast.Constant):
        walk(scope, node.value)


@handles(ast.Assign)
def assign(scope: Scope, node: ast.Assign) -> None:
    """The value, then the targets from left to right."""
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node.value, ast.Lambda) and scope.keeps_late and len(names) == len(node.targets):
        named_lambda(scope, names, node.value)
        return
    walk(scope, node.value)
    walk_all(scope, node.targets)
    for target in node.targets:
        doubt_target(scope, target)
    _hold(scope, names, node.value)


@handles(ast.AnnAssign)
def annotated(scope: Scope, node: ast.AnnAssign) -> None:
    """`x: T = v`. Without a value nothing is bound, but a function's name is local all the same."""
    simple = isinstance(node.target, ast.Name)
    if isinstance(node.value, ast.Lambda) and scope.keeps_late and isinstance(node.target, ast.Name):
        named_lambda(scope, [node.target.id], node.value)
    elif node.value:
        walk(scope, node.value)
        walk(scope, node.target)
        doubt_target(scope, node.target)
        _hold(scope, [node.target.id] if isinstance(node.target, ast.Name) else [], node.value)
    elif not simple:
        walk(scope, node.target)
    elif scope.kind is ScopeKind.FUNCTION and isinstance(node.target, ast.Name):
        scope.bound.setdefault(scope.mangled(node.target.id), 0)
    # Pydantic and its like evaluate a class's annotations at once, even those that the __future__ import left as text.
    if scope.kind is ScopeKind.CLASS or (scope.kind is ScopeKind.MODULE and not scope.notes.lazy_annotations):
        walk(scope, node.annotation)


def _hold(scope: Scope, names: list[str], value: ast.expr) -> None:
    if names and scope.keeps_late and (scope.late or scope.notes.code):
        late = held(scope, value)
        if late:
            for name in names:
                scope.keep(name, late)


@handles(ast.AugAssign)
def augmented(scope: Scope, node: ast.AugAssign) -> None:
    """`x += v` reads `x`, then the value, then binds; `x.a += v` and `x[i] += v` change what `x` holds."""
    if isinstance(node.target, ast.Name):
        scope.load(node.target.id)
        walk(scope, node.value)
        scope.bind(node.target.id)
        return
    walk(scope, node.target)
    walk(scope, node.value)
    doubt_target(scope, node.target)


@handles(ast.Delete)
def delete(scope: Scope, node: ast.Delete) -> None:
    """`del a, b.c, d[e]`."""
    walk_all(scope, node.targets)
    for target in node.targets:
        doubt_target(scope, target)


@handles(ast.Global)
def global_(scope: Scope, node: ast.Global) -> None:
    """`global x`."""
    scope.declare(node.names)


@handles(ast.Nonlocal)
def nonlocal_(scope: Scope, node: ast.Nonlocal) -> None:
    """`nonlocal x`: an enclosing function's, never global."""
    scope.nonlocals.update(map(scope.mangled, node.names))


@handles(ast.Import)
def import_(scope: Scope, node: ast.Import) -> None:
    """`import a.b` binds `a`, `import a.b as c` binds `c`."""
    for alias in node.names:
        top = alias.name.partition(".")[0]
        name = alias.asname or top
        scope.bind(name)
        scope.notes.causes.aliases[name] = tuple(alias.name.split(".")) if alias.asname else (top,)
        if alias.name == "__main__":
            scope.notes.doubt(node.lineno, "the notebook's own namespace is imported as a module")
        if scope.kind is ScopeKind.MODULE:
            text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            scope.notes.imports[name] = text if alias.asname else _with_submodules(scope.notes.imports.get(name), text)
            scope.notes.modules.add(name)


def _with_submodules(before: str | None, text: str) -> str:
    """`import a.b` and `import a.c` both bind `a`, and each loads a module: keep both."""
    lines = before.split("\n") if before and before.startswith("import ") and " as " not in before else []
    return "\n".join(dict.fromkeys([*lines, text]))


@handles(ast.ImportFrom)
def import_from(scope: Scope, node: ast.ImportFrom) -> None:
    """`from m import a as b` binds `b`; `from m import *` binds what only running tells."""
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            scope.notes.star_imports.append(module)
            continue
        name = alias.asname or alias.name
        scope.bind(name)
        scope.notes.causes.aliases[name] = (*module.split("."), alias.name)
        if scope.kind is ScopeKind.MODULE:
            renamed = f" as {alias.asname}" if alias.asname else ""
            scope.notes.imports[name] = f"from {module} import {alias.name}{renamed}"
    if module == "__future__" and any(alias.name == "annotations" for alias in node.names):
        scope.notes.lazy_annotations = True


@handles(ast.Return, ast.Raise)
def leave(scope: Scope, node: ast.Return | ast.Raise) -> None:
    """Nothing follows on this path."""
    for name in node._fields:
        value = getattr(node, name)
        if value:
            walk(scope, value)
    scope.dead = True


@handles(ast.Break, ast.Continue)
def jump(scope: Scope, node: ast.Break | ast.Continue) -> None:
    """The path goes on after the loop, or at its head."""
    if scope.loops:
        breaks, continues = scope.loops[-1]
        (breaks if isinstance(node, ast.Break) else continues).append(scope.flow())
    scope.dead = True


@handles(ast.Assert)
def check(scope: Scope, node: ast.Assert) -> None:
    """The message is evaluated only on the way out."""
    walk(scope, node.test)
    after = scope.flow()
    if node.msg:
        walk(scope, node.msg)
    scope.resume(after)


@handles(ast.If)
def branch(scope: Scope, node: ast.If) -> None:
    """One of two blocks; `if True:` always the first."""
    walk(scope, node.test)
    start = scope.flow()
    walk_all(scope, node.body)
    body = scope.flow()
    scope.resume(start)
    walk_all(scope, node.orelse)
    scope.resume(body if _always(node.test) else join(body, scope.flow()))


@handles(ast.For, ast.AsyncFor)
def for_(scope: Scope, node: ast.For | ast.AsyncFor) -> None:
    """The body runs any number of times; at least once over what is plainly not empty."""
    walk(scope, node.iter)
    scope.notes.causes.iterated(node.iter)
    if isinstance(node, ast.AsyncFor):
        note_await(scope)
    start = scope.flow()
    scope.loops.append(([], []))
    walk(scope, node.target)
    walk_all(scope, node.body)
    breaks, continues = scope.loops.pop()
    if _filled(node.iter):
        scope.resume(join(scope.flow(), *continues))
    else:
        scope.resume(_interrupted(scope, start))
    walk_all(scope, node.orelse)
    scope.resume(join(scope.flow(), *breaks))


@handles(ast.While)
def while_(scope: Scope, node: ast.While) -> None:
    """The test runs at least once; `while True:` ends only by `break`."""
    walk(scope, node.test)
    start = scope.flow()
    scope.loops.append(([], []))
    walk_all(scope, node.body)
    breaks, _ = scope.loops.pop()
    scope.resume(_interrupted(scope, start)._replace(dead=start.dead or _always(node.test)))
    walk_all(scope, node.orelse)
    scope.resume(join(scope.flow(), *breaks))


@handles(ast.With, ast.AsyncWith)
def with_(scope: Scope, node: ast.With | ast.AsyncWith) -> None:
    """A block whose exceptions may be swallowed."""
    if isinstance(node, ast.AsyncWith):
        note_await(scope)
    start = scope.flow()
    swallows = False
    for item in node.items:
        walk(scope, item.context_expr)
        if not swallows:
            start = scope.flow()
        swallows = swallows or _suppresses(item.context_expr)
        if item.optional_vars:
            walk(scope, item.optional_vars)
    walk_all(scope, node.body)
    if swallows:
        scope.resume(join(scope.flow(), _interrupted(scope, start)))


@handles(ast.Try, *([ast.TryStar] if hasattr(ast, "TryStar") else []))
def try_(scope: Scope, node: ast.Try) -> None:
    """The body may stop anywhere; a handler starts with what was known before it."""
    start = scope.flow()
    walk_all(scope, node.body)
    stopped = _interrupted(scope, start)
    walk_all(scope, node.orelse)
    ends = [scope.flow()]
    for handler in node.handlers:
        scope.resume(stopped)
        if handler.type:
            walk(scope, handler.type)
        if handler.name:
            scope.bind(handler.name)
        walk_all(scope, handler.body)
        if handler.name:
            scope.unbind(handler.name)  # the compiler adds `del name`
        ends.append(scope.flow())
    after = join(*ends)
    scope.resume(after)
    if node.finalbody:
        scope.resume(_interrupted(scope, start))
        walk_all(scope, node.finalbody)
        last = scope.flow()
        scope.resume(Flow(after.settled | last.settled, last.undone, after.dead or last.dead))


@handles(ast.Match)
def match(scope: Scope, node: ast.Match) -> None:
    """One case or none; a bare name or `_` without a guard leaves no other way."""
    walk(scope, node.subject)
    start = scope.flow()
    ends = []
    complete = False
    for case in node.cases:
        scope.resume(start)
        walk(scope, case.pattern)
        if case.guard:
            walk(scope, case.guard)
        walk_all(scope, case.body)
        ends.append(scope.flow())
        complete = complete or (case.guard is None and _catches_all(case.pattern))
    scope.resume(join(*ends) if complete else join(start, *ends))


@handles(ast.MatchAs, ast.MatchStar)
def capture(scope: Scope, node: ast.MatchAs | ast.MatchStar) -> None:
    """`case pattern as x`, `case x`, `case [*x]`."""
    if isinstance(node, ast.MatchAs) and node.pattern:
        walk(scope, node.pattern)
    if node.name:
        scope.bind(node.name)


@handles(ast.MatchMapping)
def mapping(scope: Scope, node: ast.MatchMapping) -> None:
    """`case {"key": pattern, **rest}`."""
    walk_all(scope, node.keys)
    walk_all(scope, node.patterns)
    if node.rest:
        scope.bind(node.rest)


@handles(ast.MatchOr)
def alternatives(scope: Scope, node: ast.MatchOr) -> None:
    """`case a | b`: all bind the same names."""
    start, ends = scope.flow(), []
    for pattern in node.patterns:
        scope.resume(start)
        walk(scope, pattern)
        ends.append(scope.flow())
    scope.resume(join(*ends))


def _interrupted(scope: Scope, start: Flow) -> Flow:
    """What is known where a block may have stopped anywhere: what was before it, less what it may have deleted."""
    return Flow(start.settled, start.undone | scope.deleted, start.dead)


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _catches_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_catches_all, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _catches_all(pattern.pattern))


def _suppresses(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    tail = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return tail in _SUPPRESSORS


def _filled(node: ast.expr) -> bool:
    """Whether a loop over this runs at least once: a display with items, text, `range(3)`, and wrappers of such."""
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
