"""The scheduler process: one at a time for a project, until it is told to end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mlops_jupyter.services.schedule.models import RunState
from mlops_jupyter.services.schedule.scheduler.checks import checking, recover_and_check
from mlops_jupyter.services.schedule.scheduler.config import SchedulerConfig
from mlops_jupyter.services.schedule.scheduler.console import say, say_outcome
from mlops_jupyter.services.schedule.scheduler.loop import run_until
from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.store.locks import FileLock

STANDBY_SECONDS = 0.5
"""How often a scheduler that stands by asks whether it may take over."""


def serve(config: SchedulerConfig, seconds: float | None = None, once: bool = False) -> int:
    """Run schedules until SIGTERM, SIGINT or `seconds` have passed; return the exit code.

    While another scheduler of the project lives, stand by, and take over when it dies. When the time is up, the runs
    that are under way are finished first; when a signal comes, they are ended.

    Parameters
    ----------
    once : run what is due now and return: 1 if a run failed, else 0.
    """
    deadline = time.monotonic() + seconds if seconds is not None else float("inf")
    told_to_end = threading.Event()
    lock = FileLock(config.folder / "scheduler.lock")
    with signals(told_to_end.set):
        if not _wait_for(lock, config, told_to_end, deadline=0.0 if once else deadline):
            return 0
        try:
            with config.schedules() as schedules:
                recover_and_check(schedules)
                if once:
                    return _run_once(schedules, told_to_end)
            say("scheduler started")
            with checking(config):
                run_until(told_to_end, deadline, config)
            say("scheduler ended")
        finally:
            lock.release()
    return 0


def _wait_for(lock: FileLock, config: SchedulerConfig, told_to_end: threading.Event, deadline: float) -> bool:
    """Acquire the lock, standing by until the deadline if need be; return whether this process has it."""
    if lock.acquire():
        return True
    stands_by = time.monotonic() < deadline
    say(f"another scheduler runs here (pid {lock.holder()})" + ("; standing by" if stands_by else ""))
    while time.monotonic() < deadline and not told_to_end.wait(STANDBY_SECONDS):
        if config.orphaned():
            return False
        if lock.acquire():
            say("took over")
            return True
    return False


def _run_once(schedules: Schedules, told_to_end: threading.Event) -> int:
    failed = False
    for schedule in schedules.list():
        while not told_to_end.is_set() and (run := schedules.run_due(schedule.id, told_to_end.is_set)):
            say_outcome(run)
            failed |= run.status is not RunState.SUCCEEDED
    for line in schedules.deliver_alerts():
        say(line)
    return int(failed)


@contextmanager
def signals(on_signal: Callable[[], None]) -> Iterator[None]:
    """Call a function at SIGTERM and SIGINT, in place of what these do. In the main thread only."""

    def handle(number: int, frame: FrameType | None) -> None:
        on_signal()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
