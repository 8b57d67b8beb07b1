"""Runs the ticks of some days of the past: each once, the oldest first, as many at once as the schedule lets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.cron.ticks import zone
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import RunState, Schedule, ScheduledRun
from mlops_jupyter.services.schedule.scheduler.config import SchedulerConfig
from mlops_jupyter.services.schedule.scheduler.process import signals
from mlops_jupyter.services.schedule.service import Schedules

ROOM_SECONDS = 0.2
"""How often a worker asks whether there is room for the next run."""


def past_ticks(schedule: Schedule, first: date, last: date, now: float) -> Iterator[float]:
    """Return the ticks of these days, both included, by the clock of the schedule's zone; none after `now`.

    Raises
    ------
    UserError
        The schedule has no times, or the days are in the wrong order or not over yet.
    """
    if not ticks.timed(schedule):
        raise UserError(f"a schedule {schedule.spec.shown!r} has no times of the past: use `schedule run`")
    if first > last:
        raise UserError(f"--from {first} is after --to {last}: swap them")
    place = zone(schedule.timezone)
    begin, end = (datetime.combine(day, time(), place).timestamp() for day in (first, last + timedelta(days=1)))
    if begin > now:
        raise UserError(f"--from {first} is in the future: the schedule runs what comes")
    return ticks.between(schedule, begin, min(end, now))


def run_ticks(
    config: SchedulerConfig, schedule: Schedule, due: Iterator[float], on_end: Callable[[ScheduledRun], None]
) -> Sequence[ScheduledRun]:
    """Run the ticks that have not succeeded yet, and return the runs; `on_end` is called with each that has ended.

    A backfill that was ended, even killed, goes on where it was when it is asked for again. SIGTERM and SIGINT end it
    and its runs, which are recorded as stopped.
    """
    stop = threading.Event()
    lock = threading.Lock()
    runs: list[ScheduledRun] = []

    def work() -> None:
        with config.schedules() as schedules:
            while not stop.is_set():
                with lock:  # until there is room no other worker takes the tick after it
                    tick = next(due, None)
                    while tick is not None and not schedules.has_room(schedule) and not stop.wait(ROOM_SECONDS):
                        pass
                if tick is None:
                    return
                run = _run_tick(schedules, schedule, tick, stop)
                with lock:
                    if run is not None:
                        runs.append(run)
                        on_end(run)

    with config.schedules() as schedules:
        schedules.recover()
    with signals(stop.set), ThreadPoolExecutor(schedule.spec.concurrency) as workers:
        for future in [workers.submit(work) for _ in range(schedule.spec.concurrency)]:
            future.result()
    with config.schedules() as schedules:
        list(schedules.deliver_alerts())
    if stop.is_set():
        raise KeyboardInterrupt
    return runs


def _run_tick(schedules: Schedules, schedule: Schedule, tick: float, stop: threading.Event) -> ScheduledRun | None:
    """Run one tick, waiting for room; None if it has run before, another process has it, or the backfill is ended."""
    while not stop.is_set():
        if run := schedules.run_past_tick(schedule, tick, stop.is_set):
            return run
        recorded = schedules.run_of_tick(schedule, tick)
        if recorded is not None and recorded.status in (RunState.RUNNING, RunState.SUCCEEDED):
            return None
        stop.wait(ROOM_SECONDS)
    return None
