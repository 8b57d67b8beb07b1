"""The schedules in the ledger: their rows, and how one is found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from mlops_jupyter.core import plan
from mlops_jupyter.core.errors import NotFound, UserError
from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule.models import Catchup, RunPolicy, Schedule
from mlops_jupyter.store.ledger import Ledger


class ScheduleStore:
    """One project's schedules. `folder` is its `.mlops`, `now` the clock. What it changes goes into the audit."""

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
        word, folder, known = str(id_or_bundle), Path(id_or_bundle).resolve(), self.list()
        if of_bundle := [s for s in known if s.bundle == folder]:
            return of_bundle
        found = [s for s in known if word and s.id.startswith(word)]
        if len(found) == 1:
            return found
        have = ", ".join(f"{s.id[:14]} ({s.bundle.name})" for s in found or known)
        if found:
            raise UserError(f"{word!r} begins the ids of {len(found)} schedules: name one of {have}")
        raise NotFound(f"no schedule {word!r}: " + (f"there are {have}" if have else "add one with `schedule add`"))

    def add(self, schedule: Schedule, seen: str | None) -> Schedule:
        """Keep it and return it with its id; one that is there already is returned as it is.

        `seen` : what lies at the place whose data it waits for, as JSON.
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
        """Take it off the list; its row stays, for its history."""
        return self._set(schedule, "remove", "removed = ?", self._now())

    def pause(self, schedule: Schedule) -> Schedule:
        """Note that it is paused. One that is paused already stays so since then."""
        return self._set(schedule, "pause", "paused = COALESCE(paused, ?)", self._now())

    def resume(self, schedule: Schedule, seen: str | None) -> Schedule:
        """Note that it goes on. One that is not paused is left as it is."""
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
        wanted = {k: v for k, v in vars(schedule.wanted).items() if v and k not in ("cron", "timezone")}
        row = {
            "id": schedule.id,
            "bundle": place,
            "package": schedule.package,
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "wanted": json.dumps(wanted),
            "policy": json.dumps({**asdict(schedule.policy), "catchup": schedule.policy.catchup.value}),
            "parameters": json.dumps(dict(schedule.parameters)),
            "data": str(schedule.data) if schedule.data else None,
            "created": schedule.created,
            "seen": seen,
        }
        marks = ", ".join("?" * len(row))
        self._ledger.execute(f"INSERT INTO schedule ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
        self._ledger.audit("schedule add", place, {"id": schedule.id, "when": schedule.wanted.shown})

    def _stored(self, bundle: Path) -> str:
        """The bundle's path as the ledger keeps it: inside the project relative to it, so that the project may move."""
        return bundle.relative_to(self._root).as_posix() if bundle.is_relative_to(self._root) else str(bundle)

    def _schedule(self, row: sqlite3.Row) -> Schedule:
        return Schedule(
            id=row["id"],
            bundle=(self._root / row["bundle"]).resolve(),
            package=row["package"],
            wanted=plan.Schedule(cron=row["cron"], timezone=row["timezone"], **json.loads(row["wanted"])),
            parameters=json.loads(row["parameters"]),
            data=Path(row["data"]) if row["data"] else None,
            created=row["created"],
            policy=_policy(json.loads(row["policy"])),
            paused=row["paused"],
            resumed=row["resumed"] or 0.0,
        )


def _policy(facts: dict[str, object]) -> RunPolicy:
    """Read one; a schedule of before there were any has what is usual."""
    if not facts:
        return RunPolicy()
    tries = plan.Resources(**facts.pop("tries"))  # type: ignore[arg-type]  # as `asdict` gave them
    alerts = tuple(facts.pop("alerts"))  # type: ignore[arg-type, var-annotated]
    return RunPolicy(Catchup(facts.pop("catchup")), tries, alerts=alerts, **facts)  # type: ignore[arg-type]
