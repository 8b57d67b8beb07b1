"""Files as hidden variables, `~file:PATH`: their names, and what tells one content from another."""

from __future__ import annotations

import tempfile
from collections.abc import Container, Iterable
from pathlib import Path, PurePosixPath

from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.runtime.hashing import watched_file_digest

HASHED_BYTES = 64 * 2**20
"""A file up to this size is told by its content, a larger one by its size and time of change."""


class FileVariables:
    """Turns paths into hidden variables, for all observers of files. Remembers which of them cells have written.

    Relative paths count from the folder in which recording began.
    """

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.written: set[str] = set()
        self._generated: set[Path] = set()
        temporary = tempfile.gettempdir()
        inside = self.folder.resolve().is_relative_to(Path(temporary).resolve())
        self._temporary = () if inside else (f"{self.variable(temporary)}/",)

    def accesses(self, reads: Iterable[str], writes: Iterable[str], discarded: Container[str] = ()) -> Accesses:
        """Return accesses to files, given by their paths; what is written is remembered, and is there as it is now."""
        written = {self.variable(path): self._mark(Path(path), path in discarded) for path in sorted(writes)}
        self.written |= written.keys()
        read = {self.variable(path) for path in reads}
        return Accesses(read, written) if read or written else NOTHING

    def variable(self, path: str) -> str:
        """Return the hidden variable of a file: its path from our folder, or its whole path if it lies elsewhere."""
        where = Path(path).resolve()
        folder = self.folder.resolve()
        return FILE + (where.relative_to(folder).as_posix() if where.is_relative_to(folder) else where.as_posix())

    def mentions(self, text: str, variable: str) -> bool:
        """Whether a cell's text names a file, or in quotes a folder that it lies in; the temporary one says nothing."""
        path = PurePosixPath(variable.removeprefix(FILE))
        folders = (str(f) for f in path.parents if str(f) not in (".", "/") and f"{FILE}{f}/" not in self._temporary)
        return path.name in text or any(f"{quote}{folder}" in text for folder in folders for quote in "'\"")

    def is_temporary(self, variable: str) -> bool:
        """Whether a variable is a file in the system's temporary folder; of a notebook in that folder none is."""
        return variable.startswith(self._temporary)

    def add_generated(self, paths: Iterable[str]) -> None:
        """Remember files and folders that are there and whose names `tempfile` made up: each run has others."""
        self._generated |= {path.resolve() for path in map(Path, paths) if path.exists()}

    def _mark(self, path: Path, discarded: bool) -> str:
        where = path.resolve() if self._generated else path
        is_generated = not self._generated.isdisjoint((where, *where.parents))
        if not path.exists():
            return Mark.DISCARDED if is_generated and discarded else Mark.REMOVED
        return Mark.UNKNOWN if is_generated else _content(path)


def _content(path: Path) -> str:
    stat = path.stat()
    if stat.st_size > HASHED_BYTES:
        return f"{stat.st_size}@{stat.st_mtime_ns}"
    return watched_file_digest(path.read_bytes())
