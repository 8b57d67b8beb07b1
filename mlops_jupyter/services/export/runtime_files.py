"""The files of `runtime/` that a bundle carries: the modules that its steps import, and what these need.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

RELATIVE = re.compile(r"^[ \t]*from (\.+)([\w.]*) import (\([^)]*\)|[^\n#]*)", re.MULTILINE)
"""A relative import, as ruff formats it. (A syntax tree of every file would take a third of an export's time.)"""

ALWAYS = ("__init__", "cli.main")
"""Modules that every bundle carries."""


def files(rooms: Iterable[str]) -> dict[str, bytes]:
    """Return path -> content of the runtime's files that the named modules reach by relative imports."""
    everything = _everything()
    carried: dict[str, bytes] = {}
    todo = [*ALWAYS, *rooms]
    while todo:
        module = todo.pop().replace(".", "/")
        todo += filter(None, [module.rpartition("/")[0]])  # the packages that it lies in
        for path in (f"{module}.py", f"{module}/__init__.py"):
            if path in everything and path not in carried:
                carried[path] = everything[path]
                todo += _relative(path)
    return dict(sorted(carried.items()))


@cache
def _relative(path: str) -> tuple[str, ...]:
    """Return the modules, as paths from `runtime/`, that a file imports relatively, wherever the import stands."""
    home = path.split("/")[:-1]
    modules: list[str] = []
    for dots, module, names in RELATIVE.findall(_everything()[path].decode()):
        whole = [*home[: len(home) - (len(dots) - 1)], *filter(None, module.split("."))]
        modules += ["/".join(whole), *("/".join([*whole, name]) for name in re.findall(r"\w+", names))]
    return tuple(modules)


@cache
def _everything() -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    todo = [("", resources.files("mlops_jupyter.runtime"))]
    while todo:
        prefix, folder = todo.pop()
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name != "__pycache__":
                todo.append((f"{prefix}{entry.name}/", entry))
            elif entry.name.endswith(".py"):
                contents[prefix + entry.name] = entry.read_bytes()
    return contents
