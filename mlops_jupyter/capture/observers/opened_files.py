"""Which files of the user's a cell opened, seen through Python's audit hook (PEP 578).

A hook cannot be taken away again, so there is one for the process, and it only looks while a cell runs.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SKIPPED_SUFFIXES = (".py", ".pyc", ".so", ".pth", ".ipynb", ".ttf", ".afm")
PACKAGES = (f"{os.sep}site-packages", f"{os.sep}dist-packages")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


@dataclass
class FileAccesses:
    """Absolute paths opened while a cell ran. A file written first and then read back counts as written only."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    """Some of `writes`: files that were removed."""

    def joined(self, other: FileAccesses) -> FileAccesses:
        """Return both together; what one of them saw written first was not read."""
        return FileAccesses(self.reads | (other.reads - self.writes), self.writes | other.writes, self.removed)


_opened: FileAccesses | None = None
_hooked = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in EVENTS and _opened is not None:
        EVENTS[event](args, _opened)


def _open(args: tuple[Any, ...], opened: FileAccesses) -> None:
    path, mode, flags = args
    if isinstance(path, os.PathLike | bytes):
        path = os.fsdecode(path)
    if isinstance(path, str) and not path.endswith(SKIPPED_SUFFIXES):
        path = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
        mode = mode if isinstance(mode, str) else ""
        if not (any(c in mode for c in "wx") or (not mode and flags & WRITING)) and path not in opened.writes:
            opened.reads.add(path)
        if any(c in mode for c in "wax+") or (not mode and flags & WRITING):
            opened.writes.add(path)


def _rename(args: tuple[Any, ...], opened: FileAccesses) -> None:
    source, target = (os.path.abspath(os.fsdecode(one)) for one in args[:2])  # noqa: PTH100
    _gone(source, opened)
    opened.writes.add(target)


def _database(args: tuple[Any, ...], opened: FileAccesses) -> None:
    """SQLite's own code reads and writes the file, when it likes."""
    if isinstance(args[0], str | bytes | os.PathLike):
        path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100
        if os.path.isfile(path):  # noqa: PTH113
            opened.reads.add(path)
        opened.writes.add(path)


def _remove(args: tuple[Any, ...], opened: FileAccesses) -> None:
    """`shutil.rmtree` gives a bare name and the folder's descriptor."""
    folder = os.getcwd() if args[1] == -1 else os.readlink(f"/proc/self/fd/{args[1]}")  # noqa: PTH109, PTH115
    path = os.path.join(folder, os.fsdecode(args[0]))  # noqa: PTH118
    _gone(path, opened)


def _gone(path: str, opened: FileAccesses) -> None:
    if path in opened.writes and path not in opened.reads:
        opened.writes.discard(path)  # the cell's own, and nobody else ever saw it
    elif os.path.isfile(path):  # noqa: PTH113
        opened.reads.add(path)
        opened.writes.add(path)
        opened.removed.add(path)


EVENTS = {"open": _open, "os.rename": _rename, "os.remove": _remove, "sqlite3.connect": _database}


def start() -> None:
    """Begin to note what is opened; what was noted before is dropped."""
    global _opened, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _opened = FileAccesses()


def stop() -> FileAccesses:
    """Stop noting, and return the user's own files among what was opened: absolute paths that exist."""
    global _opened
    opened, _opened = _opened or FileAccesses(), None
    if not opened.reads and not opened.writes:
        return opened
    foreign = _foreign()
    known = {p for p in opened.reads | opened.writes if p in opened.removed or os.path.isfile(p)}  # noqa: PTH113
    own = {p for p in known if _own(p, foreign)}
    return FileAccesses(opened.reads & own, opened.writes & own, opened.removed)


def _own(path: str, foreign: tuple[str, ...]) -> bool:
    path = os.path.abspath(path)  # noqa: PTH100
    return not path.startswith(foreign) and "/.mlops/" not in path


def _foreign() -> tuple[str, ...]:
    """Beginnings of paths: folders of the system, of Python and of temporary files, over which the working directory
    wins, and what is hidden in the user's home.
    """
    folders = {sys.prefix, sys.base_prefix, *site.getsitepackages(), *sysconfig.get_paths().values()}
    folders |= {path for path in sys.path if path.endswith(PACKAGES)}  # of another environment, which IPython lets in
    folders |= {"/proc", "/sys", "/dev", "/usr", "/etc", "/var/lib", "/lib", tempfile.gettempdir()}
    here = str(Path.cwd()) + os.sep
    roots = (f + os.sep for f in folders if not here.startswith(f.rstrip(os.sep) + os.sep))
    return (*roots, f"{Path.home()}{os.sep}.")
