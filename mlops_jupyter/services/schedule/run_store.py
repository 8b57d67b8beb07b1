"""The record of runs in the ledger: who has claimed which tick, how it ended, which logs are kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule import alerts
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun, Trigger
from mlops_jupyter.services.schedule.runner import process_tree
from mlops_jupyter.store.ledger import Ledger

LOGS = "schedule-logs"

_HISTORY = """
SELECT r.*, s.bundle AS bundle FROM schedule_run r JOIN schedule s ON s.id = r.schedule
"""
_OLD_LOGS = """
SELECT id, log FROM schedule_run WHERE schedule = ? AND log IS NOT NULL AND status <> 'running'
ORDER BY started DESC, id DESC LIMIT -1 OFFSET ?
"""


class RunStore:
    """One project's runs. The row, UNIQUE in (schedule, due), is the fence: only who inserts it may run the tick."""

    def __init__(self, ledger: Ledger, folder: Path, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._folder = folder
        self._now = now

    def under_way(self, schedule: str) -> int:
        """How many runs of a schedule are going on."""
        row = "SELECT COUNT(*) AS runs FROM schedule_run WHERE schedule = ? AND status = 'running'"
        return int(self._ledger.query(row, (schedule,))[0]["runs"])

    def claim(self, schedule: Schedule, due: float, trigger: Trigger) -> str | None:
        """Write down that this process runs the tick and return the run's id; None if it may not.

        It may not where another process has the tick, as many runs as may be are under way, or the schedule was
        removed or paused meanwhile. A backfill takes up again what did not succeed, under the same id.
        """
        with self._ledger.transaction():
            known = self._ledger.query("SELECT removed, paused FROM schedule WHERE id = ?", (schedule.id,))[0]
            if trigger is Trigger.CLOCK and (known["removed"] or known["paused"]):
                return None
            if self.under_way(schedule.id) >= schedule.wanted.concurrency:
                return None
            facts = json.dumps({"trigger": trigger.value, "owner": process_tree.identity()})
            there = "SELECT id, status FROM schedule_run WHERE schedule = ? AND due = ?"
            for row in self._ledger.query(there, (schedule.id, due)):
                if trigger is not Trigger.BACKFILL or row["status"] not in ("failed", "lost"):
                    return None
                self._ledger.execute(
                    "UPDATE schedule_run SET status = 'running', started = ?, ended = NULL, log = ?, outcome = ? "
                    "WHERE id = ?",
                    (self._now(), f"{LOGS}/{row['id']}.txt", facts, row["id"]),
                )
                return str(row["id"])
            run = new_id()
            self._ledger.execute(
                "INSERT INTO schedule_run (id, schedule, due, started, status, log, outcome) "
                "VALUES (?, ?, ?, ?, 'running', ?, ?)",
                (run, schedule.id, due, self._now(), f"{LOGS}/{run}.txt", facts),
            )
        return run

    def finish(self, run: str, schedule: Schedule, status: RunState, outcome: Mapping[str, object]) -> None:
        """Write down how a run ended, and what has to be said of it; delete the logs that are not kept any more."""
        with self._ledger.transaction():
            self._ledger.execute(
                "UPDATE schedule_run SET status = ?, ended = ?, outcome = ? WHERE id = ?",
                (status.value, self._now(), json.dumps(outcome, default=str), run),
            )
            if _found_drift(outcome):
                self._ledger.audit("drift", schedule.package, {"verdict": "drifted", "run": run})
            alerts.of_run(self._ledger, schedule, self.get(run), self._now())
        self._rotate(schedule)

    def _rotate(self, schedule: Schedule) -> None:
        for row in self._ledger.query(_OLD_LOGS, (schedule.id, schedule.policy.logs)):
            (self._folder / row["log"]).unlink(missing_ok=True)
            self._ledger.execute("UPDATE schedule_run SET log = NULL WHERE id = ?", (row["id"],))

    def recover(self, schedules: Callable[[str], Schedule]) -> list[str]:
        """Mark as lost what a dead process left running, end what is left of it, and return the runs' ids.

        `ended` stays empty, so that ticks missed meanwhile are still due. `schedules` gives a schedule by its id.
        """
        lost = []
        for row in self._ledger.query("SELECT id, schedule, outcome FROM schedule_run WHERE status = 'running'"):
            facts = json.loads(row["outcome"] or "{}")
            if process_tree.lives(facts.get("owner")):
                continue
            process_tree.terminate(row["id"], grace=0.0)
            facts["reason"] = "lost: the process that ran it died"
            with self._ledger.transaction():
                if self.get(row["id"]).status is not RunState.RUNNING:  # another process has seen to it
                    continue
                self._ledger.execute(
                    "UPDATE schedule_run SET status = 'lost', outcome = ? WHERE id = ?", (json.dumps(facts), row["id"])
                )
                alerts.of_run(self._ledger, schedules(row["schedule"]), self.get(row["id"]), self._now())
            lost.append(row["id"])
        return lost

    def get(self, run: str) -> ScheduledRun:
        """Return the run of that id."""
        return self._run(self._ledger.query(f"{_HISTORY} WHERE r.id = ?", (run,))[0])

    def at(self, schedule: str, due: float) -> ScheduledRun | None:
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


def _found_drift(outcome: Mapping[str, object]) -> bool:
    """Whether a step of a run stopped it because the data has drifted: a check of the bundle's own."""
    steps = outcome.get("steps")
    faults = (one.get("error") for one in (steps if isinstance(steps, list) else ()) if isinstance(one, dict))
    return any(isinstance(fault, dict) and fault.get("type") == "DriftFound" for fault in faults)
