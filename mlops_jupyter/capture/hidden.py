"""Hidden variables around a cell: random states, environment, options, and the files it opened."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from mlops_jupyter.capture.files import Opened
from mlops_jupyter.runtime.hashing import watched_file_digest
from mlops_jupyter.runtime.state import FILE, names_now
from mlops_jupyter.runtime.watch import RANDOM, Watch

OPTIONS = frozenset({"~pandas.options", "~sklearn.config", "~matplotlib.rc"})
"""Those of which it can be told whether somebody has set them: their values are what differs from the defaults."""

HASHED_BYTES = 64 * 2**20
"""A file up to this size is told by its content, a larger one by its size and time of change."""


class Hidden:
    """What a cell did to state that it does not name. Relative paths count from where recording began."""

    def __init__(self) -> None:
        self._watch = Watch()
        self._home = Path.cwd()
        self._written: set[str] = set()
        self._set_before = {name for name in OPTIONS & names_now() if self._watch.initial(name)}

    def mark(self) -> None:
        """Take the state now as that before the cell."""
        self._watch.mark()

    def initial(self, name: str) -> object:
        """Return the value a variable had before recording began, or when its library was imported."""
        return self._watch.initial(name)

    def close(self) -> None:
        """Stop looking at imports."""
        self._watch.close()

    def changes(self, opened: Opened, text: str) -> tuple[set[str], dict[str, str]]:
        """Return what the cell read and what it wrote, each written one with a fingerprint.

        A random state that moved was read too, since where it went depends on where it was. A cell that names a file
        which an earlier cell wrote or removed has read it: no event tells who asked whether it is there. Options that
        were set before recording began may be read by any cell.
        """
        changed = self._watch.changed()
        reads = {*self._set_before, *(changed & RANDOM), *map(self.file, opened.reads)}
        writes = dict.fromkeys(sorted(changed), "state")
        files = {self.file(path): _content(Path(path)) for path in sorted(opened.writes)}
        reads |= {name for name in self._written - files.keys() if _names(text, name.removeprefix(FILE))}
        self._written |= files.keys()
        writes |= files
        return reads, writes

    def file(self, path: str) -> str:
        """Return the hidden variable of a file: its path from home, or its whole path if it lies elsewhere."""
        where = Path(path).resolve()
        home = self._home.resolve()
        return FILE + (where.relative_to(home).as_posix() if where.is_relative_to(home) else where.as_posix())


def _names(text: str, path: str) -> bool:
    """Whether a cell's text names a file, or in quotes a folder that it lies in."""
    where = PurePosixPath(path)
    folders = (str(folder) for folder in where.parents if str(folder) not in (".", "/"))
    return where.name in text or any(f"{quote}{folder}" in text for folder in folders for quote in "'\"")


def _content(path: Path) -> str:
    if not path.exists():
        return "removed"
    facts = path.stat()
    if facts.st_size > HASHED_BYTES:
        return f"{facts.st_size}@{facts.st_mtime_ns}"
    return watched_file_digest(path.read_bytes())
