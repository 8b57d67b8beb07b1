"""The record of one execution of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from mlops_jupyter.core.ids import ExecutionId


class Mark(StrEnum):
    """What stands for the fingerprint of a value that has none."""

    UNKNOWN = "?"  # none could be taken
    CODE = "code"  # an import, a function or a class, which travels as source
    TIED = "tied"  # a name that shares an object with one that was written
    STATE = "state"  # a hidden variable
    REMOVED = "removed"  # a file that is no longer there
    DISCARDED = "discarded"  # a temporary file that is no longer there, removed by code that did not ask whether it was
    SHOWN = "shown"  # the figures that pyplot had open: they were shown and closed when the cell ended


class ExecutionStatus(Enum):
    """How an execution ended."""

    OK = "ok"
    ERROR = "error"  # the cell raised; what it had changed before counts
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Header:
    """One of our own cell-magic lines at the top of a cell: `%%pipeline load --params n=1`."""

    name: str
    line: str


@dataclass(frozen=True)
class Execution:
    """One execution of a cell, with the names that it read and wrote.

    Attributes
    ----------
    id : position of the execution in the history of its session, from 0.
    raw : the cell's source as it was typed, magics and all.
    body : the source without the lines of `headers`.
    headers : our own cell-magic lines, outermost first.
    cell : the front end's cell id; "" if it gives none.
    started : when the execution began, in seconds since the epoch.
    seconds : how long the cell's code ran.
    overhead : seconds that capture took beside the cell's code.
    status : how the execution ended.
    error : type and message of the exception; "" if the cell raised none.
    reads : names, hidden variables included, whose values from before the execution it used.
    writes : name that was rebound or mutated -> its value afterwards: a fingerprint, or a `Mark`.
    mutated : those of `writes` that were changed in place and not rebound.
    deletes : names that were deleted.
    unpicklable : names that were rebound or deleted and whose values before could not be pickled.
    implicit_reads : those of `reads` that the code does not read itself: names whose values changed through an alias,
        or on some paths only, and so depend on their earlier values.
    count : the front end's execution count, `In [count]`; 0 if there is none.
    alias_groups : sets of names that shared objects at the end, among the names that the execution could have touched.
    notes : what capture was not sure of, for people.
    tags : the cell's tags, if the front end sends them.
    displays_result : whether the last expression gave something that a notebook draws (a table, a figure). Not in the
        ledger.
    unobserved : why the reads and writes are unknown; "" as a rule. In the ledger it is one of the notes.
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
        """Return the cell's header line of a magic; None if it has none."""
        return next((h for h in self.headers if h.name == name), None)
