"""The state before the first step: hidden variables and data files, from the bundle or from `--data`."""

from __future__ import annotations

import importlib.util
import json
import os
import posixpath
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import PipelineError
from ..hashing import file_digest, initial_value_digest, secret_digest
from ..hidden.names import ENVIRON, FILE
from ..hidden.registry import initial_file, read
from ..model.pipeline import Pipeline, Step, data_files
from ..secret_values import is_secret_variable

ABSENT = ""
"""The digest of a hidden variable without an initial value, which stays as it is in the process."""


class Initial:
    """Reads the initial values of hidden variables, and finds data files.

    A data file is looked up in the folder given with `--data`, then in the bundle (`initial/files`, a tree like that
    of the project), then at the place that `initial/files.json` recorded when the bundle was made:
    ``{PATH: {"bytes", "digest", "at"}}``.

    Parameters
    ----------
    data : folder given with `--data`, or None. It holds a file at its path, without the dots that lead up, or at its
        path from the root of the tree, or by its name alone if no other data file has that name.
    """

    def __init__(self, pipeline: Pipeline, data: Path | None) -> None:
        self.folder = package_folder(pipeline) / "initial"
        self.data = data
        self._place = pipeline.folder
        self._secrets = pipeline.secrets
        names = {name for step in pipeline.steps for name in step.inputs if name.startswith(FILE)}
        self._names = Counter(PurePosixPath(name.removeprefix(FILE)).name for name in names)
        if data is not None and not data.is_dir():
            raise PipelineError(f"no folder {str(data)!r}: give --data the folder that holds the data files")

    def digest(self, name: str) -> str:
        """Return the digest of a variable's initial value, or `ABSENT`; raise `PipelineError` if a file is missing."""
        if name.startswith(FILE):
            return _file_digest(self.file(name.removeprefix(FILE)))
        value = self.value(name)
        if name.startswith(ENVIRON):
            return environment_digest(name.removeprefix(ENVIRON), value, self._secrets)
        return value_digest(value)

    def recorded(self, path: str) -> str:
        """Return the digest that a data file had when the bundle was made, "" if it is not known."""
        if path in self._index():  # too large for the bundle, or outside the notebook's folder
            return str(self._index()[path].get("digest", ""))
        own = self.folder / initial_file(FILE + path, self._place)
        return _file_digest(own) if own.is_file() else ""

    def value(self, name: str) -> Any:
        """Return a variable's initial value as JSON, or None; an environment variable's may come from this process."""
        try:
            return json.loads((self.folder / initial_file(name)).read_bytes())
        except FileNotFoundError:
            return read(name) if name.startswith(ENVIRON) else None

    def has(self, name: str) -> bool:
        """Whether the bundle holds an initial value of a variable, which may be None."""
        return (self.folder / initial_file(name)).is_file()

    def file(self, path: str) -> Path:
        """Return the path of a data file that exists, or raise `PipelineError`."""
        if (found := self.find(path)) is not None:
            return found
        known = self._index().get(path, {})
        raise PipelineError(f"no data file {path!r}{self._lay(known)}: give the folder that holds it with --data DIR")

    def find(self, path: str) -> Path | None:
        """Return the path of a data file, None if it is nowhere; the last place is the folder of the command."""
        if (newer := self._newer(path)) is not None:
            return newer
        known = self._index().get(path, {})
        places = (self.folder / initial_file(FILE + path, self._place), Path(known.get("at", path)).absolute())
        return next((place for place in places if place.is_file()), None)

    def _newer(self, path: str) -> Path | None:
        """Return the file of the folder given with `--data` that takes the place of a data file, or None.

        Raises
        ------
        PipelineError
            A file has its name, but the code names its own by the whole path.
        """
        if self.data is None:
            return None
        by_name = self.data / PurePosixPath(path).name
        if PurePosixPath(path).is_absolute():
            if by_name.is_file() and by_name != Path(path):
                raise PipelineError(
                    f"{str(by_name)!r} cannot take the place of {path!r}, which the notebook names by its whole path: "
                    "name it from the notebook's folder, then export again"
                )
            return None
        for place in map(self.data.joinpath, self._exact(path)):
            if place.is_file():
                return place
        return by_name if self._names[by_name.name] <= 1 and by_name.is_file() else None

    def _exact(self, path: str) -> tuple[str, ...]:
        """Return where a folder of data files may hold a file: at its path, or at that from the root of the tree."""
        down = posixpath.normpath(path)
        while down.startswith("../"):
            down = down.removeprefix("../")
        return posixpath.normpath(posixpath.join(self._place, path)), down  # that of a whole tree means one file only

    def _lay(self, known: Mapping[str, Any]) -> str:
        if self.data:
            return f" in {str(self.data)!r}"
        return f" (the notebook read it from {known['at']!r})" if known.get("at") else ""

    def _index(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = json.loads((self.folder / "files.json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def check(self, steps: Iterable[Step]) -> None:
        """Raise `PipelineError` if a data file that one of the steps reads is missing."""
        for step in steps:
            for path in data_files(step.inputs):
                self.file(path)


def value_digest(value: object) -> str:
    """Return the digest of a hidden variable's initial value, given as JSON; `ABSENT` for None."""
    return ABSENT if value is None else initial_value_digest(value)


def environment_digest(name: str, value: Any, secrets: Container[str]) -> str:
    """Return the digest of an environment variable's value: a slow one of a secret, which must not be guessed from it.

    Parameters
    ----------
    secrets : names of the variables that hold secrets, whatever they are called.
    """
    if isinstance(value, str) and is_secret_variable(name, value, secrets):
        return secret_digest(name, value)
    return value_digest(value)


def package_folder(pipeline: Pipeline) -> Path:
    """Return the folder of the pipeline's package; raise `PipelineError` if the package cannot be imported."""
    spec = importlib.util.find_spec(pipeline.package)
    if spec is None or not spec.submodule_search_locations:
        raise PipelineError(
            f"no package {pipeline.package!r} to import: run in the bundle's src folder, or install the bundle"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _file_digest(path: Path) -> str:
    facts = path.stat()
    return _digest_of(os.fspath(path), facts.st_mtime_ns, facts.st_size)


@cache
def _digest_of(path: str, changed: int, size: int) -> str:
    """Return a file's digest. It is cached while the file's modification time (ns) and size (bytes) stay the same."""
    return file_digest(Path(path))
