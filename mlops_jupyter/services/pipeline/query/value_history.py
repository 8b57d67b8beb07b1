"""The history of a value: which executions made the versions of a name, and from which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.cells import to_python
from mlops_jupyter.analysis.cells.outline import CodeCell
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.graph import Graph, join
from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.core.hidden_names import AMBIENT, HIDDEN
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.select.cell_identity import in_file
from mlops_jupyter.services.pipeline.select.selection import where


class Change(Enum):
    """How an execution made a version."""

    BOUND = "bound"
    CHANGED = "changed in place"
    DELETED = "deleted"  # from then on there is no value


@dataclass(frozen=True)
class Version:
    """One version of a name.

    Attributes
    ----------
    position : the execution's position in the history.
    count : the execution count of the front end, 0 where it gave none.
    cell : the cell's name for messages, "" where there is no notebook file.
    started : when the execution began, in seconds since the epoch.
    fingerprint : the value's; "?" where none could be taken, "code" for imports and definitions, "" for no value.
    how : how the execution changed the name.
    sources : names that the execution read, with random states and files.
    live : whether the name still has this value.
    """

    position: int
    count: int
    cell: str
    started: float
    fingerprint: str
    how: Change
    sources: tuple[str, ...]
    live: bool


def versions(recording: Recording, name: str) -> tuple[Version, ...]:
    """Return every version that a name has had since recording began, oldest first.

    Raises
    ------
    NotFoundError
        If no cell has bound, changed or deleted the name.
    """
    graph = join(recording.history)
    cells = in_file(graph.history, recording.cells)
    result = [
        _version(graph, position, name, cells)
        for position, execution in enumerate(graph.history)
        if name in execution.writes or name in execution.deletes
    ]
    if not result:
        known = sorted({n for e in graph.history for n in e.writes if not n.startswith((HIDDEN, "_"))})
        raise NotFoundError(f"no cell made {name!r}: the notebook has {', '.join(known[:12]) or 'no variables'}")
    return tuple(result)


def _version(graph: Graph, position: int, name: str, cells: Sequence[CodeCell | None]) -> Version:
    execution = graph.history[position]
    deleted = name in execution.deletes
    return Version(
        position=position,
        count=execution.count,
        cell=where(position, cells) if any(cells) else "",
        started=execution.started,
        fingerprint="" if deleted else execution.writes[name],
        how=Change.DELETED if deleted else Change.CHANGED if name in execution.mutated else Change.BOUND,
        sources=() if deleted else tuple(sorted(_sources(graph, position, name))),
        live=graph.last.get(name) == position,
    )


def _sources(graph: Graph, position: int, name: str) -> list[str]:
    """Return what an execution read to make a name: no imports, and only hidden variables that it was seen to use."""
    execution = graph.history[position]
    sources = []
    for read in execution.reads - (execution.implicit_reads - {name}):
        maker = graph.producers[position].get(read)
        is_import = maker is not None and read in extract_facts(to_python(graph.history[maker].body)).imports
        if not is_import and not read.startswith(AMBIENT):
            sources.append(read.removeprefix(HIDDEN))
    return sources
