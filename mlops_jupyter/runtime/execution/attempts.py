"""Steps that are running: their processes, deadlines and ends."""

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
"""How long a step that is stopped may take to leave by itself."""


@dataclass(frozen=True)
class Attempt:
    """One try at a step. `deadline` on the monotonic clock."""

    job: Job
    work: Handle
    started: float
    deadline: float | None


@dataclass(frozen=True)
class AttemptEnd:
    """How an attempt ended. `error` is None for a good end; `told` if the job has written its record itself."""

    attempt: Attempt
    error: StepError | None = None
    told: bool = False


class Attempts:
    """The attempts that are under way with an engine, of one run or of several that share a store.

    `room` is how many there may be at once.
    """

    def __init__(self, engine: Executor, room: int) -> None:
        self._engine = engine
        self._room = max(1, room)
        self._running: list[Attempt] = []

    @property
    def full(self) -> bool:
        """Whether there is room for no more."""
        return len(self._running) >= self._room

    def making(self, key: str, run: str) -> bool:
        """Whether another run is making what a step with that key makes."""
        return any(attempt.job.key == key and attempt.job.run != run for attempt in self._running)

    def start(self, job: Job, log: Path) -> None:
        """Start a job; the first attempt begins a new log."""
        if job.attempt == 1:
            log.unlink(missing_ok=True)
        work = self._engine.start(job, log)
        timeout = job.step.timeout if self._engine.local else None
        self._running.append(Attempt(job, work, time.time(), time.monotonic() + timeout if timeout else None))

    def wait(self, until: float | None) -> None:
        """Sleep until an attempt ends, a deadline passes, or it is `until` on the monotonic clock."""
        times = [attempt.deadline for attempt in self._running if attempt.deadline is not None]
        times += [until] if until is not None else []
        seconds = max(0.0, min(times) - time.monotonic()) if times else None
        if self._running:
            self._engine.wait([attempt.work for attempt in self._running], seconds)
        elif seconds:
            time.sleep(seconds)

    def ended(self) -> Iterator[AttemptEnd]:
        """Yield what has ended, or is ended now because its time is over."""
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
        """End all: they are asked first, and given the same time to leave."""
        for attempt in self._running:
            attempt.work.ask_to_leave()
        until = time.monotonic() + GRACE_SECONDS
        while self._running:
            attempt = self._running.pop()
            attempt.work.kill(max(0.0, until - time.monotonic()))
            yield AttemptEnd(attempt, {"type": "Interrupted", "message": "the run was stopped"})


def cause(code: int) -> str:
    """Say in words why a process ended that left no record.

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
