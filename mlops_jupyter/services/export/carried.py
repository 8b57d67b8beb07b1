"""Which files of `runtime/` a bundle carries: what its steps call, and what that needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

ALWAYS = ("__init__", "command")


def files(rooms: Iterable[str]) -> dict[str, bytes]:
    """Return path -> content of the runtime's files that the named modules reach by relative imports."""
    everything = _everything()
    found: dict[str, bytes] = {}
    todo = [*ALWAYS, *rooms]
    while todo:
        module = todo.pop()
        for path in (f"{module}.py", f"{module}/__init__.py"):
            if path in everything and path not in found:
                found[path] = everything[path]
                todo += _relative(path, everything[path].decode())
    return dict(sorted(found.items()))


def _relative(path: str, text: str) -> Iterator[str]:
    """Yield the modules, as paths from `runtime/`, that a file imports relatively, wherever the import stands."""
    home = path.split("/")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = home[: len(home) - (node.level - 1)]
            module = [*base, *(node.module.split(".") if node.module else ())]
            yield "/".join(module)
            yield from ("/".join([*module, alias.name]) for alias in node.names)


@cache
def _everything() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    todo = [("", resources.files("mlops_jupyter.runtime"))]
    while todo:
        prefix, folder = todo.pop()
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name != "__pycache__":
                todo.append((f"{prefix}{entry.name}/", entry))
            elif entry.name.endswith(".py"):
                found[prefix + entry.name] = entry.read_bytes()
    return found
