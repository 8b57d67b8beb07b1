"""The recorder: listens to an IPython shell and turns each running of a cell into an `Execution`.

It looks at cell borders only; nothing is traced while a cell runs.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_jupyter.analysis.cells import PieceKind, pieces, split_headers, to_python
from mlops_jupyter.analysis.facts import SourceFacts, facts
from mlops_jupyter.capture import loading, scripts
from mlops_jupyter.capture.active_cell import (
    UNREADABLE,
    ActiveCell,
    HeaderHandler,
    reason,
    unobserved_cell,
    unobserved_execution,
)
from mlops_jupyter.capture.ipython_names import IPythonNames
from mlops_jupyter.capture.namespace_snapshot import NamespaceSnapshot
from mlops_jupyter.capture.observers import opened_files as files
from mlops_jupyter.capture.observers.external_files import ExternalFiles
from mlops_jupyter.capture.observers.file_queries import FileQueries
from mlops_jupyter.capture.observers.hidden import HiddenVariables
from mlops_jupyter.capture.observers.process_state import ProcessState
from mlops_jupyter.capture.reachable_names import CODE, ReachableNames, is_a, is_ours, plain
from mlops_jupyter.capture.value_changes import CODE_MARK, ValueChanges
from mlops_jupyter.capture.value_store import FROZEN, UNKNOWN, ValueStore
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.ids import ExecutionId, SessionId, new_id
from mlops_jupyter.core.records import Execution, Header, Status
from mlops_jupyter.runtime.codecs import can_leave
from mlops_jupyter.runtime.display import draws
from mlops_jupyter.store.executions import save

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from mlops_jupyter.store.ledger import Ledger

_log = logging.getLogger("mlops_jupyter")

STUCK_SECONDS = 0.005
"""What it may take to find out whether a value that a cell lets go of could have left the process."""


class Recorder:
    """One shell's recording. `history` holds every execution since it began, oldest first.

    A fault of the recorder, or of a value that it looks at, is logged and never reaches the user's cell. The execution
    is then in the history as one that was not seen (`Execution.blind`), so that nothing is exported over it.
    """

    def __init__(self, shell: InteractiveShell, ledger: Ledger, notebook: str | None) -> None:
        self.shell = shell
        self.session = SessionId(new_id())
        self.folder = Path.cwd()
        self.history: list[Execution] = []
        self.handlers: dict[str, HeaderHandler] = {}
        self.after: list[Callable[[Execution], None]] = []
        self._ledger = ledger
        self._namespace: dict[str, Any] = shell.user_ns
        self._values = ValueStore(self._namespace)
        self._reach = ReachableNames(self._namespace, self._values)
        self.ipython_names = IPythonNames(self._namespace)
        self._changes = ValueChanges(self._namespace, self._values, self.ipython_names)
        self._hidden = HiddenVariables()
        self._unseen = ExternalFiles()
        self._asked = FileQueries(self._namespace)
        self._uncarried = ProcessState(self._namespace)
        self._open: ActiveCell | None = None
        self._around: list[ActiveCell] = []  # cells that are running other cells
        ledger.execute(
            "INSERT INTO session (id, notebook, pid, started) VALUES (?, ?, ?, ?)",
            (self.session, notebook, os.getpid(), time.time()),
        )

    def start(self) -> None:
        """Begin to listen."""
        self.shell.events.register("pre_run_cell", self.pre_run_cell)
        self.shell.events.register("post_execute", self._uncarried.ran)
        self.shell.events.register("post_run_cell", self.post_run_cell)
        info, text = loading.cell()
        if info is not None:
            self._before(info, text)

    def stop(self) -> None:
        """Stop listening; the history stays."""
        self.shell.events.unregister("pre_run_cell", self.pre_run_cell)
        self.shell.events.unregister("post_execute", self._uncarried.ran)
        self.shell.events.unregister("post_run_cell", self.post_run_cell)
        files.stop()
        self._hidden.close()

    def initial(self, name: str) -> object:
        """Return the value that a hidden variable had before anything changed it."""
        return self._hidden.initial(name)

    def pre_run_cell(self, info: ExecutionInfo) -> None:
        """Remember how things stand before a cell; the body that `%%capture` runs is a part of its cell."""
        if self._open is not None and loading.running("run_code"):
            if str(info.raw_cell).strip() in self._open.body:
                return
            self._open.runs_others = True
            if not self._only_runs(self._open):
                self._open.blind = "it ran other cells, and did more than that"
            self._around.append(self._open)
        elif self._open is not None:
            self._lost(self._open)
        self._before(info, str(info.raw_cell))

    def _before(self, info: object, text: str) -> None:
        clock = time.perf_counter()
        opened = self._open = unobserved_cell(info, text, *_front_end(self.shell))
        try:
            opened = self._open = self._begin(info, text)
            if opened.headers:
                self._begin_headers(opened)
                opened.bound |= self._rebound(opened)
            self._hidden.mark()
            files.start()
        except BaseException as fault:  # a value's own code may raise anything, and the cell runs all the same
            opened.blind = reason(fault)
        opened.overhead = time.perf_counter() - clock
        opened.started = time.time()

    def post_run_cell(self, result: ExecutionResult | None) -> None:
        """Find out what the cell changed, and record it."""
        opened = self._open
        if opened is None or (result is not None and result.info is not opened.info):
            return
        self._open = self._around.pop() if self._around else None
        if result is None:
            self._lost(opened)
            return
        if opened.runs_others and not opened.blind:
            return
        if _never_ran(opened, result):
            opened.faults.clear()  # IPython has said what was wrong
            self._end_headers(
                opened, unobserved_execution(opened, len(self.history), *_outcome(result), result.execution_count or 0)
            )
            return
        clock = time.perf_counter()
        execution = self._seen(opened, result)
        self.history.append(execution)
        try:
            self._end_headers(opened, execution)
            for listener in self.after:
                listener(execution)
            overhead = opened.overhead + time.perf_counter() - clock
            self.history[-1] = replace(execution, overhead=overhead)
            save(self._ledger, self.session, self.history[-1])
        except Exception:
            _log.exception("this cell is in the record of this session only")

    def _only_runs(self, opened: ActiveCell) -> bool:
        """Whether a cell that runs others changes nothing itself: it binds nothing, nor holds what can change."""
        reached = self._reach.direct(opened.facts.reads) | opened.facts.writes
        own = [name for name in reached if not self.ipython_names.owns(name)]
        still = all(name in self._namespace and is_a(self._namespace[name], *FROZEN, *CODE) for name in own)
        return still and not opened.facts.writes and not opened.headers

    def _lost(self, opened: ActiveCell) -> None:
        """Note a cell of which IPython did not say how it ended: a fault whose own text ends the process, say."""
        opened.blind = "nothing told how it ended"
        self.history.append(unobserved_execution(opened, len(self.history)))

    def _seen(self, opened: ActiveCell, result: ExecutionResult) -> Execution:
        """Return what is known of a cell that has ended."""
        if not opened.blind:
            try:
                return self._end(opened, result)
            except BaseException as fault:  # as before the cell
                opened.blind = reason(fault)
        print(f"mlops_jupyter: what this cell changed is not known ({opened.blind})", file=sys.stderr)
        return unobserved_execution(opened, len(self.history), *_outcome(result), result.execution_count or 0)

    def _begin_headers(self, opened: ActiveCell) -> None:
        for header in opened.headers:
            handler = self.handlers.get(header.name)
            if handler is not None:
                try:
                    state = handler.begin(header.line, opened.body)
                    opened.handled.append((handler, state))
                    opened.bound |= handler.bound(state)  # perhaps to the very object that was there
                except UserError as fault:
                    opened.faults.append(f"%%{header.name}: {fault}")

    def _end_headers(self, opened: ActiveCell, execution: Execution) -> None:
        for handler, state in opened.handled:
            try:
                handler.end(state, execution, self._namespace)
            except UserError as fault:
                opened.faults.append(str(fault))
        for line in opened.faults:
            print(f"UsageError: {line}", file=sys.stderr)

    def _begin(self, info: object, text: str) -> ActiveCell:
        headers, body = split_headers(text)
        found = scripts.seen(body) if "%run" in body else facts(to_python(body))
        reached = self._reach.names(found.reads | found.text_reads)
        self._values.refresh([n for n in sorted(reached) if not self._values.known(n) and self._changes.is_value(n)])
        self._unseen.begin(body)
        self._uncarried.begin()
        cell, tags = _front_end(self.shell)
        return ActiveCell(
            info=info,
            raw=text,
            body=body,
            headers=tuple(Header(h.name, h.line) for h in headers),
            facts=found,
            cell=cell,
            tags=tags,
            started=time.time(),
            before=NamespaceSnapshot(self._namespace),
            stuck=frozenset(n for n in found.writes | found.deletes if self._is_stuck(n, body)),
        )

    def _is_stuck(self, name: str, body: str) -> bool:
        """Whether a name that a cell may let go of has a value that cannot leave the process. Later nobody can tell.

        A cell that runs again makes another value of the same kind.
        """
        if not self._values.known(name) or self._values.fingerprint(name) == UNKNOWN or plain(self._namespace[name]):
            return False
        maker = next((e for e in reversed(self.history) if name in e.writes and name not in e.mutated), None)
        return (maker is None or maker.body != body) and not can_leave(self._namespace[name], STUCK_SECONDS)

    def _rebound(self, opened: ActiveCell) -> set[str]:
        return {name for name in opened.before.rebound(self._namespace) if not self.ipython_names.owns(name)}

    def _end(self, opened: ActiveCell, result: ExecutionResult) -> Execution:
        seconds = time.time() - opened.started
        opened_files = files.stop()
        found = opened.facts
        moved = self._rebound(opened) | {n for n in opened.bound if n in self._namespace}
        rebound = moved | {n for n in found.writes if n in self._namespace and (result.success or n in moved)}
        read = {n for n in found.reads | found.text_reads if n in opened.before and not self.ipython_names.owns(n)}
        called = self._reach.called(read | (found.reads & rebound))
        read |= {n for n in called if n in opened.before and not self.ipython_names.owns(n)}
        read -= opened.bound
        reached = self._reach.names(read | rebound)
        changed = self._changes.detect(self._reach.direct(read | rebound), rebound, found.reads)
        changed |= dict.fromkeys(self._changes.extended(found), CODE_MARK)
        deleted = {n for n in opened.before.deleted(self._namespace) if not self.ipython_names.owns(n)}
        for name in deleted:
            self._values.forget(name)
        groups = self._values.groups(n for n in changed if n in self._namespace)
        # what was not bound anew on every path still depends on what it was before
        anew = found.sure_writes | self._looped(found, moved) | opened.bound if result.success else opened.bound
        kept = {n for n in changed if n in opened.before and n not in anew}
        grown = frozenset(kept - read)
        read |= kept
        self._reach.learn(found, reached, changed)
        unseen = self._unseen.end(opened.body, read, found.definitions)
        asked = self._asked.end(opened.body, read, found.definitions, opened.started)
        seen = opened_files.joined(unseen).joined(files.FileAccesses(asked))
        hidden_reads, hidden_writes = self._hidden.changes(seen, opened.body)
        also_read, also_written = self._uncarried.end(opened.body, found, read)
        status, error = _outcome(result)
        return Execution(
            id=ExecutionId(len(self.history)),
            raw=opened.raw,
            body=opened.body,
            headers=opened.headers,
            cell=opened.cell,
            tags=opened.tags,
            started=opened.started,
            seconds=seconds,
            status=status,
            error=error,
            reads=frozenset(read | hidden_reads | also_read),
            writes=changed | hidden_writes | also_written,
            mutated=frozenset(changed.keys() - rebound),
            grown=grown,
            count=result.execution_count or 0,
            deletes=frozenset(deleted),
            stuck=opened.stuck & (deleted | rebound),
            groups=groups,
            notes=(*found.uncertain, *self._unknown(changed), *self._failed(opened.body)),
            shows=draws(result.result) and not is_ours(result.result),
        )

    def _looped(self, found: SourceFacts, moved: set[str]) -> set[str]:
        """Return the names that a loop has bound, for it went round: something that it alone binds is another now.

        Where it does not, with other parameters, a step that needs one of them fails: there is none.
        """
        if not found.looped:
            return set()
        moved = moved - self._reach.called(found.reads)
        return {name for name, bound in found.looped.items() if bound & moved}

    def _unknown(self, changed: Mapping[str, str]) -> list[str]:
        unknown = [n for n, mark in changed.items() if mark == UNKNOWN and not is_ours(self._namespace[n])]
        reasons = {n: self._values.reason(n) for n in unknown}
        return [f"{n!r} cannot be compared: {why}" for n, why in reasons.items() if why != "it holds a figure"]

    def _failed(self, body: str) -> list[str]:
        """A shell line that fails does not stop a notebook; a step it does."""
        code = self._namespace.get("_exit_code")
        failed = code and any(piece.kind is PieceKind.SHELL and not piece.assigned for piece in pieces(body))
        return [f"a shell command of it ended with code {code}: there the step fails"] if failed else []


def _never_ran(opened: ActiveCell, result: ExecutionResult) -> bool:
    """Whether IPython refused a cell: one of our own lines, or text that neither of us can read.

    `error_before_exec` alone does not say so: IPython compiles the statements of a cell one by one, and one that does
    not compile (a `return`) comes after those above it have run.
    """
    from IPython.core.error import UsageError

    fault = result.error_before_exec
    return isinstance(fault, UsageError) or (fault is not None and opened.blind.startswith(UNREADABLE))


def _outcome(result: ExecutionResult) -> tuple[Status, str]:
    fault = result.error_in_exec or result.error_before_exec
    if fault is None:
        return Status.OK, ""
    status = Status.INTERRUPTED if isinstance(fault, KeyboardInterrupt) else Status.ERROR
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
