"""Save executions to the ledger.

The decisions behind it: ARCHITECTURE.md, "Capture".
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace

from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.hidden_names import ENVIRON
from mlops_jupyter.core.ids import SessionId
from mlops_jupyter.runtime.hidden.process import environment
from mlops_jupyter.runtime.secret_values import NAMES, KnownSecrets, masked_literals
from mlops_jupyter.store.ledger import Ledger, LedgerError


class ExecutionLog:
    """The executions of a session on their way to the ledger, in order.

    What cannot be saved now (the disk is full) is kept, and saved with the next execution. Secrets are masked: texts
    that were typed in, what an environment variable holds, and the fingerprints of values that are called like secrets.
    """

    def __init__(self, ledger: Ledger, session: SessionId) -> None:
        self._ledger = ledger
        self._session = session
        self._unsaved: deque[Execution] = deque()
        self._environment: object = None
        self._secrets = KnownSecrets([])

    def add(self, execution: Execution) -> None:
        """Save an execution, and those before it that could not be saved.

        Raises
        ------
        LedgerError
            It cannot be saved now. The message says how many are kept.
        """
        self._unsaved.append(self._masked(execution))
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

    def _masked(self, execution: Execution) -> Execution:
        if execution.header("private"):
            error = execution.error.partition(":")[0]
            empty: frozenset[str] = frozenset()
            return replace(execution, raw="%%private", error=error, reads=empty, writes={}, deletes=empty, notes=())
        if self._environment is not (now := environment(self._environment)):
            self._environment, self._secrets = now, KnownSecrets.of_environment()
        return replace(
            execution,
            raw=self._secrets.masked(masked_literals(execution.raw)),
            error=self._secrets.masked(masked_literals(execution.error)),
            writes={name: "" if _is_secret(name) else mark for name, mark in execution.writes.items()},
        )


def _is_secret(name: str) -> bool:
    """Say whether a variable is called like a secret, so that its value could be guessed from its fingerprint."""
    return NAMES.search(name.removeprefix(ENVIRON)) is not None


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
