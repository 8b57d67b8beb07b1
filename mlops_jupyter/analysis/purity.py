"""Which statements do nothing but bind names: proof that one may be left out where nobody reads what it binds.

What is not proven is not silent. The proof knows the text and what was seen when the cell ran, never a live value.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from enum import Enum

from mlops_jupyter.analysis.syntax.qualified_names import Qualified, qualified_name
from mlops_jupyter.analysis.syntax.vocabulary import words

LIBRARIES = words("matplotlib numpy pandas scipy sklearn") | (sys.stdlib_module_names - words("__future__ this"))
"""Modules whose import changes nothing that other code could see."""

VALUES = words("abs bool bytes chr float int len max min ord repr round str sum")
"""Builtins that make a number or text of numbers and text."""

LOOKS = VALUES | words("display dict frozenset id isinstance list print range set sorted tuple type")
"""Builtins that only look at values which looking does not change."""

METHODS = words(
    "all any astype copy corr count describe endswith format get head info isna isnull items join keys lower max mean "
    "median min mode notna notnull nunique reshape round size split startswith std strip sum tail title to_dict "
    "to_list to_string tolist unique upper value_counts values var"
)
"""Methods that only look, of objects that were the same before and after."""

FUNCTIONS = {
    "numpy": words("arange array asarray eye full linspace ones sqrt zeros"),
    "pandas": words("DataFrame Index Series Timestamp date_range to_datetime"),
    "math": words("ceil exp floor log log10 log2 pow prod sqrt"),
}
"""Functions of libraries that only make a value of what they are given."""

_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue)
_SHAPES = (*_OPERATIONS, ast.Tuple, ast.List, ast.Slice)
_NOTES = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.expr_context,
)  # fmt: skip
"""What annotations are made of."""


class Purity(Enum):
    """What a statement does beside binding names, as far as can be proven."""

    NONE = "nothing"  # nor does what it binds depend on anything that it does not name
    LOOK = "it looks at values"  # which may depend on options of libraries
    LOUD = "not known"


class PurityCheck:
    """Goes through a cell's statements in order and says of each what it does beside binding names.

    Parameters
    ----------
    plain : names that hold a number or text when the cell begins.
    steady : names of values that were there before the cell and that are the same after it, in a cell that changed
        nothing in place, so that looking at them did nothing.
    shadowed : names that the notebook binds somewhere: they are no builtins.
    shifting : names that functions of the notebook bind when they are called.
    origin : tells what the cell's names were imported from.
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
        self._made = set[str]()  # names of values that silent statements of this cell made by looking
        self._shadowed = shadowed
        self._shifting = shifting
        self._origin = origin

    def take(self, node: ast.stmt, binds: Iterable[str]) -> Purity:
        """Say what the next statement does; take in what it binds."""
        bound = set(binds) - self._shifting
        sound = Purity.NONE if self._binds(node) else Purity.LOOK if self._only_looks(node) else Purity.LOUD
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        plain = value is not None and self._is_plain(value)
        seen = value is not None and self._looks(value)
        for known in (self._plain, self._steady, self._made):
            known.difference_update(binds)
        if sound is Purity.LOUD:
            self._made.clear()  # it may have put anything into them
        elif plain:
            self._plain |= bound
        elif seen:
            self._made |= bound
        return sound

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
        """Whether a statement of a class body is silent; an object that it binds may be told so (`__set_name__`)."""
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
        """Whether an expression makes a number or text of such, so that no code of anybody's runs."""
        if isinstance(node, ast.Name):
            return node.id in self._plain
        if isinstance(node, ast.Call):
            return self._calls(node, VALUES) and not node.keywords and all(map(self._is_plain, node.args))
        if isinstance(node, _OPERATIONS):
            return all(map(self._is_plain, _inner(node)))
        return isinstance(node, ast.Constant)

    def _pure(self, node: ast.expr) -> bool:
        """Whether evaluating an expression runs nobody's code, whatever its names hold."""
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
        """Whether an expression only looks at values that looking does not change, and makes others of them."""
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
        """Whether a call is of something that only looks at what it is given."""
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
    """Whether an assignment binds names alone: `a`, or `a, b` to as many values written out."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return all(isinstance(element, ast.Name) for element in target.elts) and not any(
            isinstance(element, ast.Starred) for element in value.elts
        )
    return isinstance(target, ast.Name)


def _note(node: ast.expr) -> bool:
    return all(isinstance(inner, _NOTES) for inner in ast.walk(node))


def quiet_import(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import binds names it says, and changes nothing that other code could see."""
    if isinstance(node, ast.Import):
        return all(_quiet(alias.name) for alias in node.names)
    return not node.level and _quiet(node.module or "") and node.names[0].name != "*"


def _quiet(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES and module != "sklearn.experimental"
