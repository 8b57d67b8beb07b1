"""What the scheduler process does beside its runs: lost runs, missing ticks, alerts that wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mlops_jupyter.services.schedule.scheduler.config import SchedulerConfig
from mlops_jupyter.services.schedule.scheduler.console import say
from mlops_jupyter.services.schedule.service import Schedules

CHECK_SECONDS = 2.0
"""Pause between two checks."""


def recover_and_check(schedules: Schedules) -> None:
    """Mark the runs whose process died as lost, and note which ticks are missing."""
    for run in schedules.recover():
        say(f"run {run[:14]} was lost: the process that ran it died")
    schedules.note_missing_ticks()


@contextmanager
def checking(config: SchedulerConfig) -> Iterator[None]:
    """Check every few seconds, in a thread, and once more at the end. Addresses of alerts may be slow to answer."""
    ended = threading.Event()
    thread = threading.Thread(target=_check_until, args=(config, ended), name="scheduler-checks")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _check_until(config: SchedulerConfig, ended: threading.Event) -> None:
    with config.schedules() as schedules:
        is_last = False
        while not is_last:
            is_last = ended.wait(CHECK_SECONDS)
            try:
                recover_and_check(schedules)
                for line in schedules.deliver_alerts():
                    say(line)
            except Exception as error:  # a ledger that is busy for long must not end this
                say(f"cannot see to alerts: {error}")
