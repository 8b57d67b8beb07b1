"""Versions of installed packages, read from folder names: importing `importlib.metadata` alone takes 60 ms."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..hashing import module_version


def versions(modules: tuple[str, ...]) -> dict[str, str]:
    """Return module -> version of the distribution that provides it, for modules outside the standard library.

    The version of a module that no distribution provides (one beside the notebook) is the digest of its source; that of
    a module that cannot be found is "missing". Nothing is imported.
    """
    return {module: _version(module) for module in sorted(modules) if module not in sys.stdlib_module_names}


def forget() -> None:
    """Clear the caches of this module: a notebook may have installed a package since."""
    for cached in (_version, provider, distributions):
        cached.cache_clear()
    importlib.invalidate_caches()


@cache
def _version(module: str) -> str:
    """Return a module's version. It is cached, since versions do not change during a run (but see `forget`)."""
    name = provider(module)
    return distributions()[name][0] if name else _source(module)


@cache
def provider(module: str) -> str:
    """Return the name of the distribution that provides a top-level module, "" if none does.

    Examples
    --------
    >>> provider("sklearn"), provider("no_such_module")
    ('scikit-learn', '')
    """
    folders = distributions()
    if normal(module) in folders:
        return normal(module)
    return next((name for name, (_, folder) in folders.items() if _provides(folder, module)), "")


@cache
def distributions() -> dict[str, tuple[str, Path]]:
    """Return distribution name -> (version, dist-info folder); the first on `sys.path` wins."""
    found: dict[str, tuple[str, Path]] = {}
    for entry in sys.path:
        for folder in _folders(Path(entry or ".")):
            name, _, version = folder.stem.partition("-")
            found.setdefault(normal(name), (version, folder))
    return found


def _folders(path: Path) -> Iterator[Path]:
    """Yield the `NAME-VERSION.dist-info` folders in a folder; PEP 376 and PEP 427 prescribe this name."""
    try:
        yield from (f for f in path.iterdir() if f.name.endswith(".dist-info"))
    except OSError:
        return


def normal(name: str) -> str:
    """Return a distribution's normalized name, as PEP 503 defines it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _provides(folder: Path, module: str) -> bool:
    """Whether a distribution installed files of a module, according to its RECORD (PEP 627)."""
    try:
        record = (folder / "RECORD").read_bytes()
    except OSError:
        return False
    name = module.encode()
    return any(record.startswith(name + end) or b"\n" + name + end in record for end in (b"/", b".py,", b".cpython-"))


def _source(module: str) -> str:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return "missing"
    origin = Path(spec.origin)
    files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    return module_version(file.read_bytes() for file in files)
