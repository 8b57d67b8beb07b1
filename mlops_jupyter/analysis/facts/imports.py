"""Visitors of imports."""

from __future__ import annotations

import ast

from mlops_jupyter.analysis.facts.scopes import Scope, ScopeKind
from mlops_jupyter.analysis.facts.visitor import visits


@visits(ast.Import)
def import_(scope: Scope, node: ast.Import) -> None:
    """Visit `import a.b`, which binds `a`, and `import a.b as c`, which binds `c`."""
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
    """Return both statements of `import a.b` and `import a.c`: both bind `a`, and each loads a module."""
    lines = before.split("\n") if before and before.startswith("import ") and " as " not in before else []
    return "\n".join(dict.fromkeys([*lines, text]))


@visits(ast.ImportFrom)
def import_from(scope: Scope, node: ast.ImportFrom) -> None:
    """Visit `from m import a as b`, which binds `b`; what `from m import *` binds is known only when it runs."""
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
