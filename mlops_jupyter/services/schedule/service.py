"""The verbs of schedules: add, list, remove, pause, resume, history, run now; and what a scheduler asks of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.secret_values import looks_like_one
from mlops_jupyter.services.schedule import alerts, data_sensor
from mlops_jupyter.services.schedule import bundle as bundles
from mlops_jupyter.services.schedule.due import due_tick
from mlops_jupyter.services.schedule.models import Schedule, ScheduledRun, Trigger
from mlops_jupyter.services.schedule.options import ScheduleOptions, resolve
from mlops_jupyter.services.schedule.run_store import RunStore
from mlops_jupyter.services.schedule.runner import process_tree
from mlops_jupyter.services.schedule.runner.launch import Launcher
from mlops_jupyter.services.schedule.schedule_store import ScheduleStore
from mlops_jupyter.store.ledger import Ledger
from mlops_jupyter.store.locks import FileLock

RECOVERY_SECONDS = 0.05
"""How often it is asked whether another process has recovered the lost runs."""


class Schedules:
    """The schedules of one project and their runs. Not shared between threads: it holds a ledger.

    Parameters
    ----------
    ledger : where schedules and runs are recorded.
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
        self.now = now
        self._ledger = ledger
        self._folder = folder
        self._root = folder.resolve().parent
        self._store = ScheduleStore(ledger, folder, now)
        self._runs = RunStore(ledger, folder, now)
        self._launcher = Launcher(self._runs, folder, tracking_uri, timeout)

    def add(
        self,
        bundle: Path,
        cron: str | None = None,
        timezone: str | None = None,
        parameters: Mapping[str, object] | None = None,
        data: Path | None = None,
        options: ScheduleOptions | None = None,
    ) -> Schedule:
        """Put a bundle on a schedule; the same schedule twice is kept once.

        Parameters
        ----------
        bundle : folder that `export` wrote.
        cron : five fields of crontab(5) or a macro such as ``@daily``; without any kind the bundle's own schedule.
        timezone : IANA name; None takes the bundle's own where its cron is taken too, else UTC.
        parameters : overrides for each run; what is not text is written as JSON.
        data : folder that takes the place of the bundle's own data.
        options : all else that may be asked; `cron` and `timezone` go over it.

        Raises
        ------
        UserError
            The bundle cannot run so.
        """
        folder, data_folder = bundle.resolve(), data.resolve() if data else None
        exported = bundles.read(folder)
        options = options or ScheduleOptions()
        options = replace(options, cron=options.cron if cron is None else cron, timezone=timezone or options.timezone)
        spec, policy = resolve(options, exported, self.list())
        texts = _parameter_texts(exported, parameters or {})
        if data_folder and not data_folder.is_dir():
            raise UserError(f"no folder {str(data)!r} for the data: name one that exists")
        schedule = Schedule("", folder, exported.package, spec, texts, data_folder, self.now(), policy)
        return self._store.add(schedule, self._files_seen(schedule))

    def list(self) -> Sequence[Schedule]:
        """Return the schedules that were not removed, the oldest first."""
        return self._store.list()

    def find(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Return the schedules of a bundle's folder, or the one whose id begins so; else raise `UserError`."""
        return self._store.find(id_or_bundle)

    def only(self, id_or_bundle: str | Path) -> Schedule:
        """Return the only schedule of a bundle's folder, or the one whose id begins so; else raise `UserError`."""
        schedules = self.find(id_or_bundle)
        if len(schedules) > 1:
            ids = ", ".join(schedule.id[:14] for schedule in schedules)
            raise UserError(f"{str(id_or_bundle)!r} has {len(schedules)} schedules: name one of {ids}")
        return schedules[0]

    def remove(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Remove schedules and return them; their history stays. A run that is under way ends by itself."""
        return [self._store.remove(schedule) for schedule in self.find(id_or_bundle)]

    def pause(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Have nothing of these schedules due until they are resumed. A run that is under way ends by itself."""
        return [self._store.pause(schedule) for schedule in self.find(id_or_bundle)]

    def resume(self, id_or_bundle: str | Path) -> Sequence[Schedule]:
        """Go on with schedules that were paused. What fell into the pause does not run: `backfill` runs it."""
        return [self._store.resume(schedule, self._files_seen(schedule)) for schedule in self.find(id_or_bundle)]

    def history(self, bundle: str | Path | None = None) -> Sequence[ScheduledRun]:
        """Return the runs, the newest first: all, or those of a bundle's folder or of a schedule's id."""
        runs = self._runs.history()
        if bundle is None:
            return runs
        prefix, folder = str(bundle), Path(bundle).resolve()
        return [run for run in runs if run.bundle == folder or run.schedule.startswith(prefix)]

    def run_now(self, id_or_bundle: str | Path, timeout: float | None = None) -> ScheduledRun:
        """Run a schedule's bundle at once, wait for its end (`timeout` seconds at most), return what is recorded."""
        schedule = self.only(id_or_bundle)
        if timeout:
            tries = replace(schedule.policy.tries, timeout_seconds=timeout)
            schedule = replace(schedule, policy=replace(schedule.policy, tries=tries))
        self.recover()
        run = self._launcher.launch(schedule, self.now(), Trigger.HAND, lambda: False)
        if run is None:
            count = self._runs.under_way(schedule.id)
            raise UserError(
                f"{count} run(s) of {schedule.bundle.name!r} are under way, as many as may be at once: wait for the end"
            )
        list(self.deliver_alerts())
        return run

    def run_due(self, schedule_id: str, stopped: Callable[[], bool] = lambda: False) -> ScheduledRun | None:
        """Run what is due of a schedule; None if nothing is, it was removed, or another scheduler has it.

        Parameters
        ----------
        stopped : asked while the bundle runs; once it returns True, the run is ended.
        """
        for schedule in self.list():
            if schedule.id == schedule_id:
                if schedule.spec.data and not schedule.paused:
                    data_sensor.record_new_data(self._ledger, schedule, self._root, self.now())
                if (tick := self.due_tick(schedule)) is not None:
                    return self._launcher.launch(schedule, tick, Trigger.CLOCK, stopped)
        return None

    def run_past_tick(self, schedule: Schedule, tick: float, stopped: Callable[[], bool]) -> ScheduledRun | None:
        """Run one tick of the past; None if another process has it or there is no room."""
        return self._launcher.launch(schedule, tick, Trigger.BACKFILL, stopped)

    def run_of_tick(self, schedule: Schedule, tick: float) -> ScheduledRun | None:
        """Return the run of a tick, or None."""
        return self._runs.of_tick(schedule.id, tick)

    def due_tick(self, schedule: Schedule) -> float | None:
        """Return the tick of the schedule that should run now, in seconds since the epoch, or None."""
        return due_tick(self._ledger, schedule, self.now())

    def ready(self, schedule: Schedule) -> bool:
        """Return whether a tick is due and there is room for its run."""
        return self.due_tick(schedule) is not None and self.has_room(schedule)

    def has_room(self, schedule: Schedule) -> bool:
        """Return whether fewer runs are under way than may be at once."""
        return self._runs.under_way(schedule.id) < schedule.spec.concurrency

    def changes_mark(self) -> int:
        """Return a number that differs after another process or thread has changed the ledger."""
        return self._ledger.changes_mark()

    def recover(self) -> Sequence[str]:
        """Mark runs whose process died as lost, and end what is left of them; return their ids.

        One process at a time does that: a backfill runs a lost run again under its id, by which the next one that
        recovers would find the processes of the new run.
        """
        lost: list[str] = []
        if not self._runs.orphans():
            return lost
        lock = FileLock(self._folder / "schedule-recovery.lock")
        while not lock.acquire():
            time.sleep(RECOVERY_SECONDS)
        try:
            for run, schedule_id in self._runs.orphans():
                left_running = process_tree.terminate(run, grace=0.0)
                if self._runs.mark_lost(run, self._store.get(schedule_id), left_running):
                    lost.append(run)
        finally:
            lock.release()
        return lost

    def note_missing_ticks(self) -> None:
        """Note for the alerts which ticks should have run by now and did not."""
        for schedule in self.list():
            alerts.note_missing_ticks(self._ledger, schedule, self.now())

    def deliver_alerts(self) -> Iterator[str]:
        """Send the alerts that wait; yield a line for each that could not be delivered."""
        return alerts.deliver(self._ledger, self._store.get, self.now())

    def _files_seen(self, schedule: Schedule) -> str | None:
        """Return the files at the place that a schedule watches, as JSON: only what comes after them is new."""
        if not schedule.spec.data:
            return None
        return json.dumps(dict(data_sensor.list_files(schedule.spec.data, self._root)))


def _parameter_texts(bundle: bundles.Bundle, parameters: Mapping[str, object]) -> dict[str, str]:
    for name in parameters:
        if bundle.parameters is not None and name not in bundle.parameters:
            takes = ", ".join(sorted(bundle.parameters)) or "none"
            raise UserError(f"the bundle {str(bundle.folder)!r} takes no parameter {name!r}: it takes {takes}")
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    for name, text in texts.items():
        if looks_like_one(name, text):
            raise UserError(
                f"parameter {name!r} looks like a secret, which the ledger must not hold: let the step read it from "
                "the environment of the scheduler"
            )
    return texts
