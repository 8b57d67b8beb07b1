"""What was seen of one running of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mlops_jupyter.core.ids import ExecutionId


class ExecutionStatus(Enum):
    """How an execution ended."""

    OK = "ok"
    ERROR = "error"  # it raised; what it had changed until then counts
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Header:
    """One of our own cell-magic lines at the top of a cell: `%%pipeline load --params n=1`."""

    name: str
    line: str


@dataclass(frozen=True)
class Execution:
    """One running of a cell, with the names it read and wrote.

    Attributes
    ----------
    raw : the source as it was typed, magics and all.
    headers : our own cell-magic lines, outermost first; `body` is the rest.
    cell : the front end's cell id, "" where it gives none.
    reads : names whose values it took from before itself (hidden variables too).
    writes : name -> what its value was afterwards: a fingerprint, or "?" where none could be taken.
        Names that were rebound or changed in place.
    mutated : those of the writes that were changed in place and not rebound.
    unpicklable : names that it bound anew or deleted, whose values until then could not have left the process.
    implicit_reads : those of the reads that its code does not take: what it made of them without naming them (through
        another name for the object), or only on some of its paths, goes back to what they were.
    count : the front end's number of it, `In [count]`; 0 where there is none.
    alias_groups : sets of names that shared objects when it ended, as far as it could have touched them.
    tags : the cell's tags, where the front end sends them.
    displays_result : its last expression gave something that a notebook draws (a table, a figure). Not in the ledger.
    unobserved : why it is not known what the cell read and wrote; "" as a rule. The ledger has it among the notes.
    """

    id: ExecutionId
    raw: str
    body: str
    headers: tuple[Header, ...] = ()
    cell: str = ""
    started: float = 0.0
    seconds: float = 0.0
    overhead: float = 0.0
    status: ExecutionStatus = ExecutionStatus.OK
    error: str = ""
    reads: frozenset[str] = frozenset()
    writes: Mapping[str, str] = field(default_factory=dict)
    mutated: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    unpicklable: frozenset[str] = frozenset()
    implicit_reads: frozenset[str] = frozenset()
    count: int = 0
    alias_groups: tuple[frozenset[str], ...] = ()
    notes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    displays_result: bool = False
    unobserved: str = ""

    def header(self, name: str) -> Header | None:
        """Return our header of that magic, if the cell has it."""
        return next((h for h in self.headers if h.name == name), None)
