"""The recorder: listens to an IPython shell and turns each running of a cell into an `Execution`.

It looks at cell borders only; nothing is traced while a cell runs.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_jupyter.capture import loading
from mlops_jupyter.capture.active_cell import UNREADABLE, ActiveCell, reason
from mlops_jupyter.capture.ipython_names import IPythonNames
from mlops_jupyter.capture.observer import Observer
from mlops_jupyter.capture.observers.external_files import ExternalFiles
from mlops_jupyter.capture.observers.file_queries import FileQueries
from mlops_jupyter.capture.observers.file_variables import FileVariables
from mlops_jupyter.capture.observers.header_lines import HeaderLines
from mlops_jupyter.capture.observers.hidden import HiddenVariables
from mlops_jupyter.capture.observers.module_state import ModuleState
from mlops_jupyter.capture.observers.native_files import NativeFiles
from mlops_jupyter.capture.observers.opened_files import OpenedFiles
from mlops_jupyter.capture.observers.process_state import ProcessState
from mlops_jupyter.capture.observers.temporary_files import TemporaryFiles
from mlops_jupyter.capture.observers.variables import Variables
from mlops_jupyter.capture.value_kinds import is_ours
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.core.hidden_names import FILE
from mlops_jupyter.core.ids import SessionId, new_id
from mlops_jupyter.runtime.step.display import draws
from mlops_jupyter.store.executions import ExecutionLog

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from mlops_jupyter.store.ledger import Ledger

_log = logging.getLogger("mlops_jupyter")


class Recorder:
    """One shell's recording. `history` holds every execution since it began, oldest first.

    A fault of the recorder, or of a value that it looks at, is logged and never reaches the user's cell. The execution
    is then in the history as one that was not observed (`Execution.unobserved`), so that nothing is exported over it.
    """

    def __init__(self, shell: InteractiveShell, ledger: Ledger, notebook: str | None) -> None:
        self.shell = shell
        self.session = SessionId(new_id())
        self.folder = Path.cwd()
        self.history: list[Execution] = []
        self.after: list[Callable[[Execution], None]] = []
        self.ipython_names = IPythonNames(shell.user_ns)
        self._executions = ExecutionLog(ledger, self.session)
        self._files = files = FileVariables()
        self._variables = Variables(shell.user_ns, self.ipython_names, self.history)
        self._header_lines = HeaderLines(shell.user_ns, self._variables.rebound)
        self._hidden = HiddenVariables()
        self._process_state = ProcessState(shell.user_ns)
        self._opened_files = OpenedFiles(files)
        self.handlers = self._header_lines.handlers
        self._observers: tuple[Observer, ...] = (
            TemporaryFiles(files, self.history),
            FileQueries(files, shell.user_ns),
            NativeFiles(files, shell.user_ns),
            ExternalFiles(files),
            self._process_state,
            ModuleState(shell.user_ns),
            self._variables,
            self._header_lines,
            self._hidden,
            self._opened_files,
        )
        self._active: ActiveCell | None = None
        self._around: list[ActiveCell] = []  # cells that are running other cells
        ledger.execute(
            "INSERT INTO session (id, notebook, pid, started) VALUES (?, ?, ?, ?)",
            (self.session, notebook, os.getpid(), time.time()),
        )

    def start(self) -> None:
        """Begin to listen."""
        self.shell.events.register("pre_run_cell", self.pre_run_cell)
        self.shell.events.register("post_execute", self._process_state.body_ended)
        self.shell.events.register("post_run_cell", self.post_run_cell)
        info, text = loading.cell()
        if info is not None:
            self._begin(info, text)

    def stop(self) -> None:
        """Stop listening; the history stays."""
        self.shell.events.unregister("pre_run_cell", self.pre_run_cell)
        self.shell.events.unregister("post_execute", self._process_state.body_ended)
        self.shell.events.unregister("post_run_cell", self.post_run_cell)
        self._opened_files.close()
        self._hidden.close()
        with _told():
            self._executions.flush()

    def initial(self, name: str) -> object:
        """Return the value that a hidden variable had before anything changed it."""
        return self._hidden.initial(name)

    def original(self, path: str) -> bytes | None:
        """Return what was in a data file before a cell overwrote it; None if none did, or if it is not known."""
        return self._files.originals.get(FILE + path)

    def pre_run_cell(self, info: ExecutionInfo) -> None:
        """Begin a cell; the body that `%%capture` runs is a part of its cell."""
        if self._active is not None and loading.running("run_code"):
            if str(info.raw_cell).strip() in self._active.body:
                return
            self._active.runs_others = True
            if not self._variables.leaves_alone(self._active):
                self._active.unobserved = "it ran other cells, and did more than that"
            self._around.append(self._active)
        elif self._active is not None:
            self._lose(self._active)
        self._begin(info, str(info.raw_cell))

    def post_run_cell(self, result: ExecutionResult | None) -> None:
        """Find out what the cell did, and record it."""
        cell = self._active
        if cell is None or (result is not None and result.info is not cell.info):
            return
        self._active = self._around.pop() if self._around else None
        if result is None:
            self._lose(cell)
            return
        if cell.runs_others and not cell.unobserved:
            return
        cell.seconds = time.time() - cell.started
        cell.status, cell.error = _outcome(result)
        cell.count = result.execution_count or 0
        if _never_ran(cell, result):
            cell.usage_errors.clear()  # IPython has said what was wrong
            self._header_lines.end(cell, cell.execution(len(self.history)))
            return
        clock = time.perf_counter()
        self._observe(cell, result)
        self._record(cell, clock)

    def _begin(self, info: object, text: str) -> None:
        """Ask the observers in turn before a cell's body runs."""
        clock = time.perf_counter()
        cell = self._active = ActiveCell(info, text, *_front_end(self.shell))
        try:
            cell.parse()
            for observer in self._observers:
                observer.before(cell)
        except BaseException as fault:  # a value's own code may raise anything, and the cell runs all the same
            cell.unobserved = reason(fault)
        cell.overhead = time.perf_counter() - clock
        cell.started = time.time()

    def _observe(self, cell: ActiveCell, result: ExecutionResult) -> None:
        """Ask the observers what the cell did, the last one first."""
        if not cell.unobserved:
            try:
                for observer in reversed(self._observers):
                    cell.add(observer.after(cell))
                cell.displays_result = draws(result.result) and not is_ours(result.result)
            except BaseException as fault:  # as before the cell
                cell.unobserved = reason(fault)
        if cell.unobserved:
            print(f"mlops_jupyter: what this cell changed is not known ({cell.unobserved})", file=sys.stderr)

    def _record(self, cell: ActiveCell, clock: float) -> None:
        """Put the execution into the history and the ledger, and tell those who wait for it."""
        execution = cell.execution(len(self.history))
        self.history.append(execution)
        with _told():
            self._header_lines.end(cell, execution)
        for listener in self.after:
            with _told():
                listener(execution)
        overhead = cell.overhead + time.perf_counter() - clock
        self.history[-1] = replace(execution, overhead=overhead)
        with _told():
            self._executions.add(self.history[-1])

    def _lose(self, cell: ActiveCell) -> None:
        """Record a cell of which IPython did not say how it ended: a fault whose own text ends the process, say."""
        cell.unobserved = "nothing told how it ended"
        cell.seconds = time.time() - cell.started
        self.history.append(cell.execution(len(self.history)))


