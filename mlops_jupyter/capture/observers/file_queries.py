"""Files that a cell asks after without opening them: whether they are there, which ones a folder holds.

No audit event tells of the first, and imports list folders too. They are told by what the cell says, and the functions
that it calls: a file that was there and that they name, by itself, by a pattern or by its folder, has been read. A
file too many is possible; the bundle then lays it for nothing.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any

from mlops_jupyter.capture.active_cell import ActiveCell
from mlops_jupyter.capture.audit_hook import SKIPPED_SUFFIXES
from mlops_jupyter.capture.observer import Accesses
from mlops_jupyter.capture.observers.external_files import listed
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.capture.python_programs import PYTHON
from mlops_jupyter.capture.value_kinds import is_a

LISTS = re.compile(r"\b(i?r?glob|listdir|scandir|iterdir|walk)\(").search
ASKS = re.compile(r"\b(i?r?glob|listdir|scandir|iterdir|walk|l?exists|isfile|is_file|getsize|stat)\(").search
RECURSES = re.compile(r"\brglob\(|\bwalk\(|\*\*").search
QUOTED = re.compile(r"""["']([^"'\n]+)["']""")

MOST = 300
"""A cell that means more files than this is left to open them: each would be a line of its step."""


class FileQueries:
    """Lists the folder after a cell that asks; costs little else. Remembers which functions ask."""

    def __init__(self, files: FileVariables, namespace: Mapping[str, Any]) -> None:
        self._files = files
        self._namespace = namespace
        self._speakers: dict[str, str] = {}

    def before(self, cell: ActiveCell) -> None:
        """Do nothing: what was there before a cell is told by when it changed."""

    def after(self, cell: ActiveCell) -> Accesses:
        """Return the files that the cell asked after and that were there before it.

        A cell that names a file which an earlier cell wrote or removed has read it, too.
        """
        accesses = self._files.accesses(self._asked(cell), ())
        if not self._files.written:
            return accesses
        written = self._files.written - cell.writes.keys()
        mentioned = {name for name in written if self._files.mentions(cell.body, name)}
        return Accesses(accesses.reads | mentioned) if mentioned else accesses

    def _asked(self, cell: ActiveCell) -> set[str]:
        text = cell.body
        asks = bool(ASKS(text))
        for name in cell.facts.definitions:
            self._speakers.pop(name, None)
            if asks:
                self._speakers[name] = text
        spoken = {text if asks else "", *(self._speakers.get(name, "") for name in cell.reads)} - {""}
        if not spoken:
            return set()
        folder = self._files.folder
        skipped = SKIPPED_SUFFIXES if PYTHON in text else (*SKIPPED_SUFFIXES, PYTHON)
        query = FileQuery.of("\n".join({text, *spoken}), self._texts(cell.reads))
        paths = {
            path
            for path, (changed, _) in listed(folder, ("",)).items()
            if changed < cell.started * 1e9
            and not path.endswith(skipped)
            and query.matches(Path(path).relative_to(folder))
        }
        paths |= self._above([*QUOTED.findall("\n".join(spoken)), *self._texts(cell.reads)], cell.started)
        return paths if len(paths) <= MOST else set()

    def _above(self, names: Iterable[str], started: float) -> set[str]:
        """Return the files of these names in the folders above ours: what a search for a project's top looks for."""
        inside = [folder for folder in self._files.folder.parents if folder.is_relative_to(self._files.root)]
        paths = {os.path.normpath(folder / name) for name in names for folder in inside}
        paths |= {f"{path}/HEAD" for path in paths if path.endswith("/.git")}  # stands for a folder, which is not laid
        beside = (path for path in paths if self._files.lies_beside(path) and os.path.isfile(path))  # noqa: PTH113
        return {path for path in beside if os.stat(path).st_mtime < started}  # noqa: PTH116

    def _texts(self, names: Iterable[str]) -> list[str]:
        values = [self._namespace.get(name) for name in names]
        return [str(v) for v in values if is_a(v, PurePath) or (is_a(v, str) and len(str(v)) < MOST)]


@dataclass(frozen=True)
class FileQuery:
    """What a cell asks after.

    Attributes
    ----------
    words : names of files and folders, endings and patterns.
    patterns : those of the words that are patterns.
    lists, recurses : whether it lists folders, and whether those in them, too.
    """

    words: frozenset[str]
    patterns: tuple[str, ...]
    lists: bool
    recurses: bool

    @classmethod
    def of(cls, said: str, texts: Iterable[str]) -> FileQuery:
        """Read what a cell and its functions say, and the texts that they read."""
        words = frozenset(word.rstrip("/").rpartition("/")[2] for word in (*QUOTED.findall(said), *texts))
        patterns = tuple(word for word in words if "*" in word or "?" in word)
        return cls(words, patterns, bool(LISTS(said)), bool(RECURSES(said)))

    def matches(self, path: PurePath) -> bool:
        """Whether a file is meant: by its name, a pattern of it, or, where folders are listed, its folder or ending."""
        folders = path.parent.parts
        named = not self.words.isdisjoint(folders)
        if path.name in self.words:
            return True
        if folders and not named and not self.recurses:
            return False
        listed = self.lists and (named or path.suffix in self.words)
        return listed or any(fnmatchcase(path.name, word) for word in self.patterns)
