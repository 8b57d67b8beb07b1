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

from mlops_jupyter.capture.observers.opened_files import FileAccesses

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

Seen = dict[str, tuple[int, int]]


class ExternalFiles:
    """Looks before and after a cell, where there is reason to. Remembers which functions speak of which files."""

    def __init__(self) -> None:
        self._home = Path.cwd()
        self._ever: set[str] = set()
        self._speakers: dict[str, set[str]] = {}
        self._own: set[str] = set()
        self._endings: tuple[str, ...] = ()
        self._before: Seen | None = None

    def begin(self, text: str) -> None:
        """Look at the folder before a cell; costs nothing as long as no cell has mentioned such files."""
        self._own = set(KINDS.findall(text))
        self._ever |= self._own
        self._endings = ALL if SHELL.search(text) else _endings(self._ever)
        self._before = self._look() if self._endings or self._ever else None

    def end(self, text: str, reads: Iterable[str], definitions: Iterable[str]) -> FileAccesses:
        """Return what the cell may have read and has written, as absolute paths.

        Parameters
        ----------
        reads : names that the cell read, with those that the functions it called read.
        definitions : functions and classes that it defined.
        """
        before, self._before = self._before, None
        if before is None:
            return FileAccesses()
        for name in definitions:
            self._speakers[name] = self._own
        spoken = self._own.union(*(self._speakers.get(name, ()) for name in reads))
        after = self._look()
        written = {path for path, mark in after.items() if before.get(path) != mark}
        globs = [word for word in text.split() if GLOB.search(word)] if self._endings is ALL else []
        folders = {str(self._home / word) for word in WORD.split(text) if word} if self._endings is ALL else set()
        named = {path for path in before if self._endings is ALL and self._named(path, text, globs, folders)}
        read = named | {path for path in before if path.endswith(_endings(spoken))}
        return FileAccesses(reads=read, writes=written)

    def _named(self, path: str, text: str, globs: Iterable[str], folders: Set[str]) -> bool:
        """Whether a shell line names a file, by itself or by a pattern, or a folder below this one that it lies in."""
        folder, _, name = path.rpartition(os.sep)
        if name in text or any(fnmatchcase(name, glob.rpartition("/")[2]) for glob in globs):
            return True
        while len(folder) > len(str(self._home)):
            if folder in folders:
                return True
            folder = folder.rpartition(os.sep)[0]
        return False

    def _look(self) -> Seen:
        return listed(self._home, self._endings)


def listed(home: Path, endings: tuple[str, ...]) -> Seen:
    """Return the files of a folder, and of those in it, by whole path: when each changed, and its size."""
    found: Seen = {}
    left = MOST
    for folder, folders, names in os.walk(home):
        folders[:] = [f for f in folders if not f.startswith((".", "__")) and f != "node_modules"]
        left -= len(names)
        for name in names:
            if name.endswith(endings) and not name.startswith(".") and not name.endswith((".ipynb", ".pyc")):
                path = os.path.join(folder, name)  # noqa: PTH118
                with suppress(FileNotFoundError):  # gone since the folder was listed
                    facts = os.stat(path, follow_symlinks=False)  # noqa: PTH116
                    found[path] = (facts.st_mtime_ns, facts.st_size)
        if left < 0:
            break
    return found


def _endings(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple({ending for kind in kinds for ending in SUFFIXES.get(kind, ())})
