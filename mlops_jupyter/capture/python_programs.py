"""Python files that a cell runs as programs or reads as text, with the project's files that these import.

A program that another process runs is not seen to import anything; its text says what it imports.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

PYTHON = ".py"


def words_of(command: Any) -> list[str]:
    """Return the words of a command, as `subprocess.Popen` takes it: a text, a path, or a sequence of these."""
    parts = [command] if isinstance(command, str | bytes | os.PathLike) else list(command)
    texts = [os.fsdecode(part) for part in parts if isinstance(part, str | bytes | os.PathLike)]
    return [word for text in texts for word in dict.fromkeys([text, *text.split()])]


def files_of(words: Sequence[str], folder: str) -> Iterator[str]:
    """Yield the absolute paths of the files that a command names, and of the module after `-m`.

    Examples
    --------
    >>> list(files_of(["python", "no such file"], "/"))
    []
    """
    for before, word in zip(("", *words), words, strict=False):
        names = [word]
        if before == "-m":
            parts = word.split(".")
            packages = [os.path.join(*parts[:count]) for count in range(1, len(parts) + 1)]  # noqa: PTH118
            names = [f"{packages[-1]}{PYTHON}", os.path.join(packages[-1], f"__main__{PYTHON}")]  # noqa: PTH118
            names += [os.path.join(package, f"__init__{PYTHON}") for package in packages]  # noqa: PTH118
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118
            with suppress(OSError, ValueError):  # a word may be too long for a path, or hold a null character
                if os.path.isfile(path):  # noqa: PTH113
                    yield path


def loaded_by_path(opened: Iterable[str], root: Path) -> set[str]:
    """Return the Python files below `root` that an import opened by their path, and not as a module of `sys.path`.

    Parameters
    ----------
    opened : files that imports opened: sources, or their compiled form.
    """
    own = {path for path in opened if path.startswith(str(root))}
    if not own:
        return set()
    sources = {source_from_cache(path) if path.endswith(".pyc") else path for path in own}
    named = {getattr(module, "__file__", None): name for name, module in list(sys.modules.items())}
    return {path for path in sources if not _is_module(Path(path), named.get(path, ""))}


def _is_module(path: Path, name: str) -> bool:
    """Say whether a file is where a module of that name is looked for."""
    parts = (path.parent if path.name == f"__init__{PYTHON}" else path.with_suffix("")).parts
    return bool(name) and parts[-name.count(".") - 1 :] == tuple(name.split(".")) and _is_on_path(path, name)


def _is_on_path(path: Path, name: str) -> bool:
    above = path.parents[name.count(".") + (path.name == f"__init__{PYTHON}")]
    return any(Path(entry).resolve() == above.resolve() for entry in sys.path)


def with_imported(paths: Iterable[str], root: Path) -> set[str]:
    """Return the paths, with the Python files below `root` that the Python files among them import."""
    found: set[str] = set()
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(Path(path), root) if path.endswith(PYTHON) else ()
    return found


def _imported(path: Path, root: Path) -> Iterator[str]:
    """Yield the files of the modules that a Python file imports: they lie beside it, or below `root`."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from _sources(names, (path.parent, root))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
            folders = (path.parents[node.level - 1],) if node.level else (path.parent, root)
            yield from _sources(names, folders)


def _sources(modules: Iterable[str], folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        for module in filter(None, modules):
            parts = module.split(".")
            for count in range(1, len(parts) + 1):
                place = folder.joinpath(*parts[:count])
                yield from (str(p) for p in (place.with_suffix(PYTHON), place / f"__init__{PYTHON}") if p.is_file())
