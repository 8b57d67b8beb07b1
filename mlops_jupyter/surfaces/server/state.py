"""Reads what the panel shows of a notebook from its project's ledger."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Row
from typing import cast

from mlops_jupyter.core.executions import ExecutionStatus
from mlops_jupyter.services.tracking.run import RunStatus
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.process_identity import was_running
from mlops_jupyter.surfaces.server.messages import (
    Ended,
    Number,
    Recorder,
    RecorderState,
    Run,
    Session,
    State,
    Step,
    StepState,
)
from mlops_jupyter.surfaces.server.notebook_path import NotebookPlace
from mlops_jupyter.surfaces.server.readonly_ledger import EmptyLedgerError, open_to_read

RUNS = 50
"""Number of runs that the panel shows, the newest."""

NOTHING = Recorder(RecorderState.ABSENT, executions=0, last=None)

# A run may hold a million values of few metrics: jump from key to key along the index `metric_by_run` instead of
# reading them all (a loose index scan; SQLite's own planner has none).
LATEST_METRICS = """
WITH RECURSIVE
  recent (run) AS (SELECT id FROM run ORDER BY started DESC, id DESC LIMIT ?),
  keys (run, key) AS (
    SELECT run, (SELECT min(key) FROM metric m WHERE m.run = recent.run) FROM recent
    UNION ALL
    SELECT run, (SELECT min(key) FROM metric m WHERE m.run = keys.run AND m.key > keys.key)
    FROM keys WHERE key IS NOT NULL
  )
SELECT run, key,
       (SELECT value FROM metric m WHERE m.run = keys.run AND m.key = keys.key ORDER BY id DESC LIMIT 1) AS value
FROM keys WHERE key IS NOT NULL ORDER BY run, key
"""

RECENT_RUNS = """
SELECT run.*, session.pid, session.started AS session_started FROM run LEFT JOIN session ON session.id = run.session
ORDER BY run.started DESC, run.id DESC LIMIT ?
"""


def read(place: NotebookPlace, kernel: int | None = None) -> State:
    """Read the state of a notebook and its project.

    Parameters
    ----------
    kernel : process id of the notebook's kernel if the server runs it. It finds a notebook that was renamed while
        its kernel ran, which the ledger knows by its old name.

    Raises
    ------
    UserError
        The ledger is damaged or of another format.
    """
    project, path = place.project(), place.ledger()
    if project is None or path is None:
        return _unrecorded(place)
    try:
        ledger = open_to_read(path)
    except EmptyLedgerError:  # a kernel is creating it this moment
        return _unrecorded(place)
    try:
        session = _session(ledger, place, project, kernel)
        return State(
            notebook=place.path,
            project="/".join(project.relative_to(place.root).parts),
            session=None if session is None else Session(session["id"], session["started"]),
            recorder=NOTHING if session is None else _recorder(ledger, session, kernel),
            steps=() if session is None else _steps(ledger, session["id"]),
            runs=_runs(ledger),
        )
    finally:
        ledger.close()


def _unrecorded(place: NotebookPlace) -> State:
    return State(place.path, None, None, NOTHING, (), ())


def _session(ledger: Ledger, place: NotebookPlace, project: Path, kernel: int | None) -> Row | None:
    """Return the newest session of the notebook's kernel if that is recording, else of the notebook's name."""
    if kernel is not None:
        rows = ledger.query("SELECT * FROM session WHERE pid = ? ORDER BY started DESC, id DESC LIMIT 1", (kernel,))
        if rows and was_running(kernel, rows[0]["started"]):
            return rows[0]
    names = _names(place, project)
    placeholders = ", ".join("?" * len(names))
    rows = ledger.query(
        f"SELECT * FROM session WHERE notebook IN ({placeholders}) ORDER BY started DESC, id DESC LIMIT 1", names
    )
    return rows[0] if rows else None


def _names(place: NotebookPlace, project: Path) -> tuple[str, ...]:
    """Return the paths that a kernel may record for the notebook: as named, resolved, and within the project."""
    file = place.folder / place.name
    return (str(place.root / place.path), str(file), file.relative_to(project).as_posix())


def _recorder(ledger: Ledger, session: Row, kernel: int | None) -> Recorder:
    count = ledger.query("SELECT count(*) AS n FROM execution WHERE session = ?", (session["id"],))[0]["n"]
    rows = ledger.query("SELECT * FROM execution WHERE session = ? ORDER BY id DESC LIMIT 1", (session["id"],))
    last = None
    if rows:
        row = rows[0]
        last = Ended(
            ExecutionStatus(row["status"]),
            row["step"] or None,
            row["error"] or None,
            row["started"] + row["seconds"],
            row["seconds"],
        )
    its_own = kernel is None or kernel == session["pid"]
    on = its_own and was_running(session["pid"], session["started"])
    return Recorder(RecorderState.ON if on else RecorderState.ENDED, count, last)


def _steps(ledger: Ledger, session: str) -> tuple[Step, ...]:
    rows = ledger.query("SELECT * FROM step_view WHERE session = ? ORDER BY position, name", (session,))
    return tuple(
        Step(
            name=row["name"],
            state=StepState(row["state"]),
            version=row["version"],
            inputs=tuple(json.loads(row["inputs"])),
            outputs=tuple(json.loads(row["outputs"])),
            updated=row["updated"],
        )
        for row in rows
    )


def _runs(ledger: Ledger) -> tuple[Run, ...]:
    metrics: dict[str, dict[str, Number]] = defaultdict(dict)
    for row in ledger.query(LATEST_METRICS, (RUNS,)):
        metrics[row["run"]][row["key"]] = _number(row["value"])
    rows = ledger.query(RECENT_RUNS, (RUNS,))
    parameters = _parameters(ledger, tuple(row["id"] for row in rows))
    return tuple(
        Run(
            id=row["id"],
            name=row["name"],
            experiment=row["experiment"],
            status=_status(row),
            started=row["started"],
            ended=row["ended"],
            metrics=metrics.get(row["id"], {}),
            parameters=parameters.get(row["id"], {}),
        )
        for row in rows
    )


def _status(run: Row) -> RunStatus:
    """Return a run's status: `killed` also if its process is gone and no other has said so in the ledger yet."""
    status = RunStatus(run["status"])
    is_gone = run["pid"] is not None and not was_running(run["pid"], run["session_started"])
    return RunStatus.KILLED if status is RunStatus.RUNNING and is_gone else status


def _parameters(ledger: Ledger, runs: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    parameters: dict[str, dict[str, str]] = defaultdict(dict)
    placeholders = ", ".join("?" * len(runs))
    for row in ledger.query(f"SELECT run, key, value FROM param WHERE run IN ({placeholders}) ORDER BY run, key", runs):
        parameters[row["run"]][row["key"]] = row["value"]
    return parameters


def _number(value: float | None) -> Number:
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return cast(Number, "Infinity" if value > 0 else "-Infinity")
    return value
