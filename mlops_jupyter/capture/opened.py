"""A cell between its two borders: what is held of it while it runs, and what is noted of one that was not seen."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_jupyter.analysis.facts import ParseError, SourceFacts, facts
from mlops_jupyter.capture.standing import Standing
from mlops_jupyter.core.ids import ExecutionId
from mlops_jupyter.core.records import Execution, Header, Status

_log = logging.getLogger("mlops_jupyter")

UNREADABLE = "its text is no Python"


class HeaderHandler(Protocol):
    """What one of our cell-magic lines does around the body of its cell."""

    def begin(self, line: str, body: str) -> object:
        """Called before the body runs. A UserError is shown after the cell, which runs and is recorded all the same."""

    def bound(self, state: object) -> Set[str]:
        """Return the names that `begin` has bound."""

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Called after the body ran, or failed."""


NO_CODE, NO_NAMES = facts(""), Standing({})


@dataclass
class Open:
    """What is held between the two borders of one cell. `info` is IPython's, by which it knows the cell again."""

    info: object
    raw: str
    body: str
    headers: tuple[Header, ...]
    facts: SourceFacts
    cell: str
    tags: tuple[str, ...]
    started: float
    before: Standing
    stuck: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    handled: list[tuple[HeaderHandler, object]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    overhead: float = 0.0
    blind: str = ""
    """Why what the cell does cannot be told; see `Execution.blind`."""
    runs_others: bool = False
    """It runs other cells (`get_ipython().run_cell(...)`), which are in the record for themselves."""


def unseen_yet(info: object, text: str, cell: str, tags: tuple[str, ...]) -> Open:
    """Return what is held of a cell of which nothing was seen yet."""
    return Open(info, text, text, (), NO_CODE, cell, tags, time.time(), NO_NAMES)


def unseen(opened: Open, position: int, status: Status = Status.ERROR, error: str = "", count: int = 0) -> Execution:
    """Return what is known of a cell of which only the text is, and perhaps how it ended."""
    return Execution(
        id=ExecutionId(position),
        raw=opened.raw,
        body=opened.body,
        headers=opened.headers,
        cell=opened.cell,
        tags=opened.tags,
        started=opened.started,
        seconds=time.time() - opened.started,
        status=status,
        error=error,
        count=count,
        notes=(opened.blind,) if opened.blind else (),
        blind=opened.blind,
    )


def words(fault: BaseException) -> str:
    """Say in a few words why a cell was not seen; a fault that may be our own is logged with its traceback."""
    if isinstance(fault, KeyboardInterrupt):
        return "looking at its values was interrupted"
    if isinstance(fault, ParseError):
        return f"{UNREADABLE}: {fault}"
    _log.error("a cell was not seen", exc_info=fault)
    return f"looking at its values raised {type(fault).__name__}"
