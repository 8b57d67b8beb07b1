"""The record of runs in the ledger: which tick is due, who has claimed it, how it ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule import processes
from mlops_jupyter.services.schedule.clock import latest
from mlops_jupyter.services.schedule.record import Run, Schedule, Status, Trigger
from mlops_jupyter.store.ledger import Ledger

LOGS = "schedule-logs"

_COVERED = """
SELECT MAX(COALESCE(ended, due)) AS until FROM schedule_run
WHERE schedule = ? AND json_extract(outcome, '$.trigger') = 'clock'
"""
_HISTORY = """
SELECT r.*, s.bundle AS bundle FROM schedule_run r JOIN schedule s ON s.id = r.schedule
"""


class Runs:
    """One project's runs. The row, UNIQUE in (schedule, due), is the fence: only who inserts it may run the tick."""

    def __init__(self, ledger: Ledger, folder: Path, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._folder = folder
        self._now = now

    def due(self, schedule: Schedule) -> float | None:
        """Return the tick that should run now: the last one that is past and not covered, or None.

        Covered is what was before the schedule was made, what has run, and what fell into a run that took longer than
        the time between two ticks. Of several missed ticks only the last is due: they run once.
        """
        last = latest(schedule.cron, schedule.timezone, datetime.fromtimestamp(self._now(), UTC))
        covered = self._ledger.query(_COVERED, (schedule.id,))[0]["until"]
        if last is None or last.timestamp() <= max(schedule.created, covered or 0.0):
            return None
        return last.timestamp()

    def claim(self, schedule: Schedule, due: float, trigger: Trigger) -> str | None:
        """Write down that this process runs the tick and return the run's id, or None if another one has it."""
        run = new_id()
        facts = {"trigger": trigger.value, "owner": processes.identity()}
        try:
            self._ledger.execute(
                "INSERT INTO schedule_run (id, schedule, due, started, status, log, outcome) "
                "VALUES (?, ?, ?, ?, 'running', ?, ?)",
                (run, schedule.id, due, self._now(), f"{LOGS}/{run}.txt", json.dumps(facts)),
            )
        except sqlite3.IntegrityError:
            return None
        return run

    def finish(self, run: str, status: Status, outcome: Mapping[str, object]) -> None:
        """Write down how a run ended."""
        self._ledger.execute(
            "UPDATE schedule_run SET status = ?, ended = ?, outcome = ? WHERE id = ?",
            (status.value, self._now(), json.dumps(outcome, default=str), run),
        )

    def recover(self) -> list[str]:
        """Mark as lost what a dead process left running, end what is left of it, and return the runs' ids.

        `ended` stays empty, so that ticks missed meanwhile are still due.
        """
        lost = []
        for row in self._ledger.query("SELECT id, outcome FROM schedule_run WHERE status = 'running'"):
            facts = json.loads(row["outcome"] or "{}")
            if processes.lives(facts.get("owner")):
                continue
            processes.end(row["id"], grace=0.0)
            facts["reason"] = "lost: the process that ran it died"
            self._ledger.execute(
                "UPDATE schedule_run SET status = 'lost', outcome = ? WHERE id = ? AND status = 'running'",
                (json.dumps(facts), row["id"]),
            )
            lost.append(row["id"])
        return lost

    def get(self, run: str) -> Run:
        """Return the run of that id."""
        return self._run(self._ledger.query(f"{_HISTORY} WHERE r.id = ?", (run,))[0])

    def history(self) -> list[Run]:
        """Return all runs, the newest first; runs of removed schedules too."""
        return [self._run(row) for row in self._ledger.query(f"{_HISTORY} ORDER BY r.started DESC, r.id DESC")]

    def _run(self, row: sqlite3.Row) -> Run:
        log = self._folder / row["log"] if row["log"] else None
        return Run(
            id=row["id"],
            schedule=row["schedule"],
            bundle=(self._folder.parent / row["bundle"]).resolve(),
            due=row["due"],
            started=row["started"],
            ended=row["ended"],
            status=Status(row["status"]),
            log=log if log and log.is_file() else None,
            outcome=json.loads(row["outcome"] or "{}"),
        )
