"""The files of the project, as the checks of the house read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mlops_jupyter"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """All files that are, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def modules() -> dict[Path, ast.Module]:
    """The package's Python files and their syntax trees."""
    return {
        path: ast.parse(path.read_text("utf-8")) for path in files() if path.suffix == ".py" and PACKAGE in path.parents
    }


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def imported_at_load(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of each module that is imported when the file is: not inside functions or for types only."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, Function):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"
