"""Attempts at steps: how they are started, waited for, timed out and stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..model.events import FAILED, StepError

if TYPE_CHECKING:
    from ..executors import Executor, Handle
    from ..step.job import Job

GRACE_SECONDS = 2.0
"""How long a stopped step may take to end by itself before it is killed."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at a step. `started` is in seconds since the epoch, `deadline` on the monotonic clock."""

    job: Job
    work: Handle
    started: float
    deadline: float | None


@dataclass(frozen=True)
class AttemptEnd:
    """How an attempt ended. `error` is None on success; `told` is true if the job itself wrote the step's record."""

    attempt: Attempt
    error: StepError | None = None
    told: bool = False


class Attempts:
    """The running attempts of an executor, of one run or of several that share a store.

    Parameters
    ----------
    engine : the executor that performs the jobs.
    room : how many attempts may run at once; at least one may.
    """

    def __init__(self, engine: Executor, room: int) -> None:
        self._engine = engine
        self._room = max(1, room)
        self._running: list[Attempt] = []

    @property
    def full(self) -> bool:
        """Whether as many attempts are running as may run at once."""
        return len(self._running) >= self._room

    def making(self, key: str, run: str) -> bool:
        """Whether another run is executing a step with that cache key."""
        return any(attempt.job.key == key and attempt.job.run != run for attempt in self._running)

    def start(self, job: Job, log: Path) -> None:
        """Start an attempt at a job; the first attempt at a step begins a new log."""
        if job.attempt == 1:
            log.unlink(missing_ok=True)
        work = self._engine.start(job, log)
        timeout = job.step.timeout if self._engine.local else None
        self._running.append(Attempt(job, work, time.time(), time.monotonic() + timeout if timeout else None))

    def wait(self, until: float | None) -> None:
        """Sleep until an attempt ends, a deadline passes, or the monotonic clock shows `until`."""
        times = [attempt.deadline for attempt in self._running if attempt.deadline is not None]
        times += [until] if until is not None else []
        seconds = max(0.0, min(times) - time.monotonic()) if times else None
        if self._running:
            self._engine.wait([attempt.work for attempt in self._running], seconds)
        elif seconds:
            time.sleep(seconds)

    def ended(self) -> Iterator[AttemptEnd]:
        """Yield the attempts that have ended; an attempt past its deadline is killed first."""
        for attempt in list(self._running):
            code = attempt.work.poll()
            if code is None and (attempt.deadline is None or time.monotonic() < attempt.deadline):
                continue
            self._running.remove(attempt)
            if code is None:
                attempt.work.kill()
                seconds = f"{attempt.job.step.timeout:g} seconds"
                yield AttemptEnd(attempt, {"type": "TimedOut", "message": f"it took longer than {seconds}"})
            elif isinstance(code, str):
                yield AttemptEnd(attempt, {"type": "Lost", "message": code})
            elif code in (0, FAILED):
                yield AttemptEnd(attempt, None if code == 0 else {}, told=True)
            else:
                yield AttemptEnd(attempt, {"type": "Died", "message": cause(code)})

    def stop(self) -> Iterator[AttemptEnd]:
        """Stop all attempts and yield them: each is asked to end, and killed after `GRACE_SECONDS` for all together."""
        for attempt in self._running:
            attempt.work.ask_to_leave()
        until = time.monotonic() + GRACE_SECONDS
        while self._running:
            attempt = self._running.pop()
            attempt.work.kill(max(0.0, until - time.monotonic()))
            yield AttemptEnd(attempt, {"type": "Interrupted", "message": "the run was stopped"})


def cause(code: int) -> str:
    """Describe how a process ended that wrote no record, from its exit code.

    Examples
    --------
    >>> cause(-9)
    'its process was killed by SIGKILL (out of memory?)'
    """
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
