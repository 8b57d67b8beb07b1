"""The record of runs in the ledger: who has claimed which tick, how it ended, which logs are kept.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule import alerts
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun, Trigger
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.process_identity import identity, is_running

LOGS = "schedule-logs"

DRIFT_FOUND = ("DriftFoundError", "DriftFound")
"""How records of runs name the fault of a bundle's own drift check; those of older bundles have the second."""

_HISTORY = """
SELECT r.*, s.bundle AS bundle FROM schedule_run r JOIN schedule s ON s.id = r.schedule
"""
_OLD_LOGS = """
SELECT id, log FROM schedule_run WHERE schedule = ? AND log IS NOT NULL AND status <> 'running'
ORDER BY started DESC, id DESC LIMIT -1 OFFSET ?
"""


class RunStore:
    """The rows of one project's runs. A row, UNIQUE in (schedule, due), is a claim: who inserts it may run the tick.

    Parameters
    ----------
    folder : the project's `.mlops`.
    now : the clock, in seconds since the epoch.
    """

    def __init__(self, ledger: Ledger, folder: Path, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._folder = folder
        self._now = now

    def under_way(self, schedule: str) -> int:
        """Return how many runs of a schedule are under way."""
        row = "SELECT COUNT(*) AS runs FROM schedule_run WHERE schedule = ? AND status = 'running'"
        return int(self._ledger.query(row, (schedule,))[0]["runs"])

    def claim(self, schedule: Schedule, due: float, trigger: Trigger) -> str | None:
        """Record that this process runs the tick and return the run's id; None if it may not.

        It may not if another process has the tick, if as many runs are under way as may be at once, or if the schedule
        was removed or paused meanwhile. A backfill runs again what did not succeed, under the same id, and the clock,
        once, what was lost.
        """
        with self._ledger.transaction():
            row = self._ledger.query("SELECT removed, paused FROM schedule WHERE id = ?", (schedule.id,))[0]
            if trigger is Trigger.CLOCK and (row["removed"] or row["paused"]):
                return None
            if self.under_way(schedule.id) >= schedule.spec.concurrency:
                return None
            facts: dict[str, object] = {"trigger": trigger.value, "owner": identity()}
            of_tick = "SELECT id, status, outcome FROM schedule_run WHERE schedule = ? AND due = ?"
            for row in self._ledger.query(of_tick, (schedule.id, due)):
                if not _may_run_again(trigger, row):
                    return None
                facts["again"] = True
                self._ledger.execute(
                    "UPDATE schedule_run SET status = 'running', started = ?, ended = NULL, log = ?, outcome = ? "
                    "WHERE id = ?",
                    (self._now(), f"{LOGS}/{row['id']}.txt", json.dumps(facts), row["id"]),
                )
                return str(row["id"])
            run = new_id()
            self._ledger.execute(
                "INSERT INTO schedule_run (id, schedule, due, started, status, log, outcome) "
                "VALUES (?, ?, ?, ?, 'running', ?, ?)",
                (run, schedule.id, due, self._now(), f"{LOGS}/{run}.txt", json.dumps(facts)),
            )
        return run

    def finish(self, run: str, schedule: Schedule, status: RunState, outcome: Mapping[str, object]) -> None:
        """Record how a run ended, with its alert; delete the logs that are not kept any more."""
        with self._ledger.transaction():
            again = {"again": True} if self.get(run).outcome.get("again") else {}
            self._ledger.execute(
                "UPDATE schedule_run SET status = ?, ended = ?, outcome = ? WHERE id = ?",
                (status.value, self._now(), json.dumps({**outcome, **again}, default=str), run),
            )
            if _found_drift(outcome):
                self._ledger.audit("drift", schedule.package, {"verdict": "drifted", "run": run})
            alerts.note_end(self._ledger, schedule, self.get(run), self._now())
        self._rotate(schedule)

    def _rotate(self, schedule: Schedule) -> None:
        for row in self._ledger.query(_OLD_LOGS, (schedule.id, schedule.policy.logs)):
            (self._folder / row["log"]).unlink(missing_ok=True)
            self._ledger.execute("UPDATE schedule_run SET log = NULL WHERE id = ?", (row["id"],))

    def orphans(self) -> list[tuple[str, str]]:
        """Return the ids of the runs whose process died while they were under way, each with that of its schedule."""
        rows = self._ledger.query("SELECT id, schedule, outcome FROM schedule_run WHERE status = 'running'")
        return [
            (row["id"], row["schedule"])
            for row in rows
            if not is_running(json.loads(row["outcome"] or "{}").get("owner"))
        ]

    def mark_lost(self, run: str, schedule: Schedule, left_running: list[int]) -> bool:
        """Record that a run is lost, with its alert; return False if another process was faster.

        Its `ended` stays empty, so that ticks missed meanwhile are still due.

        Parameters
        ----------
        left_running : pids of its processes that could not be ended.
        """
        with self._ledger.transaction():
            recorded = self.get(run)
            if recorded.status is not RunState.RUNNING:
                return False
            facts = {**recorded.outcome, "reason": "lost: the process that ran it died"}
            if left_running:
                facts["left_running"] = left_running
            self._ledger.execute(
                "UPDATE schedule_run SET status = 'lost', outcome = ? WHERE id = ?", (json.dumps(facts), run)
            )
            alerts.note_end(self._ledger, schedule, self.get(run), self._now())
        return True

    def get(self, run: str) -> ScheduledRun:
        """Return the run of that id."""
        return self._run(self._ledger.query(f"{_HISTORY} WHERE r.id = ?", (run,))[0])

    def of_tick(self, schedule: str, due: float) -> ScheduledRun | None:
        """Return the run of a tick, or None."""
        rows = self._ledger.query(f"{_HISTORY} WHERE r.schedule = ? AND r.due = ?", (schedule, due))
        return self._run(rows[0]) if rows else None

    def history(self) -> list[ScheduledRun]:
        """Return all runs, the newest first; runs of removed schedules too."""
        return [self._run(row) for row in self._ledger.query(f"{_HISTORY} ORDER BY r.started DESC, r.id DESC")]

    def _run(self, row: sqlite3.Row) -> ScheduledRun:
        log = self._folder / row["log"] if row["log"] else None
        return ScheduledRun(
            id=row["id"],
            schedule=row["schedule"],
            bundle=(self._folder.parent / row["bundle"]).resolve(),
            due=row["due"],
            started=row["started"],
            ended=row["ended"],
            status=RunState(row["status"]),
            log=log if log and log.is_file() else None,
            outcome=json.loads(row["outcome"] or "{}"),
        )


def _may_run_again(trigger: Trigger, row: sqlite3.Row) -> bool:
    """Say whether a tick that has run may run once more, under the same id."""
    if trigger is Trigger.CLOCK:
        return row["status"] == "lost" and "again" not in json.loads(row["outcome"] or "{}")
    return trigger is Trigger.BACKFILL and row["status"] in ("failed", "lost")


def _found_drift(outcome: Mapping[str, object]) -> bool:
    """Return whether a step stopped the run because the data has drifted, by a check of the bundle's own."""
    steps = outcome.get("steps")
    errors = (step.get("error") for step in (steps if isinstance(steps, list) else ()) if isinstance(step, dict))
    return any(isinstance(error, dict) and error.get("type") in DRIFT_FOUND for error in errors)
