"""Files that are opened outside of Python: by compiled readers (parquet, HDF5, …) and by shell commands.

No audit event tells of them. They are told by what cells mention, and by looking at the folder before and after: a
cell that mentions such a kind of file, or calls a function of a cell that did, has read the files of that kind that
were there, and has written those that are new or changed. A file too many is possible; it only adds an edge.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Set
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.observer import NOTHING, Accesses
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.capture.python_programs import with_imported

KINDS = re.compile(
    r"parquet|feather|arrow|\borc\b|hdf|\bh5|netcdf|\.nc\b|zarr|duckdb|save_model|load_model|\.ubj\b|\.pt\b|safetensors"
)
SUFFIXES = {
    "parquet": (".parquet", ".pq"), "feather": (".feather",), "arrow": (".arrow", ".feather", ".parquet"),
    "orc": (".orc",), "hdf": (".h5", ".hdf", ".hdf5"), "h5": (".h5", ".hdf5"), "netcdf": (".nc",), ".nc": (".nc",),
    "zarr": (), "duckdb": (".duckdb", ".db", ".parquet"), "save_model": (".json", ".ubj", ".bin", ".txt", ".cbm"),
    "load_model": (".json", ".ubj", ".bin", ".txt", ".cbm"), ".ubj": (".ubj",), ".pt": (".pt",),
    "safetensors": (".safetensors",),
}  # fmt: skip
"""What cells say -> the endings of the files that it may be about."""

SHELL = re.compile(r"^\s*!|^\s*\w+\s*=\s*!|^%%(bash|sh|script)|subprocess|os\.system", re.MULTILINE)

GLOB = re.compile(r"[*?]")
WORD = re.compile(r"[\s'\"=;|&()<>]+")
"""What stands between the words of a shell line."""

ALL = ("",)
MOST = 5000
"""Entries of the folder that are looked at."""

FileStates = dict[str, tuple[int, int]]


class ExternalFiles:
    """Lists the folder before and after a cell, where there is reason to.

    Remembers which functions speak of which kinds of files.
    """

    def __init__(self, files: FileVariables) -> None:
        self._files = files
        self._folder = files.folder
        self._ever: set[str] = set()
        self._speakers: dict[str, set[str]] = {}
        self._own: set[str] = set()
        self._endings: tuple[str, ...] = ()
        self._before: FileStates | None = None

    def before(self, cell: ActiveCell) -> None:
        """List the folder before a cell; costs nothing as long as no cell has mentioned such files."""
        self._own = set(KINDS.findall(cell.body))
        self._ever |= self._own
        self._endings = ALL if SHELL.search(cell.body) else _endings(self._ever)
        self._before = listed(self._folder, self._endings) if self._endings or self._ever else None

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the files that the cell may have read and has written."""
        before, self._before = self._before, None
        if before is None:
            return NOTHING
        for name in cell.facts.definitions:
            self._speakers[name] = self._own
        spoken = self._own.union(*(self._speakers.get(name, ()) for name in cell.reads))
        now = listed(self._folder, self._endings)
        written = {path for path, state in now.items() if before.get(path) != state}
        read = {path for path in before if path.endswith(_endings(spoken))}
        if self._endings is ALL:
            read |= with_imported(self._named(before, cell.body), self._folder)
        return self._files.accesses(read, written)

    def _named(self, paths: Iterable[str], text: str) -> set[str]:
        """Return the files that a shell line names, by themselves, by a pattern, or by a folder that they lie in."""
        globs = [word for word in text.split() if GLOB.search(word)]
        folders = {str(self._folder / word) for word in WORD.split(text) if word}
        return {path for path in paths if self._is_named(path, text, globs, folders)}

    def _is_named(self, path: str, text: str, globs: Iterable[str], folders: Set[str]) -> bool:
        """Whether a shell line names a file, by itself or by a pattern, or a folder below this one that it lies in."""
        folder, _, name = path.rpartition(os.sep)
        if name in text or any(fnmatchcase(name, glob.rpartition("/")[2]) for glob in globs):
            return True
        while len(folder) > len(str(self._folder)):
            if folder in folders:
                return True
            folder = folder.rpartition(os.sep)[0]
        return False


def listed(root: Path, endings: tuple[str, ...]) -> FileStates:
    """Return the files of a folder, and of those in it, by whole path: when each changed, and its size."""
    states: FileStates = {}
    left = MOST
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith((".", "__")) and f != "node_modules"]
        left -= len(names)
        for name in names:
            if name.endswith(endings) and not name.startswith(".") and not name.endswith((".ipynb", ".pyc")):
                path = os.path.join(folder, name)  # noqa: PTH118
                with suppress(FileNotFoundError):  # gone since the folder was listed
                    stat = os.stat(path, follow_symlinks=False)  # noqa: PTH116
                    states[path] = (stat.st_mtime_ns, stat.st_size)
        if left < 0:
            break
    return states


def _endings(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple({ending for kind in kinds for ending in SUFFIXES.get(kind, ())})
