"""No two modules of the runtime need each other, not even inside a function: what a bundle carries has floors."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.house.source import PACKAGE, modules

RUNTIME = PACKAGE / "runtime"


def module(path: Path) -> Path | None:
    """Return the file of a module or a package, None where there is none."""
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def needs(path: Path, tree: ast.Module) -> set[Path]:
    """Return the modules of the runtime that one imports, wherever the import stands but for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            found |= {module(home / alias.name) or module(home) or path for alias in node.names}
    return found - {path}


def test_the_runtime_has_no_circle() -> None:
    graph = {path: needs(path, ast.parse(path.read_text("utf-8"))) for path in modules() if RUNTIME in path.parents}
    assert len(graph) > 80
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(path.relative_to(RUNTIME).as_posix() for path in error.args[1])
        raise AssertionError(circle) from None
