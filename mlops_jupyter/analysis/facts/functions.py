"""Visitors of functions, classes, lambdas and comprehensions: scopes inside scopes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from mlops_jupyter.analysis.facts.expressions import note_await
from mlops_jupyter.analysis.facts.scopes import NOTHING, DeferredAccess, Scope, ScopeKind
from mlops_jupyter.analysis.facts.visitor import visit, visit_all, visits
from mlops_jupyter.analysis.syntax.vocabulary import words

_CALM = words(
    "property staticmethod classmethod abstractmethod lru_cache cache cached_property wraps dataclass dataclasses "
    "setter getter deleter overload override final total_ordering contextmanager asynccontextmanager njit jit "
    "vectorize no_type_check singledispatch define frozen attrs s runtime_checkable unique"
)
"""Decorators known not to call the function that they decorate."""

_ACCESSORS = words("setter getter deleter")

_WRAPPERS = words("partial partialmethod cache lru_cache njit jit vectorize frompyfunc FunctionTransformer")
"""Calls that return a wrapper of a function among their arguments."""


@visits(ast.FunctionDef, ast.AsyncFunctionDef)
def function(scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Visit `def`: decorators, defaults and annotations run now, the body when the function is called."""
    visit_all(scope, (decorator for decorator in node.decorator_list if not _extends(scope, decorator)))
    inner = _open(scope, node.args, late=scope.keeps_late)
    annotations = [arg.annotation for arg in _parameters(node.args)] + [node.returns]
    # Under the __future__ import annotations are kept as text, and evaluated only when somebody asks for them.
    visit_all(inner if scope.notes.lazy_annotations else scope, (note for note in annotations if note))
    visit_all(inner, node.body)
    scope.bind(node.name)
    _close(scope, node.name, inner)
    _define(scope, node.name, node.decorator_list)


@visits(ast.ClassDef)
def class_(scope: Scope, node: ast.ClassDef) -> None:
    """Visit `class`: all of it runs now, except the bodies of its methods."""
    visit_all(scope, node.decorator_list)
    visit_all(scope, node.bases)
    visit_all(scope, (keyword.value for keyword in node.keywords))
    inner = Scope(ScopeKind.CLASS, scope.notes, scope, scope.passed_on(), node.name.lstrip("_"))
    visit_all(inner, node.body)
    inner.call_late()
    for loads in (inner.loads, inner.outer_loads):
        loads.pop("__class__", None)  # a cell that the compiler makes for methods
    scope.absorb(inner)
    scope.bind(node.name)
    if scope.keeps_late:
        late = DeferredAccess()
        for method in inner.late.values():
            late.add(method)
        late.free.discard("__class__")
        scope.keep(node.name, late)
    _define(scope, node.name, node.decorator_list)


@visits(ast.Lambda)
def anonymous(scope: Scope, node: ast.Lambda) -> None:
    """Visit a lambda that is not bound to a name: the code that gets it may call it at once."""
    inner = _open(scope, node.args, late=False)
    visit(inner, node.body)
    scope.absorb(inner)
    scope.notes.code[id(node)] = inner


def named_lambda(scope: Scope, names: Iterable[str], node: ast.Lambda) -> None:
    """Visit `f = lambda: ...` at the top level or in a class: it defines a function, as `def` does."""
    inner = _open(scope, node.args, late=True)
    visit(inner, node.body)
    for name in names:
        scope.bind(name)
        scope.keep(name, inner.as_late())
        if scope.kind is ScopeKind.MODULE:
            scope.notes.definitions.add(name)


@visits(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
def comprehension(scope: Scope, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
    """Visit a comprehension: its first iterable is evaluated outside, all else in a scope of its own."""
    first = node.generators[0]
    visit(scope, first.iter)
    inner = Scope(ScopeKind.COMPREHENSION, scope.notes, scope, scope.passed_on(), scope.private)
    for generator in node.generators:
        if generator is not first:
            visit(inner, generator.iter)
        scope.notes.causes.iterated(generator.iter)
        if generator.is_async:
            note_await(scope)
        visit(inner, generator.target)
        visit_all(inner, generator.ifs)
    if isinstance(node, ast.DictComp):
        visit(inner, node.key)
        visit(inner, node.value)
    else:
        visit(inner, node.elt)
    scope.absorb(inner)
    if isinstance(node, ast.GeneratorExp):
        scope.notes.code[id(node)] = inner


def held(scope: Scope, node: ast.expr) -> DeferredAccess | None:
    """Return the deferred accesses of the functions that a value holds, also in containers, choices and wrappers."""
    if isinstance(node, (ast.Lambda, ast.GeneratorExp)):
        inner = scope.notes.code.get(id(node))
        return inner.as_late(whenever=True) if inner else None
    if isinstance(node, ast.Name):
        return scope.late.get(node.id)
    total = DeferredAccess()
    for part in _parts(node):
        late = held(scope, part)
        if late:
            total.add(late)
    return total if total != DeferredAccess() else None


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, (ast.Dict, ast.BoolOp)):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.ListComp, ast.SetComp)):
        return [node.elt]
    if isinstance(node, (ast.DictComp, ast.Starred, ast.NamedExpr)):
        return [node.value]
    if isinstance(node, ast.Call) and _tail(node.func) in _WRAPPERS:
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    return []


def _open(scope: Scope, args: ast.arguments, late: bool) -> Scope:
    """Visit the defaults in the outer scope; return the function's own scope with its parameters bound."""
    visit_all(scope, args.defaults)
    visit_all(scope, (default for default in args.kw_defaults if default))
    entry = NOTHING if late else scope.passed_on()
    inner = Scope(ScopeKind.FUNCTION, scope.notes, scope, entry, scope.private)
    for arg in _parameters(args):
        inner.bind(arg.arg)
    return inner


def _extends(scope: Scope, decorator: ast.expr) -> bool:
    """Return whether a decorator is `p.setter` of a property of this class, which reads and calls nothing else."""
    if not isinstance(decorator, ast.Attribute) or not isinstance(decorator.value, ast.Name):
        return False
    return decorator.attr in _ACCESSORS and scope.mangled(decorator.value.id) in scope.late


def _close(scope: Scope, name: str, inner: Scope) -> None:
    if scope.keeps_late:
        scope.keep(name, inner.as_late())
    else:
        scope.absorb(inner)


def _define(scope: Scope, name: str, decorators: list[ast.expr]) -> None:
    if scope.kind is ScopeKind.MODULE:
        scope.notes.definitions.add(name)
    if scope.keeps_late and any(_tail(decorator) not in _CALM for decorator in decorators):
        scope.load(name)  # a decorator may call what it gets


def _parameters(args: ast.arguments) -> list[ast.arg]:
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return named + [arg for arg in (args.vararg, args.kwarg) if arg]


def _tail(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
