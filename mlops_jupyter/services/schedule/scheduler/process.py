"""The scheduler process: APScheduler wakes it at each tick, the ledger decides what runs.

The ledger is the truth (which schedules there are, which ticks ran); APScheduler's job store is made to agree with it
at every start and whenever another process has changed the ledger. So a tick is neither lost nor run twice by a crash
between "started" and "written down".
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule.lock import Lock
from mlops_jupyter.services.schedule.models import RunState, ScheduledRun
from mlops_jupyter.services.schedule.service import Schedules
from mlops_jupyter.store.ledger import Ledger

if TYPE_CHECKING:
    from apscheduler.schedulers.blocking import BlockingScheduler

WATCH_SECONDS = 0.5
"""How often the scheduler looks whether schedules changed, and a standby whether it may take over."""

WAKE_SECONDS = 5.0
"""How often APScheduler is woken to look at the clock: its own wait does not count the time a machine slept."""

ALERT_SECONDS = 2.0
"""How often it is looked for runs whose process died, ticks that did not run, and alerts that wait."""


@dataclass(frozen=True)
class SchedulerConfig:
    """What a scheduler process works for.

    Attributes
    ----------
    ahead : seconds added to the clock (tests wait seconds instead of minutes).
    parent : the process that it ends with, or None; a Jupyter server that starts one is that.
    """

    folder: Path
    tracking_uri: str
    timeout: float | None = None
    ahead: float = 0.0
    parent: int | None = None

    def orphaned(self) -> bool:
        """Whether the process that it belongs to has gone."""
        return self.parent is not None and os.getppid() != self.parent

    @contextmanager
    def schedules(self) -> Iterator[Schedules]:
        """Open the project for one thread."""
        ledger = Ledger(self.folder / "ledger.db")
        try:
            yield Schedules(ledger, self.folder, self.tracking_uri, lambda: time.time() + self.ahead, self.timeout)
        finally:
            ledger.close()


class _State:
    """This process's own: what it serves, and whether it was told to end. Jobs find it here, by import."""

    serving: SchedulerConfig | None = None
    told_to_end = threading.Event()


def serve(serving: SchedulerConfig, seconds: float | None, once: bool) -> int:
    """Run schedules until SIGTERM, SIGINT or `seconds` have passed; return the exit code.

    While another scheduler of the project lives, stand by, and take over when it dies. When the time is up, a run that
    is going on is finished first; when a signal comes, it is ended. With `once`, run what is due now and return: 1 if a
    run failed.
    """
    deadline = time.monotonic() + seconds if seconds is not None else float("inf")
    _State.serving = serving
    _State.told_to_end.clear()
    lock = Lock(serving.folder / "scheduler.lock")
    with signals(_State.told_to_end.set):
        if not _wait_for(lock, deadline, patient=not once):
            return 0
        try:
            with serving.schedules() as schedules:
                recover_and_check(schedules)
                if once:
                    return _once(schedules)
            _run_by_the_clock(serving, deadline)
        finally:
            lock.release()
    return 0


def tick(schedule_id: str) -> None:
    """What APScheduler calls, in a thread of its pool: run what is due of a schedule."""
    serving = _State.serving
    if serving is None:
        raise RuntimeError("tick() is only for the scheduler process")
    try:
        with serving.schedules() as schedules:
            run = schedules.tick(schedule_id, _State.told_to_end.is_set)
    except UserError as fault:  # data that cannot be looked for now
        say(str(fault))
    else:
        if run is not None:
            say(_sentence(run))


