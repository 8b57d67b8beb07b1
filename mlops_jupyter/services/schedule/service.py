"""The verbs of schedules: add, list, remove, pause, resume, history, run now, backfill; and the scheduler itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.secrets import looks_like_one
from mlops_jupyter.services.schedule import alerts, data_sensor
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule.due import due
from mlops_jupyter.services.schedule.models import Schedule, ScheduledRun, Trigger
from mlops_jupyter.services.schedule.options import ScheduleOptions, resolve
from mlops_jupyter.services.schedule.run_store import RunStore
from mlops_jupyter.services.schedule.runner.launch import Launcher
from mlops_jupyter.services.schedule.schedule_store import ScheduleStore
from mlops_jupyter.store.ledger import Ledger


class Schedules:
    """What runs by itself in one project. Not shared between threads: it holds a ledger.

    Parameters
    ----------
    ledger : where schedules and runs are kept.
    folder : the project's `.mlops`; logs and the stores of scheduled runs go there.
    tracking_uri : MLflow's address, given to each run.
    now : the clock, in seconds since the epoch.
    timeout : seconds after which a run without a timeout of its own is ended with all its processes; None lets it run.
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
        self._kept = ScheduleStore(ledger, folder, now)
        self._runs = RunStore(ledger, folder, now)
        self._launcher = Launcher(self._runs, folder, tracking_uri, timeout)

    def add(
        self,
        bundle: Path,
        cron: str | None = None,
        timezone: str | None = None,
        parameters: Mapping[str, object] | None = None,
        data: Path | None = None,
        wish: ScheduleOptions | None = None,
    ) -> Schedule:
        """Put a bundle on a schedule; the same one twice is kept once. Raise `UserError` for what cannot run.

        Parameters
        ----------
        bundle : folder that `export` wrote.
        cron : five fields of crontab(5) or a macro such as ``@daily``; without any kind the bundle's own schedule.
        timezone : IANA name; None takes the bundle's own where its cron is taken too, else UTC.
        parameters : overrides for each run; what is not text is written as JSON.
        data : folder that takes the place of the bundle's own data.
        wish : all else that may be asked, see `ScheduleOptions`; `cron` and `timezone` go over it.
        """
        folder, source = bundle.resolve(), data.resolve() if data else None
        made = bundles.read(folder)
        wish = wish or ScheduleOptions()
        asked = replace(wish, cron=wish.cron if cron is None else cron, timezone=timezone or wish.timezone)
        wanted, policy = resolve(asked, made, self.list())
        values = _texts(made, parameters or {})
        if source and not source.is_dir():
            raise UserError(f"no folder {str(data)!r} for the data: name one that exists")
        schedule = Schedule("", folder, made.package, wanted, values, source, self.now(), policy)
        return self._kept.add(schedule, self._lying(schedule))

    def list(self) -> Sequence[Schedule]:
        """Return the schedules that are kept, the oldest first."""
        return self._kept.list()

    def find(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Return the schedules of a bundle's folder, or the one whose id begins so; else raise `UserError`."""
        return self._kept.find(id_or_bundle)

    def one(self, id_or_bundle: str | Path) -> Schedule:
        """Return the only schedule of a bundle's folder, or the one whose id begins so; else raise `UserError`."""
        found = self.find(id_or_bundle)
        if len(found) > 1:
            ids = ", ".join(s.id[:14] for s in found)
            raise UserError(f"{str(id_or_bundle)!r} has {len(found)} schedules: name one of {ids}")
        return found[0]

    def remove(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Take schedules off the clock and return them; their history stays. A run that is going on ends by itself."""
        return [self._kept.remove(schedule) for schedule in self.find(id_or_bundle)]

    def pause(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """See that nothing of these is due until they are resumed. A run that is going on ends by itself."""
        return [self._kept.pause(schedule) for schedule in self.find(id_or_bundle)]

    def resume(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Go on with schedules that were paused. What fell into the pause does not run: `backfill` runs it."""
        return [self._kept.resume(one, self._lying(one)) for one in self.find(id_or_bundle)]

    def history(self, bundle: str | Path | None = None) -> Sequence[ScheduledRun]:
        """Return the runs, the newest first: all, or those of a bundle's folder or of a schedule's id."""
        runs = self._runs.history()
        if bundle is None:
            return runs
        word, folder = str(bundle), Path(bundle).resolve()
        return [run for run in runs if run.bundle == folder or run.schedule.startswith(word)]

    def run_now(self, id_or_bundle: str | Path, timeout: float | None = None) -> ScheduledRun:
        """Run a schedule's bundle at once, wait for its end (`timeout` seconds at most), return what is recorded."""
        schedule = self.one(id_or_bundle)
        if timeout:
            tries = replace(schedule.policy.tries, timeout_seconds=timeout)
            schedule = replace(schedule, policy=replace(schedule.policy, tries=tries))
        self.recover()
        run = self._launcher.launch(schedule, self.now(), Trigger.HAND, lambda: False)
        if run is None:
            going = self._runs.under_way(schedule.id)
            raise UserError(
                f"{going} run(s) of {schedule.bundle.name!r} are under way, as many as may be at once: wait for the end"
            )
        list(self.deliver())
        return run

    def run_tick(self, schedule: Schedule, tick: float, stopped: Callable[[], bool]) -> ScheduledRun | None:
        """Run one tick of the past; None if another process has it or there is no room."""
        return self._launcher.launch(schedule, tick, Trigger.BACKFILL, stopped)

    def at(self, schedule: Schedule, tick: float) -> ScheduledRun | None:
        """Return the run of a tick, or None."""
        return self._runs.at(schedule.id, tick)

    def backfill(
        self, id_or_bundle: str | Path, first: date, last: date, told: Callable[[ScheduledRun], None] = lambda run: None
    ) -> Sequence[ScheduledRun]:
        """Run the ticks of these days that have not succeeded yet, see `backfill.backfill`; return their runs."""
        from mlops_jupyter.services.schedule.scheduler import backfill, process

        schedule = self.one(id_or_bundle)
        due = backfill.past(schedule, first, last, self.now())
        serving = process.SchedulerConfig(self.folder, self.tracking_uri, self.timeout)
        return backfill.backfill(serving, schedule, due, told)

    def due(self, schedule: Schedule) -> float | None:
        """Return the tick of the schedule that should run now, in seconds since the epoch, or None."""
        return due(self._ledger, schedule, self.now())

    def ready(self, schedule: Schedule) -> bool:
        """Whether a tick is due and there is room for its run."""
        return self.due(schedule) is not None and self.has_room(schedule)

    def has_room(self, schedule: Schedule) -> bool:
        """Whether fewer runs are under way than may be at once."""
        return self._runs.under_way(schedule.id) < schedule.wanted.concurrency

    def tick(self, schedule_id: str, stopped: Callable[[], bool] = lambda: False) -> ScheduledRun | None:
        """Run what is due of a schedule; None if nothing is, it was removed, or another scheduler has it."""
        for schedule in self.list():
            if schedule.id == schedule_id:
                if schedule.wanted.data and not schedule.paused:
                    data_sensor.note(self._ledger, schedule, self.folder.resolve().parent, self.now())
                if (tick := self.due(schedule)) is not None:
                    return self._launcher.launch(schedule, tick, Trigger.CLOCK, stopped)
        return None

    def changes_mark(self) -> int:
        """A number that differs after another process has changed the ledger."""
        return self._ledger.changes_mark()

    def recover(self) -> Sequence[str]:
        """Mark runs whose process died as lost; return their ids."""
        return self._runs.recover(self._kept.get)

    def look_for_missing(self) -> None:
        """Note for the alerts which ticks should have run by now and did not."""
        for schedule in self.list():
            alerts.of_missing(self._ledger, schedule, self.now())

    def deliver(self) -> Iterator[str]:
        """Send the alerts that wait; yield a line for each that was not taken."""
        return alerts.deliver(self._ledger, self._kept.get, self.now())

    def serve(
        self,
        seconds: float | None = None,
        once: bool = False,
        timeout: float | None = None,
        ahead: float = 0.0,
        parent: int | None = None,
    ) -> int:
        """Be the project's scheduler until told to end, or for some seconds; return the exit code.

        See `process.serve`. With `once`, run what is due now and return. `timeout` is as in the class. `ahead` seconds
        are added to the clock. `parent` is the process that it ends with.
        """
        from mlops_jupyter.services.schedule.scheduler import process

        serving = process.SchedulerConfig(self.folder, self.tracking_uri, timeout or self.timeout, ahead, parent)
        return process.serve(serving, seconds, once)

    def _lying(self, schedule: Schedule) -> str | None:
        """What lies at the place that a schedule watches: the run it starts is for what comes after."""
        if not schedule.wanted.data:
            return None
        return json.dumps(dict(data_sensor.look(schedule.wanted.data, self.folder.resolve().parent)))


def _texts(bundle: bundles.Bundle, parameters: Mapping[str, object]) -> dict[str, str]:
    for name in parameters:
        if bundle.parameters is not None and name not in bundle.parameters:
            takes = ", ".join(sorted(bundle.parameters)) or "none"
            raise UserError(f"the bundle {str(bundle.folder)!r} takes no parameter {name!r}: it takes {takes}")
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    for name, text in values.items():
        if looks_like_one(name, text):
            raise UserError(
                f"parameter {name!r} looks like a secret, which the ledger must not hold: let the step read it from "
                "the environment of the scheduler"
            )
    return values
