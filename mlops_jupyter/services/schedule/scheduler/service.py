"""The verbs of the scheduler: serve, backfill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mlops_jupyter.services.schedule.models import ScheduledRun
from mlops_jupyter.services.schedule.scheduler import process
from mlops_jupyter.services.schedule.scheduler.backfill import past_ticks, run_ticks
from mlops_jupyter.services.schedule.scheduler.config import SchedulerConfig


@dataclass(frozen=True)
class Scheduler:
    """Runs the schedules of one project: those that fall due, or those of days that are past.

    Attributes
    ----------
    folder : the project's `.mlops`.
    tracking_uri : MLflow's address, given to each run.
    """

    folder: Path
    tracking_uri: str

    def serve(
        self,
        seconds: float | None = None,
        once: bool = False,
        timeout: float | None = None,
        ahead: float = 0.0,
        parent: int | None = None,
    ) -> int:
        """Be the project's scheduler until told to end, or for some seconds; return the exit code.

        See `process.serve` for `seconds` and `once`, `SchedulerConfig` for the others.
        """
        config = SchedulerConfig(self.folder, self.tracking_uri, timeout, ahead, parent)
        return process.serve(config, seconds, once)

    def backfill(
        self,
        id_or_bundle: str | Path,
        first: date,
        last: date,
        on_end: Callable[[ScheduledRun], None] = lambda run: None,
    ) -> Sequence[ScheduledRun]:
        """Run the ticks of these days, both included, that have not succeeded yet; return their runs.

        Parameters
        ----------
        on_end : called with each run when it has ended.

        Raises
        ------
        UserError
            There is no such schedule, it has no times, or the days are in the wrong order or not over yet.
        """
        config = SchedulerConfig(self.folder, self.tracking_uri)
        with config.schedules() as schedules:
            schedule = schedules.only(id_or_bundle)
            due = past_ticks(schedule, first, last, schedules.now())
        return run_ticks(config, schedule, due, on_end)
