"""APScheduler's side: its jobs, one for each schedule, and the trigger that asks our clock.

Its own cron trigger is not used: its weekdays are off by one (`0 9 * * 1` fires on Tuesday) and it knows no macros.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import URL

from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import Schedule
from mlops_jupyter.services.schedule.service import Schedules

TICK = "mlops_jupyter.services.schedule.scheduler.process:tick"
"""The job's function, by name: the job store keeps no code."""

RULES = {"coalesce": True, "misfire_grace_time": None}
"""A job that is late is called once, however late: the ledger says what is to run."""

LOOK_SECONDS = 5.0
"""How often it is looked whether new data has come."""

THREADS = 64
"""So many runs of a project may be under way at once; each thread only waits for its bundle's process."""


class TickTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """Fires at the schedule's ticks. Kept in the job store by pickle. `ahead`: seconds added to the machine's clock.

    A schedule that waits for data is called every few seconds to look; one that waits for another pipeline or a check
    once a day: what it waits for changes the ledger, and then it is called at once.
    """

    def __init__(self, schedule: Schedule, ahead: float = 0.0) -> None:
        self.schedule, self.ahead = schedule, ahead

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first tick after the previous one, or after now if there was none."""
        if not ticks.timed(self.schedule):
            return now.astimezone(UTC) + timedelta(seconds=LOOK_SECONDS if self.schedule.wanted.data else 86400)
        start = (previous_fire_time or now).timestamp() + self.ahead
        tick = ticks.after(self.schedule, start)
        return None if tick is None else datetime.fromtimestamp(tick - self.ahead, UTC)

    def __str__(self) -> str:
        return self.schedule.wanted.shown


def build(store: Path) -> BlockingScheduler:
    """Return a scheduler over the job store in that file, not yet started."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a job is called while it runs is usual here
    return BlockingScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=URL.create("sqlite", database=str(store)))},
        executors={"default": ThreadPoolExecutor(THREADS)},
        timezone=UTC,
    )


def add_all(scheduler: BlockingScheduler, schedules: Schedules, ahead: float) -> None:
    """Before the start: put every schedule into the job store as the ledger has it now, over what was there."""
    for schedule in _active(schedules).values():
        _add(scheduler, schedules, schedule, ahead)


def agree(scheduler: BlockingScheduler, schedules: Schedules, ahead: float) -> None:
    """While it runs: add the jobs of new schedules, drop those of removed and paused ones, call those that are due."""
    kept = _active(schedules)
    have = {job.id for job in scheduler.get_jobs()}
    for gone in have - kept.keys():
        scheduler.remove_job(gone)
    for id, schedule in kept.items():
        if id not in have:
            _add(scheduler, schedules, schedule, ahead)
        elif schedules.ready(schedule):
            scheduler.modify_job(id, next_run_time=datetime.now(UTC))


def _active(schedules: Schedules) -> dict[str, Schedule]:
    return {schedule.id: schedule for schedule in schedules.list() if schedule.paused is None}


def _add(scheduler: BlockingScheduler, schedules: Schedules, schedule: Schedule, ahead: float) -> None:
    """A tick that is due is the job's next time, though it is past: so it runs at once, and once."""
    tick = schedules.due(schedule) or ticks.coming(schedule, schedules.now())
    if tick is None and not ticks.timed(schedule):
        tick = schedules.now()
    if tick is not None:
        scheduler.add_job(
            TICK,
            TickTrigger(schedule, ahead),
            args=[schedule.id],
            id=schedule.id,
            name=str(schedule.bundle),
            next_run_time=datetime.fromtimestamp(tick - ahead, UTC),
            max_instances=schedule.wanted.concurrency + 1,  # one more, to look: the ledger keeps to the limit
            replace_existing=True,
            **RULES,
        )
