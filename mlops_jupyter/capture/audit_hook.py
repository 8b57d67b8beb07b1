"""Python's audit hook (PEP 578): which files the process opens, renames and removes while a cell runs.

A hook cannot be taken away again, so there is one for the process, and it only looks while a cell runs. It never
raises, since that would stop whatever the user's code was about to do: where it cannot tell which file is meant, it
says so in `OpenedPaths.fault`.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_jupyter.capture.python_programs import PYTHON, files_of, words_of

SKIPPED_SUFFIXES = (".pyc", ".so", ".pth", ".ipynb", ".ttf", ".afm")
IMPORTERS = ("importlib", "tokenize", "linecache", "zipimport", "pkgutil", "IPython", "inspect")
"""Packages that open Python files to import them, to run them as code, or to show their lines."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
KEPT_BYTES = 64 * 2**20
"""A file up to this size is kept as it was before a cell changed it."""

NO_DESCRIPTOR = -1
"""Stands in events for the working directory, where another folder would be given by its descriptor."""

CELLS_OPEN = "_modified_open"
"""The name of IPython's function that cells have in the place of `open`."""

CALLER = 2
"""The frame of what raised an event, from that of the event's handler on: the handler, the hook, `shutil.rmtree`."""

IMPORTLIB = "<frozen importlib"


@dataclass
class OpenedPaths:
    """Absolute paths that were used while a cell ran. A file written first and then read back counts as written only.

    Attributes
    ----------
    removed : those of the writes that were removed.
    discarded : those of them that were removed with `shutil.rmtree(..., ignore_errors=True)`, unread till then: it
        comes to the same if they are not there.
    generated : files and folders whose names `tempfile` made up.
    imported : Python files that an import opened, or their compiled form, as the import named them.
    programs : Python files that a command named, which another process may run.
    owned : those folders of them that an object removes when it goes (`TemporaryDirectory`).
    trees : folders that `shutil.rmtree` removed, all symbolic links followed.
    listed : folders whose entries were asked for, but for an import.
    inputs : files that earlier cells read and none wrote: what is in them is kept before it is overwritten.
    originals : what was in such a file, and in one that this cell read or adds to.
    fault : why some use of a file was not seen; "" as a rule.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    generated: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    owned: set[str] = field(default_factory=set)
    trees: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    inputs: Set[str] = frozenset()
    originals: dict[str, bytes] = field(default_factory=dict)
    fault: str = ""


_opened: OpenedPaths | None = None
_hooked = False


def start(inputs: Set[str] = frozenset()) -> None:
    """Begin to note paths; those noted before are dropped.

    Parameters
    ----------
    inputs : see `OpenedPaths`.
    """
    global _opened, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _opened = OpenedPaths(inputs=inputs)


def stop() -> OpenedPaths:
    """Stop noting paths, and return those noted."""
    global _opened
    opened, _opened = _opened or OpenedPaths(), None
    return opened


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in EVENTS and (opened := _opened) is not None:
        try:
            EVENTS[event](args, opened)
        except Exception as fault:  # it would come out of the user's own call
            opened.fault = f"it used a file that could not be told ({type(fault).__name__})"


def _open(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    path, mode, flags = args
    if isinstance(path, os.PathLike | bytes):
        path = os.fsdecode(path)
    mode = mode if isinstance(mode, str) else ""
    if not isinstance(path, str):
        return
    writes = any(c in mode for c in "wax+") or (not mode and flags & WRITING)
    if path.endswith((PYTHON, ".pyc")) and not writes and (importer := _importer(sys._getframe(CALLER))):
        if importer == "importlib":
            opened.imported.add(path)
    elif not path.endswith(SKIPPED_SUFFIXES):
        path = _absolute(path)
        adds = "a" in mode
        replaces = any(c in mode for c in "wx") or (not mode and flags & WRITING)
        if not replaces and path not in opened.writes and os.path.isfile(path):  # noqa: PTH113
            opened.reads.add(path)
        if writes:
            _keep(path, opened, adds=adds or "+" in mode)
            opened.writes.add(path)


def _importer(frame: Any) -> str:
    """Return the package whose code opens a Python file to import it, or to show its lines; "" of any other code."""
    while frame.f_back is not None and frame.f_globals.get("__name__") == "pathlib":
        frame = frame.f_back
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package if package in IMPORTERS and frame.f_code.co_name != CELLS_OPEN else ""


def _start(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    """Note the files that a command names: whether another process opens them is not seen."""
    _, command, folder, *_ = args
    home = _absolute(os.fsdecode(folder)) if folder is not None else _absolute(".")
    named = {os.path.realpath(path) for path in files_of(words_of(command), home)}
    opened.reads |= named - opened.writes
    opened.programs |= {path for path in named if path.endswith(PYTHON)}


def _rename(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    source, target = (os.path.normpath(_absolute(os.fsdecode(path))) for path in args[:2])
    _note_removal(source, opened)
    _keep(target, opened)
    opened.writes.add(target)


def _database(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    """Note a database: SQLite's own code reads and writes its file when it likes."""
    if isinstance(args[0], str | bytes | os.PathLike):
        path = os.path.normpath(_absolute(os.fsdecode(args[0])))
        if os.path.isfile(path):  # noqa: PTH113
            opened.reads.add(path)
        _keep(path, opened)
        opened.writes.add(path)


