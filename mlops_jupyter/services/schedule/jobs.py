"""APScheduler's side: its jobs, one for each schedule, and the trigger that asks our clock.

Its own cron trigger is not used: its weekdays are off by one (`0 9 * * 1` fires on Tuesday) and it knows no macros.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import URL

from mlops_jupyter.services.schedule.clock import next_after
from mlops_jupyter.services.schedule.record import Schedule
from mlops_jupyter.services.schedule.service import Schedules

TICK = "mlops_jupyter.services.schedule.process:tick"
"""The job's function, by name: the job store keeps no code."""

RULES = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
"""Missed ticks run once, however late, and never beside another run of their schedule."""


class CronTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """Fires when `clock` says. Kept in the job store by pickle. `ahead`: how far our clock is before the machine's."""

    def __init__(self, cron: str, timezone: str, ahead: float = 0.0) -> None:
        self.cron, self.timezone, self.ahead = cron, timezone, ahead

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first tick after the previous one, or after now if there was none."""
        ahead = timedelta(seconds=self.ahead)
        start = (previous_fire_time or now).astimezone(UTC) + ahead
        tick = next_after(self.cron, self.timezone, start)
        return tick.astimezone(UTC) - ahead if tick else None

    def __str__(self) -> str:
        return f"cron[{self.cron} {self.timezone}]"


def build(store: Path) -> BlockingScheduler:
    """Return a scheduler over the job store in that file, not yet started."""
    return BlockingScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=URL.create("sqlite", database=str(store)))},
        executors={"default": ThreadPoolExecutor(os.cpu_count() or 2)},
        timezone=UTC,
    )


def add_all(scheduler: BlockingScheduler, schedules: Schedules, ahead: float) -> None:
    """Before the start: put every schedule into the job store as the ledger has it now, over what was there."""
    for schedule in schedules.list():
        _add(scheduler, schedules, schedule, ahead)


def agree(scheduler: BlockingScheduler, schedules: Schedules, ahead: float) -> None:
    """While it runs: add the jobs of new schedules, drop those of removed ones, leave the others alone."""
    kept = {schedule.id: schedule for schedule in schedules.list()}
    have = {job.id for job in scheduler.get_jobs()}
    for gone in have - kept.keys():
        scheduler.remove_job(gone)
    for new in kept.keys() - have:
        _add(scheduler, schedules, kept[new], ahead)


def _add(scheduler: BlockingScheduler, schedules: Schedules, schedule: Schedule, ahead: float) -> None:
    """A tick that is due is the job's next time, though it is past: so it runs at once, and once."""
    tick = schedules.due(schedule) or schedule.next_due(schedules.now())
    if tick is not None:
        scheduler.add_job(
            TICK,
            CronTrigger(schedule.cron, schedule.timezone, ahead),
            args=[schedule.id],
            id=schedule.id,
            name=str(schedule.bundle),
            next_run_time=datetime.fromtimestamp(tick - ahead, UTC),
            replace_existing=True,
            **RULES,
        )
