"""Files that executions may write on other days, and that later ones read or ask after."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from mlops_jupyter.analysis.mutations.file_names import meet
from mlops_jupyter.analysis.mutations.records import FileUse, Mutations
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import FILE


@dataclass
class PossibleFiles:
    """Paths of files that one execution may write, so that a later one finds them, and that it may find itself."""

    written: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)


def possible_files(
    uses: Mapping[int, Set[FileUse]], cells: Sequence[Mutations], history: Sequence[Execution]
) -> Mapping[int, PossibleFiles]:
    """Return for each execution that is kept the files that it may share with others of them.

    Parameters
    ----------
    uses : position -> the files that the execution's code names, and that of functions which it may call.
    cells : what each execution's text may do.
    history : all executions, oldest first. What they were seen to write and read is not named again.
    """
    known: dict[str, set[str]] = {}
    for cell in cells:
        for name, texts in cell.texts.items():
            known.setdefault(name, set()).update(texts)
    found = {position: PossibleFiles() for position in uses}
    may_write = {position: set(_names(uses[position], cells[position], known, is_written=True)) for position in uses}
    writers: list[int] = []
    for position in sorted(uses):
        if writers:
            seen = {name.removeprefix(FILE) for name in history[position].reads if name.startswith(FILE)}
            named = set(_names(uses[position], cells[position], known, is_written=False))
            for writer in writers:
                for path in _shared(may_write[writer], seen | named):
                    if FILE + path not in history[writer].writes:
                        found[writer].written.add(path)
                        found[position].read.add(path)
        if may_write[position]:
            writers.append(position)
    return found


def _names(uses: Iterable[FileUse], cell: Mutations, known: Mapping[str, set[str]], is_written: bool) -> Iterable[str]:
    """Return the files that are named, or only those that may be written.

    A variable that no text is known of, such as a function's parameter, may hold each name that the cell has.
    """
    named = {use.name for use in cell.files if use.name}
    for name in cell.mentioned & known.keys():
        named |= known[name]
    for use in uses:
        if use.is_written or not is_written:
            yield from [use.name] if use.name else known.get(use.variable) or named
    if not is_written:
        yield from named


def _shared(written: Iterable[str], read: Iterable[str]) -> set[str]:
    """Return the paths below the notebook's folder that are among both."""
    paths = {meet(one, other) for one in written for other in read} - {""}
    normal = {posixpath.normpath(path) for path in paths}
    return {path for path in normal if not path.startswith(("/", "..", "~"))}
