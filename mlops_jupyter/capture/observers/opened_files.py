"""The user's own files among those that the audit hook saw."""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePath

from mlops_jupyter.capture import audit_hook
from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.audit_hook import SKIPPED_SUFFIXES, OpenedPaths
from mlops_jupyter.capture.observer import NOTHING, Accesses, UnobservedError
from mlops_jupyter.capture.observers.file_queries import ASKS, MOST, FileQuery
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.capture.python_programs import loaded_by_path, with_imported

PACKAGES = (f"{os.sep}site-packages", f"{os.sep}dist-packages")

OURS = re.compile(r"/\.mlops/|/__pycache__/").search
"""Search a path for the folders that we and Python write by ourselves."""

SYSTEM = ("/proc", "/sys", "/dev", "/usr", "/etc", "/var/lib", "/lib")
"""Folders of the system. That of temporary files is none: what lies there is the user's own."""


class OpenedFiles:
    """Observes the files that a cell opened from Python.

    It is the last observer to begin and the first to end, so that what the others open does not count.
    """

    def __init__(self, files: FileVariables) -> None:
        self._files = files
        self._owned: set[str] = set()
        """Folders that go when their object does, so that the steps which use them are one."""

    def before(self, cell: ActiveCell) -> None:
        """Begin to note what is opened."""
        audit_hook.start(self._files.inputs)

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the user's files that the cell opened.

        Raises
        ------
        UnobservedError
            The hook could not tell which file was meant.
        """
        opened = audit_hook.stop()
        self._files.note_literals(cell.body)
        if opened.fault:
            raise UnobservedError(opened.fault)
        if opened.generated:
            self._files.add_generated(opened.generated)
        opened.reads |= self._listed(opened, cell)
        programs = opened.programs | loaded_by_path(opened.imported, self._files.folder)
        opened.reads |= with_imported(programs, self._files.folder) - opened.writes
        if not opened.reads and not opened.writes and not opened.owned:
            return NOTHING
        own = _own(opened)
        made = {path for path in opened.owned if os.path.isdir(path)}  # noqa: PTH112
        used = {home for home in self._owned if any(Path(p).is_relative_to(home) for p in (*own, *opened.listed))}
        self._owned |= made
        self._files.keep({path: data for path, data in opened.originals.items() if path in own})
        discarded = set() if ASKS(cell.body) else opened.discarded
        return self._files.accesses((opened.reads & own) | used, (opened.writes & own) | made, discarded)

    def _listed(self, opened: OpenedPaths, cell: ActiveCell) -> set[str]:
        """Return the files that were in the folders of the project which the cell listed, outside of the notebook's.

        Of a folder above the notebook's they are those that the cell's text means by a pattern or an ending: it is the
        folder of a whole project. What is listed below it is told by `FileQueries`.
        """
        paths: set[str] = set()
        query = FileQuery.of(cell.body, ())
        for folder in map(os.path.abspath, opened.listed):
            if not self._files.lies_beside(folder) or not os.path.isdir(folder):  # noqa: PTH112
                continue
            above = self._files.folder.is_relative_to(folder)
            files = {entry.path for entry in os.scandir(folder) if _was_there(entry, cell.started)}
            if len(files) <= MOST:
                paths |= {path for path in files if not above or query.matches(PurePath(path).relative_to(folder))}
        return paths - opened.writes

    def close(self) -> None:
        """Stop noting."""
        audit_hook.stop()


def _own(opened: OpenedPaths) -> set[str]:
    """Return the paths of the user's own files that exist, or that the cell removed."""
    return user_files(p for p in opened.reads | opened.writes if p in opened.removed or os.path.isfile(p))  # noqa: PTH113


def user_files(paths: Iterable[str]) -> set[str]:
    """Return those of the paths that are the user's own: not the system's, Python's or ours."""
    foreign = _foreign()
    whole = {path: os.path.abspath(path) for path in paths}  # noqa: PTH100
    return {path for path, whole in whole.items() if not whole.startswith(foreign) and not OURS(whole)}


def _was_there(entry: os.DirEntry[str], started: float) -> bool:
    """Whether an entry of a folder is a file that a cell, since it started, has not changed."""
    own = not entry.name.startswith(".") and not entry.name.endswith(SKIPPED_SUFFIXES) and entry.is_file()
    return own and entry.stat().st_mtime < started


def _foreign() -> tuple[str, ...]:
    """Return the beginnings of paths that are not the user's own.

    These are folders of the system and of Python, over which the working directory wins, and what is hidden in the
    user's home.
    """
    folders = {sys.prefix, sys.base_prefix, *site.getsitepackages(), *sysconfig.get_paths().values(), *SYSTEM}
    folders |= {path for path in sys.path if path.endswith(PACKAGES)}  # of another environment, which IPython lets in
    here = ""
    with suppress(FileNotFoundError):  # the working directory is gone
        here = str(Path.cwd()) + os.sep
    roots = (f + os.sep for f in folders if not here.startswith(f.rstrip(os.sep) + os.sep))
    return (*roots, f"{Path.home()}{os.sep}.")
