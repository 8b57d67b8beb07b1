"""Local modules: the project's own, which no distribution provides, travel with the bundle as source."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.runtime.hidden.process import project_root
from mlops_jupyter.runtime.model.package_versions import provider
from mlops_jupyter.services.pipeline.environment.requirements import top_modules

LOOKS_BESIDE = re.compile(rb"\b(__file__|__path__|get_data|resources|getfile|getsourcefile)\b").search
"""Search a module's source for what tells where it lies."""

PACKAGE_BYTES = 20 * 2**20
"""Size in bytes above which a local package is refused: it is to be installed."""


def local_modules(modules: Iterable[str]) -> dict[str, bytes]:
    """Return the sources of the local modules among these, and of all local modules that they import.

    Returns
    -------
    Path under `src/` -> content.

    Raises
    ------
    UserError
        If a local module has no source here, or its package is too large.
    """
    sources: dict[str, bytes] = {}
    visited: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in visited and not provider(module):
            visited.add(module)
            files = _files(module)
            sources |= files
            todo += imported(files)
    return sources


def package_name(name: str) -> str:
    """Return the name of a bundle's package: as given, with `_pipeline` where it would hide what can be imported.

    Examples
    --------
    >>> package_name("numpy"), package_name("churn_of_customers")
    ('numpy_pipeline', 'churn_of_customers')
    """
    while name in sys.stdlib_module_names or provider(name) or _is_module(name):
        name += "_pipeline"
    return name


def _is_module(name: str) -> bool:
    """Say whether a module of that name can be imported; a folder without code, or a bundle's package, is none.

    Python's own finders would keep what they saw of a relative path, also when the working directory is another.
    """
    for folder in map(Path, sys.path):
        own = (folder / name / "__init__.py").is_file() and not (folder / name / "pipeline.py").is_file()
        if own or (folder / f"{name}.py").is_file():
            return True
    return False


def local_texts(modules: Iterable[str]) -> list[str]:
    """Return the texts of the local modules among these; one that cannot travel is left out, and refused later."""
    sources: dict[str, bytes] = {}
    for module in set(modules):
        with suppress(UserError):
            sources |= local_modules([module])
    return [data.decode() for path, data in sources.items() if path.endswith(".py")]


def imported(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the top-level modules that Python files import."""
    return frozenset(m for path, data in files.items() if path.endswith(".py") for m in top_modules(data.decode()))


def places(sources: Mapping[str, bytes], folder: Path) -> dict[str, str]:
    """Return local module -> the folder that holds it, seen from the notebook's, of those that may look beside it.

    Parameters
    ----------
    sources : the local modules' files, as `local_modules` returns them.
    folder : the notebook's folder.
    """
    root = project_root(folder)
    found: dict[str, str] = {}
    for module in dict.fromkeys(path.split("/")[0].removesuffix(".py") for path in sources):
        own = (data for path, data in sources.items() if path.split("/")[0] in (module, f"{module}.py"))
        origin = _origin(module) if any(map(LOOKS_BESIDE, own)) else None
        if origin is not None and origin.is_relative_to(root):
            home = origin.parent.parent if origin.name == "__init__.py" else origin.parent
            found[module] = Path(os.path.relpath(home, folder)).as_posix()
    return found


def with_imports(modules: Iterable[str], own: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the modules with all that the local ones among them import, directly or not: a step depends on all."""
    names: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in names:
            names.add(module)
            todo += imported({p: data for p, data in own.items() if p.split("/")[0] in (module, f"{module}.py")})
    return tuple(sorted(names))


def rewritten(modules: Iterable[str], history: Sequence[Execution]) -> dict[str, list[Path]]:
    """Return local module -> its sources that were written after an execution had imported the module."""
    sources_of: dict[str, list[Path]] = {}
    for module in sorted({module for module in modules if not provider(module)} - sys.stdlib_module_names):
        imports = re.compile(rf"^\s*(import|from)\b.*\b{re.escape(module)}\b", re.MULTILINE).search
        ends = [execution.started + execution.seconds for execution in history if imports(execution.body)]
        origin = _origin(module) if ends else None
        if origin is not None and origin.suffix == ".py" and origin.is_file():
            sources = [origin] if origin.name != "__init__.py" else sorted(origin.parent.rglob("*.py"))
            sources_of[module] = [path for path in sources if path.stat().st_mtime > min(ends)]
    return sources_of


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
    """Return the path of a module's source: of the loaded module, if there is one."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file else None
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec and spec.origin else None
