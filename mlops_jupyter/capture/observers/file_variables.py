"""Files as hidden variables, `~file:PATH`: their names, and what tells one content from another."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Container, Iterable, Mapping
from pathlib import Path, PurePosixPath

from mlops_jupyter.capture.audit_hook import KEPT_BYTES
from mlops_jupyter.capture.observer import NOTHING, Accesses, UnobservedError
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.runtime.hashing import watched_file_digest
from mlops_jupyter.runtime.hidden.process import project_root

HASHED_BYTES = 64 * 2**20
"""A file up to this size is told by its content, a larger one by its size and time of change."""


WHOLE = re.compile(r"""["'](~?/[^"'\n{*?\[]+)""")
"""A whole path in a text, up to where it is filled in or is a pattern."""

HOME = re.compile(r"\bhome\(\)|\bexpanduser\b")


class FileVariables:
    """Turns paths into hidden variables, for all observers of files. Remembers which of them cells have written.

    Relative paths count from the folder in which recording began, also those of files that lie beside it in its project
    (`../data/a.csv`): a bundle lays them there. What cells name by its whole path is looked for at that path alone.
    """

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.root = project_root(self.folder)
        self._literals: tuple[str, ...] = ()
        self._names: dict[str, str] = {}
        """Where a written file really is -> the variable by which it was written."""
        self.written: set[str] = set()
        self.inputs: set[str] = set()
        """Whole paths of the files that cells read from before the notebook, as far as they are as they were."""
        self.originals: dict[str, bytes] = {}
        """Variable -> what was in such a file before a cell changed it."""
        self._generated: set[Path] = set()
        temporary = tempfile.gettempdir()
        inside = self.folder.resolve().is_relative_to(Path(temporary).resolve())
        self._temporary = () if inside else (f"{self.variable(temporary)}/",)

    def accesses(self, reads: Iterable[str], writes: Iterable[str], discarded: Container[str] = ()) -> Accesses:
        """Return accesses to files, given by their paths; what is written is remembered, and is there as it is now."""
        written = {self.variable(path): self._mark(Path(path), path in discarded) for path in sorted(writes)}
        for path in writes:
            self._names.setdefault(os.path.realpath(path), self.variable(path))
        read = {self.variable(path) for path in reads}
        self.inputs |= {path for path in reads if self.variable(path) not in self.written}
        self.inputs -= {*writes}
        self.written |= written.keys()
        self._check_links({*reads, *writes})
        return Accesses(read, written) if read or written else NOTHING

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Keep what was in files before a cell changed them, unless a cell before it had written them."""
        for path, data in contents.items():
            if self.variable(path) not in self.written:
                self.originals.setdefault(self.variable(path), data)

    def keep_now(self, path: str) -> None:
        """Keep what is in a file now if it is an input: a compiled writer may overwrite it, and nothing tells when."""
        if path in self.inputs and os.path.getsize(path) <= KEPT_BYTES:  # noqa: PTH202
            self.keep({path: Path(path).read_bytes()})

    def _check_links(self, paths: Iterable[str]) -> None:
        for path in paths if self._names else ():
            name = self._names.get(os.path.realpath(path))
            if name is not None and name != self.variable(path):
                shown = (one.removeprefix(FILE) for one in (self.variable(path), name))
                raise UnobservedError("it uses {!r}, a link to {!r}, which a cell wrote: use one name".format(*shown))

    def variable(self, path: str) -> str:
        """Return the hidden variable of a file: its path from our folder, or its whole path.

        A file that a symbolic link leads to has the name of the link, which is what the code says.
        """
        named = os.path.abspath(path)  # noqa: PTH100
        for whole in (named, os.path.realpath(path)):
            near = Path(whole).is_relative_to(self.root) and not whole.startswith(self._literals)
            if near or Path(whole).is_relative_to(self.folder):
                return FILE + Path(os.path.relpath(whole, self.folder)).as_posix()
        return FILE + os.path.realpath(path)

    def note_literals(self, text: str) -> None:
        """Remember the whole paths that a cell's text names, and whether it asks for the user's home."""
        said = [os.path.expanduser(path) for path in WHOLE.findall(text)]  # noqa: PTH111
        said += [str(Path.home())] * bool(HOME.search(text))
        self._literals = tuple({*self._literals, *(path for path in said if len(Path(path).parts) > 1)})

    def lies_beside(self, path: str) -> bool:
        """Whether a path lies in the project, but not in the notebook's folder."""
        return self.variable(path).startswith(f"{FILE}..")

    def mentions(self, text: str, variable: str) -> bool:
        """Whether a cell's text names a file, or in quotes a folder that it lies in; the temporary one says nothing."""
        path = PurePosixPath(variable.removeprefix(FILE))
        parents = (f for f in path.parents if f.name not in ("", ".."))
        folders = (str(f) for f in parents if f"{FILE}{f}/" not in self._temporary)
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
