"""Finds a notebook and its project, confined to the folder that the server serves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.workspace import FOLDER


class BadPathError(UserError):
    """A path that no notebook can have (HTTP status 400)."""


@dataclass(frozen=True)
class NotebookPlace:
    """The location of an existing notebook.

    Attributes
    ----------
    root : the folder that the server serves, resolved.
    folder : the notebook's folder, resolved; its kernel starts there.
    name : the notebook's file name.
    path : the notebook's path relative to the root, with `/`, as the front end names it.
    """

    root: Path
    folder: Path
    name: str
    path: str

    def project(self) -> Path | None:
        """Return the project's folder, the nearest one upward with `.mlops`, never above the root; None without one."""
        for folder in (self.folder, *self.folder.parents):
            if (folder / FOLDER).is_dir():
                return folder
            if folder == self.root:
                return None
        return None

    def ledger(self) -> Path | None:
        """Return the project's ledger; None if nothing is recorded yet or `.mlops` leads out of the root."""
        project = self.project()
        if project is None:
            return None
        ledger = (project / FOLDER / "ledger.db").resolve()
        return ledger if ledger.is_relative_to(self.root) and ledger.is_file() else None


def locate(root: Path, notebook: str, allow_hidden: bool = False) -> NotebookPlace:
    """Return the location of a notebook in the folder that a server serves.

    Parameters
    ----------
    root : the folder that the server serves.
    notebook : path relative to the root, with `/`.
    allow_hidden : whether folders and files whose names begin with a dot may be named.

    Raises
    ------
    BadPathError
        The path is empty, absolute, climbs with `..` or holds a NUL.
    NotFoundError
        The file does not exist, is hidden, or is a link that leads out of the root.
    """
    _check(notebook)
    absent = NotFoundError(f"no notebook {notebook!r} on this server: save it first")
    if not allow_hidden and any(part.startswith(".") for part in notebook.split("/")):
        raise absent
    root = root.resolve()
    try:
        file = root / notebook
        folder = file.parent.resolve(strict=True)
        target = file.resolve(strict=True)
        if not (folder.is_relative_to(root) and target.is_relative_to(root) and target.is_file()):
            raise absent
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, characters that the file system refuses
        raise absent from None
    return NotebookPlace(root, folder, file.name, notebook)


def _check(notebook: str) -> None:
    parts = re.split(r"[/\\]", notebook)  # a backslash separates folders on Windows
    if not notebook or "\0" in notebook or ".." in parts or parts[0] == "" or os.path.splitdrive(notebook)[0]:
        raise BadPathError(f"bad notebook path {notebook!r}: give it relative to the server's root, without '..'")
