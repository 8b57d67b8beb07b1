"""The schedules in the ledger: their rows, and how one is found by its id or its bundle."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from mlops_jupyter.core import plan
from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule.models import Catchup, RunPolicy, Schedule
from mlops_jupyter.store.ledger import Ledger


class ScheduleStore:
    """The rows of one project's schedules. What it changes is noted in the audit.

    Column `wanted` holds the schedule's `spec`, `seen` the files that its data sensor saw last, `told` the moment up to
    which missing ticks were noted.

    Parameters
    ----------
    folder : the project's `.mlops`.
    now : the clock, in seconds since the epoch.
    """

    def __init__(self, ledger: Ledger, folder: Path, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._root = folder.resolve().parent
        self._now = now

    def list(self) -> Sequence[Schedule]:
        """Return the schedules that were not removed, the oldest first."""
        rows = self._ledger.query("SELECT * FROM schedule WHERE removed IS NULL ORDER BY id")
        return [self._schedule(row) for row in rows]

    def get(self, schedule: str) -> Schedule:
        """Return the schedule of that whole id, removed or not."""
        return self._schedule(self._ledger.query("SELECT * FROM schedule WHERE id = ?", (schedule,))[0])

    def find(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Return the schedules of a bundle's folder, or the one whose id begins so; else raise `UserError`."""
        prefix, folder, schedules = str(id_or_bundle), Path(id_or_bundle).resolve(), self.list()
        if of_bundle := [schedule for schedule in schedules if schedule.bundle == folder]:
            return of_bundle
        matches = [schedule for schedule in schedules if prefix and schedule.id.startswith(prefix)]
        if len(matches) == 1:
            return matches
        names = ", ".join(f"{schedule.id[:14]} ({schedule.bundle.name})" for schedule in matches or schedules)
        if matches:
            raise UserError(f"{prefix!r} begins the ids of {len(matches)} schedules: name one of {names}")
        raise NotFoundError(
            f"no schedule {prefix!r}: " + (f"there are {names}" if names else "add one with `schedule add`")
        )

    def add(self, schedule: Schedule, seen: str | None) -> Schedule:
        """Insert a schedule and return it with its id; one that is there already is returned as it is.

        Parameters
        ----------
        seen : the files at the place whose data it waits for, as JSON.
        """
        schedule = replace(schedule, id=new_id())
        with self._ledger.transaction():
            for known in self.list():
                same = {"id": schedule.id, "created": schedule.created, "paused": None, "resumed": 0.0}
                if replace(known, **same) == schedule:  # type: ignore[arg-type]  # by name, of several types
                    return known
            self._insert(schedule, seen)
        return schedule

    def remove(self, schedule: Schedule) -> Schedule:
        """Mark a schedule as removed; its row stays, for its history."""
        return self._set(schedule, "remove", "removed = ?", self._now())

    def pause(self, schedule: Schedule) -> Schedule:
        """Mark a schedule as paused from now on. One that is paused already keeps its time."""
        return self._set(schedule, "pause", "paused = COALESCE(paused, ?)", self._now())

    def resume(self, schedule: Schedule, seen: str | None) -> Schedule:
        """Mark a schedule as resumed now. One that is not paused is left as it is."""
        if schedule.paused is None:
            return schedule
        return self._set(schedule, "resume", "paused = NULL, resumed = ?, seen = ?", self._now(), seen)

    def _set(self, schedule: Schedule, verb: str, change: str, *values: object) -> Schedule:
        with self._ledger.transaction():
            self._ledger.execute(f"UPDATE schedule SET {change} WHERE id = ?", (*values, schedule.id))
            self._ledger.audit(f"schedule {verb}", self._stored(schedule.bundle), {"id": schedule.id})
        return self.get(schedule.id)

    def _insert(self, schedule: Schedule, seen: str | None) -> None:
        place = self._stored(schedule.bundle)
        spec = {
            name: value for name, value in vars(schedule.spec).items() if value and name not in ("cron", "timezone")
        }
        row = {
            "id": schedule.id,
            "bundle": place,
            "package": schedule.package,
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "wanted": json.dumps(spec),
            "policy": json.dumps({**asdict(schedule.policy), "catchup": schedule.policy.catchup.value}),
            "parameters": json.dumps(dict(schedule.parameters)),
            "data": str(schedule.data) if schedule.data else None,
            "created": schedule.created,
            "seen": seen,
        }
        marks = ", ".join("?" * len(row))
        self._ledger.execute(f"INSERT INTO schedule ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
        self._ledger.audit("schedule add", place, {"id": schedule.id, "when": schedule.spec.shown})

    def _stored(self, bundle: Path) -> str:
        """Return a bundle's path as the ledger has it: relative where it lies in the project, so that that may move."""
        return bundle.relative_to(self._root).as_posix() if bundle.is_relative_to(self._root) else str(bundle)

    def _schedule(self, row: sqlite3.Row) -> Schedule:
        return Schedule(
            id=row["id"],
            bundle=(self._root / row["bundle"]).resolve(),
            package=row["package"],
            spec=plan.ScheduleSpec(cron=row["cron"], timezone=row["timezone"], **json.loads(row["wanted"])),
            parameters=json.loads(row["parameters"]),
            data=Path(row["data"]) if row["data"] else None,
            created=row["created"],
            policy=_policy(json.loads(row["policy"])),
            paused=row["paused"],
            resumed=row["resumed"] or 0.0,
        )


def _policy(facts: dict[str, object]) -> RunPolicy:
    """Return a policy from its row; a schedule that is older than policies has the default one."""
    if not facts:
        return RunPolicy()
    tries = plan.Resources(**facts.pop("tries"))  # type: ignore[arg-type]  # as `asdict` gave them
    alerts = tuple(facts.pop("alerts"))  # type: ignore[arg-type, var-annotated]
    return RunPolicy(Catchup(facts.pop("catchup")), tries, alerts=alerts, **facts)  # type: ignore[arg-type]