def say(line: str) -> None:
    """Tell whoever watches the scheduler's terminal."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def _sentence(run: ScheduledRun) -> str:
    seconds = (run.ended or 0.0) - (run.started or 0.0)
    return f"{run.bundle.name} {run.status.value} in {seconds:.1f} s" + (f": {run.reason}" if run.reason else "")


def _wait_for(lock: Lock, deadline: float, patient: bool) -> bool:
    """Take the lock, standing by if need be; False if the time is up, we are told to end, or we are not to wait."""
    if lock.take():
        return True
    say(f"another scheduler runs here (pid {lock.holder()})" + ("; standing by" if patient else ""))
    while patient and time.monotonic() < deadline and not _State.told_to_end.wait(WATCH_SECONDS):
        if _State.serving and _State.serving.orphaned():
            return False
        if lock.take():
            say("took over")
            return True
    return False


def recover_and_check(schedules: Schedules) -> None:
    """Note what was lost and what is missing."""
    for run in schedules.recover():
        say(f"run {run[:14]} was lost: the process that ran it died")
    schedules.look_for_missing()


def _once(schedules: Schedules) -> int:
    failed = False
    for schedule in schedules.list():
        while not _State.told_to_end.is_set() and (run := schedules.tick(schedule.id, _State.told_to_end.is_set)):
            say(_sentence(run))
            failed |= run.status is not RunState.SUCCEEDED
    for line in schedules.deliver():
        say(line)
    return int(failed)


def _keep_seeing_to(serving: SchedulerConfig, ended: threading.Event) -> None:
    """Beside the clock: see to lost runs, missing ticks and alerts, whose addresses may be slow to answer."""
    with serving.schedules() as schedules:
        while True:
            over = ended.wait(ALERT_SECONDS)
            try:
                recover_and_check(schedules)
                for line in schedules.deliver():
                    say(line)
            except Exception as fault:  # a ledger that is busy for long must not end this
                say(f"cannot see to alerts: {fault}")
            if over:
                return


def _run_by_the_clock(serving: SchedulerConfig, deadline: float) -> None:
    from apscheduler.events import EVENT_SCHEDULER_STARTED
    from sqlalchemy.exc import DatabaseError

    from mlops_jupyter.services.schedule.scheduler import loop

    store = serving.folder / "scheduler.db"
    scheduler = loop.build(store)
    with serving.schedules() as schedules:
        loop.add_all(scheduler, schedules, serving.ahead)
    watcher = threading.Thread(target=_watch, args=(scheduler, serving, deadline), name="scheduler-watch")
    ended = threading.Event()
    keeper = threading.Thread(target=_keep_seeing_to, args=(serving, ended), name="scheduler-alerts")
    keeper.start()
    scheduler.add_listener(lambda _: watcher.start(), EVENT_SCHEDULER_STARTED)  # before, it could not be shut down
    say("scheduler started")
    try:
        scheduler.start()
    except DatabaseError as fault:
        raise UserError(
            f"cannot use {str(store)!r}: {fault.orig}; delete it, it is made again from the ledger"
        ) from fault
    finally:
        if watcher.ident is not None:
            watcher.join()
        ended.set()
        keeper.join()
    say("scheduler ended")


def _watch(scheduler: BlockingScheduler, serving: SchedulerConfig, deadline: float) -> None:
    """Keep the jobs true to the ledger; shut the scheduler down when the time is up or we are told to end."""
    from mlops_jupyter.services.schedule.scheduler import loop

    mark, woken = -1, 0.0
    with serving.schedules() as schedules:
        while True:
            try:
                if (now_at := schedules.changes_mark()) != mark:
                    loop.agree(scheduler, schedules, serving.ahead)
                    mark = now_at
            except Exception as fault:  # a ledger that is busy for long must not end the watch
                say(f"cannot read the schedules: {fault}")
            if time.monotonic() - woken > WAKE_SECONDS:
                scheduler.wakeup()
                woken = time.monotonic()
            if serving.orphaned():
                _State.told_to_end.set()
            if _State.told_to_end.wait(WATCH_SECONDS) or time.monotonic() > deadline:
                break
    scheduler.pause()  # nothing new, while the shutdown waits for what runs
    scheduler.shutdown(wait=True)


@contextmanager
def signals(told: Callable[[], None]) -> Iterator[None]:
    """Have SIGTERM and SIGINT told, instead of what they do. In the main thread only."""

    def tell(number: int, frame: FrameType | None) -> None:
        told()

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
