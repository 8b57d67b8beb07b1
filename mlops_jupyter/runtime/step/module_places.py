"""Modules of the project that look for files beside their own: `__file__` stands in the tree that a step sees.

A bundle imports them from its own `src`, where their data is not, and where `--data` could not put other data.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.readers import FileReader
from pathlib import Path
from types import ModuleType
from typing import Any

from ..storage.atomic import replacing, write_atomic

INDEX = "modules.json"
"""The file in `initial` that says where they were: ``{module: folder, as seen from the notebook's folder}``."""


def lay_modules(package: Path, folder: Path) -> None:
    """Put the files of such modules into the tree, and have the modules imported as if they lay there.

    Parameters
    ----------
    package : folder of the pipeline's package.
    folder : the step's working directory.
    """
    try:
        index: dict[str, str] = json.loads((package / "initial" / INDEX).read_bytes())
    except FileNotFoundError:
        return
    sources = package.parent
    places = {module: folder / place for module, place in index.items()}
    for module, place in places.items():
        for path in (sources / f"{module}.py", *sorted((sources / module).rglob("*"))):
            if path.is_file() and "__pycache__" not in path.parts:
                _lay(path, place.resolve() / path.relative_to(sources))
    sys.meta_path.insert(0, _Finder(sources, places))
    steps = f"{package.name}.steps"
    for name in list(sys.modules):  # a process that was forked has them from its parent
        if name.partition(".")[0] in places or name == steps or name.startswith(f"{steps}."):
            del sys.modules[name]


def _lay(source: Path, target: Path) -> None:
    """Put a file where there is none; code as a copy, whose path leads nowhere else."""
    if target.exists():
        return
    if source.suffix == ".py":
        write_atomic(target, source.read_bytes(), fsync=False)
        return
    with replacing(target) as beside:
        beside.symlink_to(source.absolute())


class _Finder(MetaPathFinder):
    """Finds the project's modules where the bundle has them, and says that they are where the notebook had them."""

    def __init__(self, sources: Path, places: Mapping[str, Path]) -> None:
        self._sources = sources
        self._places = places

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of one of the modules, with its place in the tree as its origin."""
        place = self._places.get(fullname.partition(".")[0])
        spec = PathFinder.find_spec(fullname, path or [str(self._sources)], target) if place else None
        if place is None or spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        spec.origin = str(place.resolve() / Path(spec.loader.path).relative_to(self._sources))
        spec.loader = _Loader(fullname, spec.loader.path, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    """Reads a module's code where it is, and its resources where it seems to be."""

    def __init__(self, fullname: str, path: str, place: str) -> None:
        super().__init__(fullname, path)
        self._place = place

    def get_resource_reader(self, name: str | None = None) -> Any:
        """Return a reader of the module's resources, for `importlib.resources`."""
        return FileReader(SourceFileLoader(self.name, self._place))
