"""The scheduler's loop: it polls the ledger for what is due, and threads run it.

The ledger is the truth (which schedules there are, which ticks ran, who runs them), so the loop keeps nothing: it may
die at any moment, and look too often, without a tick being lost or run twice.

The decisions behind it: ARCHITECTURE.md, "Schedule".
"""

from __future__ import annotations

import math
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule import ticks
from mlops_jupyter.services.schedule.models import Schedule
from mlops_jupyter.services.schedule.scheduler.config import SchedulerConfig
from mlops_jupyter.services.schedule.scheduler.console import say, say_outcome
from mlops_jupyter.services.schedule.service import Schedules

POLL_SECONDS = 0.5
"""Longest pause until the loop asks again whether the ledger or the clock has changed."""

LOOK_SECONDS = 5.0
"""Longest pause until every schedule is looked at again, and the pause between two looks for new data."""

THREADS = 64
"""So many runs of a project may be under way at once; each thread only waits for its bundle's process."""


def run_until(told_to_end: threading.Event, deadline: float, config: SchedulerConfig) -> None:
    """Run what falls due until told to end or until the deadline; return when the last run has ended.

    Parameters
    ----------
    told_to_end : runs that are under way are ended when it is set. Set here when the parent process has gone.
    deadline : a moment of `time.monotonic()`; runs that are under way then are waited for.
    """
    workers = _Workers(config, told_to_end)
    seen, looked, next_tick = -1, -math.inf, math.inf
    try:
        with config.schedules() as schedules:
            while not told_to_end.is_set() and time.monotonic() < deadline:
                try:
                    mark = schedules.changes_mark()
                    late = schedules.now() >= next_tick or time.monotonic() - looked >= LOOK_SECONDS
                    if mark != seen or late:
                        next_tick = _start_due(schedules, workers)
                        seen, looked = mark, time.monotonic()
                    pause = min(POLL_SECONDS, next_tick - schedules.now())
                except Exception as error:  # a ledger that is busy for long must not end the loop
                    say(f"cannot read the schedules: {error}")
                    pause = POLL_SECONDS
                told_to_end.wait(max(pause, 0.0))
                if config.orphaned():
                    told_to_end.set()
    finally:
        workers.close()


def _start_due(schedules: Schedules, workers: _Workers) -> float:
    """Start a thread for each schedule that is due and has room; return the next tick of all, infinity for none."""
    next_tick = math.inf
    now = schedules.now()
    for schedule in schedules.list():
        if schedule.paused is None:
            if workers.should_look_for_data(schedule) or schedules.ready(schedule):
                workers.start(schedule)
            next_tick = min(next_tick, ticks.coming(schedule, now) or math.inf)
    return next_tick


class _Workers:
    """The threads that run what is due, by schedule. Used by the loop's own thread alone."""

    def __init__(self, config: SchedulerConfig, told_to_end: threading.Event) -> None:
        self._config = config
        self._told_to_end = told_to_end
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="scheduled-run")
        self._active: dict[str, list[Future[None]]] = {}
        self._looked: dict[str, float] = {}

    def should_look_for_data(self, schedule: Schedule) -> bool:
        """Return whether the schedule waits for data that was last looked for some seconds ago; note the time."""
        now = time.monotonic()
        if not schedule.spec.data or now - self._looked.get(schedule.id, -math.inf) < LOOK_SECONDS:
            return False
        self._looked[schedule.id] = now
        return True

    def start(self, schedule: Schedule) -> None:
        """Have a thread run what is due of a schedule, unless as many as it may use are at it."""
        active = [future for future in self._active.get(schedule.id, ()) if not future.done()]
        if len(active) <= schedule.spec.concurrency:  # one more, to look for data: the ledger keeps to the limit
            active.append(self._pool.submit(self._run_due, schedule.id))
        self._active[schedule.id] = active

    def close(self) -> None:
        """Start nothing more, and wait for the runs that are under way."""
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)

    def _run_due(self, schedule_id: str) -> None:
        try:
            with self._config.schedules() as schedules:
                while not self._closed.is_set() and (run := schedules.run_due(schedule_id, self._told_to_end.is_set)):
                    say_outcome(run)
        except UserError as error:  # data that cannot be looked for now
            say(str(error))
        except Exception:  # our own fault: shown whole, and the other schedules go on
            say(traceback.format_exc())
