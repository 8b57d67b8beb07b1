"""Statements that set up a library: their effect is in no variable, so other processes must repeat them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlops_jupyter.analysis.syntax.vocabulary import words
from mlops_jupyter.core.hidden_names import (
    CSV_DIALECTS,
    DECIMAL_CONTEXT,
    LOCALE,
    LOGGER_LEVELS,
    NUMPY_PRINT,
    PANDAS_OPTIONS,
    RECURSION_LIMIT,
)

CALLS = words(
    "setLevel basicConfig captureWarnings disable enable extension pandas setrecursionlimit setlocale init_printing "
    "set_verbosity set_verbosity_error set_verbosity_warning set_num_threads set_default_dtype set_default_device "
    "set_float32_matmul_precision use_deterministic_algorithms enable_notebook disable_notebook patch_sklearn "
    "disable_max_rows disable_progress_bar set_float_format"
)
"""Last names of calls that only set something up, unless capture observes the effect (as of pandas' options)."""

FUNCTIONS = frozenset({("copyreg", ("pickle",)), ("copyreg", ("constructor",)), ("copyreg", ("add_extension",))})
"""Functions of modules that only set something up, and whose last names say nothing of it."""

WATCHED = words("options rcParams environ path argv")
"""Attributes whose state capture observes and carries as a value."""

OPTIONS = {
    "set_option": PANDAS_OPTIONS,
    "reset_option": PANDAS_OPTIONS,
    "set_printoptions": NUMPY_PRINT,
    "setLevel": LOGGER_LEVELS,
    "setlocale": LOCALE,
    "setrecursionlimit": RECURSION_LIMIT,
    "register_dialect": CSV_DIALECTS,
    "unregister_dialect": CSV_DIALECTS,
}
"""Last names of calls that set options which capture observes -> their hidden variable."""


def sets_up(node: ast.stmt) -> str:
    """Return the name of the library that a statement sets up; "" for any other statement.

    The caller must check that the name stands for a library.

    Examples
    --------
    >>> [sets_up(node) for node in ast.parse("math.tau = 6\\nlogging.getLogger('a').setLevel(9)\\nx = 1").body]
    ['math', 'logging', '']
    """
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        roots = {_root(t) if isinstance(t, ast.Attribute) else "" for t in targets}
        return roots.pop() if len(roots) == 1 else ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _called(node.value)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        registered = (_root(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list if _registers(d))
        return next(filter(None, registered), "")
    return ""


def sets_option(node: ast.stmt) -> tuple[str, str]:
    """Return the name of the library whose option a statement sets, and the hidden variable that carries the option.

    Both are "" for any other statement. An option whose value is a function is not carried: its statement is repeated.

    Examples
    --------
    >>> [sets_option(node) for node in ast.parse("pd.set_option('a', f)\\npd.options.a = f\\npd.f('a')").body]
    [('pd', '~pandas.options'), ('pd', '~pandas.options'), ('', '')]
    """
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        func = node.value.func
        last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        return (_first_name(func), OPTIONS[last]) if last in OPTIONS else ("", "")
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        path = [part.attr for part in _path(node.targets[0]) if isinstance(part, ast.Attribute)]
        first = _first_name(node.targets[0])
        if "getcontext" in (first, *path):
            return first, DECIMAL_CONTEXT
        return (first, PANDAS_OPTIONS) if "options" in path[1:] else ("", "")
    return "", ""


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        first = call.args[0] if call.args and call.func.id == "setattr" else None
        return _root(first) if isinstance(first, ast.Attribute | ast.Name) else ""
    if isinstance(call.func, ast.Attribute) and (call.func.attr in CALLS or _registers(call)):
        return _root(call.func)
    path = tuple(part.attr for part in _path(call.func) if isinstance(part, ast.Attribute))
    return _first_name(call.func) if (_first_name(call.func), path) in FUNCTIONS else ""


def _registers(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    return isinstance(func, ast.Attribute) and func.attr.startswith("register")


def _root(node: ast.expr) -> str:
    """Return the name at the root of a path of attributes and calls; "" if capture observes a part of the path."""
    watched = any(isinstance(part, ast.Attribute) and part.attr in WATCHED for part in _path(node))
    return "" if watched else _first_name(node)


def _first_name(node: ast.expr) -> str:
    *_, first = _path(node)
    return first.id if isinstance(first, ast.Name) else ""


def _path(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a path of attributes and calls, the last one first."""
    yield node
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
        yield node
