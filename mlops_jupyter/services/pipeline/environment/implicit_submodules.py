"""Submodules that a cell uses without importing them, because another import of the notebook had loaded them."""

from __future__ import annotations

import ast
import re
import sys
import types
from functools import lru_cache
from pathlib import Path


def unnamed_imports(imports: str, text: str) -> list[str]:
    """Return import statements for the submodules that a text reaches as attributes of its imported packages.

    Submodules that the import of their package loads anyway are left out.

    Parameters
    ----------
    imports : import statements.
    text : the code that follows the imports.
    """
    statements: dict[str, None] = {}
    for node in ast.walk(ast.parse(imports)):
        for alias in node.names if isinstance(node, ast.Import) else ():
            package = alias.name if alias.asname else alias.name.partition(".")[0]
            name = alias.asname or package
            for attribute in re.findall(rf"(?<![\w.]){re.escape(name)}\.(\w+)", text):
                module = f"{package}.{attribute}"
                if isinstance(sys.modules.get(module), types.ModuleType) and not _comes_with(package, attribute):
                    statements[f"import {module}\n"] = None
    return list(statements)


@lru_cache(maxsize=256)
def _comes_with(package: str, name: str) -> bool:
    """Say whether a package loads a submodule itself: its own code imports it, or names it for lazy loading."""
    source = getattr(sys.modules.get(package), "__file__", None)
    if not source or not source.endswith(".py"):
        return True
    todo: list[ast.AST] = [ast.parse(Path(source).read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not _lists_names(node):
            todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Constant) and node.value == name:
            return True
        if isinstance(node, ast.ImportFrom):
            inside = node.level > 0 or node.module == package
            if (inside and any(alias.name == name for alias in node.names)) or f".{name}" in f".{node.module or ''}":
                return True
        if isinstance(node, ast.Import) and any(alias.name == f"{package}.{name}" for alias in node.names):
            return True
    return False


def _lists_names(node: ast.AST) -> bool:
    """Say whether a statement is `__all__ = [...]`, which imports nothing."""
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
