"""Collect what code may change in place, from its syntax tree, without regard to the order of its statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mlops_jupyter.analysis.library_setup import CALLS
from mlops_jupyter.analysis.mutations import file_names
from mlops_jupyter.analysis.mutations.records import CallSite, FileUse, Mutations, Root, StateChange
from mlops_jupyter.analysis.mutations.sharing import call_site, constant_text, dotted_path, last_name, may_be, roots
from mlops_jupyter.analysis.mutations.vocabulary import (
    CHANGING_KEYWORDS,
    HARMLESS,
    IN_PLACE_FUNCTIONS,
    MUTATORS,
    OUTPUT_KEYWORDS,
    RESTORING,
)


def collect(tree: ast.Module) -> Mutations:
    """Return what a cell or module may change in place.

    Examples
    --------
    >>> collect(ast.parse("for row in rows:\\n    row['bad'] = True")).aliases
    {'row': frozenset({'rows'})}
    """
    collector = _Collector()
    for statement in tree.body:
        collector.is_last = statement is tree.body[-1]
        collector.visit(statement)
    return collector.result()


class _Collector(ast.NodeVisitor):
    """Visits one body of code. Functions that it defines get a collector each, whose free names count here, too."""

    def __init__(self, parameters: tuple[str, ...] = ()) -> None:
        self._parameters = parameters
        self._changed: set[Root] = set()
        self._suspected: set[Root] = set()
        self._calls: list[CallSite] = []
        self._aliases: dict[str, set[Root]] = {}
        self._state: set[StateChange] = set()
        self._mentioned: set[str] = set()
        self._bound: set[str] = set()
        self._declared: set[str] = set()
        self._returned: set[Root] = set()
        self._imports: dict[str, str] = {}
        self._files: set[FileUse] = set()
        self._texts: dict[str, set[str]] = {}
        self._functions: list[tuple[str, Mutations]] = []
        self._methods: list[tuple[str, Mutations]] = []
        self._depth = 0
        self._is_function = False
        self._restored = 0
        self._discarded: set[int] = set()
        self._statements: set[int] = set()
        self.is_last = False
        """Whether a cell's last statement is visited, which shows its result."""

    def result(self) -> Mutations:
        """Return what was collected."""
        own = (self._bound - self._declared) | set(self._parameters)
        local = frozenset(own) if self._is_function else frozenset()
        return Mutations(
            changed=frozenset(self._changed),
            suspected=frozenset(self._suspected),
            calls=tuple(dict.fromkeys(self._calls)),
            aliases={name: frozenset(shared) for name, shared in self._aliases.items()},
            state=frozenset(change for change in self._state if change.path[0] not in local),
            mentioned=frozenset(self._mentioned - local),
            rebound=frozenset(self._bound & self._declared),
            returned=frozenset(self._returned),
            parameters=self._parameters,
            local=local,
            imports=self._imports,
            files=frozenset(self._named_files()),
            texts={name: frozenset(found) for name, found in self._texts.items()},
            functions=tuple(self._functions),
            methods=tuple(self._methods),
        )

    def _named_files(self) -> Iterator[FileUse]:
        """Yield the files; a variable that the code binds itself counts as the names that it is bound to."""
        for file in self._files:
            names = self._texts.get(file.variable)
            yield from (FileUse(name, is_written=file.is_written) for name in names) if names else (file,)

    def visit_Constant(self, node: ast.Constant | ast.JoinedStr) -> None:
        """Note the name of a file."""
        self._files.update(FileUse(name) for name in file_names.texts(node))
        for part in getattr(node, "values", ()):  # of an f-string
            if isinstance(part, ast.FormattedValue):
                self.visit(part)

    visit_JoinedStr = visit_Constant

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name that is read."""
        if isinstance(node.ctx, ast.Load):
            self._mentioned.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Bind or change each target."""
        for target in node.targets:
            self._bind(target, node.value)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Bind or change the target, if there is a value."""
        if node.value is not None:
            self._bind(node.target, node.value)
            self.visit(node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Bind the target of `:=`."""
        self._bind(node.target, node.value)
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Change the target: a list grows where it is."""
        if isinstance(node.target, ast.Name):
            self._bound.add(node.target.id)
            self._changed.add(node.target.id)
        else:
            self._set(node.target)
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        """Change the objects whose items or attributes are deleted."""
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self._set(target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """Bind the loop's variables to what is iterated over."""
        self._bind(node.target, node.iter)
        self.visit(node.iter)
        self._block([*node.body, *node.orelse])

    visit_AsyncFor = visit_For

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Bind the variables of a comprehension."""
        self._bind(node.target, node.iter)
        self.visit(node.iter)
        for test in node.ifs:
            self.visit(test)

    def visit_While(self, node: ast.While) -> None:
        """Visit the test, then the blocks."""
        self.visit(node.test)
        self._block([*node.body, *node.orelse])

    def visit_If(self, node: ast.If) -> None:
        """Visit the test, then the blocks."""
        self.visit(node.test)
        self._block([*node.body, *node.orelse])

    def visit_Try(self, node: ast.Try) -> None:
        """Visit the blocks."""
        handled = (statement for handler in node.handlers for statement in handler.body)
        self._block([*node.body, *handled, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # type: ignore[assignment]

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """Bind what a context manager gives. Settings that it restores at its end are not changed."""
        restores = any(last_name(item.context_expr) in RESTORING for item in node.items)
        for item in node.items:
            if item.optional_vars is not None:
                self._bind(item.optional_vars, item.context_expr)
            self.visit(item.context_expr)
        self._restored += restores
        for statement in node.body:
            self.visit(statement)
        self._restored -= restores

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        """Bind the names of the patterns to the subject."""
        for case in node.cases:
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self._name(name, roots(node.subject))
        self.visit(node.subject)
        self._block([statement for case in node.cases for statement in case.body])

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """Note names that are not the function's own."""
        self._declared.update(node.names)

    visit_Nonlocal = visit_Global

    def visit_Import(self, node: ast.Import) -> None:
        """Note what a name stands for."""
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._imports[name] = f"import {alias.name} as {name}" if alias.asname else f"import {name}"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note what a name stands for."""
        for alias in node.names:
            self._imports[alias.asname or alias.name] = f"from {node.module} import {alias.name}"

    def visit_Return(self, node: ast.Return) -> None:
        """Note what a function gives back."""
        if node.value is not None:
            self._returned |= roots(node.value)
            self.visit(node.value)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        """Note what a generator gives out."""
        if node.value is not None:
            self._returned |= roots(node.value)
            self.visit(node.value)

    visit_YieldFrom = visit_Yield

    def visit_Expr(self, node: ast.Expr) -> None:
        """Note a call whose result nobody uses."""
        if isinstance(node.value, ast.Call):
            self._statements.add(id(node.value))
        if isinstance(node.value, ast.Call) and (self._depth or not self.is_last):
            self._discarded.add(id(node.value))
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """Change what known methods and functions change; note the call for what the code's own functions do."""
        site = call_site(node, is_discarded=id(node) in self._discarded)
        self._calls.append(site)
        self._files.update(file_names.written(node))
        path = dotted_path(node.func, through_calls=site.function in CALLS)
        key = constant_text(node.args[0]) if node.args else ""
        is_inside = self._depth > 0 or id(node) not in self._statements
        self._state_change(StateChange(path, is_call=True, key=key, in_block=is_inside))
        if site.is_method and site.function in MUTATORS:
            self._changed |= site.receiver
        elif site.is_discarded and site.is_method and site.function not in HARMLESS:
            self._suspected |= site.receiver
        if site.function in IN_PLACE_FUNCTIONS and site.positional:
            self._changed |= site.positional[0]
        for keyword in node.keywords:
            if keyword.arg in OUTPUT_KEYWORDS:
                self._changed |= roots(keyword.value)
            elif keyword.arg in CHANGING_KEYWORDS and may_be(keyword.value, CHANGING_KEYWORDS[keyword.arg]):
                self._changed |= site.receiver.union(*site.positional[:1])
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Collect a function's body apart; decorators and defaults run here."""
        for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(part)
        inner = self._inner(node.args, node.body)
        self._functions.append((node.name, inner))
        self._bound.add(node.name)
        if self._is_function:
            self._mentioned |= inner.mentioned
        elif node.decorator_list:
            self._mentioned.add(node.name)  # a decorator may call what it gets

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Collect a lambda apart. It has no name, so what it changes besides its parameters counts as changed here."""
        inner = self._inner(node.args, [ast.Return(node.body)])
        self._mentioned |= inner.mentioned
        self._changed |= {root for root in inner.changed if root not in inner.local}
        self._files |= inner.files
        self._functions.append(("", inner))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Visit the class's body, which runs here; its functions are methods."""
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)
        body = _Collector()
        for statement in node.body:
            body.visit(statement)
        self._methods += body._functions
        self._methods += body._methods
        made = (method for name, method in body._functions if name == "__init__")
        self._functions += [(node.name, replace(method, parameters=method.parameters[1:])) for method in made]
        self._mentioned |= body._mentioned
        self._bound.add(node.name)

    def _inner(self, args: ast.arguments, body: list[ast.stmt]) -> Mutations:
        names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        collector = _Collector((*names, *(arg.arg for arg in (args.vararg, args.kwarg) if arg)))
        collector._depth, collector._is_function = 1, True
        for statement in body:
            collector.visit(statement)
        result = collector.result()
        self._functions += result.functions
        self._methods += result.methods
        return result

    def _block(self, statements: Iterable[ast.stmt]) -> None:
        self._depth += 1
        for statement in statements:
            self.visit(statement)
        self._depth -= 1

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._name(target.id, roots(value))
            self._texts.setdefault(target.id, set()).update(file_names.bound_texts(value))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, value)
        elif isinstance(target, ast.Tuple | ast.List):
            items = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            values = items if len(items) == len(target.elts) else [value] * len(target.elts)
            for part, item in zip(target.elts, values, strict=True):
                self._bind(part, item)
        else:
            self._set(target)

    def _name(self, name: str, shared: Iterable[Root]) -> None:
        self._bound.add(name)
        self._aliases.setdefault(name, set()).update(root for root in shared if root != name)

    def _set(self, target: ast.expr) -> None:
        """Change the object an attribute or item of which is set or deleted."""
        if isinstance(target, ast.Tuple | ast.List | ast.Starred):
            for part in [target.value] if isinstance(target, ast.Starred) else target.elts:
                self._set(part)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._changed |= roots(target.value)
            is_item = isinstance(target, ast.Subscript)
            path = dotted_path(target.value if isinstance(target, ast.Subscript) else target, through_calls=not is_item)
            key = constant_text(target.slice) if isinstance(target, ast.Subscript) else ""
            self._state_change(StateChange(path, is_call=False, is_item=is_item, key=key, in_block=self._depth > 0))
            self.visit(target.value)
            if isinstance(target, ast.Subscript):
                self.visit(target.slice)

    def _state_change(self, change: StateChange) -> None:
        if change.path and not self._restored:
            self._state.add(change)
