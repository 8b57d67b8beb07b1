"""Modules of the project's own, which no distribution provides: they travel with the bundle, as source."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.runtime.model.package_versions import provider
from mlops_jupyter.services.pipeline.environment.requirements import top_modules

PACKAGE_BYTES = 20 * 2**20
"""A package of more is no helper; it is to be installed."""


def local_modules(modules: Iterable[str]) -> dict[str, bytes]:
    """Return path under `src/` -> content, for own modules among these and all own ones that they import.

    Raises
    ------
    UserError
        A module of which there is no source here, or too much of it.
    """
    found: dict[str, bytes] = {}
    done: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in done and not provider(module):
            done.add(module)
            files = _files(module)
            found |= files
            todo += imported(files)
    return found


def imported(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the top-level modules that Python files import."""
    return frozenset(m for path, data in files.items() if path.endswith(".py") for m in top_modules(data.decode()))


def with_imports(modules: Iterable[str], own: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return modules, and what the own ones among them import, directly or not: a step's result depends on all."""
    found: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo += imported({p: data for p, data in own.items() if p.split("/")[0] in (module, f"{module}.py")})
    return tuple(sorted(found))


def rewritten(modules: Iterable[str], history: Sequence[Execution]) -> dict[str, list[Path]]:
    """Return own module -> sources of it that were written after an execution imported it: that may have had others."""
    found: dict[str, list[Path]] = {}
    for module in sorted({module for module in modules if not provider(module)} - sys.stdlib_module_names):
        imports = re.compile(rf"^\s*(import|from)\b.*\b{re.escape(module)}\b", re.MULTILINE).search
        ends = [each.started + each.seconds for each in history if imports(each.body)]
        origin = _origin(module) if ends else None
        if origin is not None and origin.suffix == ".py" and origin.is_file():
            sources = [origin] if origin.name != "__init__.py" else sorted(origin.parent.rglob("*.py"))
            found[module] = [path for path in sources if path.stat().st_mtime > min(ends)]
    return found


def _files(module: str) -> dict[str, bytes]:
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        return {}  # an import that failed in the notebook too, and was caught there
    origin = _origin(module)
    if origin is None or origin.suffix != ".py":
        raise UserError(
            f"the module {module!r} belongs to no installed distribution and has no source to take along: "
            "install it as a package, then export"
        )
    if origin.name != "__init__.py":
        return {origin.name: origin.read_bytes()}
    paths = [p for p in sorted(origin.parent.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    if sum(p.stat().st_size for p in paths) > PACKAGE_BYTES:
        raise UserError(f"the package {module!r} is too large to take along: install it, then export")
    return {p.relative_to(origin.parent.parent).as_posix(): p.read_bytes() for p in paths}


def _origin(module: str) -> Path | None:
    """Where a module's source lies: of the one that ran, if it did."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file else None
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec and spec.origin else None
