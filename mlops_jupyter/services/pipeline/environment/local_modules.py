"""Local modules: the project's own, which no distribution provides, travel with the bundle as source."""

from __future__ import annotations

import glob
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
from mlops_jupyter.runtime.hidden.registry import HOME
from mlops_jupyter.runtime.model.package_versions import provider
from mlops_jupyter.services.pipeline.environment.requirements import top_modules

LOOKS_BESIDE = re.compile(rb"\b(__file__|__path__|get_data|resources|getfile|getsourcefile)\b").search
"""Search a module's source for what tells where it lies."""

BY_NAME = re.compile(
    r"\b(import_module|__import__|runpy|run_path|run_module|spec_from_\w+|SourceFileLoader|exec_module|exec|eval)\s*\("
).search
"""Search a text for a call that may import modules whose names it does not spell out."""

QUOTED = re.compile(r"""["']([^\W\d]\w*?)(?:["'.]|\{|%)""").findall
"""Find the text constants, up to a field in them, that may begin a module's name."""

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


def loaded_by_name(texts: Iterable[str], project: Path) -> set[str]:
    """Return the project's modules that code may import by names which its text does not spell out.

    These are all that are loaded, where a text imports or runs what it makes up a name for, and the modules beside
    them whose names begin with the same text constant: `import_module("plug_" + name)`.
    """
    dynamic = [text for text in texts if BY_NAME(text)]
    if not dynamic:
        return set()
    roots = {project.resolve(), *(Path(entry).resolve() for entry in sys.path if entry not in HOME.path and entry)}
    names = {word for text in dynamic for word in QUOTED(text) if any((r / f"{word}.py").is_file() for r in roots)}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        source = Path(file).resolve() if file and file.endswith(".py") and "." not in name else None
        if source is not None and not provider(name) and roots & {source.parent, source.parent.parent}:
            names.add(name)
            said = [word for text in dynamic for word in QUOTED(text) if name.startswith(word)]
            names |= {beside.stem for word in said for beside in source.parent.glob(f"{glob.escape(word)}*.py")}
    return names - {"__main__", "__init__"} - sys.stdlib_module_names


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
    if origin is None and (portions := _portions(module)):
        return {path: data for portion in portions for path, data in _tree(module, portion).items()}
    if origin is None or origin.suffix != ".py":
        raise UserError(
            f"the module {module!r} belongs to no installed distribution and has no source to take along: "
            "install it as a package, then export"
        )
    if origin.name != "__init__.py":
        return {origin.name: origin.read_bytes()}
    return _tree(module, origin.parent)


def _tree(module: str, folder: Path) -> dict[str, bytes]:
    """Return the files of a package's folder: path from the folder above it -> content."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    if sum(p.stat().st_size for p in paths) > PACKAGE_BYTES:
        raise UserError(f"the package {module!r} is too large to take along: install it, then export")
    return {p.relative_to(folder.parent).as_posix(): p.read_bytes() for p in paths}


def _portions(module: str) -> list[Path]:
    """Return the folders of a namespace package, which has no file of its own; none of a module that is no package."""
    loaded = sys.modules.get(module) or importlib.util.find_spec(module)
    places = getattr(loaded, "__path__", None) or getattr(loaded, "submodule_search_locations", None) or ()
    return [Path(place) for place in places if next(Path(place).rglob("*.py"), None)]


def _origin(module: str) -> Path | None:
    """Return the path of a module's source: of the loaded module, if there is one."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file else None
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec and spec.origin else None
