"""Save executions to the ledger."""

from __future__ import annotations

import json
from collections import deque

from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import SessionId
from mlops_jupyter.store.ledger import Ledger, LedgerError


class ExecutionLog:
    """The executions of a session on their way to the ledger, in order.

    What cannot be saved now (the disk is full) is kept, and saved with the next execution.
    """

    def __init__(self, ledger: Ledger, session: SessionId) -> None:
        self._ledger = ledger
        self._session = session
        self._unsaved: deque[Execution] = deque()

    def add(self, execution: Execution) -> None:
        """Save an execution, and those before it that could not be saved.

        Raises
        ------
        LedgerError
            It cannot be saved now. The message says how many are kept.
        """
        self._unsaved.append(execution)
        self.flush()

    def flush(self) -> None:
        """Save what is kept. Raises as `add` does."""
        try:
            while self._unsaved:
                _save(self._ledger, self._session, self._unsaved[0])
                self._unsaved.popleft()
        except LedgerError as fault:
            count = len(self._unsaved)
            raise LedgerError(f"{count} cell{'s' * (count > 1)} kept in memory, not recorded yet: {fault}") from fault


def _save(ledger: Ledger, session: SessionId, execution: Execution) -> None:
    """Insert one execution of a session into the ledger."""
    pipeline = execution.header("pipeline")
    ledger.execute(
        "INSERT INTO execution"
        " (session, cell, step, source, started, seconds, status, error, overhead, notes, reads, writes, deletes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session,
            execution.cell,
            pipeline.line.split()[0] if pipeline and pipeline.line else None,
            execution.raw,
            execution.started,
            execution.seconds,
            execution.status.value,
            execution.error,
            execution.overhead,
            json.dumps(execution.notes),
            json.dumps(sorted(execution.reads)),
            json.dumps(dict(execution.writes)),
            json.dumps(sorted(execution.deletes)),
        ),
    )
