"""Purity of statements: the proof that one does nothing but bind names, so that a slice may leave it out.

A statement that is not proven pure counts as impure. The proof uses the text and what capture observed when the cell
ran, never a live value.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from enum import Enum

from mlops_jupyter.analysis.syntax.qualified_names import Qualified, qualified_name
from mlops_jupyter.analysis.syntax.vocabulary import words

LIBRARIES = words("matplotlib numpy pandas scipy sklearn") | (sys.stdlib_module_names - words("__future__ this"))
"""Modules whose import has no side effect that other code could see."""

VALUES = words("abs bool bytes chr float int len max min ord repr round str sum")
"""Builtins that return a number or text if their arguments are numbers and text."""

LOOKS = VALUES | words("display dict frozenset id isinstance list print range set sorted tuple type")
"""Builtins that only read their arguments, if reading does not change these."""

METHODS = words(
    "all any astype copy corr count describe endswith format get head info isna isnull items join keys lower max mean "
    "median min mode notna notnull nunique reshape round size split startswith std strip sum tail title to_dict "
    "to_list to_string tolist unique upper value_counts values var"
)
"""Methods that only read their object, if it was the same before and after the cell."""

FUNCTIONS = {
    "numpy": words("arange array asarray eye full linspace ones sqrt zeros"),
    "pandas": words("DataFrame Index Series Timestamp date_range to_datetime"),
    "math": words("ceil exp floor log log10 log2 pow prod sqrt"),
}
"""Module -> its functions that only make a new value of their arguments."""

_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue)
_SHAPES = (*_OPERATIONS, ast.Tuple, ast.List, ast.Slice)
_NOTES = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.expr_context,
)  # fmt: skip
"""Nodes of which a harmless annotation consists."""


class Purity(Enum):
    """What a statement is proven to do beside binding names."""

    NONE = "nothing"  # and the values that it binds depend only on what it names
    LOOK = "it looks at values"  # and the result may depend on options of libraries
    LOUD = "not known"


class PurityCheck:
    """Proves the purity of a cell's statements, one after another.

    Parameters
    ----------
    plain : names that hold a number or text when the cell begins.
    steady : names whose values are the same before and after the cell, in a cell that mutated nothing, so that reading
        them had no effect.
    shadowed : names that the notebook binds somewhere, which are therefore no builtins.
    shifting : names that functions of the notebook bind when they are called.
    origin : returns the import statement that bound a name.
    """

    def __init__(
        self,
        plain: Iterable[str],
        steady: Iterable[str],
        shadowed: frozenset[str],
        shifting: frozenset[str],
        origin: Qualified,
    ) -> None:
        self._plain = set(plain) - shifting
        self._steady = set(steady) - shifting
        self._made = set[str]()  # names of values that pure statements of this cell made by reading others
        self._shadowed = shadowed
        self._shifting = shifting
        self._origin = origin

    def take(self, node: ast.stmt, binds: Iterable[str]) -> Purity:
        """Return the purity of the next statement, and note the names that it binds."""
        bound = set(binds) - self._shifting
        purity = Purity.NONE if self._binds(node) else Purity.LOOK if self._only_looks(node) else Purity.LOUD
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        plain = value is not None and self._is_plain(value)
        looks = value is not None and self._looks(value)
        for known in (self._plain, self._steady, self._made):
            known.difference_update(binds)
        if purity is Purity.LOUD:
            self._made.clear()  # it may have mutated them
        elif plain:
            self._plain |= bound
        elif looks:
            self._made |= bound
        return purity

    def _binds(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=value):
                return self._pure(value)
            case ast.Assign(targets=targets, value=value):
                return all(_names(target, value) for target in targets) and self._pure(value)
            case ast.AnnAssign(target=ast.Name(), value=value, annotation=note):
                return _note(note) and (value is None or self._pure(value))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                return name in self._plain and self._is_plain(value)
            case ast.Import() | ast.ImportFrom():
                return quiet_import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return not node.decorator_list and self._signature(node.args, node.returns)
            case ast.ClassDef(bases=[], keywords=[], decorator_list=[], body=body):
                return all(self._in_class(inner) for inner in body)
        return isinstance(node, ast.Pass)

    def _only_looks(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=value):
                return self._looks(value)
            case ast.Assign(targets=targets, value=value):
                return all(_names(target, value) for target in targets) and self._looks(value)
        return False

    def _in_class(self, node: ast.stmt) -> bool:
        """Return whether a statement of a class body is pure; a bound object's `__set_name__` runs code, too."""
        value = getattr(node, "value", None)
        if value is None:
            return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Pass) and self._binds(node)
        return self._binds(node) and not any(isinstance(inner, ast.Name) for inner in ast.walk(value))

    def _signature(self, given: ast.arguments, returns: ast.expr | None) -> bool:
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        notes = [*(a.annotation for a in arguments if a), returns]
        defaults = [*given.defaults, *given.kw_defaults]
        return all(_note(note) for note in notes if note) and all(self._pure(value) for value in defaults if value)

    def _is_plain(self, node: ast.expr | None) -> bool:
        """Return whether an expression makes a number or text of such values, so that it runs no user code."""
        if isinstance(node, ast.Name):
            return node.id in self._plain
        if isinstance(node, ast.Call):
            return self._calls(node, VALUES) and not node.keywords and all(map(self._is_plain, node.args))
        if isinstance(node, _OPERATIONS):
            return all(map(self._is_plain, _inner(node)))
        return isinstance(node, ast.Constant)

    def _pure(self, node: ast.expr) -> bool:
        """Return whether evaluating an expression runs no user code, whatever its names hold."""
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return all(self._pure(element) for element in elements)
            case ast.Set(elts=elements):
                return all(self._is_plain(element) for element in elements)
            case ast.Dict(keys=keys, values=values):
                return all(self._is_plain(key) for key in keys) and all(self._pure(value) for value in values)
            case ast.Lambda(args=args):
                return self._signature(args, None)
            case ast.Call(args=args, keywords=[]):
                return self._calls(node, LOOKS) and all(self._is_plain(arg) for arg in args)
        return isinstance(node, ast.Name) or self._is_plain(node)

    def _looks(self, node: ast.expr) -> bool:
        """Return whether an expression only reads values that reading does not change, and makes new ones of them."""
        match node:
            case ast.Name(id=name):
                return name in self._steady or name in self._made or name in self._plain
            case ast.Attribute(value=value):
                return self._looks(value) or qualified_name(node, self._origin).partition(".")[0] in FUNCTIONS
            case ast.Subscript(value=value, slice=index):
                return self._looks(value) and self._looks(index)
            case ast.Dict(keys=keys, values=values):
                return all(self._is_plain(key) for key in keys) and all(self._looks(value) for value in values)
            case ast.Call(args=args, keywords=keywords):
                return self._known(node) and all(map(self._looks, [*args, *(keyword.value for keyword in keywords)]))
        return isinstance(node, ast.Constant) or (isinstance(node, _SHAPES) and all(map(self._looks, _inner(node))))

    def _known(self, node: ast.Call) -> bool:
        """Return whether the called function is known to only read its arguments."""
        if self._calls(node, LOOKS):
            return True
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and self._looks(node.func.value):
            return True
        module, _, name = qualified_name(node.func, self._origin).rpartition(".")
        return name in FUNCTIONS.get(module, ())

    def _calls(self, node: ast.Call, known: frozenset[str]) -> bool:
        return isinstance(node.func, ast.Name) and node.func.id in known and node.func.id not in self._shadowed


def _inner(node: ast.expr) -> Iterable[ast.expr]:
    return (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _names(target: ast.expr, value: ast.expr) -> bool:
    """Return whether an assignment binds names alone: `a`, or `a, b` to a tuple display of as many values."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return all(isinstance(element, ast.Name) for element in target.elts) and not any(
            isinstance(element, ast.Starred) for element in value.elts
        )
    return isinstance(target, ast.Name)


def _note(node: ast.expr) -> bool:
    return all(isinstance(inner, _NOTES) for inner in ast.walk(node))


def quiet_import(node: ast.Import | ast.ImportFrom) -> bool:
    """Return whether an import names what it binds, and has no side effect that other code could see."""
    if isinstance(node, ast.Import):
        return all(_quiet(alias.name) for alias in node.names)
    return not node.level and _quiet(node.module or "") and node.names[0].name != "*"


def _quiet(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES and module != "sklearn.experimental"
