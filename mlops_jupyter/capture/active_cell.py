"""The cell that is running: what is known of it between its two borders, and the execution that comes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_jupyter.analysis.cells import split_headers, to_python
from mlops_jupyter.analysis.facts.extract import ParseError, SourceFacts, extract_facts
from mlops_jupyter.capture import scripts
from mlops_jupyter.capture.namespace_snapshot import NamespaceSnapshot
from mlops_jupyter.capture.observer import NOTHING, Accesses, UnobservedError
from mlops_jupyter.core.executions import Execution, ExecutionStatus, Header
from mlops_jupyter.core.ids import ExecutionId

_log = logging.getLogger("mlops_jupyter")

UNREADABLE = "its text is no Python"


class HeaderHandler(Protocol):
    """What one of our own cell-magic lines does around the body of its cell."""

    def begin(self, line: str, body: str) -> object:
        """Prepare for the body, and return a state. A UserError is shown after the cell, which runs all the same."""

    def bound(self, state: object) -> Set[str]:
        """Return the names that `begin` has bound."""

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Act on the execution of the body, which may have failed."""


@dataclass(frozen=True, slots=True)
class NameChanges:
    """What a cell did to names of the notebook, beside reading and writing their values; see `Execution`."""

    deletes: frozenset[str] = frozenset()
    mutated: frozenset[str] = frozenset()
    unpicklable: frozenset[str] = frozenset()
    implicit_reads: frozenset[str] = frozenset()
    alias_groups: tuple[frozenset[str], ...] = ()


NO_CODE, NO_NAMES, NO_CHANGES = extract_facts(""), NamespaceSnapshot({}), NameChanges()


@dataclass
class ActiveCell:
    """A cell from its first border to its last. The recorder and the observers fill it in.

    Attributes
    ----------
    info : IPython's object for this running of the cell, by which the recorder knows it again.
    cell, tags : the front end's cell id and tags, "" and none where it sends none.
    snapshot : the namespace before the body ran.
    unpicklable : names that the cell may let go of, whose values cannot leave the process.
    bound : names that our own header lines have bound; they count as bound by the cell.
    reads, writes, notes : what the observers saw, of those that were asked so far.
    begun : the handlers of header lines, with the state of each.
    usage_errors : what is wrong with header lines, shown when the cell has ended.
    overhead : seconds that the observers took.
    unobserved : why it is not known what the cell did; see `Execution.unobserved`.
    runs_others : the cell runs other cells (`get_ipython().run_cell(...)`), each of which has an execution of its own.
    """

    info: object
    raw: str
    cell: str = ""
    tags: tuple[str, ...] = ()
    body: str = ""
    headers: tuple[Header, ...] = ()
    facts: SourceFacts = NO_CODE
    snapshot: NamespaceSnapshot = NO_NAMES
    unpicklable: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    status: ExecutionStatus = ExecutionStatus.ERROR
    error: str = ""
    count: int = 0
    displays_result: bool = False
    reads: set[str] = field(default_factory=set)
    writes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    changes: NameChanges = NO_CHANGES
    begun: list[tuple[HeaderHandler, object]] = field(default_factory=list)
    usage_errors: list[str] = field(default_factory=list)
    overhead: float = 0.0
    unobserved: str = ""
    runs_others: bool = False

    def __post_init__(self) -> None:
        self.body = self.raw

    def parse(self) -> None:
        """Split off our own header lines and find out what the body's text says.

        Raises
        ------
        ParseError
            The body is not Python.
        """
        headers, body = split_headers(self.raw)
        self.facts = scripts.seen(body) if "%run" in body else extract_facts(to_python(body))
        self.headers, self.body = tuple(Header(h.name, h.line) for h in headers), body

    @property
    def succeeded(self) -> bool:
        """Whether the body ran to its end."""
        return self.status is ExecutionStatus.OK

    def add(self, accesses: Accesses) -> None:
        """Add what an observer saw. A variable that an observer asked sooner saw written was not read from before."""
        if accesses is not NOTHING:
            self.reads |= accesses.reads - self.writes.keys()
            self.writes |= accesses.writes
            self.notes += accesses.notes

    def execution(self, position: int) -> Execution:
        """Return the record of the cell; without what the observers saw if they did not see all."""
        observed = {"notes": (self.unobserved,)} if self.unobserved else self._observed()
        return Execution(
            id=ExecutionId(position),
            raw=self.raw,
            body=self.body,
            headers=self.headers,
            cell=self.cell,
            tags=self.tags,
            started=self.started,
            seconds=self.seconds,
            status=self.status,
            error=self.error,
            count=self.count,
            unobserved=self.unobserved,
            **observed,
        )

    def _observed(self) -> dict[str, Any]:
        return {
            "reads": frozenset(self.reads),
            "writes": self.writes,
            "mutated": self.changes.mutated,
            "deletes": self.changes.deletes,
            "unpicklable": self.changes.unpicklable,
            "implicit_reads": self.changes.implicit_reads,
            "alias_groups": self.changes.alias_groups,
            "notes": tuple(self.notes),
            "displays_result": self.displays_result,
        }


def reason(fault: BaseException) -> str:
    """Say in a few words why it is not known what a cell did; a fault that may be our own is logged."""
    if isinstance(fault, KeyboardInterrupt):
        return "looking at its values was interrupted"
    if isinstance(fault, ParseError):
        return f"{UNREADABLE}: {fault}"
    if isinstance(fault, UnobservedError):
        return str(fault)
    _log.error("a cell was not observed", exc_info=fault)
    return f"looking at its values raised {type(fault).__name__}"