@contextmanager
def _told() -> Iterator[None]:
    """Tell a fault of the record, in one line if its cause is known, and go on: the cell has run."""
    try:
        yield
    except UserError as fault:
        print(f"mlops_jupyter: {fault}", file=sys.stderr)
    except Exception:
        _log.exception("a cell was not recorded")


def _never_ran(cell: ActiveCell, result: ExecutionResult) -> bool:
    """Whether IPython refused a cell: one of our own lines, or text that neither of us can read.

    `error_before_exec` alone does not say so: IPython compiles the statements of a cell one by one, and one that does
    not compile (a `return`) comes after those above it have run.
    """
    from IPython.core.error import UsageError

    fault = result.error_before_exec
    return isinstance(fault, UsageError) or (fault is not None and cell.unobserved.startswith(UNREADABLE))


def _outcome(result: ExecutionResult) -> tuple[ExecutionStatus, str]:
    fault = result.error_in_exec or result.error_before_exec
    if fault is None:
        return ExecutionStatus.OK, ""
    status = ExecutionStatus.INTERRUPTED if isinstance(fault, KeyboardInterrupt) else ExecutionStatus.ERROR
    try:
        text = str(fault)
    except BaseException:  # a fault whose text raises
        text = ""
    return status, f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def _front_end(shell: InteractiveShell) -> tuple[str, tuple[str, ...]]:
    """Return the cell's id and tags, where the front end sends them with the request (JupyterLab does)."""
    try:
        metadata = shell.get_parent()["metadata"]  # type: ignore[attr-defined]  # only a kernel's shell has one
    except (AttributeError, KeyError, TypeError):
        return "", ()
    return str(metadata.get("cellId") or ""), tuple(map(str, metadata.get("tags") or ()))
