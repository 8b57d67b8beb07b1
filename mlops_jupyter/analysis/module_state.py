"""Modules that keep state of their own, and which cells use them: no name and no fingerprint shows that state.

A call of a function of such a module may change what a later one gives (`_ = duckdb.sql("insert ...")`,
`old = csv.field_size_limit(5)`, `ctx = decimal.getcontext(); ctx.prec = 4`), wherever it stands: assigned, in a block,
in a function. So each use of a module counts as reading and changing its state.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping, Sequence

from mlops_jupyter.analysis.syntax.qualified_names import root_name
from mlops_jupyter.analysis.syntax.vocabulary import words

STATEFUL = words(
    "asyncio atexit calendar codecs contextvars copyreg csv ctypes decimal email faulthandler gettext importlib locale "
    "mimetypes readline signal socket sqlite3 sys tempfile threading urllib xml"
)
"""Modules of the standard library with a state that calls set and that is no hidden variable."""

STATELESS = words(
    "IPython PIL altair bokeh category_encoders dask dateutil formulaic geopandas imblearn ipywidgets joblib "
    "lightgbm linearmodels matplotlib mlops_jupyter networkx numpy pandas patsy plotly polars pyarrow pytz scipy "
    "seaborn shapely sklearn statsmodels sympy torch tqdm umap xarray xgboost"
)
"""Libraries whose functions work on what they are given, or whose state is a hidden variable."""

Origin = Mapping[str, str]
"""Name -> the import statement that bound it somewhere in the notebook."""


def uses_of_modules(bodies: Sequence[Sequence[ast.stmt]], imports: Origin) -> list[frozenset[str]]:
    """Return for each cell the modules with a state that its statements use, also through functions and handles.

    A handle is a name that some cell binds to what a call of such a module returned.

    Examples
    --------
    >>> cells = ["import csv", "def f():\\n    csv.field_size_limit(5)", "x = 1", "if x:\\n    f()"]
    >>> [sorted(used) for used in uses_of_modules([ast.parse(cell).body for cell in cells], {"csv": "import csv"})]
    [[], [], [], ['csv']]
    """
    modules = {name: module for name, text in imports.items() if (module := _stateful(text))}
    if not modules:
        return [frozenset()] * len(bodies)
    known: dict[str, frozenset[str]] = {name: frozenset({module}) for name, module in modules.items()}
    while True:  # functions call functions, and handles are made of handles
        before = dict(known)
        for body in bodies:
            for statement in body:
                for name, used in _bound(statement, known):
                    known[name] = known.get(name, frozenset()) | used
        if before == known:
            return [frozenset().union(*(_used(statement, known) for statement in body)) for body in bodies]


def _stateful(text: str) -> str:
    """Return the module that an import statement loads if it may keep a state, "" if not."""
    if not text.startswith(("import ", "from ")):
        return ""
    module = text.split()[1].partition(".")[0]
    if module in sys.stdlib_module_names:
        return module if module in STATEFUL else ""
    return "" if module in STATELESS or not module else module


def _bound(statement: ast.stmt, known: Mapping[str, frozenset[str]]) -> Iterable[tuple[str, frozenset[str]]]:
    """Yield (name, modules) for names that a statement binds to functions or handles of modules."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        used = _names(statement, known)
        if used:
            yield statement.name, used
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Attribute):
            used = known.get(root_name(node.value), frozenset())
            if used:
                yield from ((target.id, used) for target in node.targets if isinstance(target, ast.Name))


def _used(statement: ast.stmt, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the modules that a statement uses when it runs; imports and definitions only bind."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset()
    return _names(statement, known)


def _names(node: ast.AST, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    loaded = (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))
    return frozenset().union(*(known.get(name, frozenset()) for name in loaded))