def _keep(path: str, opened: OpenedPaths, adds: bool = False) -> None:
    """Keep what is in a file that a cell is about to change, if some cell took it from before the notebook."""
    global _opened
    is_input = adds or path in opened.inputs or path in opened.reads
    if not is_input or path in opened.writes or path in opened.originals or not os.path.isfile(path):  # noqa: PTH113
        return
    if os.path.getsize(path) <= KEPT_BYTES:  # noqa: PTH202
        _opened = None  # this reading is none of the cell's
        try:
            opened.originals[path] = Path(path).read_bytes()
        finally:
            _opened = opened


def _remove(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    path, descriptor = os.fsdecode(args[0]), args[1]
    if descriptor == NO_DESCRIPTOR:
        _note_removal(_absolute(path), opened)
        return
    try:
        folder = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    except OSError:  # no system but Linux tells a folder by its descriptor; `shutil.rmtree` has told its own
        if not opened.trees:
            raise
        return
    if not any(folder == tree or folder.startswith(tree + os.sep) for tree in opened.trees):
        _note_removal(os.path.join(folder, path), opened)  # noqa: PTH118


def _remove_tree(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    """Note all files of a folder before they are removed: later events give a bare name and a descriptor each."""
    tree = _absolute(os.fsdecode(args[0]))
    files = {os.path.join(folder, name) for folder, _, names in os.walk(tree) for name in names}  # noqa: PTH118
    if sys._getframe(CALLER).f_locals.get("ignore_errors"):  # the event does not tell
        opened.discarded |= files - opened.reads
    for path in files:
        _note_removal(path, opened)
    opened.trees.add(os.path.realpath(tree))


def _list(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    folder = args[0]
    if not isinstance(folder, int) and not sys._getframe(CALLER).f_code.co_filename.startswith(IMPORTLIB):
        opened.listed.add(_absolute("." if folder is None else os.fsdecode(folder)))


def _generate(args: tuple[Any, ...], opened: OpenedPaths) -> None:
    path = os.fsdecode(args[0])
    opened.generated.add(path)
    if sys._getframe(CALLER + 1).f_code is tempfile.TemporaryDirectory.__init__.__code__:  # mkdtemp's caller
        opened.owned.add(path)


def _note_removal(path: str, opened: OpenedPaths) -> None:
    if path in opened.writes and path not in opened.reads:
        opened.writes.discard(path)  # the cell's own, and nobody else ever saw it
    elif os.path.isfile(path):  # noqa: PTH113
        opened.reads.add(path)
        _keep(path, opened)
        opened.writes.add(path)
        opened.removed.add(path)


def _absolute(path: str) -> str:
    """Return a path with the working directory before it, unless it is absolute.

    Raises
    ------
    FileNotFoundError
        The working directory is gone, and the path leads out of it.
    """
    if os.path.isabs(path):  # noqa: PTH117
        return path
    try:
        return os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
    except FileNotFoundError:
        if os.pardir in Path(path).parts:
            raise
        return os.path.join(GONE, path)  # noqa: PTH118


GONE = os.path.join(os.sep, "dev", "null")  # noqa: PTH118
"""Stands for a working directory that is gone: no file can be in it."""

EVENTS: dict[str, Callable[[tuple[Any, ...], OpenedPaths], None]] = {
    "open": _open,
    "os.listdir": _list,
    "os.scandir": _list,
    "os.rename": _rename,
    "os.remove": _remove,
    "shutil.rmtree": _remove_tree,
    "sqlite3.connect": _database,
    "subprocess.Popen": _start,
    "tempfile.mkdtemp": _generate,
    "tempfile.mkstemp": _generate,
}
