"""Save executions to the ledger."""

from __future__ import annotations

import json

from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import SessionId
from mlops_jupyter.store.ledger import Ledger


def save(ledger: Ledger, session: SessionId, execution: Execution) -> None:
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
