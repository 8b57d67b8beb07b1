"""Executions on their way into the ledger."""

from __future__ import annotations

import json

from mlops_jupyter.core.ids import SessionId
from mlops_jupyter.core.records import Execution
from mlops_jupyter.store.ledger import Ledger


def write(ledger: Ledger, session: SessionId, execution: Execution) -> None:
    """Write one execution to the ledger, whole or not at all."""
    pipeline = execution.header("pipeline")
    with ledger.transaction():
        key = ledger.execute(
            "INSERT INTO execution (session, cell, step, source, started, seconds, status, error, overhead, notes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ),
        )
        rows: list[tuple[int, str, str, str | None]] = [(key, n, "read", None) for n in execution.reads]
        rows += [(key, n, "write", mark) for n, mark in execution.writes.items()]
        rows += [(key, n, "delete", None) for n in execution.deletes]
        ledger.executemany("INSERT INTO access (execution, name, kind, fingerprint) VALUES (?, ?, ?, ?)", rows)
