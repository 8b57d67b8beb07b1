"""The verbs of schedules: add, list, remove, history, run now; and the scheduler that runs them by the clock."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_jupyter.core.errors import NotFound, UserError
from mlops_jupyter.core.ids import new_id
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule import clock
from mlops_jupyter.services.schedule.launch import Launcher
from mlops_jupyter.services.schedule.record import Run, Schedule, Trigger
from mlops_jupyter.services.schedule.runs import Runs
from mlops_jupyter.store.ledger import Ledger


class Schedules:
    """What runs by the clock in one project. Not shared between threads: it holds a ledger.

    Parameters
    ----------
    ledger : where schedules and runs are kept.
    folder : the project's `.mlops`; logs and the stores of scheduled runs go there.
    tracking_uri : MLflow's address, given to each run.
    now : the clock, in seconds since the epoch.
    timeout : seconds after which a run is ended with all its processes; None lets it run.
    """

    def __init__(
        self,
        ledger: Ledger,
        folder: Path,
        tracking_uri: str,
        now: Callable[[], float] = time.time,
        timeout: float | None = None,
    ) -> None:
        self.folder = folder
        self.tracking_uri = tracking_uri
        self.timeout = timeout
        self.now = now
        self._ledger = ledger
        self._runs = Runs(ledger, folder, now)
        self._launcher = Launcher(self._runs, folder, tracking_uri, timeout)

    def add(
        self,
        bundle: Path,
        cron: str | None = None,
        timezone: str | None = None,
        parameters: Mapping[str, object] | None = None,
        data: Path | None = None,
    ) -> Schedule:
        """Put a bundle on a schedule; the same one twice is kept once. Raise `UserError` for what cannot run.

        Parameters
        ----------
        bundle : folder that `export` wrote.
        cron : five fields of crontab(5) or a macro such as ``@daily``; None takes the bundle's own schedule.
        timezone : IANA name; None takes the bundle's own where its cron is taken too, else UTC.
        parameters : overrides for each run; what is not text is written as JSON.
        data : folder that takes the place of the bundle's own data.
        """
        folder, source = bundle.resolve(), data.resolve() if data else None
        made = bundles.read(folder)
        if cron is None and made.cron is None:
            raise UserError(
                f"the bundle {str(folder)!r} was exported without a schedule: name one, as in --cron '0 6 * * 1'"
            )
        timezone = timezone or (made.timezone if cron is None else None) or "UTC"
        cron = cron or str(made.cron)
        clock.check(cron)
        clock.zone(timezone)
        values = _texts(made, parameters or {})
        if source and not source.is_dir():
            raise UserError(f"no folder {str(data)!r} for the data: name one that exists")
        schedule = Schedule(new_id(), folder, cron, timezone, values, source, self.now())
        with self._ledger.transaction():
            for known in self.list():
                if replace(known, id=schedule.id, created=schedule.created) == schedule:
                    return known
            self._insert(schedule)
        return schedule

    def list(self) -> Sequence[Schedule]:
        """Return the schedules that are kept, the oldest first."""
        return [
            self._schedule(row)
            for row in self._ledger.query("SELECT * FROM schedule WHERE removed IS NULL ORDER BY id")
        ]

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

    def remove(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Take schedules off the clock and return them; their history stays. A run that is going on ends by itself."""
        found = self.find(id_or_bundle)
        for schedule in found:
            self._ledger.execute("UPDATE schedule SET removed = ? WHERE id = ?", (self.now(), schedule.id))
            self._ledger.audit("schedule remove", self._stored(schedule.bundle), {"id": schedule.id})
        return found

    def history(self, bundle: str | Path | None = None) -> Sequence[Run]:
        """Return the runs, the newest first: all, or those of a bundle's folder or of a schedule's id."""
        runs = self._runs.history()
        if bundle is None:
            return runs
        word, folder = str(bundle), Path(bundle).resolve()
        return [run for run in runs if run.bundle == folder or run.schedule.startswith(word)]

    def run_now(self, id_or_bundle: str | Path, timeout: float | None = None) -> Run:
        """Run a schedule's bundle at once, wait for its end (`timeout` seconds at most), return what is recorded."""
        found = self.find(id_or_bundle)
        if len(found) > 1:
            ids = ", ".join(s.id[:14] for s in found)
            raise UserError(f"{str(id_or_bundle)!r} has {len(found)} schedules: name one of {ids}")
        self.recover()
        launcher = replace(self._launcher, timeout=timeout or self.timeout)
        run = launcher.launch(found[0], self.now(), Trigger.HAND, lambda: False)
        assert run is not None  # no other process claims this very moment
        return run

    def due(self, schedule: Schedule) -> float | None:
        """Return the tick of the schedule that should run now, in seconds since the epoch, or None."""
        return self._runs.due(schedule)

    def tick(self, schedule_id: str, stopped: Callable[[], bool] = lambda: False) -> Run | None:
        """Run what is due of a schedule; None if nothing is, it was removed, or another scheduler has it."""
        for schedule in self.list():
            if schedule.id == schedule_id and (due := self._runs.due(schedule)) is not None:
                return self._launcher.launch(schedule, due, Trigger.CLOCK, stopped)
        return None

    def changes_mark(self) -> int:
        """A number that differs after another process has changed the ledger."""
        return self._ledger.changes_mark()

    def recover(self) -> Sequence[str]:
        """Mark runs whose process died as lost; return their ids."""
        return self._runs.recover()

    def serve(
        self, seconds: float | None = None, once: bool = False, timeout: float | None = None, ahead: float = 0.0
    ) -> int:
        """Be the project's scheduler until told to end, or for some seconds; return the exit code.

        See `process.serve`. With `once`, run what is due now and return. `timeout` is as in the class. `ahead` seconds
        are added to the clock.
        """
        from mlops_jupyter.services.schedule import process

        serving = process.Serving(self.folder, self.tracking_uri, timeout or self.timeout, ahead)
        return process.serve(serving, seconds, once)

    def _insert(self, schedule: Schedule) -> None:
        place = self._stored(schedule.bundle)
        data = str(schedule.data) if schedule.data else None
        self._ledger.execute(
            "INSERT INTO schedule (id, bundle, cron, timezone, parameters, data, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                schedule.id,
                place,
                schedule.cron,
                schedule.timezone,
                json.dumps(schedule.parameters),
                data,
                schedule.created,
            ),
        )
        facts = {"id": schedule.id, "cron": schedule.cron, "timezone": schedule.timezone}
        self._ledger.audit("schedule add", place, facts)

    def _stored(self, bundle: Path) -> str:
        """The bundle's path as the ledger keeps it: inside the project relative to it, so that the project may move."""
        root = self.folder.resolve().parent
        return bundle.relative_to(root).as_posix() if bundle.is_relative_to(root) else str(bundle)

    def _schedule(self, row: sqlite3.Row) -> Schedule:
        return Schedule(
            id=row["id"],
            bundle=(self.folder.resolve().parent / row["bundle"]).resolve(),
            cron=row["cron"],
            timezone=row["timezone"],
            parameters=json.loads(row["parameters"]),
            data=Path(row["data"]) if row["data"] else None,
            created=row["created"],
        )


def _texts(bundle: bundles.Bundle, parameters: Mapping[str, object]) -> dict[str, str]:
    for name in parameters:
        if bundle.parameters is not None and name not in bundle.parameters:
            takes = ", ".join(sorted(bundle.parameters)) or "none"
            raise UserError(f"the bundle {str(bundle.folder)!r} takes no parameter {name!r}: it takes {takes}")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
