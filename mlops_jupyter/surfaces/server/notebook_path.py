"""Where a notebook lies, confined to the folder that the server serves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.workspace import FOLDER


class BadPathError(UserError):
    """A path that no notebook can have (a server answers 400)."""


@dataclass(frozen=True)
class NotebookPlace:
    """A notebook that is there.

    Attributes
    ----------
    root : the folder that the server serves, resolved.
    folder : the notebook's folder, resolved: where its kernel starts.
    name : its file name.
    path : as the front end names it: relative to the root, with `/`.
    """

    root: Path
    folder: Path
    name: str
    path: str

    def project(self) -> Path | None:
        """Find its project: the nearest folder upward with `.mlops`, never above the root. None: there is none."""
        for folder in (self.folder, *self.folder.parents):
            if (folder / FOLDER).is_dir():
                return folder
            if folder == self.root:
                return None
        return None

    def ledger(self) -> Path | None:
        """Find its project's ledger. None where nothing was recorded yet, and where `.mlops` leads out of the root."""
        project = self.project()
        if project is None:
            return None
        ledger = (project / FOLDER / "ledger.db").resolve()
        return ledger if ledger.is_relative_to(self.root) and ledger.is_file() else None


def locate(root: Path, notebook: str, allow_hidden: bool = False) -> NotebookPlace:
    """Find a notebook in the folder that a server serves.

    Parameters
    ----------
    root : that folder.
    notebook : path relative to it, with `/`.
    allow_hidden : whether folders and files whose names begin with a dot may be named.

    Raises
    ------
    BadPathError
        The path is empty, absolute, climbs with `..` or holds a NUL.
    NotFoundError
        No such file, or it is hidden, or a link leads out of the root.
    """
    _check(notebook)
    absent = NotFoundError(f"no notebook {notebook!r} on this server: save it first")
    if not allow_hidden and any(part.startswith(".") for part in notebook.split("/")):
        raise absent
    root = root.resolve()
    try:
        file = root / notebook
        folder = file.parent.resolve(strict=True)
        there = file.resolve(strict=True)
        if not (folder.is_relative_to(root) and there.is_relative_to(root) and there.is_file()):
            raise absent
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, no text of the file system's
        raise absent from None
    return NotebookPlace(root, folder, file.name, notebook)


def _check(notebook: str) -> None:
    parts = re.split(r"[/\\]", notebook)  # a backslash parts folders on Windows
    if not notebook or "\0" in notebook or ".." in parts or parts[0] == "" or os.path.splitdrive(notebook)[0]:
        raise BadPathError(f"bad notebook path {notebook!r}: give it relative to the server's root, without '..'")
