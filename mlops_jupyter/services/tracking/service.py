"""The tracking service: what is logged enters the ledger at once, and MLflow by the courier."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mlops_jupyter.core.errors import NotFoundError
from mlops_jupyter.core.ids import RunId, SessionId, new_id
from mlops_jupyter.runtime.run_data.metric_values import (
    MetricClock,
    artifact_data,
    artifact_path,
    check_called,
    check_key,
    number,
    refuse_changes,
    text,
    whole_step,
)
from mlops_jupyter.runtime.storage.objects import ObjectStore
from mlops_jupyter.services.tracking.run import Run, RunStatus
from mlops_jupyter.services.tracking.views import RunView, find, read, sort
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.outbox import Message, set_aside
from mlops_jupyter.store.process_identity import was_running

COURIER_SECONDS = 20.0
"""Seconds after which logging metrics checks again that the courier runs."""

_METRIC = "INSERT INTO metric (run, key, value, step, time) VALUES (?, ?, ?, ?, ?)"


class Tracking:
    """The verbs of tracking. What is logged is durable when a call returns; no call waits for MLflow.

    Attributes
    ----------
    active : the run that this process has open, None if there is none.

    Parameters
    ----------
    courier : makes sure that the courier runs; returns at once.
    """

    def __init__(self, ledger: Ledger, objects: ObjectStore, courier: Callable[[], None]) -> None:
        self.active: Run | None = None
        self._ledger = ledger
        self._objects = objects
        self._courier = courier
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._own_session: SessionId | None = None
        self._called = 0.0
        self._keys: set[str] = set()
        self._clock = MetricClock()

    def start(
        self, name: str, experiment: str = "default", notebook: str | None = None, session: SessionId | None = None
    ) -> Run:
        """Open a run. End the run that this process still has open, and close the runs of killed processes.

        Raises
        ------
        UserError
            If the name of the run or of the experiment is empty, too long, or holds control characters.
        """
        for what, word in (("run", name), ("experiment", experiment)):
            check_called(what, word)
        if self.active is not None:
            self.end(self.active.id)
        self.recover()
        run = RunId(new_id())
        with self._writing() as ledger:
            session = session or self._session(notebook)
            ledger.execute(
                "INSERT INTO run (id, experiment, name, session, notebook, started, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, experiment, name, session, notebook, time.time(), RunStatus.RUNNING.value),
            )
            ledger.post("run", {"run": run})
        self._call()
        self.active = Run(run, name, experiment, self)
        return self.active

    def log(self, run: RunId, metrics: Mapping[str, object], step: int | None = None) -> None:
        """Log metrics, all or none; they are durable when it returns. The default step is 0, as in MLflow.

        Raises
        ------
        UserError
            If a key is no name, or a value no number: one line names the key.
        """
        now = time.time()
        place = whole_step(step)
        rows = [self._metric(run, key, value, place, now) for key, value in metrics.items()]
        ledger = self._ledger if self._pid == os.getpid() else self._here()
        with self._lock:
            if len(rows) == 1:
                ledger.execute(_METRIC, rows[0])
            else:
                ledger.executemany(_METRIC, rows)
        if now - self._called > COURIER_SECONDS:
            self._call()

    def _metric(self, run: RunId, key: str, value: object, step: int, now: float) -> tuple[object, ...]:
        """Return a metric's row. NaN becomes NULL, as SQLite has no NaN."""
        if key not in self._keys:
            self._keys.add(check_key(key))
        measured = value if type(value) is float else number(key, value)
        return run, key, None if measured != measured else measured, step, self._clock.time(run, key, step, now)

    def params(self, run: RunId, params: Mapping[str, object]) -> None:
        """Log parameters as text. A run's parameter never changes once it is logged, as in MLflow.

        Raises
        ------
        UserError
            If a name or value cannot be stored, or a parameter already has another value.
        """
        rows = {check_key(key): text(key, value) for key, value in params.items()}
        with self._writing() as ledger:
            before = {row["key"]: row["value"] for row in ledger.query("SELECT * FROM param WHERE run = ?", (run,))}
            refuse_changes(before, rows)
            fresh = [(run, key, value) for key, value in rows.items() if key not in before]
            ledger.executemany("INSERT INTO param (run, key, value) VALUES (?, ?, ?)", fresh)
            if fresh:
                ledger.post("params", {"run": run, "params": {key: value for _, key, value in fresh}})
        self._call()

    def tag(self, run: RunId, tags: Mapping[str, object]) -> None:
        """Set tags of a run; a later tag of the same name replaces the earlier one."""
        rows = {check_key(key): text(key, value) for key, value in tags.items()}
        with self._writing() as ledger:
            ledger.executemany(
                "INSERT OR REPLACE INTO tag (run, key, value) VALUES (?, ?, ?)", [(run, *pair) for pair in rows.items()]
            )
            ledger.post("tags", {"run": run, "tags": rows})
        self._call()

    def artifact(self, run: RunId, path: str, data: bytes) -> None:
        """Log a file as an artifact of a run, under a path of its own (`plots/roc.png`). Secrets are masked in text."""
        clean = artifact_path(path)
        digest = self._objects.put(artifact_data(path, data))
        with self._writing() as ledger:
            ledger.execute("INSERT OR REPLACE INTO artifact (run, path, digest) VALUES (?, ?, ?)", (run, clean, digest))
            ledger.post("artifact", {"run": run, "path": clean, "digest": digest})
        self._call()

    def end(self, run: RunId, status: RunStatus = RunStatus.FINISHED) -> None:
        """End a run. Ending a run that has ended changes nothing."""
        with self._writing() as ledger:
            if ledger.query("SELECT 1 FROM run WHERE id = ? AND status = 'running'", (run,)):
                self._close(ledger, run, status, time.time())
        if self.active is not None and self.active.id == run:
            self.active = None
        self._call()

    def recover(self) -> list[RunId]:
        """Close, as `killed`, the runs whose process is gone; return their ids."""
        ledger = self._here()
        rows = ledger.query(
            "SELECT run.id, session.pid, session.started FROM run JOIN session ON session.id = run.session"
            " WHERE run.status = 'running'"
        )
        gone = [RunId(row["id"]) for row in rows if not was_running(row["pid"], row["started"])]
        for run in gone:
            with self._writing():
                last = ledger.query("SELECT max(time) AS last FROM metric WHERE run = ?", (run,))[0]["last"]
                self._close(ledger, run, RunStatus.KILLED, last or time.time())
        if gone:
            self._call()
        return gone

    def runs(
        self, experiment: str | None = None, sort_by: str | None = None, limit: int | None = None
    ) -> list[RunView]:
        """Return runs, newest first or sorted by `sort_by`: `metrics.auc`, `-started`, `params.x`.

        Runs whose process is gone are closed first.

        Raises
        ------
        NotFoundError
            If there is no such experiment or sort key; the line names those there are.
        """
        self.recover()
        ledger = self._here()
        if experiment is not None:
            known = [r["experiment"] for r in ledger.query("SELECT DISTINCT experiment FROM run ORDER BY 1")]
            if experiment not in known:
                raise NotFoundError(f"no experiment {experiment!r}: there are {', '.join(known) or 'none yet'}")
        where, values = ("1", ()) if experiment is None else ("experiment = ?", (experiment,))
        if sort_by is None:
            return read(ledger, where, values, -1 if limit is None else limit)
        return sort(read(ledger, where, values), sort_by)[:limit]

    def run(self, called: str) -> RunView:
        """Return the run with this id, name (the newest of several), MLflow id or prefix of an id."""
        return find(self._here(), called)

    def troubles(self) -> list[Message]:
        """Return the messages that MLflow refused and that were set aside, with the reasons."""
        return set_aside(self._here())

    def _close(self, ledger: Ledger, run: RunId, status: RunStatus, ended: float) -> None:
        ledger.execute("UPDATE run SET status = ?, ended = ? WHERE id = ?", (status.value, ended, run))
        ledger.post("end", {"run": run})

    def _session(self, notebook: str | None) -> SessionId:
        """Return this process's own session, for runs that no recorded notebook opened."""
        if self._own_session is None:
            self._own_session = SessionId(new_id())
            self._ledger.execute(
                "INSERT INTO session (id, notebook, pid, started) VALUES (?, ?, ?, ?)",
                (self._own_session, notebook, os.getpid(), time.time()),
            )
        return self._own_session

    def _here(self) -> Ledger:
        """Return this process's ledger: a forked child opens its own."""
        if self._pid != os.getpid():
            self._ledger, self._pid, self._own_session = Ledger(self._ledger.path), os.getpid(), None
            self._lock = threading.RLock()  # a thread of the parent may hold the inherited lock
        return self._ledger

    @contextmanager
    def _writing(self) -> Iterator[Ledger]:
        """Open a transaction of the ledger: all or nothing, one thread at a time."""
        ledger = self._here()
        with self._lock, ledger.transaction():
            yield ledger

    def _call(self) -> None:
        self._called = time.time()
        self._courier()
