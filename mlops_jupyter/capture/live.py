"""The recorder: listens to an IPython shell and turns each running of a cell into an `Execution`.

It looks at cell borders only; nothing is traced while a cell runs.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlops_jupyter.analysis.cells import split_headers, to_python
from mlops_jupyter.analysis.facts import SourceFacts, SyntaxFault, facts
from mlops_jupyter.capture import files
from mlops_jupyter.capture.entries import write
from mlops_jupyter.capture.hidden import Hidden
from mlops_jupyter.capture.reach import CODE, Reach, has_state, is_ours
from mlops_jupyter.capture.unseen import Unseen
from mlops_jupyter.capture.values import FROZEN, UNKNOWN, Values
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.ids import ExecutionId, SessionId, new_id
from mlops_jupyter.core.records import Execution, Header, Status

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from mlops_jupyter.store.ledger import Ledger

_log = logging.getLogger("mlops_jupyter")

SHELL_NAMES = re.compile(r"_+|_i+|_\d+|_i\d+|_oh|_dh|_ih|_sh|In|Out|exit|quit|get_ipython|open|__.*__|_exit_code")
"""What IPython itself puts among the user's names."""


CODE_MARK = "code"
"""Stands for the fingerprint of a module, function or class, which travels as source."""


class HeaderHandler(Protocol):
    """What one of our cell-magic lines does around the body of its cell."""

    def begin(self, line: str, body: str) -> object:
        """Called before the body runs. A UserError is shown after the cell, which runs and is recorded all the same."""

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Called after the body ran, or failed."""


@dataclass
class _Open:
    """What is held between the two borders of one cell."""

    raw: str
    body: str
    headers: tuple[Header, ...]
    facts: SourceFacts
    cell: str
    tags: tuple[str, ...]
    started: float
    before: dict[str, int]
    bound: frozenset[str] = frozenset()
    handled: list[tuple[HeaderHandler, object]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    overhead: float = 0.0


class Recorder:
    """One shell's recording. `history` holds every execution since it began, oldest first.

    A fault of the recorder is logged and never reaches the user's cell.
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
        self._values = Values(self._namespace)
        self._reach = Reach(self._namespace, self._values)
        self._hidden = Hidden()
        self._unseen = Unseen()
        self._open: _Open | None = None
        ledger.execute(
            "INSERT INTO session (id, notebook, pid, started) VALUES (?, ?, ?, ?)",
            (self.session, notebook, os.getpid(), time.time()),
        )

    def start(self) -> None:
        """Begin to listen."""
        self.shell.events.register("pre_run_cell", self.pre_run_cell)
        self.shell.events.register("post_run_cell", self.post_run_cell)

    def stop(self) -> None:
        """Stop listening; the history stays."""
        self.shell.events.unregister("pre_run_cell", self.pre_run_cell)
        self.shell.events.unregister("post_run_cell", self.post_run_cell)
        files.stop()
        self._hidden.close()

    def initial(self, name: str) -> object:
        """Return the value that a hidden variable had before anything changed it."""
        return self._hidden.initial(name)

    def pre_run_cell(self, info: ExecutionInfo) -> None:
        """Remember how things stand before a cell."""
        clock = time.perf_counter()
        try:
            self._open = self._begin(info)
        except Exception:
            self._open = None
            _log.exception("this cell is not recorded")
        if self._open:
            if self._open.headers:
                self._begin_headers(self._open)
                self._open.bound = frozenset(self._rebound(self._open))
            self._hidden.mark()
            files.start()
            self._open.overhead = time.perf_counter() - clock
            self._open.started = time.time()

    def post_run_cell(self, result: ExecutionResult) -> None:
        """Find out what the cell changed, and record it."""
        opened, self._open = self._open, None
        if opened is None:
            return
        clock = time.perf_counter()
        try:
            execution = self._end(opened, result)
            self.history.append(execution)
            if result.error_before_exec is None:
                self._end_headers(opened, execution)
            for listener in self.after:
                listener(execution)
        except Exception:
            _log.exception("this cell is not recorded")
            return
        overhead = opened.overhead + time.perf_counter() - clock
        self.history[-1] = replace(execution, overhead=overhead)
        write(self._ledger, self.session, self.history[-1])

    def _begin_headers(self, opened: _Open) -> None:
        for header in opened.headers:
            handler = self.handlers.get(header.name)
            if handler is not None:
                try:
                    opened.handled.append((handler, handler.begin(header.line, opened.body)))
                except UserError as fault:
                    opened.faults.append(f"%%{header.name}: {fault}")

    def _end_headers(self, opened: _Open, execution: Execution) -> None:
        for handler, state in opened.handled:
            try:
                handler.end(state, execution, self._namespace)
            except UserError as fault:
                opened.faults.append(str(fault))
        for line in opened.faults:
            print(f"UsageError: {line}", file=sys.stderr)

    def _begin(self, info: ExecutionInfo) -> _Open | None:
        headers, body = split_headers(str(info.raw_cell))
        try:
            found = facts(to_python(body))
        except SyntaxFault:
            return None  # it will not run: nothing changes
        for name in self._reach.names(found.reads | found.text_reads):
            if not self._values.known(name) and self._is_value(name):
                self._values.look(name)
        self._unseen.begin(body)
        cell, tags = _front_end(self.shell)
        return _Open(
            raw=str(info.raw_cell),
            body=body,
            headers=tuple(Header(h.name, h.line) for h in headers),
            facts=found,
            cell=cell,
            tags=tags,
            started=time.time(),
            before=self._identities(),
        )

    def _identities(self) -> dict[str, int]:
        """Which object each name stands for now. No Python code per name: a long session has thousands (`_i1` …)."""
        return dict(zip(self._namespace, map(id, self._namespace.values()), strict=True))

    def _rebound(self, opened: _Open) -> set[str]:
        now = self._identities().items() - opened.before.items()
        return {name for name, _ in now if not SHELL_NAMES.fullmatch(name)}

    def _end(self, opened: _Open, result: ExecutionResult) -> Execution:
        seconds = time.time() - opened.started
        opened_files = files.stop()
        found = opened.facts
        rebound = self._rebound(opened)
        rebound |= {n for n in found.writes if n in self._namespace and (result.success or n in rebound)}
        read = {n for n in found.reads | found.text_reads if n in opened.before and not SHELL_NAMES.fullmatch(n)}
        read |= {n for n in self._reach.called(read | (found.reads & rebound)) if n in opened.before}
        read -= opened.bound
        reached = self._reach.names(read | rebound)
        changed = self._changed(reached, rebound)
        deleted = {n for n in opened.before.keys() - self._namespace.keys() if not SHELL_NAMES.fullmatch(n)}
        for name in deleted:
            self._values.forget(name)
        groups = self._values.groups(n for n in changed if n in self._namespace)
        # what was not bound anew on every path still depends on what it was before
        anew = found.sure_writes | opened.bound if result.success else opened.bound
        kept = {n for n in changed if n in opened.before and n not in anew}
        grown = frozenset(kept - read)
        read |= kept
        self._reach.learn(found, reached, changed)
        unseen = self._unseen.end(opened.body, read, found.definitions)
        hidden_reads, hidden_writes = self._hidden.changes(opened_files.joined(unseen))
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
            reads=frozenset(read | hidden_reads),
            writes=changed | hidden_writes,
            mutated=frozenset(changed.keys() - rebound),
            grown=grown,
            count=result.execution_count or 0,
            deletes=frozenset(deleted),
            groups=groups,
            notes=(*found.uncertain, *self._unknown(changed)),
        )

    def _changed(self, reached: set[str], rebound: set[str]) -> dict[str, str]:
        """Look at what was reached; return the names whose values are not what they were, with what they are now."""
        changed: dict[str, str] = {}
        for name in sorted(reached | rebound):
            if name not in self._namespace or SHELL_NAMES.fullmatch(name):
                continue
            if not self._is_value(name):
                self._values.forget(name)
                if name in rebound:
                    changed[name] = CODE_MARK
                continue
            known = self._values.known(name)
            if name not in rebound and known and isinstance(self._namespace[name], FROZEN):
                continue
            before = self._values.fingerprint(name) if known else None
            now = self._values.look(name)
            if name in rebound or now != before or now == UNKNOWN:
                changed[name] = CODE_MARK if isinstance(self._namespace[name], CODE) else now
        return changed

    def _is_value(self, name: str) -> bool:
        """Whether a name holds something that can change in place: data, or a function or class with a state."""
        if name not in self._namespace:
            return False
        value = self._namespace[name]
        return has_state(value) if isinstance(value, CODE) else True

    def _unknown(self, changed: Mapping[str, str]) -> list[str]:
        unknown = [n for n, mark in changed.items() if mark == UNKNOWN and not is_ours(self._namespace[n])]
        return [f"{n!r} cannot be compared: {self._values.reason(n)}" for n in unknown]


def _outcome(result: ExecutionResult) -> tuple[Status, str]:
    fault = result.error_in_exec or result.error_before_exec
    if fault is None:
        return Status.OK, ""
    status = Status.INTERRUPTED if isinstance(fault, KeyboardInterrupt) else Status.ERROR
    try:
        return status, f"{type(fault).__name__}: {fault}"
    except Exception:  # a fault whose text raises
        return status, type(fault).__name__


def _front_end(shell: InteractiveShell) -> tuple[str, tuple[str, ...]]:
    """Return the cell's id and tags, where the front end sends them with the request (JupyterLab does)."""
    try:
        metadata = shell.get_parent()["metadata"]  # type: ignore[attr-defined]  # only a kernel's shell has one
    except (AttributeError, KeyError, TypeError):
        return "", ()
    return str(metadata.get("cellId") or ""), tuple(map(str, metadata.get("tags") or ()))
